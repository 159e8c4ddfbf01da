/* SPDX-License-Identifier: MIT */
/* See check_op.h. A `trial` is one graph with its data and the truth about it; a `result` is what
 * one run of it gave. */
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

typedef struct trial {
    const check_case *c;
    at_graph *g;
    at_node *x[CHECK_INPUTS + 1], *out;
    int inputs, params;
    at_plan_opts opts;
    check_data d;
    double *in[CHECK_INPUTS], *param[CHECK_PARAMS]; /* what d points to */
    int64_t in_count[CHECK_INPUTS], param_count[CHECK_PARAMS], out_count;
    uint8_t *labels;
    double *projection;
    double *y, *d_in[CHECK_INPUTS], *d_param[CHECK_PARAMS]; /* the truth */
} trial;

typedef struct result {
    float *y, *d_in[CHECK_INPUTS], *d_param[CHECK_PARAMS];
} result;

static void *zeros(int64_t count, size_t size) {
    void *p = calloc((size_t)count + 1, size);
    assert_non_null(p);
    return p;
}

/* ---- making a trial ---------------------------------------------------------------------------
 */

static void build_graph(trial *t, int copies) {
    const check_case *c = t->c;
    t->g = at_graph_new();
    assert_non_null(t->g);
    const int *channels = c->channels[0] ? c->channels : (const int[CHECK_INPUTS]){5};
    for (t->inputs = 0; t->inputs < CHECK_INPUTS && channels[t->inputs]; t->inputs++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", t->inputs);
        t->x[t->inputs] = at_input(t->g, name, channels[t->inputs]);
    }
    if (c->labels) t->x[t->inputs] = at_target(t->g, "labels");
    for (int i = 0; i < copies; i++) {
        at_graph_push(t->g, "copy%d", i);
        at_node *y = c->build(t->g, t->x, c->arg);
        at_graph_pop(t->g);
        t->out = i == 0 ? y : at_add(t->g, "sum", t->out, y);
    }
}

static void fill_data(trial *t) {
    const check_case *c = t->c;
    bool given = c->low != 0 || c->high != 0;
    at_rng r = at_rng_make(11, AT_RNG_TEST, 0, 0);
    for (int k = 0; k < t->inputs; k++) {
        at_shape s = {t->opts.batch, t->opts.height, t->opts.width, t->x[k]->channels};
        t->d.in_shape[k] = s;
        t->in_count[k] = at_shape_count(s);
        t->d.in[k] = t->in[k] = zeros(t->in_count[k], sizeof(double));
        t->d_in[k] = zeros(t->in_count[k], sizeof(double));
        for (int64_t i = 0; i < t->in_count[k]; i++)
            t->in[k][i] = at_rng_range(&r, given ? c->low : -1, given ? c->high : 1);
    }
    int64_t pixels = (int64_t)t->opts.batch * t->opts.height * t->opts.width;
    t->d.labels = t->labels = zeros(pixels, 1);
    for (int64_t i = 0; i < pixels && c->labels; i++)
        t->labels[i] = at_rng_below(&r, 8) ? (uint8_t)at_rng_below(&r, (uint32_t)c->labels) : 255;
}

/* Initial values moved about a little, so that no bias is zero and no scale is one; copies alike.
 */
static void fill_params(trial *t, int copies) {
    t->params = at_graph_param_count(t->g);
    assert_true(t->params <= CHECK_PARAMS);
    int each = t->params / copies;
    for (int k = 0; k < t->params; k++) {
        const at_param *p = at_graph_param(t->g, k);
        at_rng r = at_rng_make(13, AT_RNG_TEST, (uint64_t)(k % each), 0);
        t->param_count[k] = p->count;
        t->d.params[k] = t->param[k] = zeros(p->count, sizeof(double));
        t->d_param[k] = zeros(p->count, sizeof(double));
        float *v = zeros(p->count, sizeof *v);
        at_param_export(at_graph_param(t->g, k % each), at_graph_values(t->g), v);
        for (int64_t i = 0; i < p->count; i++)
            t->param[k][i] = (float)(v[i] + at_rng_range(&r, -0.3f, 0.3f));
        free(v);
    }
}

static at_plan *make_plan(const trial *t) {
    at_plan *plan;
    at_error err = {0};
    if (at_plan_new(&plan, t->g, t->opts, &err) != AT_OK) fail_msg("plan: %s", err.text);
    return plan;
}

