/* SPDX-License-Identifier: MIT */
/* add, mul and cat against their definitions; the ReLU that add takes over; one node as two inputs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/check_op.h"

/* ---- add ---- */

static at_node *build_add(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_add(g, NULL, x[0], x[1]);
}
static void naive_add(const check_data *d, double *out) {
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] = d->in[0][i] + d->in[1][i];
}

static at_node *build_add_relu(at_graph *g, at_node *const *x, const void *arg) {
    return at_relu(g, NULL, build_add(g, x, arg));
}
static void naive_add_relu(const check_data *d, double *out) {
    naive_add(d, out);
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] = out[i] > 0 ? out[i] : 0;
}

static at_node *build_double(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_add(g, NULL, x[0], x[0]);
}
static void naive_double(const check_data *d, double *out) {
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] = 2 * d->in[0][i];
}

static void test_add(void **state) {
    (void)state;
    check_op(&(check_case){.channels = {5, 5}, .build = build_add, .naive = naive_add});
    check_op(&(check_case){.channels = {5, 5}, .build = build_add_relu, .naive = naive_add_relu});
    check_op(&(check_case){.build = build_double, .naive = naive_double});
    check_op_refuses(&(check_case){.channels = {5, 4}, .build = build_add},
                     "5 channels (x0) and 4");
}

/* ---- mul ---- */

static at_node *build_mul(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_mul(g, NULL, x[0], x[1]);
}
static void naive_mul(const check_data *d, double *out) {
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] = d->in[0][i] * d->in[1][i];
}

static at_node *build_square(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_mul(g, NULL, x[0], x[0]);
}
static void naive_square(const check_data *d, double *out) {
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] = d->in[0][i] * d->in[0][i];
}

/* A gate: the first input times the second one's mean over the image. */
static at_node *build_gate(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_mul(g, NULL, x[0], at_global_avg_pool2d(g, NULL, x[1]));
}
static void naive_gate(const check_data *d, double *out) {
    at_shape s = d->in_shape[0];
    int pixels = s.h * s.w;
    for (int n = 0; n < s.n; n++)
        for (int c = 0; c < s.c; c++) {
            double mean = 0;
            for (int p = 0; p < pixels; p++) mean += d->in[1][check_at(s, n, 0, p, c)] / pixels;
            for (int p = 0; p < pixels; p++) {
                int64_t i = check_at(s, n, 0, p, c);
                out[i] = d->in[0][i] * mean;
            }
        }
}

/* The gate has two readers, so its gradient is added up. */
static at_node *build_two_gates(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    at_node *gate = at_global_avg_pool2d(g, NULL, x[1]), *y = at_mul(g, "first", x[0], gate);
    return at_add(g, NULL, y, at_mul(g, "second", x[0], gate));
}
static void naive_two_gates(const check_data *d, double *out) {
    naive_gate(d, out);
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] *= 2;
}

static void test_mul(void **state) {
    (void)state;
    check_op(&(check_case){.channels = {5, 5}, .build = build_mul, .naive = naive_mul});
    check_op(&(check_case){.build = build_square, .naive = naive_square});
    check_op(&(check_case){.channels = {5, 5}, .build = build_gate, .naive = naive_gate});
    check_op(&(check_case){.batch = 3,
                           .height = 1,
                           .width = 1,
                           .channels = {18, 18},
                           .build = build_gate,
                           .naive = naive_gate});
    check_op(&(check_case){.channels = {5, 5}, .build = build_two_gates, .naive = naive_two_gates});
    check_op_refuses(&(check_case){.channels = {1, 2}, .build = build_mul}, "1 channels (x0) by 2");
}

/* ---- cat ---- */

static at_node *build_cat(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_cat(g, NULL, (at_node *[]){x[0], x[1], x[2], x[0]}, 4);
}
static void naive_cat(const check_data *d, double *out) {
    static const int order[] = {0, 1, 2, 0};
    for (int64_t p = 0; p < at_shape_pixels(d->out_shape); p++)
        for (int i = 0; i < 4; i++) {
            int c = d->in_shape[order[i]].c;
            for (int j = 0; j < c; j++) *out++ = d->in[order[i]][p * c + j];
        }
}

static at_node *build_cat_one(at_graph *g, at_node *const *x, const void *arg) {
    return at_cat(g, NULL, x, *(const int *)arg);
}
static void naive_cat_one(const check_data *d, double *out) {
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] = d->in[0][i];
}

static void test_cat(void **state) {
    (void)state;
    int one = 1, none = 0;
    check_op(&(check_case){.channels = {5, 1, 16}, .build = build_cat, .naive = naive_cat});
    check_op(&(check_case){.build = build_cat_one, .naive = naive_cat_one, .arg = &one});
    check_op_refuses(&(check_case){.build = build_cat_one, .arg = &none}, "nothing to concatenate");
}

/* ---- sizes that don't fit ---- */

static at_node *build_unequal(at_graph *g, at_node *const *x, const void *arg) {
    at_node *y = at_pad(g, NULL, x[0], (at_pad_opts){.left = 1});
    if (*(const int *)arg == 0) return at_add(g, NULL, x[0], y);
    if (*(const int *)arg == 1) return at_mul(g, NULL, x[0], y);
    return at_cat(g, NULL, (at_node *[]){x[0], y}, 2);
}

static void test_unequal_sizes(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++)
        check_op_refuses(&(check_case){.build = build_unequal, .arg = &i}, "2 x 5 x 8");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_mul),
        cmocka_unit_test(test_cat),
        cmocka_unit_test(test_unequal_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
