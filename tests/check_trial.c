/* SPDX-License-Identifier: MIT */
#include "tests/check_trial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *check_zeros(int64_t count, size_t size) {
    void *p = calloc((size_t)count + 1, size);
    assert_non_null(p);
    return p;
}

/* ---- making a trial ---- */

void check_build(check_trial *t, int copies) {
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

static void fill_data(check_trial *t) {
    const check_case *c = t->c;
    bool given = c->low != 0 || c->high != 0;
    at_rng r = at_rng_make(11, AT_RNG_TEST, 0, 0);
    for (int k = 0; k < t->inputs; k++) {
        at_shape s = {t->opts.batch, t->opts.height, t->opts.width, t->x[k]->channels};
        t->d.in_shape[k] = s;
        t->in_count[k] = at_shape_count(s);
        t->d.in[k] = t->in[k] = check_zeros(t->in_count[k], sizeof(double));
        t->d_in[k] = check_zeros(t->in_count[k], sizeof(double));
        for (int64_t i = 0; i < t->in_count[k]; i++)
            t->in[k][i] = at_rng_range(&r, given ? c->low : -1, given ? c->high : 1);
    }
    int64_t pixels = (int64_t)t->opts.batch * t->opts.height * t->opts.width;
    t->d.labels = t->labels = check_zeros(pixels, 1);
    for (int64_t i = 0; i < pixels && c->labels; i++)
        t->labels[i] = at_rng_below(&r, 8) ? (uint8_t)at_rng_below(&r, (uint32_t)c->labels) : 255;
}

/* Initial values moved about a little, so that no bias is zero and no scale is one; copies alike.
 */
static void fill_params(check_trial *t, int copies) {
    t->params = at_graph_param_count(t->g);
    assert_true(t->params <= CHECK_PARAMS);
    int each = t->params / copies;
    for (int k = 0; k < t->params; k++) {
        const at_param *p = at_graph_param(t->g, k);
        at_rng r = at_rng_make(13, AT_RNG_TEST, (uint64_t)(k % each), 0);
        t->param_count[k] = p->count;
        t->d.params[k] = t->param[k] = check_zeros(p->count, sizeof(double));
        t->d_param[k] = check_zeros(p->count, sizeof(double));
        float *v = check_zeros(p->count, sizeof *v);
        at_param_export(at_graph_param(t->g, k % each), at_graph_values(t->g), v);
        for (int64_t i = 0; i < p->count; i++)
            t->param[k][i] = (float)(v[i] + at_rng_range(&r, -0.3f, 0.3f));
        free(v);
    }
}

at_plan *check_plan(const check_trial *t) {
    at_plan *plan;
    at_error err = {0};
    if (at_plan_new(&plan, t->g, t->opts, &err) != AT_OK) fail_msg("plan: %s", err.text);
    return plan;
}

at_plan_opts check_plan_opts(const check_case *c, at_node *out) {
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

check_trial *check_trial_new(const check_case *c, int copies, bool large) {
    check_trial *t = check_zeros(1, sizeof *t);
    t->c = c;
    t->d.arg = c->arg;
    check_build(t, copies);
    at_error err = {0};
    if (at_graph_finish(t->g, &err) != AT_OK) fail_msg("graph: %s", err.text);
    if (at_graph_init(t->g, 7, &err) != AT_OK) fail_msg("init: %s", err.text);
    t->opts = check_plan_opts(c, t->out);
    if (large) t->opts.batch = 2, t->opts.height = 61, t->opts.width = 83;
    fill_data(t);
    fill_params(t, copies);
    at_plan *plan = check_plan(t);
    t->d.out_shape = at_plan_shape(plan, t->out);
    at_plan_free(plan);
    t->out_count = at_shape_count(t->d.out_shape);
    t->y = check_zeros(t->out_count, sizeof(double));
    t->projection = check_zeros(t->out_count, sizeof(double));
    at_rng r = at_rng_make(17, AT_RNG_TEST, 0, 0);
    for (int64_t i = 0; i < t->out_count; i++)
        t->projection[i] = t->out_count == 1 ? 1 : at_rng_range(&r, -1, 1);
    return t;
}

void check_trial_free(check_trial *t) {
    at_graph_free(t->g);
    for (int k = 0; k < t->inputs; k++) free(t->in[k]), free(t->d_in[k]);
    for (int k = 0; k < t->params; k++) free(t->param[k]), free(t->d_param[k]);
    free(t->labels);
    free(t->projection);
    free(t->y);
    free(t);
}

/* ---- running ---- */

void check_load_params(const check_trial *t) {
    for (int k = 0; k < t->params; k++) {
        float *v = check_zeros(t->param_count[k], sizeof *v);
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

float *check_from_view(at_tensor v) {
    assert_non_null(v.data);
    float *out = check_zeros(at_shape_count(v.shape), sizeof *out);
    for (int64_t p = 0; p < at_shape_pixels(v.shape); p++)
        memcpy(out + p * v.shape.c, at_f32(v) + p * v.ld, (size_t)v.shape.c * sizeof *out);
    return out;
}

static void load_inputs(const check_trial *t, at_plan *plan) {
    for (int k = 0; k < t->inputs; k++) {
        at_tensor v = at_plan_value(plan, t->x[k]);
        if (v.data != NULL) to_view(v, t->in[k]); /* else it only lends its size */
    }
    if (!t->c->labels) return;
    at_tensor v = at_plan_value(plan, t->x[t->inputs]);
    for (int64_t p = 0; p < at_shape_pixels(v.shape); p++)
        ((uint8_t *)v.data)[p * v.ld] = t->labels[p];
}

void check_forward(const check_trial *t, at_plan *plan) {
    check_load_params(t);
    load_inputs(t, plan);
    at_plan_set_iteration(plan, 3, 5);
    at_plan_forward(plan);
}

static void read_gradients(const check_trial *t, at_plan *plan, check_result *r) {
    for (int k = 0; k < t->inputs; k++) {
        at_tensor v = at_plan_grad(plan, t->x[k]);
        r->d_in[k] =
            v.data != NULL ? check_from_view(v) : check_zeros(t->in_count[k], sizeof(float));
    }
    for (int k = 0; k < t->params; k++) {
        r->d_param[k] = check_zeros(t->param_count[k], sizeof(float));
        at_param_export(at_graph_param(t->g, k), at_graph_grads(t->g), r->d_param[k]);
    }
}

check_result check_run(const check_trial *t, int backwards) {
    check_result r = {0};
    at_plan *plan = check_plan(t);
    check_forward(t, plan);
    r.y = check_from_view(at_plan_value(plan, t->out));
    if (!t->c->infer) {
        memset(at_graph_grads(t->g), 0, (size_t)at_graph_flat_count(t->g) * sizeof(float));
        for (int i = 0; i < backwards; i++) {
            to_view(at_plan_grad(plan, t->out), t->projection);
            at_plan_backward(plan);
        }
        read_gradients(t, plan, &r);
    }
    at_plan_free(plan);
    return r;
}

void check_result_free(check_result r) {
    free(r.y);
    for (int k = 0; k < CHECK_INPUTS; k++) free(r.d_in[k]);
    for (int k = 0; k < CHECK_PARAMS; k++) free(r.d_param[k]);
}