static at_plan_opts plan_opts(const check_case *c, at_node *out) {
    bool given = c->batch || c->height || c->width;
    return (at_plan_opts){.batch = given ? c->batch : 2,
                          .height = given ? c->height : 5,
                          .width = given ? c->width : 7,
                          .mode = c->infer ? AT_INFER : AT_TRAIN,
                          .output = out,
                          .conv = c->conv,
                          .input_grad = !c->infer,
                          .keep = true};
}

static trial *trial_new(const check_case *c, int copies, bool large) {
    trial *t = zeros(1, sizeof *t);
    t->c = c;
    t->d.arg = c->arg;
    build_graph(t, copies);
    at_error err = {0};
    if (at_graph_finish(t->g, &err) != AT_OK) fail_msg("graph: %s", err.text);
    if (at_graph_init(t->g, 7, &err) != AT_OK) fail_msg("init: %s", err.text);
    t->opts = plan_opts(c, t->out);
    if (large) t->opts.batch = 2, t->opts.height = 61, t->opts.width = 83;
    fill_data(t);
    fill_params(t, copies);
    at_plan *plan = make_plan(t);
    t->d.out_shape = at_plan_shape(plan, t->out);
    at_plan_free(plan);
    t->out_count = at_shape_count(t->d.out_shape);
    t->y = zeros(t->out_count, sizeof(double));
    t->projection = zeros(t->out_count, sizeof(double));
    at_rng r = at_rng_make(17, AT_RNG_TEST, 0, 0);
    for (int64_t i = 0; i < t->out_count; i++)
        t->projection[i] = t->out_count == 1 ? 1 : at_rng_range(&r, -1, 1);
    return t;
}

static void trial_free(trial *t) {
    at_graph_free(t->g);
    for (int k = 0; k < t->inputs; k++) free(t->in[k]), free(t->d_in[k]);
    for (int k = 0; k < t->params; k++) free(t->param[k]), free(t->d_param[k]);
    free(t->labels);
    free(t->projection);
    free(t->y);
    free(t);
}

/* ---- running ------------------------------------------------------------------------------------
 */

static void load_params(const trial *t) {
    for (int k = 0; k < t->params; k++) {
        float *v = zeros(t->param_count[k], sizeof *v);
        for (int64_t i = 0; i < t->param_count[k]; i++) v[i] = (float)t->param[k][i];
        at_param_import(at_graph_param(t->g, k), v, at_graph_values(t->g));
        free(v);
    }
    at_graph_touch(t->g);
}

/* Between a view and dense doubles. */
static void to_view(at_tensor v, const double *from) {
    for (int64_t p = 0; p < at_shape_pixels(v.shape); p++)
        for (int j = 0; j < v.shape.c; j++)
            at_f32(v)[p * v.ld + j] = (float)from[p * v.shape.c + j];
}
static float *from_view(at_tensor v) {
    assert_non_null(v.data);
    float *out = zeros(at_shape_count(v.shape), sizeof *out);
    for (int64_t p = 0; p < at_shape_pixels(v.shape); p++)
        memcpy(out + p * v.shape.c, at_f32(v) + p * v.ld, (size_t)v.shape.c * sizeof *out);
    return out;
}

static void load_inputs(const trial *t, at_plan *plan) {
    for (int k = 0; k < t->inputs; k++) {
        at_tensor v = at_plan_value(plan, t->x[k]);
        if (v.data != NULL) to_view(v, t->in[k]); /* else it only lends its size */
    }
    if (!t->c->labels) return;
    at_tensor v = at_plan_value(plan, t->x[t->inputs]);
    for (int64_t p = 0; p < at_shape_pixels(v.shape); p++)
        ((uint8_t *)v.data)[p * v.ld] = t->labels[p];
}

static void forward(const trial *t, at_plan *plan) {
    load_params(t);
    load_inputs(t, plan);
    at_plan_set_iteration(plan, 3, 5);
    at_plan_forward(plan);
}

