/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/literal.h"

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return at_pixel_shuffle(g, NULL, x[0], *(const int *)arg);
}

static void naive(const check_data *d, double *out) {
    int r = *(const int *)d->arg;
    at_shape s = d->out_shape;
    for (int n = 0; n < s.n; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int c = 0; c < s.c; c++)
                    out[check_at(s, n, y, x, c)] = d->in[0][check_at(
                        d->in_shape[0], n, y / r, x / r, c * r * r + y % r * r + x % r)];
}

static void check(int factor, int channels, int height, int width) {
    check_case c = {.batch = 2,
                    .height = height,
                    .width = width,
                    .channels = {channels * factor * factor},
                    .arg = &factor,
                    .build = build,
                    .naive = naive};
    check_op(&c);
}

static void test_factors(void **state) {
    (void)state;
    check(2, 3, 3, 4);
    check(2, 18, 1, 2);
    check(3, 5, 2, 3);
    check(5, 17, 1, 1);
    check(1, 2, 2, 1);
}

static at_node *build_literal(at_graph *g, at_node *x, at_node *target, const void *arg) {
    (void)target, (void)arg;
    return at_pixel_shuffle(g, NULL, x, 2);
}

static void test_pytorch(void **state) {
    (void)state;
    /* F.pixel_shuffle(x, 2) */
    static const float shuffle_y[] = {0,           -0.7568025f, 0.841471f,   -0.9589243f,
                                      0.9893582f,  -0.5365729f, 0.4121185f,  0.420167f,
                                      0.9092974f,  -0.2794155f, 0.14112f,    0.6569866f,
                                      -0.5440211f, 0.9906074f,  -0.9999902f, 0.6502878f};
    static const float shuffle_dx[] = {1,           -0.4161468f, -0.1455f,    -0.8390715f,
                                       0.5403023f,  -0.9899925f, -0.9111303f, 0.004425698f,
                                       -0.6536436f, 0.9601703f,  0.843854f,   0.1367372f,
                                       0.2836622f,  0.7539023f,  0.9074468f,  -0.7596879f};
    check_literal(&(literal){.in = {1, 1, 2, 8},
                             .build = build_literal,
                             .out_count = 16,
                             .y = shuffle_y,
                             .dx = shuffle_dx});
}

static void test_refusals(void **state) {
    (void)state;
    for (int factor = 0; factor < 4; factor += 3)
        check_op_refuses(&(check_case){.channels = {8}, .arg = &factor, .build = build},
                         factor ? "8 channels" : "factor 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_factors),
        cmocka_unit_test(test_pytorch),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
