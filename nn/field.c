/* SPDX-License-Identifier: MIT */
/* Receptive-field arithmetic, one walk from the image to the output. */
#include "nn/graph_private.h"
#include "nn/survey.h"

at_reach at_node_reach(const at_node *n) {
    at_reach r = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .upscale = {1, 1}};
    if (n->op->reach != NULL) n->op->reach(n, &r);
    return r;
}

static at_span step(at_span in, int kernel, int stride, int dilation, int padding, int upscale) {
    return (at_span){.first = in.first - padding * in.jump,
                     .last = in.last + (dilation * (kernel - 1) - padding) * in.jump,
                     .jump = in.jump * stride / upscale};
}

static at_field apply(at_field in, const at_reach *r) {
    if (r->global) return (at_field){in.h, in.w, true};
    return (at_field){
        .h = step(in.h, r->kernel.h, r->stride.h, r->dilation.h, r->padding.h, r->upscale.h),
        .w = step(in.w, r->kernel.w, r->stride.w, r->dilation.w, r->padding.w, r->upscale.w),
        .global = in.global};
}

static at_span unite(at_span a, at_span b) {
    return (at_span){a.first < b.first ? a.first : b.first, a.last > b.last ? a.last : b.last,
                     a.jump};
}

/* The first input that lends its height and width also says how far apart the output's pixels are.
 */
static void take_jump(const at_node *n, const at_field *fields, at_field *out) {
    for (int i = 0; i < n->input_count; i++) {
        if (!(n->op->shape_only >> i & 1u)) continue;
        const at_field *lender = &fields[n->inputs[i]->id];
        out->h.jump = lender->h.jump;
        out->w.jump = lender->w.jump;
        return;
    }
}

static at_field field_of(const at_node *n, const at_field *fields) {
    at_field out = {.h = {0, 0, 1}, .w = {0, 0, 1}};
    at_reach reach = at_node_reach(n);
    bool any = false;
    for (int i = 0; i < n->input_count; i++) {
        if (n->op->shape_only >> i & 1u) continue;
        at_field f = apply(fields[n->inputs[i]->id], &reach);
        if (any) f = (at_field){unite(out.h, f.h), unite(out.w, f.w), out.global || f.global};
        out = f;
        any = true;
    }
    take_jump(n, fields, &out);
    return out;
}

void at_graph_fields(const at_graph *g, at_field *fields) {
    for (int id = 0; id < g->node_count; id++) fields[id] = field_of(g->nodes[id], fields);
}