/* One forward, and in training `backwards` backward passes. */
static result run(const trial *t, int backwards) {
    result r = {0};
    at_plan *plan = make_plan(t);
    forward(t, plan);
    r.y = from_view(at_plan_value(plan, t->out));
    if (!t->c->infer) {
        memset(at_graph_grads(t->g), 0, (size_t)at_graph_flat_count(t->g) * sizeof(float));
        for (int i = 0; i < backwards; i++) {
            to_view(at_plan_grad(plan, t->out), t->projection);
            at_plan_backward(plan);
        }
        for (int k = 0; k < t->inputs; k++) {
            at_tensor v = at_plan_grad(plan, t->x[k]);
            r.d_in[k] = v.data != NULL ? from_view(v) : zeros(t->in_count[k], sizeof(float));
        }
        for (int k = 0; k < t->params; k++) {
            r.d_param[k] = zeros(t->param_count[k], sizeof(float));
            at_param_export(at_graph_param(t->g, k), at_graph_grads(t->g), r.d_param[k]);
        }
    }
    at_plan_free(plan);
    return r;
}

static void result_free(result r) {
    free(r.y);
    for (int k = 0; k < CHECK_INPUTS; k++) free(r.d_in[k]);
    for (int k = 0; k < CHECK_PARAMS; k++) free(r.d_param[k]);
}

/* ---- the truth
 * ------------------------------------------------------------------------------------ */

static double projected(const trial *t, at_plan *plan) {
    double sum = 0;
    if (t->c->naive != NULL) {
        double *y = zeros(t->out_count, sizeof *y);
        t->c->naive(&t->d, y);
        for (int64_t i = 0; i < t->out_count; i++) sum += t->projection[i] * y[i];
        free(y);
        return sum;
    }
    forward(t, plan);
    float *y = from_view(at_plan_value(plan, t->out));
    for (int64_t i = 0; i < t->out_count; i++) sum += t->projection[i] * (double)y[i];
    free(y);
    return sum;
}

static void differences(const trial *t, at_plan *plan, double *v, double *dv, int64_t count) {
    double h = t->c->naive != NULL ? 1e-5 : 4e-3;
    for (int64_t i = 0; i < count; i++) {
        double middle = v[i];
        v[i] = middle + h;
        dv[i] = projected(t, plan);
        v[i] = middle - h;
        dv[i] = (dv[i] - projected(t, plan)) / (2 * h);
        v[i] = middle;
    }
}

/* A direction in the space of many numbers: plus or minus one, without a pattern. */
static double direction(int64_t i) {
    return ((uint64_t)i * 0x9e3779b97f4a7c15u) >> 63 ? 1 : -1;
}

static void move(double *v, int64_t count, double h) {
    for (int64_t i = 0; i < count; i++) v[i] += h * direction(i);
}

/* Derivative of the projected output along that direction. */
static double slope(const trial *t, double *v, int64_t count) {
    const double h = 1e-6;
    move(v, count, h);
    double up = projected(t, NULL);
    move(v, count, -2 * h);
    double down = projected(t, NULL);
    move(v, count, h);
    return (up - down) / (2 * h);
}

static bool has_large_truth(const check_case *c) {
    return c->naive != NULL && !c->small_naive;
}

/* The truth about a large trial: the output, and a slope in the first element of each gradient. */
static void find_large_truth(trial *t) {
    t->c->naive(&t->d, t->y);
    for (int k = 0; k < t->inputs && !t->c->infer; k++)
        t->d_in[k][0] = slope(t, t->in[k], t->in_count[k]);
    for (int k = 0; k < t->params && !t->c->infer; k++)
        t->d_param[k][0] = slope(t, t->param[k], t->param_count[k]);
}

static void find_truth(trial *t) {
    at_plan *plan = make_plan(t);
    if (t->c->naive != NULL) t->c->naive(&t->d, t->y);
    for (int k = 0; k < t->inputs && !t->c->infer; k++)
        differences(t, plan, t->in[k], t->d_in[k], t->in_count[k]);
    for (int k = 0; k < t->params && !t->c->infer; k++)
        if (!at_graph_param(t->g, k)->spec.buffer)
            differences(t, plan, t->param[k], t->d_param[k], t->param_count[k]);
    at_plan_free(plan);
}

/* ---- comparing
 * -------------------------------------------------------------------------------------- */

static double tolerance(const trial *t) {
    return t->c->tolerance > 0 ? t->c->tolerance : 2e-5;
}

/* got = factor * truth, to the case's tolerance of the largest magnitude. */
static void expect(const trial *t, const char *what, const float *got, const double *truth,
                   int64_t count, double factor) {
    double top = 1e-3;
    for (int64_t i = 0; i < count; i++) top = fmax(top, fabs(factor * truth[i]));
    for (int64_t i = 0; i < count; i++)
        if (!(fabs(got[i] - factor * truth[i]) <= tolerance(t) * top))
            fail_msg("%s, level %s: element %d of %d is %.9g, should be %.9g (largest %.3g)", what,
                     at_kernels_get()->level, (int)i, (int)count, (double)got[i], factor * truth[i],
                     top);
}

