/* SPDX-License-Identifier: MIT */
#include "tests/check_slices.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"

enum { GAP = 3 };                  /* floats between pixels that belong to somebody else */
static const float THEIRS = 12345; /* what lies in the gaps */

static void *block(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(p);
    memset(p, 0, bytes);
    return p;
}

static at_tensor slice(at_shape s, float value) {
    at_tensor t = {.shape = s, .ld = s.c + GAP, .dtype = AT_F32};
    int64_t pixels = at_shape_pixels(s);
    float *p = t.data = block((size_t)(pixels * t.ld) * sizeof *p);
    for (int64_t i = 0; i < pixels * t.ld; i++) p[i] = i % t.ld < s.c ? value : THEIRS;
    return t;
}

static at_tensor slice_of(at_shape s, const double *from) {
    at_tensor t = slice(s, 0);
    for (int64_t p = 0; p < at_shape_pixels(s); p++)
        for (int j = 0; j < s.c; j++) at_f32(t)[p * t.ld + j] = (float)from[p * s.c + j];
    return t;
}

/* t = start + truth, gaps untouched. */
static void expect_slice(const char *what, at_tensor t, double start, const double *truth,
                         double tolerance) {
    double top = 1e-3 + fabs(start);
    int64_t pixels = at_shape_pixels(t.shape);
    for (int64_t i = 0; i < pixels * t.shape.c; i++) top = fmax(top, fabs(truth[i]));
    for (int64_t p = 0; p < pixels; p++)
        for (int j = 0; j < t.ld; j++) {
            float got = at_f32(t)[p * t.ld + j];
            bool ours = j < t.shape.c;
            double want = ours ? start + truth[p * t.shape.c + j] : (double)THEIRS;
            if (!(fabs(got - want) <= (ours ? tolerance * top : 0)))
                fail_msg("%s as a slice, level %s: pixel %d channel %d is %.9g, should be %.9g",
                         what, at_kernels_get()->level, (int)p, j, (double)got, want);
        }
}

static void make_step(at_step *s, const at_node *node, at_mode mode, const check_data *d) {
    const at_op *op = node->op;
    at_error err = {0};
    at_tensor out[AT_MAX_OUTPUTS] = {0};
    at_shape in_shape[CHECK_INPUTS + 1];
    int k = 0;
    *s = (at_step){.node = node,
                   .mode = mode,
                   .in_count = node->input_count,
                   .needs = op->flags,
                   .last = node,
                   .seed = 3,
                   .iteration = 5,
                   .version = 1};
    s->in = calloc(CHECK_INPUTS + 1, sizeof *s->in);
    s->d_in = calloc(CHECK_INPUTS + 1, sizeof *s->d_in);
    s->first = calloc(CHECK_INPUTS + 1, sizeof *s->first);
    assert_true(s->in && s->d_in && s->first);
    for (int i = 0; i < node->input_count; i++) {
        bool target = node->inputs[i]->dtype == AT_U8;
        at_shape shape = d->in_shape[target ? 0 : k];
        if (target) shape.c = 1;
        in_shape[i] = shape;
        s->in[i] = (at_tensor){.shape = shape, .ld = shape.c};
        if (target)
            s->in[i].dtype = AT_U8, s->in[i].data = (void *)(uintptr_t)d->labels;
        else if (!(op->shape_only >> i & 1u))
            s->in[i] = slice_of(shape, d->in[k]);
        k += !target;
    }
    out[0].shape.c = node->channels;
    if (op->shape(node, in_shape, out, &err) != AT_OK) fail_msg("shape: %s", err.text);
    s->out[0] = slice(out[0].shape, NAN);
    s->out[1] = out[1];
    s->out[1].ld = out[1].shape.c;
    if (out[1].shape.n)
        s->out[1].data = block((size_t)at_shape_count(out[1].shape) * at_dtype_size(out[1].dtype));
    if (op->prepare != NULL && op->prepare(s, &err) != AT_OK) fail_msg("prepare: %s", err.text);
    s->saved = block(s->saved_bytes);
    s->kept = block(s->kept_bytes);
    s->work = block(s->work_bytes);
    s->scratch = block(s->scratch_bytes * (size_t)at_threads());
}

static void free_step(at_step *s) {
    if (s->node->op->release != NULL) s->node->op->release(s);
    for (int i = 0; i < s->in_count; i++)
        if (s->in[i].dtype == AT_F32) free(s->in[i].data);
    free(s->in);
    free(s->d_in);
    free(s->first);
    free(s->out[0].data);
    free(s->out[1].data);
    free(s->saved);
    free(s->kept);
    free(s->work);
    free(s->scratch);
}

static void backward(at_step *s, const double *projection, double *const *d_in, bool first,
                     double tolerance) {
    int k = 0;
    s->d_out = slice_of(s->out[0].shape, projection);
    for (int i = 0; i < s->in_count; i++) {
        s->d_in[i] = (at_tensor){.shape = s->in[i].shape};
        s->first[i] = first;
        if (s->in[i].data != NULL && s->in[i].dtype == AT_F32)
            s->d_in[i] = slice(s->in[i].shape, first ? NAN : 1);
    }
    s->node->op->backward(s);
    for (int i = 0; i < s->in_count; i++) {
        bool f32 = s->in[i].dtype == AT_F32;
        if (s->d_in[i].data != NULL)
            expect_slice(first ? "gradient, first" : "gradient, added", s->d_in[i], first ? 0 : 1,
                         d_in[k], tolerance);
        free(s->d_in[i].data);
        k += f32;
    }
    free(s->d_out.data);
}

void check_slices(const at_node *node, at_mode mode, const check_data *d, const double *projection,
                  const double *y, double *const *d_in, double tolerance) {
    at_step s;
    int fp32 = 0;
    for (int i = 0; i < node->input_count; i++) {
        if (node->inputs[i]->input_count != 0) return;
        if (node->inputs[i]->dtype == AT_F32 && node->inputs[i]->id != fp32++) return;
    }
    make_step(&s, node, mode, d);
    s.node->op->forward(&s);
    expect_slice("output", s.out[0], 0, y, tolerance);
    if (mode == AT_TRAIN) {
        backward(&s, projection, d_in, false, tolerance);
        if (node->op->flags & AT_FIRST_WRITE) backward(&s, projection, d_in, true, tolerance);
    }
    free_step(&s);
}
