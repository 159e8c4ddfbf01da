/* SPDX-License-Identifier: MIT */
#include "layers/strips.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

/* Strips of elements: 64 KiB a tensor. Strips of pixels: up to 128 KiB, but at most 1024 pixels,
 * over which kernels sum in fp32, and at least 64, so that what is kept for each channel of a strip
 * stays small beside it. */
enum { ELEMENTS = 16384, FLOATS = 32768, PIXELS_MIN = 64, PIXELS_MAX = 1024 };

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
    int count;
    at_strip_kind kind;
    bool flat;
    int64_t parts; /* strips in a piece */
} loop;

static void run_flat(const loop *l, at_strip *s) {
    int64_t total = at_shape_count(l->tensors[0].shape);
    s->first = s->index * ELEMENTS;
    s->rows = 1;
    s->cols = smaller(ELEMENTS, total - s->first);
    for (int i = 0; i < l->count; i++) {
        at_tensor t = l->tensors[i];
        s->t[i] = (at_rows){t.data != NULL ? at_f32(t) + s->first : NULL, s->cols};
    }
    l->body(l->step, s);
}

static void run_pixels(const loop *l, at_strip *s) {
    int pieces;
    at_shape shape = l->tensors[0].shape;
    int64_t pixels = piece(shape, l->kind, &pieces), each = pixels_per_strip(shape.c);
    int64_t part = s->index % l->parts, begin = s->index / l->parts * pixels + part * each;
    s->image = (int)(s->index / l->parts);
    s->first = begin * shape.c;
    s->rows = smaller(each, pixels - part * each);
    s->cols = shape.c;
    for (int i = 0; i < l->count; i++) {
        at_tensor t = l->tensors[i];
        s->t[i] = (at_rows){t.data != NULL ? at_f32(t) + begin * t.ld : NULL, t.ld};
    }
    l->body(l->step, s);
}

static void run(void *arg, int64_t index, int worker) {
    const loop *l = arg;
    at_strip s = {.index = index, .worker = worker};
    if (l->flat)
        run_flat(l, &s);
    else
        run_pixels(l, &s);
}

void at_for_strips(const at_step *step, at_strip_body *body, at_strip_kind kind,
                   const at_tensor *tensors, int count) {
    assert(count <= AT_STRIP_TENSORS);
    loop l = {step, body, tensors, count, kind, kind == AT_STRIP_ELEMENTS, 0};
    at_shape shape = tensors[0].shape;
    int pieces;
    for (int i = 0; i < count; i++)
        if (tensors[i].data != NULL && tensors[i].ld != shape.c) l.flat = false;
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
