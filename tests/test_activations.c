/* SPDX-License-Identifier: MIT */
/* relu, leaky_relu, prelu, elu, sigmoid and tanh against their definitions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"
#include "tests/check_op.h"

typedef struct activation {
    at_node *(*plain)(at_graph *g, const char *name, at_node *x);
    at_node *(*shaped)(at_graph *g, const char *name, at_node *x, float parameter);
    float parameter;                     /* 0: the default */
    double (*value)(double x, double p); /* p: the parameter, or a channel's slope */
    double p;
} activation;

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    const activation *a = arg;
    return a->plain ? a->plain(g, NULL, x[0]) : a->shaped(g, NULL, x[0], a->parameter);
}

static void naive(const check_data *d, double *out) {
    const activation *a = d->arg;
    int c = d->in_shape[0].c;
    for (int64_t i = 0; i < at_shape_count(d->in_shape[0]); i++)
        out[i] = a->value(d->in[0][i], a->plain == at_prelu ? d->params[0][i % c] : a->p);
}

static double relu(double x, double p) {
    (void)p;
    return x > 0 ? x : 0;
}
static double sloped(double x, double p) {
    return x > 0 ? x : p * x;
}
static double elu(double x, double p) {
    return x > 0 ? x : p * expm1(x);
}
static double sigmoid(double x, double p) {
    (void)p;
    return 1 / (1 + exp(-x));
}
static double tanh_of(double x, double p) {
    (void)p;
    return tanh(x);
}

static void check(activation a) {
    check_op(&(check_case){.arg = &a, .build = build, .naive = naive, .low = -4, .high = 4});
    check_op(&(check_case){.batch = 1,
                           .height = 3,
                           .width = 1,
                           .channels = {37},
                           .arg = &a,
                           .build = build,
                           .naive = naive,
                           .infer = true});
}

static void test_relu(void **state) {
    (void)state;
    check((activation){.plain = at_relu, .value = relu});
}

static void test_leaky_relu(void **state) {
    (void)state;
    check((activation){.shaped = at_leaky_relu, .value = sloped, .p = 0.01});
    check((activation){.shaped = at_leaky_relu, .parameter = 0.3f, .value = sloped, .p = 0.3f});
}

static void test_prelu(void **state) {
    (void)state;
    check((activation){.plain = at_prelu, .value = sloped});
}

static void test_elu(void **state) {
    (void)state;
    check((activation){.shaped = at_elu, .value = elu, .p = 1});
    check((activation){.shaped = at_elu, .parameter = 2.5f, .value = elu, .p = 2.5});
}

static void test_sigmoid(void **state) {
    (void)state;
    check((activation){.plain = at_sigmoid, .value = sigmoid});
}

static void test_tanh(void **state) {
    (void)state;
    check((activation){.plain = at_tanh, .value = tanh_of});
}

static void test_slopes_are_positive(void **state) {
    (void)state;
    activation leaky = {.shaped = at_leaky_relu, .parameter = -1},
               e = {.shaped = at_elu, .parameter = NAN};
    check_op_refuses(&(check_case){.arg = &leaky, .build = build}, "negative_slope -1");
    check_op_refuses(&(check_case){.arg = &e, .build = build}, "alpha");
}

/* ---- a network that has lost its numbers must show it ---- */

/* ReLUs done by what is before them: a 3x3 convolution (twice: by products, by Winograd), a
 * depthwise one, a norm, an addition. */
static at_node *before_relu(at_graph *g, at_node *x, int kind) {
    at_conv2d_opts o = {
        .channels = 5, .kernel = {3, 3}, .padding = {1, 1}, .groups = kind == 2 ? 5 : 1};
    if (kind <= 2) return at_conv2d(g, NULL, x, o);
    return kind == 3 ? at_batch_norm(g, NULL, x, (at_batch_norm_opts){0}) : at_add(g, NULL, x, x);
}

static void check_nan(int kind) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", 5), *y = at_relu(g, NULL, before_relu(g, x, kind));
    at_plan *plan;
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(at_graph_init(g, 1, NULL), AT_OK);
    at_plan_opts o = {.height = 8,
                      .width = 8,
                      .output = y,
                      .conv = kind == 1 ? AT_CONV_WINOGRAD : AT_CONV_DIRECT};
    assert_int_equal(at_plan_new(&plan, g, o, NULL), AT_OK);
    for (int i = 0; i < 8 * 8 * 5; i++) at_f32(at_plan_value(plan, x))[i] = NAN;
    at_plan_forward(plan);
    for (int i = 0; i < 8 * 8 * 5; i++) assert_true(isnan(at_f32(at_plan_value(plan, y))[i]));
    at_plan_free(plan);
    at_graph_free(g);
}

static void test_relu_hides_no_nan(void **state) {
    (void)state;
    for (int i = 0; at_kernels_level(i) != NULL; i++) {
        at_kernels_force(at_kernels_level(i));
        for (int kind = 0; kind < 5; kind++) check_nan(kind);
    }
    at_kernels_force(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_leaky_relu),
        cmocka_unit_test(test_prelu),
        cmocka_unit_test(test_elu),
        cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_tanh),
        cmocka_unit_test(test_slopes_are_positive),
        cmocka_unit_test(test_relu_hides_no_nan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
