/* SPDX-License-Identifier: MIT */
#include "layers/strips.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "layers/chunks.h"

/* Strips of elements: 64 KiB a tensor. Strips of pixels: up to 128 KiB, but at most 1024 pixels,
 * over which kernels sum in fp32, and at least 64, so that what is kept for each channel of a strip
 * stays small beside it. */
enum {
    ELEMENTS = 16384,
    FLOATS = AT_STAGE_FLOATS,
    PIXELS_MIN = AT_STAGE_PIXELS,
    PIXELS_MAX = 1024,
};

static int64_t smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static int64_t pixels_per_strip(int c) {
    int64_t pixels = FLOATS / c;
    return pixels < PIXELS_MIN ? PIXELS_MIN : smaller(pixels, PIXELS_MAX);
}

/* Pixels that are cut as one piece, and how many such pieces there are. */
static int64_t piece(at_shape s, at_strip_kind kind, int *pieces) {
    *pieces = kind == AT_STRIP_IMAGES ? s.n : 1;
    return at_shape_pixels(s) / *pieces;
}

int64_t at_strip_count(at_shape shape, at_strip_kind kind) {
    int pieces;
    int64_t pixels = piece(shape, kind, &pieces), each = pixels_per_strip(shape.c);
    return (pixels + each - 1) / each * pieces;
}

int64_t at_strip_pixels(at_shape shape, at_strip_kind kind, int64_t index) {
    int pieces;
    int64_t pixels = piece(shape, kind, &pieces), each = pixels_per_strip(shape.c);
    int64_t part = index % (at_strip_count(shape, kind) / pieces);
    return smaller(each, pixels - part * each);
}

typedef struct loop {
    const at_step *step;
    at_strip_body *body;
    const at_tensor *tensors;
    int count, written;
    at_strip_kind kind;
    bool flat, staged, stream;
    int64_t parts; /* strips in a piece */
} loop;

/* ---- tensors that are bf16: a strip is widened in the worker's stage ---- */

/* Does the body need what a tensor that it writes holds? */
static bool fetched(const loop *l, int i) {
    const at_step *s = l->step;
    void *data = l->tensors[i].data;
    if (i >= l->written) return true;
    bool first = data == s->out[0].data;
    for (int k = 0; k < s->in_count; k++) {
        if (data != s->d_in[k].data) continue;
        if (!s->first[k]) return true; /* perhaps not in this loop; to fetch does no harm */
        first = true;
    }
    return !first;
}

static at_rows staged(const loop *l, at_strip *s, int i, uint16_t *bf16, ptrdiff_t ld) {
    char *stage = l->step->stage + l->step->stage_bytes * (size_t)s->worker;
    float *wide = (float *)(void *)(stage + l->step->stage_bytes / AT_STAGE_TENSORS * (size_t)i);
    assert(s->rows * s->cols * (int64_t)sizeof(float) * AT_STAGE_TENSORS <=
           (int64_t)l->step->stage_bytes);
    if (fetched(l, i)) at_kernels_get()->widen(wide, bf16, ld, s->rows, s->cols);
    return (at_rows){wide, s->cols};
}

/* The strip of tensor i, from element `first` on. Two written ones may be one, as in x + x. */
static at_rows strip_of(const loop *l, at_strip *s, int i, int64_t first, ptrdiff_t ld) {
    at_tensor t = l->tensors[i];
    if (t.data == NULL) return (at_rows){NULL, ld};
    if (i == 1 && i < l->written && t.data == l->tensors[0].data) return s->t[0];
    if (t.dtype == AT_BF16) return staged(l, s, i, (uint16_t *)t.data + first, ld);
    return (at_rows){at_f32(t) + first, ld};
}

/* What the body wrote into the stage. */
static void store(const loop *l, const at_strip *s, int i, int64_t first, ptrdiff_t ld) {
    at_tensor t = l->tensors[i];
    if (t.data != NULL && t.dtype == AT_BF16)
        at_kernels_get()->narrow((uint16_t *)t.data + first, ld, s->t[i].data, s->rows, s->cols);
}

/* ---- strips ---- */

/* Elements at a time where strips are staged and may be cut further: all of them in the first-level
 * cache. */
enum { STAGED = 4096 };

static int64_t piece_of(const loop *l, int64_t all, int64_t each) {
    bool further = l->kind == AT_STRIP_ELEMENTS || l->kind == AT_STRIP_ROWS;
    return l->staged && further ? smaller(all, each < STAGED ? STAGED / each : 1) : all;
}

