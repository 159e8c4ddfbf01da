/* SPDX-License-Identifier: MIT */
/* Memory of a plan: how long each buffer lives and where it lies. Buffers whose lives don't overlap
 * may share a place: the largest is placed first, each at the lowest offset that is free for its
 * whole life (greedy by size; Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net
 * Inference", 2020, find it near optimal for networks). */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "nn/plan_private.h"

enum {
    ALIGN = 64,
    RED_ZONE = 64
}; /* bytes; red zones separate buffers so that ASan sees a spill */

/* ---- lives ---- */

static int last_moment(const at_plan *p) {
    return p->moments - 1;
}

static int backward_begin(const at_plan *p, int step) {
    return p->steps[step].back;
}

static int backward_end(const at_plan *p, int step) {
    return p->steps[step].back + 1;
}

static void extend(at_buffer *b, int moment) {
    if (b->end < moment) b->end = moment;
}

static void claim(at_plan_step *ps, int which, size_t bytes, int begin, int end) {
    if (bytes == 0) return;
    ps->buf[which] = (at_buffer){.bytes = bytes, .begin = begin, .end = end, .used = true};
}

static size_t tensor_bytes(at_tensor t) {
    if (t.shape.n == 0) return 0;
    return (size_t)at_shape_pixels(t.shape) * (size_t)t.ld * at_dtype_size(t.dtype);
}

/* A step's buffers, with the lives they have whoever reads them. */
static void forward_buffers(at_plan *p, int i) {
    at_plan_step *ps = &p->steps[i];
    const at_step *s = &ps->s;
    int last = last_moment(p);
    int born = s->in_count == 0 ? 0 : i; /* inputs are filled before anything runs */
    int end = p->opts.keep || i == p->output ? last : i;
    claim(ps, BUF_OUT0, tensor_bytes(s->out[0]), born, end);
    claim(ps, BUF_OUT1, tensor_bytes(s->out[1]), i, p->opts.keep ? last : i);
    claim(ps, BUF_SAVED, s->saved_bytes, i, ps->wants_grad ? backward_end(p, i) : i);
    claim(ps, BUF_KEPT, s->kept_bytes, 0, last);
    claim(ps, BUF_WORK, s->work_bytes, i, i);
    claim(ps, BUF_SCRATCH, s->scratch_bytes * (size_t)p->threads, i, i);
    claim(ps, BUF_WIDE, at_plan_wide_bytes(ps, false), i, i);
    if (!ps->redo) return;
    int redo = ps->redo_moment;
    claim(ps, BUF_REDO, tensor_bytes(s->out[0]), redo, redo);
    claim(ps, BUF_WIDE_REDO, at_plan_wide_bytes(ps, false), redo, redo);
    if (s->node->op->again != NULL) return;
    claim(ps, BUF_WORK_REDO, s->work_bytes, redo, redo);
    claim(ps, BUF_SCRATCH_REDO, s->scratch_bytes * (size_t)p->threads, redo, redo);
}

static void backward_buffers(at_plan *p, int i) {
    at_plan_step *ps = &p->steps[i];
    const at_step *s = &ps->s;
    int back = backward_begin(p, i), end = backward_end(p, i);
    if (!ps->wants_grad) return;
    /* The caller fills the output's gradient between forward and backward, reads inputs' after. */
    claim(ps, BUF_GRAD, tensor_bytes(s->d_out), i == p->output ? p->count - 1 : back,
          s->in_count == 0 ? last_moment(p) : end);
    claim(ps, BUF_WORK_BACK, s->work_bytes, back, end);
    claim(ps, BUF_SCRATCH_BACK, s->scratch_bytes * (size_t)p->threads, back, end);
    claim(ps, BUF_WIDE_BACK, at_plan_wide_bytes(ps, true), back, end);
    if (s->needs & AT_NEEDS_OUTPUT) extend(&ps->buf[ps->redo ? BUF_REDO : BUF_OUT0], end);
    if (ps->buf[BUF_OUT1].used) extend(&ps->buf[BUF_OUT1], end);
    ps->written = i == p->output;
}

/* The gradient of an input written where that of the output is: both live on as one. */
static bool share_gradient(at_plan_step *ps, at_buffer *grad) {
    at_buffer *own = &ps->buf[BUF_GRAD];
    if (!(ps->s.node->op->flags & AT_GRAD_IN_PLACE) || own->bytes != grad->bytes ||
        ps->grad_home != NULL)
        return false;
    if (own->place != NULL) own = own->place;
    extend(own, grad->end);
    grad->place = own;
    return true;
}

