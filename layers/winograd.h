/* SPDX-License-Identifier: MIT */
/* Winograd convolution with stride 1, private to the layers: the same three computations as conv.h,
 * with 2.25 (3x3) to 4 (7x7) times fewer multiplications. Dilation d falls apart into d * d
 * phases that are dense (by indexing: nothing is copied); kernels of 4 to 8 are nested: blocks of
 * 4 x 4 taps whose shift is the tile's step, so that one input transform serves all of them. */
#ifndef AT_LAYERS_WINOGRAD_H
#define AT_LAYERS_WINOGRAD_H

#include "layers/conv.h"
#include "nn/kernels/kernels.h"

/* Is there a scheme for this convolution? */
bool at_winograd_fits(const at_conv *c);

/* Seconds each way would take, in the same arbitrary unit: compare, don't read. */
double at_direct_cost(const at_conv *c, at_conv_pass pass, bool dot);
double at_winograd_cost(const at_conv *c, at_conv_pass pass);
double at_staged_cost(const at_conv *c, at_conv_pass pass);

size_t at_winograd_packed_count(const at_conv *c, at_conv_pass pass);
size_t at_winograd_scratch_bytes(const at_conv *c);
void at_winograd_pack(const at_conv *c, at_conv_pass pass, const float *weight, const float *scale,
                      const float *bias, float *packed);
void at_winograd_run(const at_conv_call *call);

/* Are there so many channels that the weight gradient transforms its inputs more than once? */
bool at_winograd_dw_splits(const at_conv *c);
size_t at_winograd_dw_work_bytes(const at_conv *c);
size_t at_winograd_dw_scratch_bytes(const at_conv *c);
void at_winograd_dw(const at_conv *c, at_tensor x, at_tensor dy, float *dw, void *work,
                    char *scratch, size_t scratch_bytes);

/* The same computations in three stages over slabs of tiles (winograd_staged.c), from the same
 * packed weights: for weights too large for a cache. Kernels are 3 x 3. work: at_staged_bytes, for
 * the weight gradient at_staged_dw_bytes. */
bool at_staged_fits(const at_conv *c);
size_t at_staged_bytes(const at_conv *c, at_conv_pass pass);
void at_staged_run(const at_conv_call *call);
size_t at_staged_dw_bytes(const at_conv *c);
void at_staged_dw(const at_conv *c, at_tensor x, at_tensor dy, float *dw, void *work);

/* ---- shared by the files of Winograd's algorithm ---- */

typedef void at_wino_into(const at_wino_in *t);
typedef void at_wino_outof(const at_wino_out *t);

/* A stride-1 convolution src -> dst in tiles: dst[i] = sum over k of src[i - pad + k * dilation]
 * w[k]. */
typedef struct at_winograd {
    int m, r, alpha, planes; /* F(m, r); planes = alpha^2 */
    at_pair blocks;          /* of r x r taps */
    at_shape src, dst;
    at_pair pad, dilation;
    at_pair tiles; /* of the largest phase */
    at_wino_into *input, *weight, *dy;
    at_wino_outof *output, *dw;
} at_winograd;

at_winograd at_winograd_make(const at_conv *c, at_conv_pass pass);

/* A rectangle of tiles of one phase of one image. */
typedef struct at_tile_block {
    int image;
    at_pair phase, first, count;
} at_tile_block;

/* The rectangle of tiles a unit of forward or data takes: whole rows of tiles if they are short. */
at_pair at_winograd_block_limit(const at_winograd *w);

/* Blocks are at most `limit`, in tiles; how many there are, and the index-th (count may be 0). */
int64_t at_tile_block_count(const at_winograd *w, at_pair limit);
at_tile_block at_tile_block_at(const at_winograd *w, at_pair limit, int64_t index);

/* Where a tile is: its first destination pixel. */
typedef struct at_tile_place {
    int image, y, x;
} at_tile_place;

/* Tile (ty, tx), counted from the block's first. */
at_tile_place at_tile_in_block(const at_winograd *w, const at_tile_block *b, int ty, int tx);

/* Transforms of one tile, c channels from `first` on: of the source, of the destination's gradient,
 * and back to the destination, where bias may be NULL. */
void at_tile_input(const at_winograd *w, at_tile_place p, at_tensor src, int first, int c, float *v,
                   ptrdiff_t v_plane);
void at_tile_dy(const at_winograd *w, at_tile_place p, at_tensor dy, int first, int c, float *z,
                ptrdiff_t z_plane);
void at_tile_output(const at_winograd *w, at_tile_place p, const at_conv_call *call, int first,
                    int c, const float *m, ptrdiff_t m_plane, const float *bias);

/* Floats of packed weights: of one panel of one plane, from plane to plane, and up to the bias. */
size_t at_wino_panel(const at_winograd *w);
size_t at_wino_weight_plane(const at_winograd *w);
size_t at_wino_weights(const at_winograd *w);

/* What the i-th call of conv_tile with this panel should prefetch: a share of the panel behind it. */
const float *at_wino_next(const at_winograd *w, const float *panel, int i);

static inline int at_ceil_div(int a, int b) {
    return (a + b - 1) / b;
}

/* `values` in whole lines of the cache, an odd number of them: what lies so far apart does not meet
 * in a few sets of the cache. */
static inline ptrdiff_t at_odd_lines(ptrdiff_t values) {
    return ((values + 15) / 16 | 1) * 16;
}

#endif
