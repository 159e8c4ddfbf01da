/* SPDX-License-Identifier: MIT */
/* How a side is cut into tiles, and how far a network looks. Starts are multiples of 64, so that
 * pooling windows and strides fall on the same pixels as in the whole picture. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "train/predict_private.h"

at_cut at_cut_side(int length, int tile, int overlap, int radius) {
    if (length <= tile)
        return (at_cut){.length = length, .tile = length, .step = length, .count = 1};
    /* At most half a tile, so that no three tiles meet. */
    int step = (tile - overlap) / AT_TILE_STEP * AT_TILE_STEP;
    if (step < tile - tile / 2)
        step = (tile - tile / 2 + AT_TILE_STEP - 1) / AT_TILE_STEP * AT_TILE_STEP;
    if (step > tile - 8) step -= AT_TILE_STEP;
    assert(step > 0);
    const int shared = tile - step;
    const bool covered = radius >= 0 && 2 * radius + 8 <= shared;
    return (at_cut){.length = length,
                    .tile = tile,
                    .step = step,
                    .count = 1 + (length - tile + step - 1) / step,
                    .margin = covered ? radius : shared / 4};
}

float at_cut_weight(at_cut c, int i, int p) {
    const float shared = (float)(c.tile - c.step), margin = (float)c.margin;
    const float left = (float)p + 0.5f, right = (float)at_cut_size(c, i) - left;
    float near = shared;
    if (i > 0 && left < near) near = left;
    if (i < c.count - 1 && right < near) near = right;
    const float w = (near - margin) / (shared - 2 * margin);
    return c.count == 1 || w > 1 ? 1 : w < 0 ? 0 : w;
}

/* What an output pixel of a node reads of the input: `extent` pixels; neighbours begin `jump`
 * apart. */
typedef struct view {
    double extent, jump;
    bool global;
} view;

static view look(const at_node *n, const view *views) {
    at_reach r = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .upscale = {1, 1}};
    if (n->op->reach) n->op->reach(n, &r);
    view v = {.extent = 1, .jump = 1, .global = r.global};
    double lent = 0;
    for (int i = 0; i < n->input_count; i++) {
        const view in = views[n->inputs[i]->id];
        if (n->op->shape_only >> i & 1u) {
            lent = in.jump;
            continue;
        }
        v.extent = fmax(v.extent, in.extent);
        v.jump = i == 0 ? in.jump : v.jump;
        v.global |= in.global;
    }
    v.extent += fmax((r.kernel.h - 1) * r.dilation.h, (r.kernel.w - 1) * r.dilation.w) * v.jump;
    v.jump *= fmax(r.stride.h, r.stride.w) / fmax(r.upscale.h, r.upscale.w);
    /* An output that has another node's size has its spacing too. */
    if (lent > 0) v.jump = lent;
    return v;
}

int at_network_radius(const at_network *net) {
    const at_node *output = at_graph_output(net->graph);
    view *views = calloc((size_t)at_graph_node_count(net->graph), sizeof *views);
    if (!views) return -1;
    double most = 1;
    for (int id = 0; id <= output->id; id++) {
        const at_node *n = at_graph_node(net->graph, id);
        views[id] = n->input_count ? look(n, views) : (view){.extent = 1, .jump = 1};
        most = fmax(most, views[id].jump);
    }
    const view out = views[output->id];
    free(views);
    /* Windows of even size and strides are not centred: one spacing of the coarsest level to spare.
     */
    return out.global || out.extent > 1e6 ? -1 : (int)ceil(out.extent / 2 + most);
}
