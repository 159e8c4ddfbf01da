/* SPDX-License-Identifier: MIT */
/* group_norm and local_response_norm against their definitions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/check_op.h"

/* ---- group norm ---- */

typedef struct group_case {
    at_group_norm_opts opts;
    bool relu;
} group_case;

static at_node *build_group(at_graph *g, at_node *const *x, const void *arg) {
    const group_case *c = arg;
    at_node *y = at_group_norm(g, NULL, x[0], c->opts);
    return c->relu ? at_relu(g, NULL, y) : y;
}

static void naive_group(const check_data *d, double *out) {
    const group_case *o = d->arg;
    at_shape s = d->in_shape[0];
    int each = s.c / o->opts.groups, pixels = s.h * s.w;
    double count = (double)each * pixels, eps = o->opts.eps != 0 ? o->opts.eps : 1e-5f;
    for (int n = 0; n < s.n; n++)
        for (int first = 0; first < s.c; first += each) {
            double mean = 0, var = 0;
            for (int i = 0; i < each * pixels; i++)
                mean += d->in[0][check_at(s, n, 0, i / each, first + i % each)] / count;
            for (int i = 0; i < each * pixels; i++)
                var +=
                    pow(d->in[0][check_at(s, n, 0, i / each, first + i % each)] - mean, 2) / count;
            for (int i = 0; i < each * pixels; i++) {
                int c = first + i % each;
                int64_t at = check_at(s, n, 0, i / each, c);
                double y = (d->in[0][at] - mean) / sqrt(var + eps);
                y = y * d->params[0][c] + d->params[1][c];
                out[at] = o->relu && y < 0 ? 0 : y;
            }
        }
}

static void check_group(group_case c, int batch, int h, int w, int channels) {
    check_case k = {.batch = batch,
                    .height = h,
                    .width = w,
                    .channels = {channels},
                    .arg = &c,
                    .build = build_group,
                    .naive = naive_group};
    check_op(&k);
    k.infer = true;
    check_op(&k);
}

static void test_group_norm(void **state) {
    (void)state;
    check_group((group_case){{.groups = 2}, false}, 2, 5, 7, 6);
    check_group((group_case){{.groups = 1}, true}, 3, 4, 3, 5);                  /* layer norm */
    check_group((group_case){{.groups = 20, .eps = 0.01f}, false}, 2, 3, 3, 20); /* instance norm */
    group_case three = {{.groups = 3}, false};
    check_op_refuses(&(check_case){.build = build_group, .arg = &three},
                     "3 groups do not divide 5");
}

static void test_far_from_zero(void **state) {
    (void)state;
    group_case c = {{.groups = 2, .eps = 1e-12f}, false};
    check_op(&(check_case){.low = 100,
                           .high = 101,
                           .channels = {4},
                           .build = build_group,
                           .naive = naive_group,
                           .arg = &c,
                           .tolerance = 1e-4});
}

/* ---- local response norm ---- */

static at_node *build_lrn(at_graph *g, at_node *const *x, const void *arg) {
    return at_local_response_norm(g, NULL, x[0], *(const at_local_response_norm_opts *)arg);
}

/* As PyTorch: size / 2 zeros in front, (size - 1) / 2 behind, means over size. */
static void naive_lrn(const check_data *d, double *out) {
    at_local_response_norm_opts o = *(const at_local_response_norm_opts *)d->arg;
    if (o.size == 0) o = (at_local_response_norm_opts){5, 1e-4f, 0.75f, 1};
    int c = d->in_shape[0].c;
    for (int64_t i = 0; i < at_shape_count(d->in_shape[0]); i++) {
        double mean = 0;
        for (int k = -(o.size / 2); k <= (o.size - 1) / 2; k++)
            if (i % c + k >= 0 && i % c + k < c) mean += d->in[0][i + k] * d->in[0][i + k] / o.size;
        out[i] = d->in[0][i] / pow(o.k + o.alpha * mean, o.beta);
    }
}

static void test_local_response_norm(void **state) {
    (void)state;
    at_local_response_norm_opts cases[] = {
        {0}, {3, 0.5f, 0.75f, 2}, {4, 2, 0.3f, 0.5f}, {9, 1, 1, 1}, {1, 1, 2, 1}};
    for (int i = 0; i < 5; i++)
        check_op(&(check_case){.channels = {i == 2 ? 21 : 3},
                               .low = -5,
                               .high = 5,
                               .build = build_lrn,
                               .naive = naive_lrn,
                               .arg = &cases[i]});
    at_local_response_norm_opts wrong = {.size = -1};
    check_op_refuses(&(check_case){.build = build_lrn, .arg = &wrong}, "must be positive");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_group_norm),
        cmocka_unit_test(test_far_from_zero),
        cmocka_unit_test(test_local_response_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
