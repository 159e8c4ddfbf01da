/* SPDX-License-Identifier: MIT */
/* Student's distribution against published tables, closed forms and an integral; paired tests and
 * Holm's correction against numbers worked out elsewhere. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "train/train.h"

static void near(double value, double expected, double tolerance) {
    if (!(fabs(value - expected) <= tolerance)) fail_msg("%.15g, expected %.15g", value, expected);
}

static const double pi = 3.14159265358979323846;

/* The table every textbook prints: t with 2.5 % and with 0.5 % above it. */
static void published_table(void **state) {
    (void)state;
    static const struct {
        double freedom, t95, t99;
    } rows[] = {{1, 12.706, 63.657}, {2, 4.303, 9.925},  {3, 3.182, 5.841},  {4, 2.776, 4.604},
                {5, 2.571, 4.032},   {9, 2.262, 3.250},  {10, 2.228, 3.169}, {30, 2.042, 2.750},
                {60, 2.000, 2.660},  {120, 1.980, 2.617}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        near(at_student_t(0.05, rows[i].freedom), rows[i].t95, 6e-4);
        near(at_student_t(0.01, rows[i].freedom), rows[i].t99, 6e-4);
        near(at_student_p(at_student_t(0.3, rows[i].freedom), rows[i].freedom), 0.3, 1e-12);
    }
    near(at_student_t(0.05, 1e6), 1.959966, 2e-6); /* nearly normal */
}

/* One degree of freedom is Cauchy's distribution, two have a root for a formula. */
static void closed_forms(void **state) {
    (void)state;
    for (double t = 0; t < 300; t = 1.3 * t + 0.01) {
        near(at_student_p(t, 1), 1 - 2 / pi * atan(t), 1e-12);
        near(at_student_p(-t, 2), 1 - t / sqrt(2 + t * t), 1e-12);
    }
    near(at_student_p(INFINITY, 4), 0, 0);
}

/* By Simpson's rule, in Python:
 *   f = lambda x, v: math.gamma((v+1)/2) / math.sqrt(v*math.pi) / math.gamma(v/2) \
 *                    * (1 + x*x/v) ** (-(v+1)/2)
 *   def p(t, v, n=200000):
 *       h = t / n
 *       s = sum((4 if i % 2 else 2) * f(i*h, v) for i in range(1, n))
 *       return 1 - 2 * h / 3 * (f(0, v) + s + f(t, v)) */
static void integrals(void **state) {
    (void)state;
    near(at_student_p(0.7, 7), 0.5065175521956, 1e-11);
    near(at_student_p(2.5, 4), 0.0667665448120, 1e-11);
    near(at_student_p(3.1, 23), 0.0050475878968, 1e-11);
}

/* Student's own example (Biometrika 6, 1908): additional hours of sleep of ten patients by two
 * drugs. R's t.test(paired = TRUE) prints t = 4.0621, p-value = 0.002833, interval 0.7001142 to
 * 2.4598858, mean 1.58. */
static void sleep_of_ten(void **state) {
    (void)state;
    const double a[] = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4},
                 b[] = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};
    const at_paired r = at_paired_test(a, b, 10, 0.95), back = at_paired_test(b, a, 10, 0.95);
    assert_int_equal(r.n, 10);
    near(r.mean, 1.58, 1e-12);
    near(r.mean / (r.deviation / sqrt(10)), 4.0621, 5e-5);
    near(r.p, 0.002833, 5e-7);
    near(r.low, 0.7001, 5e-5);
    near(r.high, 2.4599, 5e-5);
    near(back.p, r.p, 1e-15);
    near(back.low, -r.high, 1e-12);
    near(at_mean(a, 10), 2.33, 1e-12);
    near(at_deviation(a, 10), 2.002249, 5e-7);
    near(at_deviation(b, 10), 1.789010, 5e-7);
}

static void too_few(void **state) {
    (void)state;
    const double a[] = {0.5, 0.75}, b[] = {0.25, 0.25};
    at_paired r = at_paired_test(a, b, 0, 0.95);
    assert_true(r.n == 0 && isnan(r.mean) && isnan(r.low) && isnan(r.p));
    r = at_paired_test(a, b, 1, 0.95);
    assert_true(r.n == 1 && r.mean == 0.25 && isnan(r.deviation) && isnan(r.high) && isnan(r.p));
    /* Differences 0.25 and 0.5: t = 0.375 / 0.125 = 3, p = 1 - 2/pi atan 3. */
    r = at_paired_test(a, b, 2, 0.95);
    near(r.p, 0.204833, 5e-7);
    near(r.high - r.mean, 12.7062 * 0.125, 1e-4);
    r = at_paired_test(a, a, 2, 0.95);
    assert_true(r.mean == 0 && r.p == 1 && r.low == 0 && r.high == 0);
    assert_true(at_paired_test((double[]){1, 2}, (double[]){0, 1}, 2, 0.95).p == 0);
    assert_true(isnan(at_mean(a, 0)) && isnan(at_deviation(a, 1)));
}

/* By hand: sorted 0.005 0.01 0.03 0.04, times 4 3 2 1, never falling: 0.02 0.03 0.06 0.06. */
static void holm(void **state) {
    (void)state;
    const double p[] = {0.01, 0.04, NAN, 0.03, 0.005};
    double adjusted[5];
    at_holm(p, adjusted, 5);
    near(adjusted[0], 0.03, 1e-15);
    near(adjusted[1], 0.06, 1e-15);
    assert_true(isnan(adjusted[2]));
    near(adjusted[3], 0.06, 1e-15);
    near(adjusted[4], 0.02, 1e-15);
    at_holm((double[]){0.5, 0.5, 0.9}, adjusted, 3);
    assert_true(adjusted[0] == 1 && adjusted[1] == 1 && adjusted[2] == 1);
    at_holm((double[]){0.2}, adjusted, 1);
    assert_true(adjusted[0] == 0.2);
    at_holm((double[]){NAN, 0}, adjusted, 2);
    assert_true(isnan(adjusted[0]) && adjusted[1] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_table), cmocka_unit_test(closed_forms),
        cmocka_unit_test(integrals),       cmocka_unit_test(sleep_of_ten),
        cmocka_unit_test(too_few),         cmocka_unit_test(holm)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
