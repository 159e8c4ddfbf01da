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

int at_network_radius(const at_network *net) {
    const int count = at_graph_node_count(net->graph);
    at_field *fields = calloc((size_t)count, sizeof *fields);
    if (!fields) return -1;
    at_graph_fields(net->graph, fields);
    double coarsest = 1;
    for (int i = 0; i < count; i++)
        coarsest = fmax(coarsest, fmax(fields[i].h.jump, fields[i].w.jump));
    const at_field out = fields[at_graph_output(net->graph)->id];
    free(fields);
    if (out.global) return -1;
    const double reach = fmax(fmax(-out.h.first, out.h.last), fmax(-out.w.first, out.w.last));
    /* A pixel between two of the coarsest level sees as far as either of them. */
    return reach > 1e6 ? -1 : (int)ceil(reach + coarsest);
}
