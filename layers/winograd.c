/* SPDX-License-Identifier: MIT */
/* Winograd convolution, forward and data. A unit of work is a rectangle of tiles: its input
 * transform for all channels, then for a few panels of destination channels the alpha^2 matrix
 * products (conv_tile with one tap a block of the nested kernel) and their output transform, all in
 * the unit's scratch. */
#include "layers/winograd.h"
#include "nn/kernels/kernels.h"

enum {
    INPUT_BYTES = 1 << 20, /* of transformed input, to stay in L2 with a panel of weights */
    MIN_TILES = 14,
    MAX_TILES = 56,
    CHUNK = 64, /* destination channels whose products wait for the output transform */
};

/* ---- sizes ---- */

static int panels_of(const at_winograd *w) {
    return at_ceil_div(w->dst.c, at_kernels_get()->conv_nr);
}

at_pair at_winograd_block_limit(const at_winograd *w) {
    int64_t tiles = INPUT_BYTES / (4 * (int64_t)w->planes * w->src.c);
    int most = tiles < MIN_TILES ? MIN_TILES : tiles > MAX_TILES ? MAX_TILES : (int)tiles;
    if (w->tiles.w >= most) return (at_pair){w->blocks.h > 1 ? 2 : 1, most};
    int rows = most / w->tiles.w;
    return (at_pair){rows < 1 ? 1 : rows, w->tiles.w};
}

typedef struct layout {
    at_pair limit;
    int chunk;
    ptrdiff_t v_plane, m_plane;
} layout;

static layout layout_of(const at_winograd *w) {
    layout l = {.limit = at_winograd_block_limit(w)};
    int nr = at_kernels_get()->conv_nr, all = panels_of(w) * nr;
    l.chunk = CHUNK / nr * nr < nr ? nr : CHUNK / nr * nr;
    if (l.chunk > all) l.chunk = all;
    ptrdiff_t halo = (ptrdiff_t)(l.limit.h + w->blocks.h - 1) * (l.limit.w + w->blocks.w - 1);
    l.v_plane = at_odd_lines(halo * w->src.c);
    l.m_plane = at_odd_lines((ptrdiff_t)l.limit.h * l.limit.w * l.chunk);
    return l;
}

static size_t scratch_of(const at_winograd *w) {
    layout l = layout_of(w);
    return (size_t)w->planes * (size_t)(l.v_plane + l.m_plane) * sizeof(float);
}

size_t at_winograd_scratch_bytes(const at_conv *c) {
    at_winograd f = at_winograd_make(c, AT_CONV_FORWARD), d = at_winograd_make(c, AT_CONV_DATA);
    size_t a = scratch_of(&f), b = scratch_of(&d);
    return a > b ? a : b;
}

/* ---- running ---- */

typedef struct run {
    const at_conv_call *call;
    at_winograd w;
    layout l;
} run;

static void transform_input(const run *u, const at_tile_block *b, float *v) {
    const at_winograd *w = &u->w;
    int rows = b->count.h + w->blocks.h - 1, cols = b->count.w + w->blocks.w - 1;
    for (int ty = 0; ty < rows; ty++)
        for (int tx = 0; tx < cols; tx++)
            at_tile_input(w, at_tile_in_block(w, b, ty, tx), u->call->src, 0, w->src.c,
                          v + (ptrdiff_t)(ty * cols + tx) * w->src.c, u->l.v_plane);
}

/* `rows` consecutive tiles beginning at v by one panel, for one plane. */
static void multiply(const run *u, const float *v, int v_cols, const float *weights, float *m,
                     int rows, int n) {
    const at_kernels *kernels = at_kernels_get();
    const at_winograd *w = &u->w;
    ptrdiff_t tap_a[4], tap_w[4];
    int taps = w->blocks.h * w->blocks.w, calls = (rows + kernels->conv_mr - 1) / kernels->conv_mr;
    for (int s = 0; s < taps; s++) {
        tap_a[s] = (ptrdiff_t)(s / w->blocks.w * v_cols + s % w->blocks.w) * w->src.c;
        tap_w[s] = (ptrdiff_t)s * w->planes * (ptrdiff_t)at_wino_weight_plane(w);
    }
    at_conv_tile t = {.out_ld = u->l.chunk,
                      .a_ld = w->src.c,
                      .tap_a = tap_a,
                      .tap_w = tap_w,
                      .w = weights,
                      .taps = taps,
                      .k = w->src.c,
                      .n = n};
    for (int i = 0; i < calls; i++) {
        int from = (int)((int64_t)rows * i / calls);
        t.m = (int)((int64_t)rows * (i + 1) / calls) - from;
        t.a = v + (ptrdiff_t)from * w->src.c;
        t.out = m + (ptrdiff_t)from * u->l.chunk;
        t.next = at_wino_next(w, weights, i);
        kernels->conv_tile(&t);
    }
}

/* Products of all tiles of the block with panels first .. first + chunk: where kernels are not
 * nested the block's tiles are one run, else each row of tiles is. */
static void multiply_chunk(const run *u, const at_tile_block *b, const float *v, float *m,
                           int first) {
    const at_winograd *w = &u->w;
    int nr = at_kernels_get()->conv_nr, v_cols = b->count.w + w->blocks.w - 1;
    bool nested = w->blocks.h * w->blocks.w > 1;
    int runs = nested ? b->count.h : 1, rows = nested ? b->count.w : b->count.h * b->count.w;
    for (int plane = 0; plane < w->planes; plane++)
        for (int o = 0; o < u->l.chunk && first + o < w->dst.c; o += nr) {
            const float *weights = u->call->packed + (size_t)plane * at_wino_weight_plane(w) +
                                   (size_t)((first + o) / nr) * at_wino_panel(w);
            for (int r = 0; r < runs; r++)
                multiply(u, v + plane * u->l.v_plane + (ptrdiff_t)r * v_cols * w->src.c, v_cols,
                         weights, m + plane * u->l.m_plane + (ptrdiff_t)r * rows * u->l.chunk + o,
                         rows, nr);
        }
}

static void transform_output(const run *u, const at_tile_block *b, const float *m, int first) {
    const at_winograd *w = &u->w;
    const float *bias = u->call->packed + at_wino_weights(w) + first;
    int rest = w->dst.c - first, c = rest < u->l.chunk ? rest : u->l.chunk;
    for (int ty = 0; ty < b->count.h; ty++)
        for (int tx = 0; tx < b->count.w; tx++)
            at_tile_output(w, at_tile_in_block(w, b, ty, tx), u->call, first, c,
                           m + (ptrdiff_t)(ty * b->count.w + tx) * u->l.chunk, u->l.m_plane, bias);
}

static void run_unit(void *arg, int64_t index, int worker) {
    const run *u = arg;
    at_tile_block b = at_tile_block_at(&u->w, u->l.limit, index);
    float *v = (float *)(void *)(u->call->scratch + u->call->scratch_bytes * (size_t)worker);
    float *m = v + u->w.planes * u->l.v_plane;
    if (b.count.h == 0 || b.count.w == 0) return;
    transform_input(u, &b, v);
    for (int first = 0; first < u->w.dst.c; first += u->l.chunk) {
        multiply_chunk(u, &b, v, m, first);
        transform_output(u, &b, m, first);
    }
}

void at_winograd_run(const at_conv_call *call) {
    run u = {.call = call, .w = at_winograd_make(&call->conv, call->pass)};
    u.l = layout_of(&u.w);
    at_parallel_for(at_tile_block_count(&u.w, u.l.limit), run_unit, &u);
}
