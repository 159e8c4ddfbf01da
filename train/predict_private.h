/* SPDX-License-Identifier: MIT */
/* The parts of a predictor: how a side is cut into tiles, and what one tile gives. */
#ifndef AT_TRAIN_PREDICT_PRIVATE_H
#define AT_TRAIN_PREDICT_PRIVATE_H

#include "train/predict.h"

enum { AT_TILE_STEP = 64 }; /* starts of tiles: the strides of all architectures divide it */

/* One side, cut: tile i begins at i * step and is `tile` long, the last one what is left. Where two
 * meet they share `tile - step` pixels. count 1: one piece, as long as the side. */
typedef struct at_cut {
    int length, tile, step, count;
    int margin; /* pixels at an inner end of a tile that count for nothing */
} at_cut;

at_cut at_cut_side(int length, int tile, int overlap, int radius);
static inline int at_cut_start(at_cut c, int i) {
    return i * c.step;
}
static inline int at_cut_size(at_cut c, int i) {
    return i == c.count - 1 ? c.length - i * c.step : c.tile;
}
/* How much pixel `p` of tile i counts, 0 .. 1; the weights of all tiles over a pixel add up to 1.
 */
float at_cut_weight(at_cut c, int i, int p);

/* How far, in pixels of the input, the output looks in any direction; -1: over the whole image. */
int at_network_radius(const at_network *net);

struct at_predictor {
    at_network *net;
    at_predict_opts opts;
    int radius;        /* at_network_radius */
    at_tuning *tuning; /* its own; NULL: none, or the caller's */
    at_plan *plan;     /* of the last size */
    at_pair plan_size;
    float *weights; /* columns and rows of the tile in work */
    size_t weight_count;
};

/* A piece of a picture, and where its probabilities go: out[y * stride + x * classes + c] += row[y]
 * * column[x] * p. */
typedef struct at_patch {
    const at_image *image;
    int y, x, h, w;
    const float *row, *column; /* h, w weights */
    float *out;
    ptrdiff_t stride; /* floats from one line of out to the next */
} at_patch;

/* strips.c: the whole of `image`, of the network's size, in tiles of at most `tile`; into ids and
 * whatever else of *out is allocated, which may have another size. Sets out->tiles. */
at_status at_predict_strips(at_predictor *p, const at_image *image, int tile, at_prediction *out,
                            at_error *err);

/* Classes of a picture of the network's size in one piece, without probabilities: the largest of
 * `image`'s logits. */
at_status at_patch_ids(at_predictor *p, const at_image *image, uint8_t *ids, at_error *err);

/* The mean over all mirrorings and scales of the options. */
at_status at_patch_add(at_predictor *p, const at_patch *patch, at_error *err);

/* The bytes that a plan for this size would take. */
at_status at_predictor_measure(at_predictor *p, at_pair size, size_t *bytes, at_error *err);

#endif
