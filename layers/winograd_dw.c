/* SPDX-License-Identifier: MIT */
/* Weight gradients in the Winograd domain: dU = sum over tiles of V^T Z, plane by plane, with V the
 * input transform and Z = A dY A^T; then dw = G^T dU G. A unit owns a range of source channels, one
 * of destination channels and a share of the tiles, so that its sums (fp32) stay in L2; shares are
 * added in order. */
#include <string.h>

#include "layers/winograd.h"

enum {
    SUM_BYTES = 820 << 10,  /* of a unit's dU */
    TILE_BYTES = 512 << 10, /* of a block's V and Z */
    MAX_TILES = 56,
    UNITS = 8, /* at least, by sharing tiles */
};

typedef struct dw_run {
    const at_conv *conv;
    at_winograd w;
    at_tensor x, dy;
    float *dw, *sums;
    char *scratch;
    size_t scratch_bytes;
    int blocks; /* of taps */
    int ic, oc; /* channels of a range, at most */
    int ic_ranges, oc_ranges, shares;
    size_t sum_count; /* floats of one unit's dU: [block][plane][ic][oc] */
    at_pair limit;
    ptrdiff_t v_plane, z_plane;
} dw_run;

/* Ranges of channels: halve the longer until dU fits; panels of destination channels stay whole. */
static void choose_ranges(dw_run *d) {
    int nr = at_kernels_get()->conv_nr;
    d->ic = d->conv->x.c;
    d->oc = at_ceil_div(d->conv->y.c, nr) * nr;
    while ((int64_t)d->blocks * d->w.planes * d->ic * d->oc * 4 > SUM_BYTES &&
           (d->ic > 16 || d->oc > nr)) {
        if (d->oc > nr && (d->oc >= d->ic || d->ic <= 16))
            d->oc = at_ceil_div(d->oc / nr, 2) * nr;
        else
            d->ic = at_ceil_div(d->ic, 2);
    }
    d->ic_ranges = at_ceil_div(d->conv->x.c, d->ic);
    d->oc_ranges = at_ceil_div(d->conv->y.c, d->oc);
    int ranges = d->ic_ranges * d->oc_ranges;
    int64_t blocks = at_tile_block_count(&d->w, d->limit);
    d->shares = ranges >= UNITS ? 1 : at_ceil_div(UNITS, ranges);
    if (d->shares > blocks) d->shares = (int)blocks;
    d->sum_count = (size_t)d->blocks * (size_t)d->w.planes * (size_t)d->ic * (size_t)d->oc;
}

static dw_run setup(const at_conv *c) {
    dw_run d = {.conv = c, .w = at_winograd_make(c, AT_CONV_FORWARD)};
    d.blocks = d.w.blocks.h * d.w.blocks.w;
    int channels = (c->x.c < 128 ? c->x.c : 128) + (c->y.c < 128 ? c->y.c : 128);
    int most = TILE_BYTES / (4 * d.w.planes * channels);
    most = most < 8 ? 8 : most > MAX_TILES ? MAX_TILES : most;
    int rows = most / d.w.tiles.w;
    d.limit =
        d.w.tiles.w >= most ? (at_pair){1, most} : (at_pair){rows < 1 ? 1 : rows, d.w.tiles.w};
    choose_ranges(&d);
    int halo = (d.limit.h + d.w.blocks.h - 1) * (d.limit.w + d.w.blocks.w - 1);
    d.v_plane = at_odd_lines((ptrdiff_t)halo * d.ic);
    d.z_plane = at_odd_lines((ptrdiff_t)d.limit.h * d.limit.w * d.oc);
    return d;
}

bool at_winograd_dw_splits(const at_conv *c) {
    dw_run d = setup(c);
    return d.ic_ranges * d.oc_ranges > 1;
}

size_t at_winograd_dw_work_bytes(const at_conv *c) {
    dw_run d = setup(c);
    return (size_t)(d.ic_ranges * d.oc_ranges * d.shares) * d.sum_count * sizeof(float);
}

size_t at_winograd_dw_scratch_bytes(const at_conv *c) {
    dw_run d = setup(c);
    return (size_t)d.w.planes * (size_t)(d.v_plane + d.z_plane) * sizeof(float);
}

static int at_most(int v, int most) {
    return v < most ? v : most;
}

/* ---- one unit ---- */

typedef struct unit {
    int i0, ic, o0, oc; /* its channels */
    float *v, *z, *sum;
} unit;

static void transform_dy(const dw_run *d, const unit *u, const at_tile_block *b) {
    for (int ty = 0; ty < b->count.h; ty++)
        for (int tx = 0; tx < b->count.w; tx++)
            at_tile_dy(&d->w, at_tile_in_block(&d->w, b, ty, tx), d->dy, u->o0, u->oc,
                       u->z + (ptrdiff_t)(ty * b->count.w + tx) * d->oc, d->z_plane);
}

static void transform_x(const dw_run *d, const unit *u, const at_tile_block *b) {
    int rows = b->count.h + d->w.blocks.h - 1, cols = b->count.w + d->w.blocks.w - 1;
    for (int ty = 0; ty < rows; ty++)
        for (int tx = 0; tx < cols; tx++)
            at_tile_input(&d->w, at_tile_in_block(&d->w, b, ty, tx), d->x, u->i0, u->ic,
                          u->v + (ptrdiff_t)(ty * cols + tx) * d->ic, d->v_plane);
}

