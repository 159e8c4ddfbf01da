/* SPDX-License-Identifier: MIT */
/* conv_transpose2d against the definition (each input pixel scatters its kernel), and the sizes of
 * Dumoulin & Visin's examples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/naive_conv.h"

typedef struct transpose_case {
    int channels;
    naive_conv conv;
    at_pair output_padding;
    bool no_bias;
} transpose_case;

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    const transpose_case *c = arg;
    return at_conv_transpose2d(g, NULL, x[0],
                               (at_conv_transpose2d_opts){.channels = c->channels,
                                                          .kernel = c->conv.kernel,
                                                          .stride = c->conv.stride,
                                                          .padding = c->conv.padding,
                                                          .dilation = c->conv.dilation,
                                                          .groups = c->conv.groups,
                                                          .output_padding = c->output_padding,
                                                          .no_bias = c->no_bias});
}

static void naive(const check_data *d, double *out) {
    const transpose_case *c = d->arg;
    naive_conv_transpose2d(&c->conv, d->in[0], d->in_shape[0], d->params[0],
                           c->no_bias ? NULL : d->params[1], out, d->out_shape);
}

static void check(transpose_case c, int batch, int h, int w, int in) {
    check_op(&(check_case){.batch = batch,
                           .height = h,
                           .width = w,
                           .channels = {in},
                           .arg = &c,
                           .build = build,
                           .naive = naive});
}

static void test_stride_2(void **state) {
    (void)state;
    check((transpose_case){3, {{2, 2}, {2, 2}, {0, 0}, {1, 1}, 1}, {0, 0}, false}, 2, 3, 4, 5);
    check((transpose_case){3, {{4, 4}, {2, 2}, {1, 1}, {1, 1}, 1}, {0, 0}, false}, 2, 3, 4, 2);
    check((transpose_case){2, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, 1}, {1, 1}, true}, 1, 3, 5, 3);
}

static void test_awkward(void **state) {
    (void)state;
    check((transpose_case){2, {{5, 3}, {3, 2}, {1, 0}, {1, 1}, 1}, {2, 1}, false}, 2, 3, 2, 3);
    check((transpose_case){3, {{3, 2}, {2, 3}, {2, 1}, {2, 3}, 1}, {1, 2}, false}, 1, 4, 3, 2);
    check((transpose_case){3, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 1}, {0, 0}, false}, 2, 4, 3, 2);
    /* a kernel smaller than its stride leaves pixels that no tap reaches: bias only */
    check((transpose_case){2, {{1, 2}, {3, 3}, {0, 0}, {1, 1}, 1}, {2, 1}, false}, 2, 2, 3, 3);
}

static void test_grouped(void **state) {
    (void)state;
    check((transpose_case){4, {{4, 4}, {2, 2}, {1, 1}, {1, 1}, 2}, {0, 0}, false}, 2, 3, 2, 6);
    check((transpose_case){5, {{4, 4}, {2, 2}, {1, 1}, {1, 1}, 5}, {0, 0}, true}, 2, 3, 2, 5);
}

/* Bilinear initialisation doubles the size as interpolation with half-pixel centres does, away from
 * the border: a ramp stays a ramp. */
static void check_ramp(int groups) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", 2);
    at_conv_transpose2d_opts o = {.channels = 2,
                                  .kernel = {4, 4},
                                  .stride = {2, 2},
                                  .padding = {1, 1},
                                  .groups = groups,
                                  .no_bias = true,
                                  .frozen = true,
                                  .init = {.kind = AT_INIT_BILINEAR}};
    at_node *y = at_conv_transpose2d(g, "up", x, o);
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(at_graph_init(g, 1, NULL), AT_OK);
    assert_int_equal(at_graph_trainable_count(g), 0);
    at_plan *p;
    assert_int_equal(at_plan_new(&p, g, (at_plan_opts){.height = 4, .width = 5}, NULL), AT_OK);
    float *in = at_f32(at_plan_value(p, x));
    for (int i = 0; i < 4 * 5; i++) in[2 * i] = (float)(i % 5), in[2 * i + 1] = (float)(i / 5);
    at_plan_forward(p);
    at_tensor out = at_plan_value(p, y);
    assert_int_equal(out.shape.h, 8);
    assert_int_equal(out.shape.w, 10);
    for (int i = 1; i < 7; i++)
        for (int j = 1; j < 9; j++) {
            assert_float_equal(at_f32(out)[(i * 10 + j) * 2], (j - 0.5) / 2, 1e-6);
            assert_float_equal(at_f32(out)[(i * 10 + j) * 2 + 1], (i - 0.5) / 2, 1e-6);
        }
    at_plan_free(p);
    at_graph_free(g);
}

static void test_bilinear_ramp(void **state) {
    (void)state;
    check_ramp(1);
    check_ramp(2); /* each channel by itself */
}

/* Initial weights of one input channel to one output channel of each group, the rest being zero. */
static void expect_weights(at_conv_transpose2d_opts o, int in, const float *row, float scale) {
    at_graph *g = at_graph_new();
    o.no_bias = true;
    at_node *y = at_conv_transpose2d(g, "up", at_input(g, "x", in), o);
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(at_graph_init(g, 1, NULL), AT_OK);
    const at_param *p = at_graph_param(g, y->params[0]);
    int k = o.kernel.w, groups = o.groups ? o.groups : 1, out = o.channels / groups;
    float w[256];
    assert_true(p->count <= 256);
    at_param_export(p, at_graph_values(g), w);
    for (int i = 0; i < p->count; i++) {
        int a = i / (k * k * out), b = i / (k * k) % out, y0 = i / k % k, x0 = i % k;
        float wanted = a % (in / groups) % out == b ? row[y0] * row[x0] * scale : 0;
        assert_float_equal(w[i], wanted, 1e-6);
    }
    at_graph_free(g);
}

/* Long, Shelhamer & Darrell's kernels; averages where channels become fewer; a gain. */
static void test_bilinear_weights(void **state) {
    (void)state;
    static const float three[] = {0.5f, 1, 0.5f}, four[] = {0.25f, 0.75f, 0.75f, 0.25f};
    at_init bilinear = {.kind = AT_INIT_BILINEAR};
    at_conv_transpose2d_opts o = {.kernel = {4, 4}, .stride = {2, 2}, .init = bilinear};
    o.channels = 2;
    expect_weights(o, 2, four, 1);
    expect_weights(o, 4, four, 0.5f);
    o.channels = 4, o.groups = 2; /* two to two in each group */
    expect_weights(o, 4, four, 1);
    o.init.value = 0.25f, o.kernel = (at_pair){3, 3};
    expect_weights(o, 4, three, 0.25f);
}

static void test_refuses(void **state) {
    (void)state;
    transpose_case c = {3, {{4, 4}, {2, 2}, {1, 1}, {1, 1}, 1}, {2, 0}, false};
    check_op_refuses(
        &(check_case){.height = 4, .width = 4, .channels = {2}, .arg = &c, .build = build},
        "output_padding");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stride_2),      cmocka_unit_test(test_awkward),
        cmocka_unit_test(test_grouped),       cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_bilinear_ramp), cmocka_unit_test(test_bilinear_weights),
    };
    return cmocka_run_group_tests_name("conv_transpose2d", tests, NULL, NULL);
}