/* The step writes the gradient of its k-th input: is it the first to do so? Called in the order in
 * which backward runs. */
static void gradient_lives(at_plan *p, int i, int k, bool *shared) {
    at_plan_step *ps = &p->steps[i], *producer = &p->steps[ps->inputs[k]];
    at_buffer *grad = &producer->buf[BUF_GRAD];
    bool overwrites = !producer->written && (ps->s.node->op->flags & AT_FIRST_WRITE);
    bool late = overwrites && (ps->s.node->op->flags & AT_GRAD_AFTER_INPUT);
    int begin = late ? backward_end(p, i) : backward_begin(p, i);
    if (grad->begin > begin) grad->begin = begin;
    if (!producer->written) {
        ps->s.first[k] = overwrites;
        ps->clear[k] = !overwrites;
        if (overwrites && !*shared && i != p->output) *shared = share_gradient(ps, grad);
    }
    producer->written = true;
}

/* ---- values that don't outlive forward ---- */

enum { AGAIN_LEAST = 1 << 16 }; /* bytes that must be saved */

static bool reads_value(const at_plan_step *ps, int k) {
    return ps->inputs[k] >= 0 && ps->s.node->ports[k] == 0;
}

/* Does backward read the value of step i? */
static bool needed_back(const at_plan *p, int i) {
    if (p->steps[i].wants_grad && (p->steps[i].s.needs & AT_NEEDS_OUTPUT)) return true;
    for (int j = i + 1; j < p->count; j++) {
        const at_plan_step *ps = &p->steps[j];
        if (!ps->wants_grad || !(ps->s.needs & AT_NEEDS_INPUT)) continue;
        for (int k = 0; k < ps->s.in_count; k++)
            if (reads_value(ps, k) && ps->inputs[k] == i) return true;
    }
    return false;
}

static bool reads(const at_plan_step *ps, int producer) {
    for (int k = 0; k < ps->s.in_count; k++)
        if (reads_value(ps, k) && ps->inputs[k] == producer) return true;
    return false;
}

bool at_plan_read_back(const at_plan *p, int i) {
    if (needed_back(p, i)) return true;
    for (int j = i + 1; j < p->count; j++)
        if (p->steps[j].again && reads(&p->steps[j], i)) return true;
    return false;
}

int at_plan_last_reader(const at_plan *p, int i) {
    int last = i;
    for (int j = i + 1; j < p->count; j++)
        if (reads(&p->steps[j], i)) last = j;
    return last;
}

size_t at_plan_value_bytes(const at_plan_step *ps) {
    return tensor_bytes(ps->s.out[0]);
}

/* Such a value is what later segments begin with: it stays from forward on. */
static bool leaves_segment(const at_plan *p, int i) {
    int segment = p->steps[i].segment;
    return segment && (i == p->output || p->steps[at_plan_last_reader(p, i)].segment != segment);
}

/* Is it worth it? What the step reads must be there in backward, which may be new. */
static bool worth_again(const at_plan *p, int i) {
    const at_plan_step *ps = &p->steps[i];
    size_t kept = AGAIN_LEAST;
    if (ps->home != NULL || ps->holds) return false; /* others need the place */
    if (ps->s.node->op->again == NULL || !ps->wants_grad || i == p->output ||
        (ps->s.needs & AT_NEEDS_OUTPUT) || !needed_back(p, i) || leaves_segment(p, i) ||
        at_plan_wide_bytes(ps, false) > 0)
        return false;
    for (int k = 0; k < ps->s.in_count; k++)
        if (reads_value(ps, k) && !p->steps[ps->inputs[k]].again && !needed_back(p, ps->inputs[k]))
            kept += tensor_bytes(ps->s.in[k]);
    return kept <= tensor_bytes(ps->s.out[0]);
}

static void touch(at_plan_step *ps, int begin, int end) {
    at_buffer *b = &ps->buf[BUF_AGAIN];
    if (!b->used) claim(ps, BUF_AGAIN, tensor_bytes(ps->s.out[0]), begin, end);
    if (b->begin > begin) b->begin = begin;
    extend(b, end);
}

/* The k-th input is read in backward, from moment begin to moment end. */
static void read_back(at_plan *p, const at_plan_step *ps, int k, int begin, int end) {
    at_plan_step *producer = &p->steps[ps->inputs[k]];
    bool second = ps->s.node->ports[k] != 0;
    if (producer->again && !second)
        touch(producer, begin, end);
    else
        extend(&producer->buf[second ? BUF_OUT1 : producer->redo ? BUF_REDO : BUF_OUT0], end);
}

