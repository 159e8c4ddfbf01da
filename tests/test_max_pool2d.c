/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/literal.h"
#include "tests/naive_pool.h"

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return at_max_pool2d(g, NULL, x[0], *(const at_pool2d_opts *)arg);
}

static void naive(const check_data *d, double *out) {
    at_shape s = d->out_shape;
    for (int n = 0; n < s.n; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int c = 0; c < s.c; c++)
                    out[check_at(s, n, y, x, c)] =
                        naive_max_at(d->arg, d->in[0], d->in_shape[0], n, y, x, c).value;
}

static void check(at_pool2d_opts opts, int height, int width, int channels) {
    check_case c = {.batch = 2,
                    .height = height,
                    .width = width,
                    .channels = {channels},
                    .arg = &opts,
                    .build = build,
                    .naive = naive};
    check_op(&c);
}

static void test_tiled(void **state) {
    at_pool2d_opts o = {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}};
    (void)state;
    check(o, 5, 7, 19);
    check(o, 6, 4, 3);
    o.ceil_mode = true;
    check(o, 5, 7, 5);
    o.kernel = o.stride = (at_pair){3, 1};
    check(o, 5, 4, 2);
}

static void test_overlapping(void **state) {
    at_pool2d_opts o = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .dilation = {1, 1}};
    (void)state;
    check(o, 5, 7, 17);
    o.kernel = (at_pair){3, 2};
    o.stride = (at_pair){1, 2};
    o.ceil_mode = true;
    check(o, 6, 5, 3);
}

static void test_dilated_and_gaps(void **state) {
    at_pool2d_opts o = {.kernel = {2, 3}, .stride = {1, 2}, .padding = {1, 1}, .dilation = {3, 2}};
    (void)state;
    check(o, 6, 7, 4);
    o = (at_pool2d_opts){.kernel = {2, 1}, .stride = {3, 2}, .dilation = {1, 1}};
    check(o, 8, 5, 4);
}

static at_node *build_literal(at_graph *g, at_node *x, at_node *target, const void *arg) {
    (void)target;
    return at_max_pool2d(g, NULL, x, *(const at_pool2d_opts *)arg);
}

static void test_pytorch(void **state) {
    (void)state;
    /* F.max_pool2d(x, 3, 2, 1, ceil_mode=True) */
    static const float overlap_y[] = {0.841471f,  0.9092974f, 0.6569866f, 0.9893582f, 0.9906074f,
                                      0.6569866f, 0.420167f,  0.9906074f, 0.6502878f};
    static const float overlap_dx[] = {0,           1,           0.5403023f, 0, 0, 0, 0,
                                       -0.1324847f, -0.9899925f, 0,          0, 0, 0, 0.9601703f,
                                       0.1002586f,  -0.1455f,    0,          0, 0, 0};
    /* F.max_pool2d(x, (2, 2), (2, 1), (1, 0), (3, 2)) */
    static const float dilated_y[] = {0.9906074f,  0.6502878f, 0.9906074f, 0.6502878f,
                                      0.9893582f,  0.9563759f, 0.9893582f, 0.9563759f,
                                      0.01770193f, 0.8509035f, 0.9017883f, 0.8509035f,
                                      0.2963686f,  0.9637954f, 0.9928726f, 0.9637954f};
    static const float dilated_dx[] = {
        0, 0, 0,          0,           0, 0, 0, 0, 0.3065267f, 0,           0,           0,
        0, 0, 0.5838532f, -0.4496902f, 0, 0, 0, 0, 0,          0,           0,           0,
        0, 0, 0,          1.037564f,   0, 0, 0, 0, 0,          0,           0,           0,
        0, 0, 0.843854f,  0.1477589f,  0, 0, 0, 0, -0.1455f,   -0.9067046f, -0.8390715f, 0,
        0, 0, 0,          0,           0, 0, 0, 0, 0,          0,           0.1367372f,  0};
    check_literal(&(literal){.in = {1, 5, 4, 1},
                             .build = build_literal,
                             .arg = &(at_pool2d_opts){.kernel = {3, 3},
                                                      .stride = {2, 2},
                                                      .padding = {1, 1},
                                                      .ceil_mode = true},
                             .out_count = 9,
                             .y = overlap_y,
                             .dx = overlap_dx});
    check_literal(&(literal){.in = {2, 5, 6, 1},
                             .build = build_literal,
                             .arg = &(at_pool2d_opts){.kernel = {2, 2},
                                                      .stride = {2, 1},
                                                      .padding = {1, 0},
                                                      .dilation = {3, 2}},
                             .out_count = 16,
                             .y = dilated_y,
                             .dx = dilated_dx});
}

/* Equal values: the first in reading order gets the gradient. A NaN is the maximum. */
static void test_equal_and_nan(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", 1);
    at_node *y = at_max_pool2d(g, NULL, x, (at_pool2d_opts){.kernel = {2, 2}});
    at_plan *plan = NULL;
    at_plan_opts opts = {
        .height = 2, .width = 4, .mode = AT_TRAIN, .output = y, .input_grad = true};
    assert_int_equal(at_plan_new(&plan, g, opts, NULL), AT_OK);
    const float in[] = {1, 3, 7, 7, 3, 3, NAN, 9}, want[] = {0, 1, 0, 0, 0, 0, 1, 0};
    for (int i = 0; i < 8; i++) at_f32(at_plan_value(plan, x))[i] = in[i];
    at_plan_forward(plan);
    assert_float_equal(at_f32(at_plan_value(plan, y))[0], 3, 0);
    assert_true(isnan(at_f32(at_plan_value(plan, y))[1]));
    at_f32(at_plan_grad(plan, y))[0] = at_f32(at_plan_grad(plan, y))[1] = 1;
    at_plan_backward(plan);
    assert_memory_equal(at_plan_grad(plan, x).data, want, sizeof want);
    at_plan_free(plan);
    at_graph_free(g);
}

static void refuse(at_pool2d_opts opts, int height, int width, const char *text) {
    check_case c = {.batch = 1, .height = height, .width = width, .arg = &opts, .build = build};
    check_op_refuses(&c, text);
}

static void test_refusals(void **state) {
    (void)state;
    refuse((at_pool2d_opts){.kernel = {0, 2}}, 4, 4, "kernel 0 x 2");
    refuse((at_pool2d_opts){.kernel = {2, 2}, .stride = {-1, 1}}, 4, 4, "stride -1 x 1");
    refuse((at_pool2d_opts){.kernel = {17, 16}}, 40, 40, "17 x 16");
    refuse((at_pool2d_opts){.kernel = {2, 2}, .padding = {2, 0}}, 4, 4, "half the kernel");
    refuse((at_pool2d_opts){.kernel = {6, 2}}, 4, 4, "size 4");
    refuse((at_pool2d_opts){.kernel = {2, 2}, .padding = {1, 0}, .dilation = {3, 1}}, 2, 4,
           "in the padding alone");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiled),
        cmocka_unit_test(test_overlapping),
        cmocka_unit_test(test_dilated_and_gaps),
        cmocka_unit_test(test_pytorch),
        cmocka_unit_test(test_equal_and_nan),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
