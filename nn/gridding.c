/* SPDX-License-Identifier: MIT */
/* Stretches of dilated convolutions, and what each convolution reaches of their input. A stretch
 * begins where a convolution changes resolution or channels; what lies between convolutions
 * (norms, activations, sums, 1x1 convolutions) belongs to it. */
#include <stdlib.h>

#include "nn/graph_private.h"
#include "nn/survey.h"

/* What the walk knows of a node, by id; ids are -1 where there is none. */
typedef struct place {
    int near;     /* the last convolution before it, or itself */
    int start;    /* of a convolution: the first of its stretch */
    bool dilated; /* of the first: some of the stretch are */
} place;

static bool is_one(at_pair p) {
    return p.h == 1 && p.w == 1;
}

/* Reads more than a pixel, with weights, and makes nothing larger. */
static bool is_conv(const at_node *n, const at_reach *r) {
    return n->param_count > 0 && !is_one(r->kernel) && is_one(r->upscale) && !r->global;
}

/* Of paths that meet, the one with the latest convolution counts; pooling and resampling end
 * what came before. */
static int nearest(const at_node *n, const at_reach *r, const place *places) {
    int near = -1;
    if (r->global || !is_one(r->kernel) || !is_one(r->stride) || !is_one(r->upscale)) return -1;
    for (int i = 0; i < n->input_count; i++) {
        int other = places[n->inputs[i]->id].near;
        if (!(n->op->shape_only >> i & 1u) && other > near) near = other;
    }
    return near;
}

static void place_conv(const at_graph *g, const at_node *n, const at_reach *r, place *places) {
    const at_node *in = n->inputs[0];
    int before = places[in->id].near;
    bool continues = before >= 0 && is_one(r->stride) && in->channels == n->channels &&
                     g->nodes[before]->channels == n->channels;
    places[n->id].near = n->id;
    places[n->id].start = continues ? places[before].start : n->id;
    if (!is_one(r->dilation)) places[places[n->id].start].dilated = true;
}

static void place_all(const at_graph *g, place *places) {
    for (int id = 0; id < g->node_count; id++) {
        const at_node *n = g->nodes[id];
        at_reach r = at_node_reach(n);
        places[id].near = places[id].start = -1;
        if (is_conv(n, &r))
            place_conv(g, n, &r, places);
        else
            places[id].near = nearest(n, &r, places);
    }
}

/* One row, if this convolution belongs to the stretch that begins with `start`. */
static at_status add_row(at_gridding *out, const at_graph *g, const place *places, int start,
                         int id, at_error *err) {
    if (places[id].start != start) return AT_OK;
    const at_node *n = g->nodes[id];
    at_gridding_row *row = &out->rows[out->count];
    *row = (at_gridding_row){
        .node = n, .input = g->nodes[start]->inputs[0], .dilation = at_node_reach(n).dilation};
    AT_TRY(at_graph_cover(&row->cover, row->input, n, err));
    out->count++;
    return AT_OK;
}

static at_status fill(at_gridding *out, const at_graph *g, place *places, at_error *err) {
    place_all(g, places);
    for (int start = 0; start < g->node_count; start++)
        for (int id = start; places[start].dilated && id < g->node_count; id++)
            AT_TRY(add_row(out, g, places, start, id, err));
    return AT_OK;
}

at_status at_gridding_new(at_gridding *out, const at_graph *g, at_error *err) {
    size_t n = (size_t)g->node_count + 1;
    place *places = calloc(n, sizeof *places);
    *out = (at_gridding){.rows = calloc(n, sizeof *out->rows)};
    at_status status = places != NULL && out->rows != NULL
                           ? fill(out, g, places, err)
                           : at_fail_memory(err, "coverage", n * sizeof *out->rows);
    free(places);
    if (status != AT_OK) at_gridding_free(out);
    return status;
}

void at_gridding_free(at_gridding *gridding) {
    for (int i = 0; i < gridding->count; i++) at_cover_free(&gridding->rows[i].cover);
    free(gridding->rows);
    *gridding = (at_gridding){0};
}