/* What reading its inputs means for their lives. All readers of the step have been here before. */
static void reader_lives(at_plan *p, int i) {
    at_plan_step *ps = &p->steps[i];
    int begin = backward_begin(p, i), again = ps->buf[BUF_AGAIN].begin;
    int end = ps->s.node->op->flags & AT_GRAD_AFTER_INPUT ? begin : backward_end(p, i);
    bool shared = false;
    for (int k = 0; k < ps->s.in_count; k++) {
        if (ps->inputs[k] < 0) continue;
        at_plan_step *producer = &p->steps[ps->inputs[k]];
        bool second = ps->s.node->ports[k] != 0;
        extend(&producer->buf[second ? BUF_OUT1 : BUF_OUT0], i);
        if (ps->redo)
            extend(&producer->buf[second           ? BUF_OUT1
                                  : producer->redo ? BUF_REDO
                                                   : BUF_OUT0],
                   ps->redo_moment);
        if (ps->buf[BUF_AGAIN].used) read_back(p, ps, k, again, again);
        if (!ps->wants_grad) continue;
        if (second || (ps->s.needs & AT_NEEDS_INPUT)) read_back(p, ps, k, begin, end);
        if (!second && producer->wants_grad) gradient_lives(p, i, k, &shared);
    }
}

/* Is the step computed once more: for its own sake, or for a reader that is? */
static bool worth_redo(const at_plan *p, int i) {
    const at_plan_step *ps = &p->steps[i];
    if (ps->segment == 0 || ps->s.in_count == 0 || leaves_segment(p, i)) return false;
    if (!ps->again && at_plan_read_back(p, i)) return true;
    for (int j = i + 1; j < p->count; j++)
        if (p->steps[j].redo && reads(&p->steps[j], i)) return true;
    return false;
}

/* Numbers the moments. A segment is computed once more just before its last step's backward. */
static void schedule(at_plan *p) {
    p->moments = p->count;
    for (int i = p->count - 1; i >= 0 && p->opts.mode == AT_TRAIN; i--) {
        int segment = p->steps[i].segment, first = i;
        bool last = segment && (i + 1 == p->count || p->steps[i + 1].segment != segment);
        while (last && first > 0 && p->steps[first - 1].segment == segment) first--;
        for (int j = first; last && j <= i; j++)
            if (p->steps[j].redo) p->steps[j].redo_moment = p->moments++;
        p->steps[i].back = p->moments;
        p->moments += 2;
    }
}

static void forget(at_plan_step *ps) {
    memset(ps->buf, 0, sizeof ps->buf);
    memset(ps->s.first, 0, (size_t)ps->s.in_count * sizeof *ps->s.first);
    memset(ps->clear, 0, (size_t)ps->s.in_count * sizeof *ps->clear);
    ps->again = ps->redo = ps->written = false;
}

static void lifetimes(at_plan *p) {
    bool may = p->opts.mode == AT_TRAIN && !p->opts.keep;
    for (int i = 0; i < p->count; i++) forget(&p->steps[i]);
    for (int i = 0; i < p->count; i++) p->steps[i].again = may && worth_again(p, i);
    for (int i = p->count - 1; i >= 0; i--) p->steps[i].redo = may && worth_redo(p, i);
    schedule(p);
    for (int i = 0; i < p->count; i++) {
        forward_buffers(p, i);
        backward_buffers(p, i);
    }
    for (int i = p->count - 1; i >= 0; i--) reader_lives(p, i);
    at_plan_lodge(p);
}

/* ---- places ---- */

static int larger_first(const void *a, const void *b) {
    const at_buffer *x = *(at_buffer *const *)a, *y = *(at_buffer *const *)b;
    if (x->bytes != y->bytes) return x->bytes < y->bytes ? 1 : -1;
    return x->begin != y->begin ? (x->begin > y->begin ? 1 : -1) : (x > y) - (x < y);
}

static bool overlap(const at_buffer *a, const at_buffer *b) {
    return a->begin <= b->end && b->begin <= a->end;
}

static size_t footprint(const at_buffer *b) {
    return (b->bytes + RED_ZONE + ALIGN - 1) / ALIGN * ALIGN;
}

/* placed[0 .. count-1] is sorted by offset; puts b into the lowest gap and keeps the order. */
static void place(at_buffer **placed, int count, at_buffer *b) {
    size_t at = 0, size = footprint(b);
    int i;
    for (i = 0; i < count; i++) {
        const at_buffer *other = placed[i];
        if (!overlap(b, other)) continue;
        if (other->offset >= at + size) break;
        if (other->offset + footprint(other) > at) at = other->offset + footprint(other);
    }
    b->offset = at;
    for (i = count; i > 0 && placed[i - 1]->offset > at; i--) placed[i] = placed[i - 1];
    placed[i] = b;
}