/* One plane of one block of taps: sum[i][o] += sum over tiles of v[tile + shift][i] z[tile][o]. */
static void accumulate(const dw_run *d, const unit *u, const at_tile_block *b, int block,
                       int plane) {
    const at_kernels *kernels = at_kernels_get();
    int cols = b->count.w + d->w.blocks.w - 1, nr = kernels->conv_nr;
    int calls = at_ceil_div(u->ic, kernels->conv_mr);
    int shift = block / d->w.blocks.w * cols + block % d->w.blocks.w;
    float *sum = u->sum + ((ptrdiff_t)block * d->w.planes + plane) * d->ic * d->oc;
    at_conv_dw_tile t = {.dw_ld = d->oc,
                         .x_row = (ptrdiff_t)cols * d->ic,
                         .x_ld = d->ic,
                         .dy_row = (ptrdiff_t)b->count.w * d->oc,
                         .dy_ld = d->oc,
                         .rows = b->count.h,
                         .pixels = b->count.w,
                         .n = nr};
    for (int i = 0; i < calls; i++) {
        int from = u->ic * i / calls;
        t.m = u->ic * (i + 1) / calls - from;
        t.x = u->v + plane * d->v_plane + (ptrdiff_t)shift * d->ic + from;
        for (int o = 0; o < u->oc; o += nr) {
            t.dy = u->z + plane * d->z_plane + o;
            t.dw = sum + (ptrdiff_t)from * d->oc + o;
            kernels->conv_dw_tile(&t);
        }
    }
}

static void unit_body(void *arg, int64_t index, int worker) {
    const dw_run *d = arg;
    int share = (int)(index % d->shares), range = (int)(index / d->shares);
    unit u = {.i0 = range % d->ic_ranges * d->ic, .o0 = range / d->ic_ranges * d->oc};
    u.ic = at_most(d->ic, d->conv->x.c - u.i0);
    u.oc = at_most(d->oc, d->conv->y.c - u.o0);
    u.v = (float *)(void *)(d->scratch + d->scratch_bytes * (size_t)worker);
    u.z = u.v + d->w.planes * d->v_plane;
    u.sum = d->sums + (size_t)index * d->sum_count;
    memset(u.sum, 0, d->sum_count * sizeof *u.sum);
    memset(u.z, 0,
           (size_t)d->w.planes * (size_t)d->z_plane *
               sizeof *u.z); /* columns behind the last channel */
    int64_t blocks = at_tile_block_count(&d->w, d->limit);
    for (int64_t i = blocks * share / d->shares; i < blocks * (share + 1) / d->shares; i++) {
        at_tile_block b = at_tile_block_at(&d->w, d->limit, i);
        if (b.count.h == 0 || b.count.w == 0) continue;
        transform_x(d, &u, &b);
        transform_dy(d, &u, &b);
        for (int plane = 0; plane < d->w.planes; plane++)
            for (int block = 0; block < d->blocks; block++) accumulate(d, &u, &b, block, plane);
    }
}

/* ---- the end: shares added, transformed back, into dw ---- */

/* One source channel of one range pair. */
static void finish_body(void *arg, int64_t index, int worker) {
    const dw_run *d = arg;
    const at_conv *c = d->conv;
    int channel = (int)(index % d->ic), range = (int)(index / d->ic);
    int i = range % d->ic_ranges * d->ic + channel, o0 = range / d->ic_ranges * d->oc;
    float *sum = d->sums + (size_t)range * d->shares * d->sum_count + (ptrdiff_t)channel * d->oc;
    ptrdiff_t plane = (ptrdiff_t)d->ic * d->oc, tap = (ptrdiff_t)c->x.c * c->y.c;
    (void)worker;
    if (i >= c->x.c) return;
    for (int s = 1; s < d->shares; s++)
        for (int p = 0; p < d->blocks * d->w.planes; p++)
            for (int o = 0; o < d->oc; o++)
                sum[p * plane + o] += sum[(ptrdiff_t)((size_t)s * d->sum_count) + p * plane + o];
    for (int block = 0; block < d->blocks; block++) {
        int by = block / d->w.blocks.w * d->w.r, bx = block % d->w.blocks.w * d->w.r;
        at_wino_out t = {.y = d->dw + (by * c->kernel.w + bx) * tap + (ptrdiff_t)i * c->y.c + o0,
                         .y_row = c->kernel.w * tap,
                         .y_col = tap,
                         .v = sum + block * d->w.planes * plane,
                         .v_plane = plane,
                         .rows = at_most(d->w.r, c->kernel.h - by),
                         .cols = at_most(d->w.r, c->kernel.w - bx),
                         .c = at_most(d->oc, c->y.c - o0),
                         .add = true};
        d->w.dw(&t);
    }
}

void at_winograd_dw(const at_conv *c, at_tensor x, at_tensor dy, float *dw, void *work,
                    char *scratch, size_t scratch_bytes) {
    dw_run d = setup(c);
    d.x = x;
    d.dy = dy;
    d.dw = dw;
    d.sums = work;
    d.scratch = scratch;
    d.scratch_bytes = scratch_bytes;
    int ranges = d.ic_ranges * d.oc_ranges;
    at_parallel_for((int64_t)ranges * d.shares, unit_body, &d);
    at_parallel_for((int64_t)ranges * d.ic, finish_body, &d);
}
