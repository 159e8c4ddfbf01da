/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/check_op.h"

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_global_avg_pool2d(g, NULL, x[0]);
}

static void naive(const check_data *d, double *out) {
    at_shape s = d->in_shape[0];
    int64_t pixels = (int64_t)s.h * s.w;
    for (int i = 0; i < s.n * s.c; i++) {
        double sum = 0;
        for (int64_t p = 0; p < pixels; p++)
            sum += d->in[0][(i / s.c * pixels + p) * s.c + i % s.c];
        out[i] = sum / (double)pixels;
    }
}

static void check(int batch, int height, int width, int channels) {
    check_case c = {.batch = batch,
                    .height = height,
                    .width = width,
                    .channels = {channels},
                    .build = build,
                    .naive = naive};
    check_op(&c);
}

static void test_mean(void **state) {
    (void)state;
    check(2, 5, 7, 19);
    check(1, 1, 1, 3);
    check(1, 27, 20, 1); /* more than a block of pixels */
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mean)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