static size_t place_all(at_buffer **order, at_buffer **placed, int count) {
    size_t most = 0;
    qsort(order, (size_t)count, sizeof(at_buffer *), larger_first);
    for (int i = 0; i < count; i++) {
        place(placed, i, order[i]);
        size_t end = order[i]->offset + footprint(order[i]);
        if (end > most) most = end;
    }
    return most;
}

/* Behind everything else, for the life of the plan. */
static void place_stage(at_plan *p) {
    int channels = 0;
    for (int i = 0; i < p->count; i++) {
        const at_step *s = &p->steps[i].s;
        bool bf16 = s->out[0].dtype == AT_BF16;
        for (int k = 0; k < s->in_count; k++) bf16 |= s->in[k].dtype == AT_BF16;
        for (int k = 0; k < s->in_count && bf16; k++)
            if (s->in[k].shape.c > channels) channels = s->in[k].shape.c;
        if (bf16 && s->out[0].shape.c > channels) channels = s->out[0].shape.c;
    }
    p->stage_offset = p->arena_bytes;
    p->stage_bytes = channels == 0 ? 0 : at_stage_bytes(channels);
    p->arena_bytes += p->stage_bytes * (size_t)p->threads;
}

at_status at_plan_place(at_plan *p, at_error *err) {
    size_t slots = (size_t)p->count * BUF_COUNT;
    at_buffer **order = malloc(2 * slots * sizeof(at_buffer *));
    int count = 0;
    if (order == NULL) return at_fail_memory(err, "a plan", 2 * slots * sizeof(at_buffer *));
    lifetimes(p);
    for (int i = 0; i < p->count; i++)
        for (int k = 0; k < BUF_COUNT; k++)
            if (p->steps[i].buf[k].used && p->steps[i].buf[k].place == NULL)
                order[count++] = &p->steps[i].buf[k];
    p->arena_bytes = place_all(order, order + slots, count);
    place_stage(p);
    free(order);
    return AT_OK;
}

/* ---- pointers ---- */

static void *at_place(const at_plan *p, const at_buffer *b) {
    size_t shift = b->shift;
    if (b->place != NULL) b = b->place;
    return b->used ? p->arena + b->offset + shift : NULL;
}

void at_plan_point(at_plan *p, int i, int which) {
    at_plan_step *ps = &p->steps[i];
    ps->s.out[0].data = at_place(p, &ps->buf[which]);
    for (int j = i + 1; j < p->count; j++)
        for (int k = 0; k < p->steps[j].s.in_count; k++)
            if (p->steps[j].inputs[k] == i && p->steps[j].s.node->ports[k] == 0)
                p->steps[j].s.in[k].data = ps->s.out[0].data;
}

const at_buffer *at_plan_value_buffer(const at_plan_step *ps, at_phase phase) {
    if (phase == AT_PHASE_BACKWARD && ps->again) return &ps->buf[BUF_AGAIN];
    return &ps->buf[phase != AT_PHASE_FORWARD && ps->redo ? BUF_REDO : BUF_OUT0];
}

void at_plan_bind(at_plan *p) {
    for (int i = 0; i < p->count; i++) {
        at_plan_step *ps = &p->steps[i];
        ps->s.out[0].data = at_place(p, &ps->buf[BUF_OUT0]);
        ps->s.out[1].data = at_place(p, &ps->buf[BUF_OUT1]);
        ps->s.d_out.data = at_place(p, &ps->buf[BUF_GRAD]);
        ps->s.saved = at_place(p, &ps->buf[BUF_SAVED]);
        ps->s.kept = at_place(p, &ps->buf[BUF_KEPT]);
        ps->s.stage = p->arena + p->stage_offset;
        ps->s.stage_bytes = p->stage_bytes;
        for (int k = 0; k < ps->s.in_count; k++) {
            if (ps->inputs[k] < 0) continue;
            const at_plan_step *from = &p->steps[ps->inputs[k]];
            int port = ps->s.node->ports[k];
            ps->s.in[k] = from->s.out[port];
            if (port == 0) ps->s.d_in[k].data = from->s.d_out.data;
        }
    }
}

void at_plan_use_memory(at_plan *p, at_plan_step *ps, at_phase phase) {
    ps->s.work = at_place(p, &ps->buf[BUF_WORK + (int)phase]);
    ps->s.scratch = at_place(p, &ps->buf[BUF_SCRATCH + (int)phase]);
}
