/* SPDX-License-Identifier: MIT */
/* relu, leaky_relu, prelu, elu, sigmoid and tanh against their definitions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relu),
        cmocka_unit_test(test_leaky_relu),
        cmocka_unit_test(test_prelu),
        cmocka_unit_test(test_elu),
        cmocka_unit_test(test_sigmoid),
        cmocka_unit_test(test_tanh),
        cmocka_unit_test(test_slopes_are_positive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
