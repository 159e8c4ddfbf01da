/* SPDX-License-Identifier: MIT */
/* Running a plan. Under AddressSanitizer everything in the arena is poisoned except what the step
 * at work may touch, so that a read of a dead value or a spill into a neighbour is caught. */
#include <assert.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "nn/plan_private.h"
#include "nn/threads.h"

/* ---- what a step may touch ---- */

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>

static void allow(const at_plan *p, const at_buffer *b) {
    if (b->place != NULL) b = b->place;
    if (b->used) ASAN_UNPOISON_MEMORY_REGION(p->arena + b->offset, b->bytes);
}

/* Of the arena only what is for everyone. */
static void close_arena(const at_plan *p) {
    ASAN_POISON_MEMORY_REGION(p->arena, p->arena_bytes);
    ASAN_UNPOISON_MEMORY_REGION(p->arena + p->stage_offset, p->stage_bytes * (size_t)p->threads);
}

static void guard(const at_plan *p, const at_plan_step *ps, at_phase phase) {
    bool backward = phase == AT_PHASE_BACKWARD;
    close_arena(p);
    allow(p, &ps->buf[BUF_WORK + (int)phase]);
    allow(p, &ps->buf[BUF_SCRATCH + (int)phase]);
    allow(p, &ps->buf[BUF_WIDE + (int)phase]);
    allow(p, &ps->buf[BUF_SAVED]);
    allow(p, &ps->buf[BUF_KEPT]);
    allow(p, &ps->buf[BUF_OUT1]);
    if (!backward || (ps->s.needs & AT_NEEDS_OUTPUT)) allow(p, at_plan_value_buffer(ps, phase));
    if (backward) allow(p, &ps->buf[BUF_GRAD]);
    for (int k = 0; k < ps->s.in_count; k++) {
        if (ps->inputs[k] < 0) continue;
        const at_plan_step *from = &p->steps[ps->inputs[k]];
        int port = ps->s.node->ports[k];
        if (!backward || port || (ps->s.needs & AT_NEEDS_INPUT))
            allow(p, port ? &from->buf[BUF_OUT1] : at_plan_value_buffer(from, phase));
        if (backward && !port) allow(p, &from->buf[BUF_GRAD]);
    }
}

static void guard_again(const at_plan *p, const at_plan_step *ps) {
    close_arena(p);
    allow(p, &ps->buf[BUF_SAVED]);
    allow(p, &ps->buf[BUF_AGAIN]);
    for (int k = 0; k < ps->s.in_count; k++) {
        if (ps->inputs[k] < 0) continue;
        const at_plan_step *from = &p->steps[ps->inputs[k]];
        allow(p, ps->s.node->ports[k] ? &from->buf[BUF_OUT1]
                                      : at_plan_value_buffer(from, AT_PHASE_BACKWARD));
    }
}

static void unguard(const at_plan *p) {
    ASAN_UNPOISON_MEMORY_REGION(p->arena, p->arena_bytes);
}
#else
static void guard(const at_plan *p, const at_plan_step *ps, at_phase phase) {
    (void)p, (void)ps, (void)phase;
}
static void guard_again(const at_plan *p, const at_plan_step *ps) {
    (void)p, (void)ps;
}
static void unguard(const at_plan *p) {
    (void)p;
}
#endif

/* ---- steps ---- */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void enter(at_plan *p, at_plan_step *ps, at_phase phase) {
    at_plan_use_memory(p, ps, phase);
    ps->s.version = p->graph->version;
    guard(p, ps, phase);
}

static void forward_step(at_plan *p, int i) {
    at_plan_step *ps = &p->steps[i];
    if (ps->s.in_count == 0) return; /* the caller's */
    if (ps->again || ps->redo) at_plan_point(p, i, BUF_OUT0);
    enter(p, ps, AT_PHASE_FORWARD);
    double t = p->profile ? now() : 0;
    at_step s = at_plan_widen(p, ps, AT_PHASE_FORWARD);
    s.node->op->forward(&s);
    at_plan_narrow(ps, &s, AT_PHASE_FORWARD);
    if (p->profile) ps->forward_s += now() - t;
}

typedef struct clearing {
    char *data;
    size_t bytes;
} clearing;

enum { CLEAR_CHUNK = 1 << 20 };

static void clear_chunk(void *arg, int64_t index, int worker) {
    const clearing *c = arg;
    size_t from = (size_t)index * CLEAR_CHUNK, rest = c->bytes - from;
    (void)worker;
    memset(c->data + from, 0, rest < CLEAR_CHUNK ? rest : CLEAR_CHUNK);
}

static void clear(const at_buffer *b, char *arena) {
    clearing c = {arena + b->offset, b->bytes};
    at_parallel_for((int64_t)((b->bytes + CLEAR_CHUNK - 1) / CLEAR_CHUNK), clear_chunk, &c);
}

