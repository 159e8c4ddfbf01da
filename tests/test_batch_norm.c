/* SPDX-License-Identifier: MIT */
/* batch_norm against its definition; running statistics, the single value, hard conditioning. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/near.h"

typedef struct norm_case {
    at_batch_norm_opts opts;
    bool relu, running; /* running: with the running statistics */
} norm_case;

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    const norm_case *c = arg;
    at_node *y = at_batch_norm(g, NULL, x[0], c->opts);
    return c->relu ? at_relu(g, NULL, y) : y;
}

static void naive(const check_data *d, double *out) {
    const norm_case *o = d->arg;
    int c = d->in_shape[0].c;
    int64_t n = at_shape_pixels(d->in_shape[0]);
    double eps = o->opts.eps != 0 ? o->opts.eps : 1e-5f;
    for (int j = 0; j < c; j++) {
        double mean = 0, var = 0;
        for (int64_t i = 0; i < n; i++) mean += d->in[0][i * c + j] / (double)n;
        for (int64_t i = 0; i < n; i++) var += pow(d->in[0][i * c + j] - mean, 2) / (double)n;
        if (o->running) mean = d->params[2][j], var = d->params[3][j];
        for (int64_t i = 0; i < n; i++) {
            double y = (d->in[0][i * c + j] - mean) / sqrt(var + eps);
            y = y * d->params[0][j] + d->params[1][j];
            out[i * c + j] = o->relu && y < 0 ? 0 : y;
        }
    }
}

static void test_training(void **state) {
    (void)state;
    norm_case plain = {0}, relu = {.relu = true}, eps = {.opts = {.eps = 0.1f}};
    check_op(&(check_case){.build = build, .naive = naive, .arg = &plain});
    check_op(&(check_case){.build = build, .naive = naive, .arg = &relu});
    check_op(&(check_case){.build = build, .naive = naive, .arg = &eps});
    for (int c = 1; c < 40; c += 19) /* channels that fill no vector, or more than one */
        check_op(&(check_case){.batch = 3,
                               .height = 3,
                               .width = 2,
                               .channels = {c},
                               .build = build,
                               .naive = naive,
                               .arg = &relu});
}

static void test_inference(void **state) {
    (void)state;
    norm_case plain = {.running = true}, relu = {.running = true, .relu = true};
    check_op(&(check_case){.build = build, .naive = naive, .arg = &plain, .infer = true});
    check_op(&(check_case){.build = build, .naive = naive, .arg = &relu, .infer = true});
}

/* A mean that is 300 times the deviation: sums of squares would cancel five digits of seven. */
static void test_far_from_zero(void **state) {
    (void)state;
    norm_case plain = {.opts = {.eps = 1e-12f}};
    check_op(&(check_case){
        .low = 100, .high = 101, .build = build, .naive = naive, .arg = &plain, .tolerance = 1e-4});
}

/* ---- by hand ---- */

typedef struct hand {
    at_graph *g;
    at_node *x, *y;
    at_plan *plan;
} hand;

static hand make(at_batch_norm_opts opts, at_mode mode, int batch, int h, int w, bool relu) {
    hand t = {.g = at_graph_new()};
    t.x = at_input(t.g, "x", 1);
    t.y = at_batch_norm(t.g, "norm", t.x, opts);
    if (relu) t.y = at_relu(t.g, "relu", t.y);
    assert_int_equal(at_graph_finish(t.g, NULL), AT_OK);
    assert_int_equal(at_graph_init(t.g, 1, NULL), AT_OK);
    at_plan_opts o = {
        .batch = batch, .height = h, .width = w, .mode = mode, .output = t.y, .input_grad = true};
    assert_int_equal(at_plan_new(&t.plan, t.g, o, NULL), AT_OK);
    return t;
}

static void drop(hand t) {
    at_plan_free(t.plan);
    at_graph_free(t.g);
}

static float *param(hand t, const char *name) {
    return at_graph_values(t.g) + at_graph_find_param(t.g, name)->offset;
}

/* x = 1 2 3 6: mean 3, unbiased variance 14 / 3. */
static void test_running_statistics(void **state) {
    (void)state;
    static const float x[] = {1, 2, 3, 6};
    hand t = make((at_batch_norm_opts){0}, AT_TRAIN, 1, 2, 2, false);
    for (int i = 0; i < 4; i++) at_f32(at_plan_value(t.plan, t.x))[i] = x[i];
    at_plan_forward(t.plan);
    assert_near(*param(t, "norm.running_mean"), 0.3, 1e-6);
    assert_near(*param(t, "norm.running_var"), 0.9 + 0.1 * 14 / 3, 1e-6);
    drop(t);
}

static void test_momentum(void **state) {
    (void)state;
    hand t = make((at_batch_norm_opts){.momentum = 0.75f}, AT_TRAIN, 1, 1, 2, false);
    for (int i = 0; i < 2; i++) {
        at_f32(at_plan_value(t.plan, t.x))[0] = 2;
        at_f32(at_plan_value(t.plan, t.x))[1] = 6;
        at_plan_forward(t.plan);
    }
    assert_near(*param(t, "norm.running_mean"), 4 * 0.9375, 1e-6);
    assert_near(*param(t, "norm.running_var"), 8 * 0.9375 + 0.0625, 1e-6);
    drop(t);
}

/* The output is the bias, to the bit; no gradient passes; running statistics stay. */
static void check_single_value(bool relu) {
    hand t = make((at_batch_norm_opts){0}, AT_TRAIN, 1, 1, 1, relu);
    *param(t, "norm.bias") = 0.375f;
    *param(t, "norm.weight") = 3;
    *at_f32(at_plan_value(t.plan, t.x)) = 1234.567f;
    at_plan_forward(t.plan);
    assert_true(*at_f32(at_plan_value(t.plan, t.y)) == 0.375f);
    *at_f32(at_plan_grad(t.plan, t.y)) = 7;
    at_plan_backward(t.plan);
    assert_true(*at_f32(at_plan_grad(t.plan, t.x)) == 0);
    assert_true(at_graph_grads(t.g)[at_graph_find_param(t.g, "norm.weight")->offset] == 0);
    assert_true(at_graph_grads(t.g)[at_graph_find_param(t.g, "norm.bias")->offset] == 7);
    assert_true(*param(t, "norm.running_mean") == 0 && *param(t, "norm.running_var") == 1);
    drop(t);
}

static void test_single_value(void **state) {
    (void)state;
    check_single_value(false);
    check_single_value(true);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_training),      cmocka_unit_test(test_inference),
        cmocka_unit_test(test_far_from_zero), cmocka_unit_test(test_running_statistics),
        cmocka_unit_test(test_momentum),      cmocka_unit_test(test_single_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
