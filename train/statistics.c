/* SPDX-License-Identifier: MIT */
/* Student's distribution comes from the incomplete beta function, by its continued fraction
 * (Abramowitz & Stegun 26.5.8) in Lentz's way; it converges in a few dozen terms where x is below
 * (a + 1) / (a + b + 2), and the function's symmetry serves the rest. */
#include "train/statistics.h"

#include <math.h>

double at_mean(const double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i];
    return n > 0 ? sum / n : NAN;
}

double at_deviation(const double *x, int n) {
    const double mean = at_mean(x, n);
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return n > 1 ? sqrt(sum / (n - 1)) : NAN;
}

/* ---- Student ---- */

static double away_from_zero(double v) {
    return fabs(v) < 1e-300 ? 1e-300 : v;
}

/* The fraction 1 / (1 + d1 / (1 + d2 / (1 + ...))). */
static double beta_fraction(double a, double b, double x) {
    double c = 1, d = 1 / away_from_zero(1 - (a + b) * x / (a + 1)), f = d;
    for (int m = 1; m < 1000; m++) {
        const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        const double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / away_from_zero(1 + even * d);
        c = away_from_zero(1 + even / c);
        f *= c * d;
        d = 1 / away_from_zero(1 + odd * d);
        c = away_from_zero(1 + odd / c);
        f *= c * d;
        if (fabs(c * d - 1) < 1e-15) break;
    }
    return f;
}

/* I_x(a, b), 0 <= x <= 1. */
static double incomplete_beta(double a, double b, double x) {
    if (x <= 0) return 0;
    if (x >= 1) return 1;
    const double front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));
    if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double at_student_p(double t, double freedom) {
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t * t));
}

double at_student_t(double p, double freedom) {
    double low = 0, high = 1;
    while (at_student_p(high, freedom) > p && high < 1e100) high *= 2;
    while (high - low > 1e-15 * high) {
        const double middle = (low + high) / 2;
        *(at_student_p(middle, freedom) > p ? &low : &high) = middle;
    }
    return (low + high) / 2;
}

/* ---- pairs ---- */

at_paired at_paired_test(const double *a, const double *b, int n, double confidence) {
    at_paired r = {n, NAN, NAN, NAN, NAN, NAN};
    double squares = 0;
    if (n < 1) return r;
    r.mean = 0;
    for (int i = 0; i < n; i++) r.mean += (a[i] - b[i]) / n;
    if (n < 2) return r;
    for (int i = 0; i < n; i++) squares += pow(a[i] - b[i] - r.mean, 2);
    r.deviation = sqrt(squares / (n - 1));
    const double error = r.deviation / sqrt(n), half = error * at_student_t(1 - confidence, n - 1);
    r.low = r.mean - half;
    r.high = r.mean + half;
    if (error > 0)
        r.p = at_student_p(r.mean / error, n - 1);
    else
        r.p = r.mean == 0;
    return r;
}

/* The smallest that has not had its turn. */
static int smallest(const double *p, const double *adjusted, int n) {
    int best = -1;
    for (int i = 0; i < n; i++)
        if (adjusted[i] < 0 && (best < 0 || p[i] < p[best])) best = i;
    return best;
}

void at_holm(const double *p, double *adjusted, int n) {
    int left = 0;
    double largest = 0; /* so far: adjusted values never fall */
    for (int i = 0; i < n; i++) {
        adjusted[i] = isnan(p[i]) ? NAN : -1;
        left += !isnan(p[i]);
    }
    for (; left > 0; left--) {
        const int i = smallest(p, adjusted, n);
        largest = fmax(largest, left * p[i]);
        adjusted[i] = fmin(largest, 1);
    }
}
