/* SPDX-License-Identifier: MIT */
/* The two micro-kernels behind every convolution, its gradients and transposed convolution: MR x NR
 * accumulators stay in registers while taps and channels (conv_tile) or pixels (conv_dw_tile) are
 * summed. Rows are broadcast from memory, columns are whole vectors. The row count is a constant in
 * each instance, so that short tiles at the borders run at full speed too. */
#include "nn/kernels/simd/tile.h"

/* ---- conv_tile ---- */

enum { LINE = 16 }; /* floats of a cache line */

/* Adds one tap's k products to the accumulators of `rows` rows; `two`: both vectors of the panel.
 * Prefetches a line from `next` with each. */
INLINE void tap_sum(vf acc[][NV], const float *a, ptrdiff_t ld, const float *w, const float *next,
                    int k, int rows, bool two) {
    for (int l = 0; l < k; l++) {
        if (next != NULL) __builtin_prefetch(next + (ptrdiff_t)l * LINE, 0, 2);
        vf w0 = v_load(w + (ptrdiff_t)l * NR), w1 = two ? v_load(w + (ptrdiff_t)l * NR + VW) : w0;
#pragma GCC unroll 14
        for (int i = 0; i < rows; i++) {
            vf x = v_set1(a[i * ld + l]);
            acc[i][0] += x * w0;
            if (two) acc[i][1] += x * w1;
        }
    }
}

INLINE void tile(const at_conv_tile *t, int rows, bool two) {
    const float *a = t->a, *w = t->w;
    vf acc[MR][NV];
    tile_begin(t, acc, rows);
    for (int s = 0; s < t->taps; s++)
        if (t->next != NULL)
            tap_sum(acc, a + t->tap_a[s], t->a_ld, w + t->tap_w[s], t->next + t->tap_w[s], t->k,
                    rows, two);
        else
            tap_sum(acc, a + t->tap_a[s], t->a_ld, w + t->tap_w[s], NULL, t->k, rows, two);
    tile_end(t, acc, rows, two);
}

void K(conv_tile)(const at_conv_tile *t){TILE_INSTANCES(tile)}

/* ---- conv_dw_tile ---- */

/* Adds the outer products of `pixels` pixels; dy's rows are read to the end of the panel. */
INLINE void pixel_products(vf acc[][NV], const float *x, ptrdiff_t x_ld, const float *dy,
                           ptrdiff_t dy_ld, int pixels, int rows, bool two) {
    for (int p = 0; p < pixels; p++, x += x_ld, dy += dy_ld) {
        vf d0 = v_load(dy), d1 = two ? v_load(dy + VW) : d0;
#pragma GCC unroll 14
        for (int i = 0; i < rows; i++) {
            vf v = v_set1(x[i]);
            acc[i][0] += v * d0;
            if (two) acc[i][1] += v * d1;
        }
    }
}

/* How many pixels at the end of row r have no whole panel of floats behind them that is surely the
 * tensor's. Elsewhere reading past the n-th channel meets the next pixel, and what comes of it is
 * thrown away. */
INLINE int short_pixels(const at_conv_dw_tile *t, int r, int width) {
    ptrdiff_t missing = width - t->n - (t->rows - 1 - r) * t->dy_row;
    if (missing <= 0) return 0;
    ptrdiff_t pixels = (missing + t->dy_ld - 1) / t->dy_ld;
    return pixels < t->pixels ? (int)pixels : t->pixels;
}

INLINE void dw_add(float *dw, const vf *acc, int n, bool two) {
    store_columns(dw, acc[0], two ? VW : n, true, false);
    if (two) store_columns(dw + VW, acc[1], n - VW, true, false);
}

INLINE void dw_tile(const at_conv_dw_tile *t, int rows, bool two) {
    vf acc[MR][NV];
    float padded[NR] = {0};
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) acc[i][0] = acc[i][1] = (vf){0};
    for (int r = 0; r < t->rows; r++) {
        const float *x = t->x + r * t->x_row, *dy = t->dy + r * t->dy_row;
        int whole = t->pixels - short_pixels(t, r, two ? NR : VW);
        pixel_products(acc, x, t->x_ld, dy, t->dy_ld, whole, rows, two);
        for (int p = whole; p < t->pixels; p++) {
            memcpy(padded, dy + p * t->dy_ld, (size_t)t->n * sizeof *padded);
            pixel_products(acc, x + p * t->x_ld, 0, padded, 0, 1, rows, two);
        }
    }
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) dw_add(t->dw + i * t->dw_ld, acc[i], t->n, two);
}

void K(conv_dw_tile)(const at_conv_dw_tile *t) {
    TILE_INSTANCES(dw_tile)
}
