/* SPDX-License-Identifier: MIT */
/* Operators that know only fp32, in a plan whose activations are bf16: they get fp32 copies of the
 * tensors, and what they write is rounded back. Copies of one step live for one pass and lie side by
 * side in one buffer. Where two inputs are one node they share a copy, for their gradients are a
 * sum. */
#include "nn/kernels/kernels.h"
#include "nn/plan_private.h"
#include "nn/threads.h"

/* ---- the buffer ---- */

static bool takes(const at_step *s, bool backward) {
    return s->takes_bf16 & (backward ? AT_PASS_BACKWARD : AT_PASS_FORWARD);
}

static size_t wide_bytes(at_tensor t) {
    if (t.dtype != AT_BF16 || t.shape.n == 0) return 0;
    return ((size_t)at_shape_count(t.shape) * sizeof(float) + 63) / 64 * 64;
}

/* The first input that is the same value as input k: k itself where there is no other. */
static int original(const at_plan_step *ps, int k) {
    for (int j = 0; j < k; j++)
        if (ps->inputs[j] == ps->inputs[k] && ps->s.node->ports[j] == ps->s.node->ports[k])
            return j;
    return k;
}

static bool is_value(const at_plan_step *ps, int k) {
    return ps->inputs[k] >= 0 && ps->s.node->ports[k] == 0;
}

size_t at_plan_wide_bytes(const at_plan_step *ps, bool backward) {
    const at_step *s = &ps->s;
    if (s->in_count == 0 || takes(s, backward)) return 0;
    size_t bytes = wide_bytes(s->out[0]) + (backward ? wide_bytes(s->d_out) : 0);
    for (int k = 0; k < s->in_count; k++)
        if (is_value(ps, k) && original(ps, k) == k)
            bytes += wide_bytes(s->in[k]) + (backward ? wide_bytes(s->d_in[k]) : 0);
    return bytes;
}

/* ---- copying, in parallel ---- */

enum { CHUNK = 1 << 14 }; /* elements */

typedef struct copying {
    at_tensor bf16;
    float *wide;
    bool back;    /* from wide to bf16 */
    int64_t rows; /* of a chunk */
} copying;

static void copy_chunk(void *arg, int64_t index, int worker) {
    const copying *c = arg;
    int64_t pixels = at_shape_pixels(c->bf16.shape), first = index * c->rows;
    int64_t rows = pixels - first < c->rows ? pixels - first : c->rows;
    uint16_t *narrow = (uint16_t *)c->bf16.data + first * c->bf16.ld;
    float *wide = c->wide + first * c->bf16.shape.c;
    (void)worker;
    if (c->back)
        at_kernels_get()->narrow(narrow, c->bf16.ld, wide, rows, c->bf16.shape.c);
    else
        at_kernels_get()->widen(wide, narrow, c->bf16.ld, rows, c->bf16.shape.c);
}

static void copy(at_tensor bf16, at_tensor wide, bool back) {
    copying c = {bf16, wide.data, back, CHUNK / bf16.shape.c + 1};
    at_parallel_for((at_shape_pixels(bf16.shape) + c.rows - 1) / c.rows, copy_chunk, &c);
}

/* A place for the copy of a bf16 tensor; other tensors stay what they are. */
static at_tensor place(at_tensor t, char **free) {
    if (t.dtype != AT_BF16 || t.data == NULL) return t;
    at_tensor wide = {*free, t.shape, t.shape.c, AT_F32};
    *free += wide_bytes(t);
    return wide;
}

static at_tensor widened(at_tensor t, char **free) {
    at_tensor wide = place(t, free);
    if (wide.data != t.data) copy(t, wide, false);
    return wide;
}

/* ---- a step ---- */

static void widen_inputs(const at_plan_step *ps, at_step *copy, bool read, char **free) {
    for (int k = 0; k < copy->in_count; k++) {
        int same = is_value(ps, k) ? original(ps, k) : k;
        if (same != k)
            copy->in[k] = copy->in[same];
        else
            copy->in[k] = read ? widened(ps->s.in[k], free) : place(ps->s.in[k], free);
    }
}

/* A gradient that is added to is fetched too. */
static void widen_gradients(const at_plan_step *ps, at_step *copy, char **free) {
    for (int k = 0; k < copy->in_count; k++) {
        int same = is_value(ps, k) ? original(ps, k) : k;
        if (same != k)
            copy->d_in[k] = copy->d_in[same];
        else if (ps->s.first[k])
            copy->d_in[k] = place(ps->s.d_in[k], free);
        else
            copy->d_in[k] = widened(ps->s.d_in[k], free);
    }
}

at_step at_plan_widen(const at_plan *p, at_plan_step *ps, bool backward) {
    at_step copy = ps->s;
    const at_buffer *b = &ps->buf[backward ? BUF_WIDE_BACK : BUF_WIDE];
    if (!b->used) return copy;
    char *free = p->arena + b->offset;
    copy.in = ps->wide;
    copy.d_in = ps->wide + ps->s.in_count;
    widen_inputs(ps, &copy, !backward || (ps->s.needs & AT_NEEDS_INPUT), &free);
    if (!backward) {
        copy.out[0] = place(ps->s.out[0], &free);
        return copy;
    }
    copy.out[0] =
        ps->s.needs & AT_NEEDS_OUTPUT ? widened(ps->s.out[0], &free) : place(ps->s.out[0], &free);
    copy.d_out = widened(ps->s.d_out, &free);
    widen_gradients(ps, &copy, &free);
    return copy;
}

void at_plan_narrow(const at_plan_step *ps, const at_step *wide, bool backward) {
    const at_step *s = &ps->s;
    if (!ps->buf[backward ? BUF_WIDE_BACK : BUF_WIDE].used) return;
    if (!backward) {
        if (wide->out[0].data != s->out[0].data) copy(s->out[0], wide->out[0], true);
        return;
    }
    for (int k = 0; k < s->in_count; k++)
        if (wide->d_in[k].data != s->d_in[k].data && original(ps, k) == k)
            copy(s->d_in[k], wide->d_in[k], true);
}
