/* SPDX-License-Identifier: MIT */
/* Operators that know only fp32, in a plan whose activations are bf16: they get fp32 copies of the
 * tensors, and what they write is rounded back. Copies of one step live for one pass and lie side by
 * side in one buffer. Where two inputs are one node they share a copy, for their gradients are a
 * sum. */
#include "nn/plan_private.h"

/* ---- the buffer ---- */

static bool takes(const at_step *s, bool backward) {
    return s->takes_bf16 & (backward ? AT_PASS_BACKWARD : AT_PASS_FORWARD);
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
    size_t bytes =
        at_tensor_wide_bytes(s->out[0]) + (backward ? at_tensor_wide_bytes(s->d_out) : 0);
    for (int k = 0; k < s->in_count; k++)
        if (is_value(ps, k) && original(ps, k) == k)
            bytes +=
                at_tensor_wide_bytes(s->in[k]) + (backward ? at_tensor_wide_bytes(s->d_in[k]) : 0);
    return bytes;
}

/* ---- copies ---- */

/* A place for the copy of a bf16 tensor; other tensors stay what they are. */
static at_tensor place(at_tensor t, char **free) {
    if (t.dtype != AT_BF16 || t.data == NULL) return t;
    at_tensor wide = {*free, t.shape, t.shape.c, AT_F32};
    *free += at_tensor_wide_bytes(t);
    return wide;
}

static at_tensor widened(at_tensor t, char **free) {
    at_tensor wide = place(t, free);
    if (wide.data != t.data) at_tensor_convert(wide, t);
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

at_step at_plan_widen(const at_plan *p, at_plan_step *ps, at_phase phase) {
    at_step copy = ps->s;
    const at_buffer *b = &ps->buf[BUF_WIDE + (int)phase];
    bool backward = phase == AT_PHASE_BACKWARD;
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

void at_plan_narrow(const at_plan_step *ps, const at_step *wide, at_phase phase) {
    const at_step *s = &ps->s;
    if (!ps->buf[BUF_WIDE + (int)phase].used) return;
    if (phase != AT_PHASE_BACKWARD) {
        if (wide->out[0].data != s->out[0].data) at_tensor_convert(s->out[0], wide->out[0]);
        return;
    }
    for (int k = 0; k < s->in_count; k++)
        if (wide->d_in[k].data != s->d_in[k].data && original(ps, k) == k)
            at_tensor_convert(s->d_in[k], wide->d_in[k]);
}
