/* SPDX-License-Identifier: MIT */
/* Which pixels of one node's plane a pixel of a later node depends on: sets of pixels walked back
 * from the later node, as if images had no borders. The windows that hold the sets come first, so
 * that each set has its memory before it is filled. The pixel looked from is number 0, whose phase
 * is the first where a network upsamples. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/graph_private.h"
#include "nn/survey.h"

/* Pixels y .. y + h - 1, x .. x + w - 1 of a node's plane, and which of them are in the set. */
typedef struct window {
    bool used, global;
    int y, x, h, w;
    uint8_t *map;
} window;

typedef struct walk {
    const at_graph *graph;
    const at_node *from;
    at_field *fields;
    window *windows; /* by id */
} walk;

static int floor_div(int a, int b) {
    return a / b - (a % b < 0);
}

static int nearest_factor(double in_jump, double out_jump) {
    double f = floor(in_jump / out_jump + 0.5);
    return f < 1 ? 1 : (int)f;
}

/* Where the size is lent, the factor is that of the pixels' distances. */
static at_reach reach_of(const walk *k, const at_node *n) {
    at_reach r = at_node_reach(n);
    const at_field *out = &k->fields[n->id], *in = &k->fields[n->inputs[0]->id];
    if (n->op->shape_only != 0 && r.upscale.h == 1)
        r.upscale = (at_pair){nearest_factor(in->h.jump, out->h.jump),
                              nearest_factor(in->w.jump, out->w.jump)};
    return r;
}

/* The first input pixel that output pixel o reads along an axis. */
static int first_read(int o, int stride, int upscale, int padding) {
    return floor_div(o * stride, upscale) - padding;
}

/* Makes the window w hold rows y0 .. y1 and columns x0 .. x1 too. */
static void include(window *w, int y0, int y1, int x0, int x1) {
    if (w->used) {
        if (w->y < y0) y0 = w->y;
        if (w->x < x0) x0 = w->x;
        if (w->y + w->h - 1 > y1) y1 = w->y + w->h - 1;
        if (w->x + w->w - 1 > x1) x1 = w->x + w->w - 1;
    }
    w->used = true;
    w->y = y0, w->h = y1 - y0 + 1;
    w->x = x0, w->w = x1 - x0 + 1;
}

static void widen_inputs(walk *k, const at_node *n) {
    const window *out = &k->windows[n->id];
    at_reach r = reach_of(k, n);
    int y0 = first_read(out->y, r.stride.h, r.upscale.h, r.padding.h);
    int x0 = first_read(out->x, r.stride.w, r.upscale.w, r.padding.w);
    int y1 = first_read(out->y + out->h - 1, r.stride.h, r.upscale.h, r.padding.h);
    int x1 = first_read(out->x + out->w - 1, r.stride.w, r.upscale.w, r.padding.w);
    for (int i = 0; i < n->input_count; i++) {
        window *in = &k->windows[n->inputs[i]->id];
        if (n->op->shape_only >> i & 1u) continue;
        in->global |= r.global || out->global;
        include(in, y0, y1 + r.dilation.h * (r.kernel.h - 1), x0,
                x1 + r.dilation.w * (r.kernel.w - 1));
    }
}

static void mark_taps(const window *in, const at_reach *r, int y, int x) {
    for (int i = 0; i < r->kernel.h; i++)
        for (int j = 0; j < r->kernel.w; j++)
            in->map[(y + i * r->dilation.h - in->y) * in->w + x + j * r->dilation.w - in->x] = 1;
}

static void mark_inputs(walk *k, const at_node *n) {
    const window *out = &k->windows[n->id];
    at_reach r = reach_of(k, n);
    for (int i = 0; i < n->input_count; i++) {
        const window *in = &k->windows[n->inputs[i]->id];
        if (in->map == NULL || (n->op->shape_only >> i & 1u)) continue;
        for (int p = 0; p < out->h * out->w; p++)
            if (out->map[p])
                mark_taps(in, &r,
                          first_read(out->y + p / out->w, r.stride.h, r.upscale.h, r.padding.h),
                          first_read(out->x + p % out->w, r.stride.w, r.upscale.w, r.padding.w));
    }
}

/* Everything between `from` and `to`, later nodes first. */
static void for_each(walk *k, const at_node *to, void (*visit)(walk *k, const at_node *n)) {
    for (int id = to->id; id > k->from->id; id--)
        if (k->windows[id].used) visit(k, k->graph->nodes[id]);
}

static at_status make_maps(walk *k, const at_node *to, at_error *err) {
    enum { MOST = 1 << 14 }; /* pixels a side */
    for (int id = k->from->id; id <= to->id; id++) {
        window *w = &k->windows[id];
        if (!w->used) continue;
        if (w->h > MOST || w->w > MOST)
            return at_fail(err, AT_ERR_INPUT, "%s: its field at %s, %d x %d, is too large to map",
                           to->name, k->graph->nodes[id]->name, w->h, w->w);
        w->map = calloc((size_t)w->h * (size_t)w->w, 1);
        if (w->map == NULL)
            return at_fail_memory(err, "a map of coverage", (size_t)w->h * (size_t)w->w);
    }
    return AT_OK;
}

static void take(at_cover *c, window *w) {
    *c = (at_cover){.h = w->h, .w = w->w, .global = w->global, .map = w->map};
    w->map = NULL;
    for (int i = 0; i < c->h * c->w; i++) c->reached += c->map[i];
}

static at_status find(walk *k, const at_node *to, at_cover *c, at_error *err) {
    window *first = &k->windows[to->id], *last = &k->windows[k->from->id];
    at_graph_fields(k->graph, k->fields);
    include(first, 0, 0, 0, 0);
    for_each(k, to, widen_inputs);
    if (!last->used)
        return at_fail(err, AT_ERR_INPUT, "%s does not depend on %s", to->name, k->from->name);
    AT_TRY(make_maps(k, to, err));
    first->map[0] = 1;
    for_each(k, to, mark_inputs);
    take(c, last);
    return AT_OK;
}

at_status at_graph_cover(at_cover *c, const at_node *from, const at_node *to, at_error *err) {
    const at_graph *g = to->graph;
    size_t n = (size_t)g->node_count;
    walk k = {.graph = g,
              .from = from,
              .fields = calloc(n, sizeof *k.fields),
              .windows = calloc(n, sizeof *k.windows)};
    *c = (at_cover){0};
    at_status status = k.fields != NULL && k.windows != NULL
                           ? find(&k, to, c, err)
                           : at_fail_memory(err, "a map of coverage", n * sizeof *k.windows);
    for (size_t i = 0; i < n && k.windows != NULL; i++) free(k.windows[i].map);
    free(k.fields);
    free(k.windows);
    return status;
}

void at_cover_free(at_cover *c) {
    free(c->map);
    *c = (at_cover){0};
}
