/* SPDX-License-Identifier: MIT */
/* What a few seeds can say. The unit is the seed: one number a run, and two variants are compared
 * through their differences on the same seeds (Student's paired t-test), so that what a seed does to
 * both cancels. NAN stands for what cannot be known from so few numbers. */
#ifndef AT_TRAIN_STATISTICS_H
#define AT_TRAIN_STATISTICS_H

/* NAN of nothing. */
double at_mean(const double *x, int n);
/* Of the sample: divided by n - 1; NAN for fewer than two. */
double at_deviation(const double *x, int n);

/* Student's distribution with `freedom` >= 1 degrees of freedom. The chance of |T| >= t; and the t
 * with that chance, 0 < p <= 1. */
double at_student_p(double t, double freedom);
double at_student_t(double p, double freedom);

/* The differences a - b of n pairs.
 * n = 0: all NAN. n = 1: a mean, but neither deviation nor interval nor p. n = 2: all, but with one
 * degree of freedom the interval is 12.7 standard errors wide to each side. Differences that are all
 * the same have p = 1 if they are 0, else p = 0. */
typedef struct at_paired {
    int n;
    double mean, deviation; /* of the differences */
    double low, high;       /* confidence interval of the mean */
    double p;               /* two-sided, not corrected */
} at_paired;

/* `confidence`: 0.95. */
at_paired at_paired_test(const double *a, const double *b, int n, double confidence);

/* Holm's correction (Scandinavian Journal of Statistics 6, 1979): the chance of even one wrong
 * verdict among all of them stays below the level that the adjusted values are held against. NANs
 * stay NAN and count nowhere. p and adjusted are different arrays. */
void at_holm(const double *p, double *adjusted, int n);

#endif
