/* SPDX-License-Identifier: MIT */
/* Weights for Winograd convolution: [block][plane][panel][source channels][conv_nr], transformed,
 * zeros behind the last channel; then the bias. A unit of work gathers the taps of a few source
 * channels of one panel (for the data pass flipped and transposed), so that what it writes are runs
 * of whole lines. */
#include <string.h>

#include "layers/winograd.h"
#include "nn/kernels/kernels.h"

enum {
    CHANNELS = 16, /* source channels of a unit */
    MOST_TAPS = 16,
    MOST_NR = 32,
};

static int panels_of(const at_winograd *w) {
    return at_ceil_div(w->dst.c, at_kernels_get()->conv_nr);
}

size_t at_wino_panel(const at_winograd *w) {
    return (size_t)w->src.c * (size_t)at_kernels_get()->conv_nr;
}

/* The 36 streams of the transform would otherwise meet in a few sets of the cache. */
size_t at_wino_weight_plane(const at_winograd *w) {
    return (size_t)at_odd_lines((ptrdiff_t)((size_t)panels_of(w) * at_wino_panel(w)));
}

size_t at_wino_weights(const at_winograd *w) {
    return (size_t)(w->blocks.h * w->blocks.w * w->planes) * at_wino_weight_plane(w);
}

const float *at_wino_next(const at_winograd *w, const float *panel, int i) {
    enum { LINE = 16 };
    if (i * LINE >= at_kernels_get()->conv_nr) return NULL;
    return panel + at_wino_panel(w) + (ptrdiff_t)i * w->src.c * LINE;
}

static size_t bias_count(const at_winograd *w) {
    return (size_t)panels_of(w) * (size_t)at_kernels_get()->conv_nr;
}

size_t at_winograd_packed_count(const at_conv *c, at_conv_pass pass) {
    at_winograd w = at_winograd_make(c, pass);
    return at_wino_weights(&w) + bias_count(&w);
}

typedef struct packing {
    const at_conv *conv;
    at_winograd w;
    const float *weight, *scale;
    float *out;
    bool data;
} packing;

/* The part of the weights that a unit packs: taps by, bx .. of the (flipped) kernel, source
 * channels k0 .. k0 + k - 1, destination channels n0 .. n0 + n - 1. */
typedef struct piece {
    int by, bx, rows, cols, k0, k, n0, n;
} piece;

/* One tap's [k][n] of the piece, in rows of nr floats. */
static void gather_tap(const packing *p, const piece *u, int y, int x, float *out, int nr) {
    at_pair kernel = p->conv->kernel;
    int from = p->w.src.c, to = p->w.dst.c;
    if (p->data) { /* weights are [tap][to][from] */
        int tap = (kernel.h - 1 - y) * kernel.w + kernel.w - 1 - x;
        const float *w = p->weight + (ptrdiff_t)tap * from * to + (ptrdiff_t)u->n0 * from + u->k0;
        at_kernels_get()->transpose(out, nr, w, from, u->n, u->k);
        return;
    }
    const float *w =
        p->weight + ((ptrdiff_t)(y * kernel.w + x) * from + u->k0) * (ptrdiff_t)to + u->n0;
    for (int l = 0; l < u->k; l++, out += nr, w += to) memcpy(out, w, (size_t)u->n * sizeof *out);
}

static void gather(const packing *p, const piece *u, float *taps, int nr) {
    int tap = CHANNELS * nr;
    if (u->n < nr) memset(taps, 0, (size_t)(MOST_TAPS * tap) * sizeof *taps);
    for (int y = 0; y < u->rows; y++)
        for (int x = 0; x < u->cols; x++) {
            float *out = taps + (y * p->w.r + x) * tap;
            gather_tap(p, u, u->by + y, u->bx + x, out, nr);
            for (int l = 0; p->scale != NULL && l < u->k; l++)
                for (int j = 0; j < u->n; j++) out[l * nr + j] *= p->scale[u->n0 + j];
        }
}

static int at_most(int v, int most) {
    return v < most ? v : most;
}

/* One block of taps, one panel, CHANNELS source channels. */
static void pack_body(void *arg, int64_t index, int worker) {
    const packing *p = arg;
    const at_winograd *w = &p->w;
    int nr = at_kernels_get()->conv_nr, panels = panels_of(w);
    int chunks = at_ceil_div(w->src.c, CHANNELS), chunk = (int)(index % chunks);
    int panel = (int)(index / chunks % panels), block = (int)(index / chunks / panels);
    float taps[MOST_TAPS * CHANNELS * MOST_NR];
    piece u = {.by = block / w->blocks.w * w->r,
               .bx = block % w->blocks.w * w->r,
               .k0 = chunk * CHANNELS,
               .n0 = panel * nr};
    u.rows = at_most(w->r, p->conv->kernel.h - u.by);
    u.cols = at_most(w->r, p->conv->kernel.w - u.bx);
    u.k = at_most(CHANNELS, w->src.c - u.k0);
    u.n = at_most(nr, w->dst.c - u.n0);
    (void)worker;
    gather(p, &u, taps, nr);
    at_wino_in t = {.v_plane = (ptrdiff_t)at_wino_weight_plane(w),
                    .x_row = (ptrdiff_t)w->r * CHANNELS * nr,
                    .x_col = (ptrdiff_t)CHANNELS * nr,
                    .row_end = u.rows,
                    .col_end = u.cols,
                    .c = nr};
    float *out = p->out + (size_t)(block * w->planes) * at_wino_weight_plane(w) +
                 (size_t)panel * at_wino_panel(w);
    for (int l = 0; l < u.k; l++) {
        t.x = taps + l * nr;
        t.v = out + (ptrdiff_t)(u.k0 + l) * nr;
        w->weight(&t);
    }
}

void at_winograd_pack(const at_conv *c, at_conv_pass pass, const float *weight, const float *scale,
                      const float *bias, float *packed) {
    packing p = {c, at_winograd_make(c, pass), weight, scale, packed, pass == AT_CONV_DATA};
    int64_t chunks = at_ceil_div(p.w.src.c, CHANNELS);
    float *bias_out = packed + at_wino_weights(&p.w);
    at_parallel_for(p.w.blocks.h * p.w.blocks.w * panels_of(&p.w) * chunks, pack_body, &p);
    for (size_t j = 0; j < bias_count(&p.w); j++)
        bias_out[j] = bias != NULL && j < (size_t)p.w.dst.c ? bias[j] : 0;
}