static void run_flat(const loop *l, at_strip *s) {
    int64_t begin = s->index * ELEMENTS, total = at_shape_count(l->tensors[0].shape);
    int64_t end = begin + smaller(ELEMENTS, total - begin), piece = piece_of(l, ELEMENTS, 1);
    s->rows = 1;
    for (s->first = begin; s->first < end; s->first += piece) {
        s->cols = smaller(piece, end - s->first);
        for (int i = 0; i < l->count; i++) s->t[i] = strip_of(l, s, i, s->first, s->cols);
        l->body(l->step, s);
        for (int i = 0; i < l->written; i++) store(l, s, i, s->first, s->cols);
    }
}

/* Some pixels from `begin` on. */
static void run_rows(const loop *l, at_strip *s, int64_t begin, int64_t rows) {
    s->first = begin * s->cols;
    s->rows = rows;
    for (int i = 0; i < l->count; i++)
        s->t[i] = strip_of(l, s, i, begin * l->tensors[i].ld, l->tensors[i].ld);
    l->body(l->step, s);
    for (int i = 0; i < l->written; i++) store(l, s, i, begin * l->tensors[i].ld, l->tensors[i].ld);
}

static void run_pixels(const loop *l, at_strip *s) {
    int pieces;
    at_shape shape = l->tensors[0].shape;
    int64_t pixels = piece(shape, l->kind, &pieces), each = pixels_per_strip(shape.c);
    int64_t part = s->index % l->parts, begin = s->index / l->parts * pixels + part * each;
    int64_t end = begin + smaller(each, pixels - part * each), rows = piece_of(l, each, shape.c);
    s->image = (int)(s->index / l->parts);
    s->cols = shape.c;
    for (; begin < end; begin += rows) run_rows(l, s, begin, smaller(rows, end - begin));
}

static void run(void *arg, int64_t index, int worker) {
    const loop *l = arg;
    at_strip s = {.index = index, .worker = worker, .stream = l->stream};
    if (l->flat)
        run_flat(l, &s);
    else
        run_pixels(l, &s);
}

static bool streams(const loop *l) {
    for (int i = 1; i < l->count; i++)
        if (l->tensors[i].data == l->tensors[0].data) return false;
    return l->written > 0 && at_streams(l->tensors[0]);
}

void at_for_strips(const at_step *step, at_strip_body *body, at_strip_kind kind,
                   const at_tensor *tensors, int count, int written) {
    assert(written <= count && count <= AT_STRIP_TENSORS);
    loop l = {step,  body,  tensors, count, written, kind, kind == AT_STRIP_ELEMENTS,
              false, false, 0};
    at_shape shape = tensors[0].shape;
    int pieces;
    for (int i = 0; i < count; i++)
        if (tensors[i].data != NULL && tensors[i].ld != shape.c) l.flat = false;
    for (int i = 0; i < count; i++) l.staged |= tensors[i].dtype == AT_BF16;
    l.stream = streams(&l);
    int64_t strips =
        l.flat ? (at_shape_count(shape) + ELEMENTS - 1) / ELEMENTS : at_strip_count(shape, kind);
    piece(shape, kind, &pieces);
    l.parts = strips / pieces;
    at_parallel_for(strips, run, &l);
}

at_status at_shape_of_input(const at_node *node, const at_shape *in, at_tensor *out,
                            at_error *err) {
    (void)node, (void)err;
    out[0].shape = in[0];
    return AT_OK;
}

void at_cost_of_pass(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    int64_t floats = at_shape_count(out);
    for (int i = 0; i < node->input_count; i++) floats += at_shape_count(in[i]);
    cost->bytes = (double)floats * sizeof(float);
}

void at_describe_nothing(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    (void)node, (void)in, (void)out, (void)attrs;
}

void at_describe_number(json_t *attrs, const char *key, float value) {
    char text[32];
    for (int digits = 1; digits <= 9; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    json_object_set_new(attrs, key, json_real(strtod(text, NULL)));
}

at_node *at_unary(at_graph *g, const at_op *op, const char *name, at_node *x, const void *attrs,
                  size_t attrs_size) {
    return at_node_new(g, op, name, &x, 1, x != NULL ? x->channels : 0, attrs, attrs_size);
}
