/* SPDX-License-Identifier: MIT */
/* conv2d against the definition, over the awkward cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/naive_conv.h"

typedef struct conv_case {
    int channels;
    naive_conv conv;
    bool no_bias;
} conv_case;

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    const conv_case *c = arg;
    return at_conv2d(g, NULL, x[0],
                     (at_conv2d_opts){.channels = c->channels,
                                      .kernel = c->conv.kernel,
                                      .stride = c->conv.stride,
                                      .padding = c->conv.padding,
                                      .dilation = c->conv.dilation,
                                      .groups = c->conv.groups,
                                      .no_bias = c->no_bias});
}

static void naive(const check_data *d, double *out) {
    const conv_case *c = d->arg;
    naive_conv2d(&c->conv, d->in[0], d->in_shape[0], d->params[0], c->no_bias ? NULL : d->params[1],
                 out, d->out_shape);
}

static void check(conv_case c, int batch, int h, int w, int in) {
    check_op(&(check_case){.batch = batch,
                           .height = h,
                           .width = w,
                           .channels = {in},
                           .arg = &c,
                           .build = build,
                           .naive = naive});
}

static void test_plain(void **state) {
    (void)state;
    check((conv_case){5, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 1}, false}, 2, 5, 7, 3);
    check((conv_case){35, {{1, 1}, {1, 1}, {0, 0}, {1, 1}, 1}, true}, 2, 3, 4, 5);
    check((conv_case){3, {{2, 4}, {1, 1}, {0, 3}, {1, 1}, 1}, false}, 1, 4, 5, 17);
}

static void test_strided(void **state) {
    (void)state;
    check((conv_case){4, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, 1}, false}, 2, 6, 7, 3);
    check((conv_case){4, {{1, 1}, {2, 3}, {0, 0}, {1, 1}, 1}, true}, 2, 5, 8, 3);
    check((conv_case){2, {{5, 3}, {3, 2}, {2, 0}, {1, 1}, 1}, false}, 1, 9, 6, 2);
}

static void test_dilated(void **state) {
    (void)state;
    check((conv_case){3, {{3, 3}, {1, 1}, {2, 2}, {2, 2}, 1}, false}, 2, 5, 7, 2);
    /* taps that never meet the image, and an image smaller than the dilation */
    check((conv_case){3, {{3, 3}, {1, 1}, {9, 9}, {9, 9}, 1}, false}, 1, 5, 4, 2);
    check((conv_case){2, {{2, 3}, {2, 1}, {1, 3}, {3, 2}, 1}, false}, 2, 7, 6, 3);
}

static void test_grouped(void **state) {
    (void)state;
    check((conv_case){6, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 3}, false}, 2, 4, 5, 9);
    check((conv_case){6, {{3, 2}, {2, 1}, {1, 1}, {1, 2}, 2}, true}, 1, 5, 6, 4);
}

static void test_depthwise(void **state) {
    (void)state;
    check((conv_case){19, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 19}, false}, 2, 4, 5, 19);
    check((conv_case){5, {{3, 3}, {2, 2}, {2, 2}, {2, 2}, 5}, true}, 2, 7, 6, 5);
    check((conv_case){8, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 4}, false}, 1, 4, 4,
          4); /* multiplier 2 */
}

static at_node *build_relu(at_graph *g, at_node *const *x, const void *arg) {
    return at_relu(g, NULL, build(g, x, arg));
}

static void naive_relu(const check_data *d, double *out) {
    naive(d, out);
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] = out[i] > 0 ? out[i] : 0;
}

static void test_absorbs_relu(void **state) {
    (void)state;
    conv_case c = {37, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 1}, false};
    check_op(&(check_case){.batch = 2,
                           .height = 3,
                           .width = 4,
                           .channels = {3},
                           .arg = &c,
                           .build = build_relu,
                           .naive = naive_relu});
    conv_case d = {6, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 6}, false};
    check_op(&(check_case){.batch = 2,
                           .height = 3,
                           .width = 4,
                           .channels = {6},
                           .arg = &d,
                           .build = build_relu,
                           .naive = naive_relu});
}

static void refuses(conv_case c, const char *text) {
    check_op_refuses(
        &(check_case){.height = 4, .width = 4, .channels = {6}, .arg = &c, .build = build}, text);
}

static void test_refuses(void **state) {
    (void)state;
    refuses((conv_case){5, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 2}, false}, "groups must divide");
    refuses((conv_case){5, {{0, 3}, {1, 1}, {1, 1}, {1, 1}, 1}, false}, "kernel");
    refuses((conv_case){5, {{3, 3}, {-1, 1}, {1, 1}, {1, 1}, 1}, false}, "stride");
    refuses((conv_case){5, {{7, 7}, {1, 1}, {0, 0}, {1, 1}, 1}, false}, "7");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),     cmocka_unit_test(test_strided),
        cmocka_unit_test(test_dilated),   cmocka_unit_test(test_grouped),
        cmocka_unit_test(test_depthwise), cmocka_unit_test(test_absorbs_relu),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests_name("conv2d", tests, NULL, NULL);
}