static void expect_result(const trial *t, const result *r, double d_in, double d_param) {
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
        sum += got[i] * direction(i);
    }
    if (!(fabs(sum - truth) <= 1e-2 * top * sqrt((double)count)))
        fail_msg("%s, large, level %s: the slope is %.9g, should be %.9g", what,
                 at_kernels_get()->level, sum, truth);
}

static void expect_large_result(const trial *t, const result *r) {
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

/* ---- the checks
 * --------------------------------------------------------------------------------------- */

static void check_adding(const trial *once) {
    result r = run(once, 2);
    expect_result(once, &r, 1, 2);
    result_free(r);
    if (once->c->twice_differs) return;
    trial *t = trial_new(once->c, 2, false);
    r = run(t, 1);
    for (int k = 0; k < t->inputs; k++)
        expect(once, "input of two nodes", r.d_in[k], once->d_in[k], t->in_count[k], 2);
    result_free(r);
    trial_free(t);
}

static void check_as_slices(const trial *t) {
    load_params(t);
    check_slices(t->out, t->opts.mode, &t->d, t->projection, t->y, t->d_in, tolerance(t));
}

static double *doubles(const float *from, int64_t count) {
    double *out = zeros(count, sizeof *out);
    for (int64_t i = 0; i < count && from != NULL; i++) out[i] = from[i];
    return out;
}

/* Slices that are cut into pieces give what the dense run gave. */
static void check_large_slices(const trial *t, const result *r) {
    double *y = doubles(r->y, t->out_count), *d_in[CHECK_INPUTS] = {0};
    for (int k = 0; k < t->inputs; k++) d_in[k] = doubles(r->d_in[k], t->in_count[k]);
    load_params(t);
    check_slices(t->out, t->opts.mode, &t->d, t->projection, y, d_in, tolerance(t));
    for (int k = 0; k < t->inputs; k++) free(d_in[k]);
    free(y);
}

/* Also where work is cut into pieces: the truth again. */
static void check_threads(const trial *t) {
    at_error err = {0};
    result one = {0};
    for (int threads = 1; threads <= 3; threads++) {
        assert_int_equal(at_threads_set(threads, &err), AT_OK);
        result r = run(t, 1);
        if (threads == 1) {
            one = r;
            if (has_large_truth(t->c)) expect_large_result(t, &r);
            check_large_slices(t, &r);
            continue;
        }
        expect_same(r.y, one.y, t->out_count, "output", threads);
        for (int k = 0; k < t->inputs; k++)
            expect_same(r.d_in[k], one.d_in[k], t->in_count[k], "gradient of an input", threads);
        for (int k = 0; k < t->params; k++)
            expect_same(r.d_param[k], one.d_param[k], t->param_count[k], "gradient of a parameter",
                        threads);
        result_free(r);
    }
    result_free(one);
    assert_int_equal(at_threads_set(2, &err), AT_OK);
}

void check_op(const check_case *c) {
    trial *t = trial_new(c, 1, false), *large = trial_new(c, 1, true);
    find_truth(t);
    if (has_large_truth(c)) find_large_truth(large);
    for (int i = 0; at_kernels_level(i) != NULL; i++) {
        at_kernels_force(at_kernels_level(i));
        result r = run(t, 1);
        expect_result(t, &r, 1, 1);
        result_free(r);
        if (c->naive != NULL) check_as_slices(t);
        if (!c->infer) check_adding(t);
        if (i > 0) check_threads(large); /* the oracle is slow, and cut up in the same way */
    }
    at_kernels_force(NULL);
    trial_free(t);
    trial_free(large);
}

void check_op_refuses(const check_case *c, const char *text) {
    trial *t = zeros(1, sizeof *t);
    at_plan *plan = NULL;
    at_error err = {0};
    t->c = c;
    build_graph(t, 1);
    t->opts = plan_opts(c, t->out);
    assert_int_not_equal(at_plan_new(&plan, t->g, t->opts, &err), AT_OK);
    assert_null(plan);
    if (strstr(err.text, text) == NULL) fail_msg("\"%s\" does not say \"%s\"", err.text, text);
    trial_free(t);
}
