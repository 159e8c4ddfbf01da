/* SPDX-License-Identifier: MIT */
/* Computing twice to save memory (Chen et al., "Training Deep Nets with Sublinear Memory Cost",
 * arXiv 1604.06174). The steps but for the last few are cut into segments. A value that a later
 * segment reads is kept from forward on; the others of a segment are computed once more, all
 * together, before the backward of its last step.
 *
 * Where to cut, for a bound on the bytes within a segment: dynamic programming over the ends of
 * segments keeps as little as possible. Which bound: each of a few is planned in full, because
 * gradients and workspaces also count, and the smallest arena wins; within a limit, the least that
 * is computed twice. Nothing here depends on what a step is. */
#include <stdlib.h>
#include <string.h>

#include "nn/plan_private.h"

enum { LEAST_PARTS = 2, MOST_PARTS = 24 };

typedef struct cutting {
    at_plan *plan;
    int count;
    size_t *kept;   /* [step] bytes of its value if a later segment reads it */
    size_t *inside; /* [step] bytes that backward reads if not */
    int *last;      /* [step] its last reader */
    size_t *least;  /* [end] bytes that segments up to there keep */
    int *begin;     /* [end] where the last of these segments begins */
} cutting;

static at_status cutting_new(cutting *c, at_plan *p, at_error *err) {
    size_t n = (size_t)p->count + 1;
    *c = (cutting){.plan = p, .count = p->count};
    c->kept = calloc(n, 3 * sizeof *c->kept);
    c->last = calloc(n, 2 * sizeof *c->last);
    if (c->kept == NULL || c->last == NULL) return at_fail_memory(err, "a plan's segments", n * 32);
    c->inside = c->kept + n;
    c->least = c->inside + n;
    c->begin = c->last + n;
    for (int i = 0; i < p->count; i++) {
        const at_plan_step *ps = &p->steps[i];
        c->last[i] = i == p->output ? p->count : at_plan_last_reader(p, i);
        if (ps->s.in_count == 0) continue;
        c->kept[i] = at_plan_value_bytes(ps);
        if (!ps->again && at_plan_read_back(p, i)) c->inside[i] = c->kept[i];
    }
    return AT_OK;
}

static void cutting_free(cutting *c) {
    free(c->kept);
    free(c->last);
}

/* Fills in least and begin for segments with at most `most` bytes inside; where the last part, which
 * is not computed twice, begins. */
static int cut(cutting *c, size_t most) {
    int rest = c->count - 1;
    c->least[0] = 0;
    for (int end = 1; end <= c->count; end++) {
        size_t kept = 0, inside = 0;
        c->least[end] = SIZE_MAX;
        for (int i = end - 1; i >= 0; i--) {
            if (c->last[i] >= end)
                kept += c->kept[i];
            else
                inside += c->inside[i];
            if (inside > most) break;
            if (end == c->count && c->least[i] <= c->least[rest]) rest = i;
            if (c->least[i] + kept >= c->least[end]) continue;
            c->least[end] = c->least[i] + kept;
            c->begin[end] = i;
        }
    }
    return rest;
}

/* Writes the segments up to `rest` into the steps; how many there are. */
static int apply(const cutting *c, int rest) {
    at_plan_step *steps = c->plan->steps;
    int count = 0;
    for (int i = 0; i < c->count; i++) steps[i].segment = 0;
    for (int end = rest; end > 0; end = c->begin[end], count++)
        for (int i = c->begin[end]; i < end; i++) steps[i].segment = end;
    return count;
}

/* Only the first `segments` of them. */
static void apply_first(const cutting *c, int rest, int segments) {
    for (int drop = apply(c, rest) - segments; drop > 0; drop--) rest = c->begin[rest];
    apply(c, rest);
}

/* What is computed twice, in the unit of cost: multiply-accumulates, or a quarter of the bytes. */
static double redone(const at_plan *p) {
    double sum = 0;
    for (int i = 0; i < p->count; i++) {
        const at_cost cost = at_plan_step_time(p, i).cost;
        if (p->steps[i].redo) sum += cost.macs + cost.bytes / 4;
    }
    return sum;
}

/* The best choice so far. */
typedef struct choice {
    size_t most, bytes;
    int segments;
    double cost;
    bool fits;
} choice;

static bool better(const choice *a, const choice *b) {
    if (a->fits != b->fits) return a->fits;
    if (a->fits && a->cost != b->cost) return a->cost < b->cost;
    return a->bytes < b->bytes;
}

/* Plans with the first `segments` segments; keeps the better of this and *best. */
static at_status attempt(cutting *c, size_t most, int segments, size_t limit, choice *best,
                         at_error *err) {
    apply_first(c, cut(c, most), segments);
    AT_TRY(at_plan_place(c->plan, err));
    choice now = {most, c->plan->arena_bytes, segments, redone(c->plan), false};
    now.fits = limit && now.bytes <= limit;
    if (better(&now, best)) *best = now;
    return AT_OK;
}

static at_status search(cutting *c, size_t limit, choice *best, at_error *err) {
    size_t all = 0;
    for (int i = 0; i < c->count; i++) all += c->inside[i];
    for (int parts = LEAST_PARTS; parts <= MOST_PARTS; parts += 1 + parts / 4) {
        size_t most = all / (size_t)parts;
        int segments = apply(c, cut(c, most)), fewest = limit ? 1 : segments;
        for (int n = segments; n >= fewest && n > 0; n--)
            AT_TRY(attempt(c, most, n, limit, best, err));
    }
    return AT_OK;
}

at_status at_plan_choose_segments(at_plan *p, at_error *err) {
    cutting c;
    AT_TRY(at_plan_place(p, err));
    size_t grads = (size_t)p->graph->flat_count * sizeof(float);
    size_t limit = p->opts.max_bytes > grads ? p->opts.max_bytes - grads : 0;
    choice best = {SIZE_MAX, p->arena_bytes, 0, 0, limit && p->arena_bytes <= limit};
    at_status status = cutting_new(&c, p, err);
    if (status == AT_OK && !best.fits) status = search(&c, limit, &best, err);
    if (status == AT_OK) {
        apply_first(&c, cut(&c, best.most), best.segments);
        status = at_plan_place(p, err);
    }
    cutting_free(&c);
    return status;
}
