/* SPDX-License-Identifier: MIT */
/* Concatenation without copies: a value that is concatenated is written straight into its channels
 * of the wide tensor, and its gradient lies in those of the wide gradient if nobody else adds to it
 * (what is gone over more often is faster to have without gaps). Who lives where follows from the
 * graph alone, before anything is placed, so that tensors have their strides when operators prepare.
 * A plan that recomputes leaves values alone: they would keep a wide tensor alive. */
#include "nn/plan_private.h"

static bool holds_inputs(const at_node *n) {
    return n->op->flags & AT_HOLDS_INPUTS;
}

/* The channel of `cat` at which the value of `n` begins, or -1 if it is not there. */
static int channel_in(const at_plan *p, const at_node *cat, const at_node *n) {
    int channel = 0;
    for (int i = 0; i < cat->input_count; i++) {
        const at_node *in = cat->inputs[i];
        while (in != n && at_plan_passes_through(p, in)) in = in->inputs[0];
        if (in == n && cat->ports[i] == 0) return channel;
        channel += cat->inputs[i]->channels;
    }
    return -1;
}

/* Could one be part of the other? */
static bool fits(const at_plan *p, const at_node *cat, const at_node *n) {
    return holds_inputs(cat) && p->needed[cat->id] && p->dtypes[cat->id] == p->dtypes[n->id] &&
           channel_in(p, cat, n) >= 0;
}

/* Does any node but `cat` read the value, itself or by way of nodes that hand it on? */
static bool read_elsewhere(const at_plan *p, const at_node *cat, const at_node *n) {
    for (int id = n->id + 1; id < p->graph->node_count; id++) {
        const at_node *m = p->graph->nodes[id];
        if (!p->needed[id] || m == cat || at_plan_passes_through(p, m)) continue;
        for (int i = 0; i < m->input_count; i++) {
            const at_node *in = m->inputs[i];
            while (in != n && in->id > n->id && at_plan_passes_through(p, in)) in = in->inputs[0];
            if (in == n) return true;
        }
    }
    return false;
}

void at_plan_find_home(const at_plan *p, at_plan_step *ps, const at_node *output) {
    const at_node *n = ps->s.last, *cat = NULL;
    if (n->input_count == 0 || n == output || holds_inputs(n)) return;
    for (int id = n->id + 1; id <= output->id && cat == NULL; id++)
        if (fits(p, p->graph->nodes[id], n)) cat = p->graph->nodes[id];
    if (cat == NULL) return;
    ps->channel = channel_in(p, cat, n);
    if (!p->opts.recompute) ps->home = cat;
    if (!read_elsewhere(p, cat, n)) ps->grad_home = cat;
}

/* ---- memory ---- */

static void lodge(const at_plan_step *ps, at_buffer *guest, at_buffer *host) {
    if (!guest->used || !host->used) return;
    if (host->place != NULL) host = host->place;
    if (host->begin > guest->begin) host->begin = guest->begin;
    if (host->end < guest->end) host->end = guest->end;
    guest->place = host;
    guest->shift = (size_t)ps->channel * at_dtype_size(ps->s.out[0].dtype);
}

void at_plan_lodge(at_plan *p) {
    for (int i = 0; i < p->count; i++) {
        at_plan_step *ps = &p->steps[i];
        if (ps->home != NULL)
            lodge(ps, &ps->buf[BUF_OUT0], &p->steps[p->step_of[ps->home->id]].buf[BUF_OUT0]);
        if (ps->grad_home != NULL)
            lodge(ps, &ps->buf[BUF_GRAD], &p->steps[p->step_of[ps->grad_home->id]].buf[BUF_GRAD]);
    }
}