/* Brings back the values that forward let go and that backward of step i is the first to read. */
static void bring_back(at_plan *p, int i) {
    int moment = p->steps[i].back;
    for (int j = 0; j < p->count; j++) {
        at_plan_step *ps = &p->steps[j];
        if (!ps->buf[BUF_AGAIN].used || ps->buf[BUF_AGAIN].begin != moment) continue;
        at_plan_point(p, j, BUF_AGAIN);
        guard_again(p, ps);
        double t = p->profile ? now() : 0;
        ps->s.node->op->again(&ps->s);
        if (p->profile) ps->backward_s += now() - t;
    }
}

static void redo_step(at_plan *p, int i) {
    at_plan_step *ps = &p->steps[i];
    const at_op *op = ps->s.node->op;
    at_plan_point(p, i, BUF_REDO);
    enter(p, ps, AT_PHASE_REDO);
    double t = p->profile ? now() : 0;
    at_step s = at_plan_widen(p, ps, AT_PHASE_REDO);
    (op->again != NULL ? op->again : op->forward)(&s);
    at_plan_narrow(ps, &s, AT_PHASE_REDO);
    if (p->profile) ps->backward_s += now() - t;
}

/* The steps of a segment, if step i is its last. */
static void redo_segment(at_plan *p, int i) {
    int segment = p->steps[i].segment, first = i;
    if (segment == 0 || (i + 1 < p->count && p->steps[i + 1].segment == segment)) return;
    while (first > 0 && p->steps[first - 1].segment == segment) first--;
    for (int j = first; j <= i; j++)
        if (p->steps[j].redo) redo_step(p, j);
}

static void backward_step(at_plan *p, int i) {
    at_plan_step *ps = &p->steps[i];
    redo_segment(p, i);
    if (!ps->wants_grad) return;
    bring_back(p, i);
    enter(p, ps, AT_PHASE_BACKWARD);
    double t = p->profile ? now() : 0;
    for (int k = 0; k < ps->s.in_count; k++)
        if (ps->clear[k]) clear(&p->steps[ps->inputs[k]].buf[BUF_GRAD], p->arena);
    if (!ps->written) clear(&ps->buf[BUF_GRAD], p->arena);
    if (ps->s.in_count > 0) {
        at_step s = at_plan_widen(p, ps, AT_PHASE_BACKWARD);
        s.node->op->backward(&s);
        at_plan_narrow(ps, &s, AT_PHASE_BACKWARD);
    }
    if (p->profile) ps->backward_s += now() - t;
}

/* ---- the whole ---- */

void at_plan_set_iteration(at_plan *p, uint64_t seed, uint64_t iteration) {
    for (int i = 0; i < p->count; i++) {
        p->steps[i].s.seed = seed;
        p->steps[i].s.iteration = iteration;
    }
}

void at_plan_forward(at_plan *p) {
    assert(at_threads() <= p->threads); /* scratch is for as many as there were */
    for (int i = 0; i < p->count; i++) forward_step(p, i);
    unguard(p);
    const at_plan_step *out = &p->steps[p->output];
    if (out->wants_grad && at_shape_count(out->s.out[0].shape) == 1) *at_f32(out->s.d_out) = 1;
}

void at_plan_backward(at_plan *p) {
    assert(p->opts.mode == AT_TRAIN && at_threads() <= p->threads);
    for (int i = p->count - 1; i >= 0; i--) backward_step(p, i);
    unguard(p);
}

/* ---- looking for what is not finite ---- */

static bool is_finite(at_tensor t, int64_t i) {
    enum { EXPONENT = 0x7f80 };
    if (t.dtype == AT_BF16) return (((const uint16_t *)t.data)[i] & EXPONENT) != EXPONENT;
    return isfinite(at_f32(t)[i]);
}

/* The first image of the batch with a value that is not finite, or -1. */
static int bad_image(at_tensor t) {
    int64_t pixels = (int64_t)t.shape.h * t.shape.w;
    if (t.dtype != AT_F32 && t.dtype != AT_BF16) return -1;
    for (int64_t i = 0; i < t.shape.n * pixels; i++)
        for (int c = 0; c < t.shape.c; c++)
            if (!is_finite(t, i * t.ld + c)) return (int)(i / pixels);
    return -1;
}

static at_status bad_params(const at_plan *p, at_error *err) {
    for (int i = 0; i < p->graph->param_count; i++) {
        const at_param *q = &p->graph->params[i];
        for (int64_t j = 0; j < q->count; j++)
            if (!isfinite(p->graph->values[q->offset + j]))
                return at_fail(err, AT_ERR_INPUT, "parameter %s is not finite", q->name);
    }
    return AT_OK;
}

at_status at_plan_check_finite(at_plan *p, int *image, at_error *err) {
    *image = -1;
    AT_TRY(bad_params(p, err));
    for (int i = 0; i < p->count; i++) {
        forward_step(p, i);
        unguard(p);
        *image = bad_image(p->steps[i].s.out[0]);
        if (*image >= 0)
            return at_fail(err, AT_ERR_INPUT, "the output of node %s is not finite",
                           p->steps[i].s.last->name);
    }
    return AT_OK;
}
