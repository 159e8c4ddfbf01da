/* SPDX-License-Identifier: MIT */
#include "tests/check_op.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"
#include "tests/check_slices.h"
#include "tests/check_trial.h"

/* ---- comparing ---- */

static double tolerance(const check_trial *t) {
    return t->c->tolerance > 0 ? t->c->tolerance : 2e-5;
}

/* got = factor * truth, to the case's tolerance of the largest magnitude. */
static void expect(const check_trial *t, const char *what, const float *got, const double *truth,
                   int64_t count, double factor) {
    double top = 1e-3;
    for (int64_t i = 0; i < count; i++) top = fmax(top, fabs(factor * truth[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(got[i] - factor * truth[i]) <= tolerance(t) * top))
            fail_msg("%s, level %s: element %d of %d is %.9g, should be %.9g (largest %.3g)", what,
                     at_kernels_get()->level, (int)i, (int)count, (double)got[i], factor * truth[i],
                     top);
}

static void expect_result(const check_trial *t, const check_result *r, double d_in,
                          double d_param) {
    char what[160];
    if (t->c->naive != NULL && d_in == d_param) expect(t, "output", r->y, t->y, t->out_count, 1);
    for (int k = 0; k < t->inputs && r->d_in[k] != NULL; k++) {
        snprintf(what, sizeof what, "gradient of input %d", k);
        expect(t, what, r->d_in[k], t->d_in[k], t->in_count[k], d_in);
    }
    for (int k = 0; k < t->params && r->d_param[k] != NULL; k++) {
        snprintf(what, sizeof what, "gradient of %s", at_graph_param(t->g, k)->name);
        if (!at_graph_param(t->g, k)->spec.buffer)
            expect(t, what, r->d_param[k], t->d_param[k], t->param_count[k], d_param);
    }
}

/* Coarse, for lost or doubled pieces: near a kink fp32 may decide otherwise than double. */
static void expect_slope(const char *what, const float *got, double truth, int64_t count) {
    double top = 1e-3, sum = 0;
    for (int64_t i = 0; i < count; i++) {
        top = fmax(top, fabs((double)got[i]));
        sum += got[i] * check_direction(i);
    }
    if (!(fabs(sum - truth) <= 1e-2 * top * sqrt((double)count)))
        fail_msg("%s, large, level %s: the slope is %.9g, should be %.9g", what,
                 at_kernels_get()->level, sum, truth);
}

static void expect_large_result(const check_trial *t, const check_result *r) {
    expect(t, "large output", r->y, t->y, t->out_count, 1);
    for (int k = 0; k < t->inputs && r->d_in[k] != NULL; k++)
        expect_slope(t->x[k]->name, r->d_in[k], t->d_in[k][0], t->in_count[k]);
    for (int k = 0; k < t->params && r->d_param[k] != NULL; k++)
        if (!at_graph_param(t->g, k)->spec.buffer)
            expect_slope(at_graph_param(t->g, k)->name, r->d_param[k], t->d_param[k][0],
                         t->param_count[k]);
}

static void expect_same(const float *a, const float *b, int64_t count, const char *what,
                        int threads) {
    if (a != NULL && memcmp(a, b, (size_t)count * sizeof *a) != 0)
        fail_msg("%s, level %s: other bits with %d threads than with 1", what,
                 at_kernels_get()->level, threads);
}

/* ---- the checks ---- */

static void check_adding(const check_trial *once) {
    check_result r = check_run(once, 2);
    expect_result(once, &r, 1, 2);
    check_result_free(r);
    if (once->c->twice_differs) return;
    check_trial *t = check_trial_new(once->c, 2, false);
    r = check_run(t, 1);
    for (int k = 0; k < t->inputs; k++)
        expect(once, "input of two nodes", r.d_in[k], once->d_in[k], t->in_count[k], 2);
    check_result_free(r);
    check_trial_free(t);
}

static void check_as_slices(const check_trial *t) {
    check_load_params(t);
    check_slices(t->out, t->opts.mode, &t->d, t->projection, t->y, t->d_in, tolerance(t));
}

static double *doubles(const float *from, int64_t count) {
    double *out = check_zeros(count, sizeof *out);
    for (int64_t i = 0; i < count && from != NULL; i++) out[i] = from[i];
    return out;
}

/* Slices that are cut into pieces give what the dense run gave. */
static void check_large_slices(const check_trial *t, const check_result *r) {
    double *y = doubles(r->y, t->out_count), *d_in[CHECK_INPUTS] = {0};
    for (int k = 0; k < t->inputs; k++) d_in[k] = doubles(r->d_in[k], t->in_count[k]);
    check_load_params(t);
    check_slices(t->out, t->opts.mode, &t->d, t->projection, y, d_in, tolerance(t));
    for (int k = 0; k < t->inputs; k++) free(d_in[k]);
    free(y);
}

/* Also where work is cut into pieces: the truth again; and with memory used for one thing after the
 * other as well as kept. */
static void check_threads(check_trial *t) {
    at_error err = {0};
    check_result one = {0};
    for (int threads = 1; threads <= 3; threads++) {
        assert_int_equal(at_threads_set(threads, &err), AT_OK);
        t->opts.keep = threads == 1;
        check_result r = check_run(t, 1);
        if (threads == 1) {
            one = r;
            if (check_has_large_truth(t->c)) expect_large_result(t, &r);
            check_large_slices(t, &r);
            continue;
        }
        expect_same(r.y, one.y, t->out_count, "output", threads);
        for (int k = 0; k < t->inputs; k++)
            expect_same(r.d_in[k], one.d_in[k], t->in_count[k], "gradient of an input", threads);
        for (int k = 0; k < t->params; k++)
            expect_same(r.d_param[k], one.d_param[k], t->param_count[k], "gradient of a parameter",
                        threads);
        check_result_free(r);
    }
    check_result_free(one);
    assert_int_equal(at_threads_set(2, &err), AT_OK);
}

void check_op(const check_case *c) {
    check_trial *t = check_trial_new(c, 1, false), *large = check_trial_new(c, 1, true);
    check_find_truth(t);
    if (check_has_large_truth(c)) check_find_large_truth(large);
    for (int i = 0; at_kernels_level(i) != NULL; i++) {
        at_kernels_force(at_kernels_level(i));
        check_result r = check_run(t, 1);
        expect_result(t, &r, 1, 1);
        check_result_free(r);
        if (c->naive != NULL) check_as_slices(t);
        if (!c->infer) check_adding(t);
        if (i > 0) check_threads(large); /* the oracle is slow, and cut up in the same way */
    }
    at_kernels_force(NULL);
    check_trial_free(t);
    check_trial_free(large);
}

void check_op_refuses(const check_case *c, const char *text) {
    check_trial *t = check_zeros(1, sizeof *t);
    at_plan *plan = NULL;
    at_error err = {0};
    t->c = c;
    check_build(t, 1);
    t->opts = check_plan_opts(c, t->out);
    assert_int_not_equal(at_plan_new(&plan, t->g, t->opts, &err), AT_OK);
    assert_null(plan);
    if (strstr(err.text, text) == NULL) fail_msg("\"%s\" does not say \"%s\"", err.text, text);
    check_trial_free(t);
}
