/* SPDX-License-Identifier: MIT */
/* Depthwise convolution and sums over pixels: every channel on its own, so vectors run along the
 * channels and each column of vectors walks over all pixels with its weights in registers or L1. */
#include "nn/kernels/simd/vec.h"

enum { BLOCK = 4 }; /* vectors of sums at once, so that additions don't wait for each other */

#define INLINE static inline __attribute__((always_inline))

/* `vectors` vectors of one pixel, from channel j on. */
INLINE void depthwise_vectors(const at_depthwise *t, int i, int j, int vectors) {
    const float *a = t->a + i * t->a_ld + j;
    float *out = t->out + i * t->out_ld + j;
    vf sum[BLOCK];
    for (int v = 0; v < vectors; v++) sum[v] = v_load(t->bias + j + v * VW);
    for (int s = 0; s < t->taps; s++) {
        const float *x = a + t->tap_a[s], *w = t->w + t->tap_w[s] + j;
        for (int v = 0; v < vectors; v++) sum[v] += v_load(x + v * VW) * v_load(w + v * VW);
    }
    for (int v = 0; v < vectors; v++) {
        if (t->add) sum[v] += v_load(out + v * VW);
        v_store(out + v * VW, t->relu ? v_max0(sum[v]) : sum[v]);
    }
}

static inline void depthwise_scalar(const at_depthwise *t, int i, int j) {
    const float *a = t->a + i * t->a_ld + j;
    float *out = t->out + i * t->out_ld + j, sum = t->bias[j];
    for (int s = 0; s < t->taps; s++) sum += a[t->tap_a[s]] * t->w[t->tap_w[s] + j];
    if (t->add) sum += *out;
    *out = t->relu && sum < 0 ? 0 : sum;
}

void K(depthwise)(const at_depthwise *t) {
    int whole = t->c / VW * VW;
    for (int i = 0; i < t->pixels; i++) {
        int j = 0;
        for (; j + BLOCK * VW <= whole; j += BLOCK * VW) depthwise_vectors(t, i, j, BLOCK);
        for (; j < whole; j += VW) depthwise_vectors(t, i, j, 1);
        for (; j < t->c; j++) depthwise_scalar(t, i, j);
    }
}

/* `vectors` vectors of channels from j on; 1: the sums of pixels in turn, added up in the end. */
INLINE void dw_vectors(const at_depthwise_dw *t, int j, int vectors) {
    vf sum[BLOCK] = {0};
    for (int r = 0; r < t->rows; r++) {
        const float *x = t->x + r * t->x_row + j, *dy = t->dy + r * t->dy_row + j;
        int p = 0;
        for (; vectors == 1 && p + BLOCK <= t->pixels; p += BLOCK)
            for (int v = 0; v < BLOCK; v++)
                sum[v] += v_load(x + (p + v) * t->x_ld) * v_load(dy + (p + v) * t->dy_ld);
        for (; p < t->pixels; p++)
            for (int v = 0; v < vectors; v++)
                sum[v] += v_load(x + p * t->x_ld + v * VW) * v_load(dy + p * t->dy_ld + v * VW);
    }
    if (vectors == 1) sum[0] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
    for (int v = 0; v < vectors; v++) {
        float *dw = t->dw + j + v * VW;
        v_store(dw, v_load(dw) + sum[v]);
    }
}

static inline void dw_scalar(const at_depthwise_dw *t, int j) {
    float sum = 0;
    for (int r = 0; r < t->rows; r++) {
        const float *x = t->x + r * t->x_row + j, *dy = t->dy + r * t->dy_row + j;
        for (int p = 0; p < t->pixels; p++) sum += x[p * t->x_ld] * dy[p * t->dy_ld];
    }
    t->dw[j] += sum;
}

void K(depthwise_dw)(const at_depthwise_dw *t) {
    int whole = t->c / VW * VW, j = 0;
    for (; j + BLOCK * VW <= whole; j += BLOCK * VW) dw_vectors(t, j, BLOCK);
    for (; j < whole; j += VW) dw_vectors(t, j, 1);
    for (; j < t->c; j++) dw_scalar(t, j);
}

void K(pixel_sum)(float *sum, const float *x, ptrdiff_t ld, int64_t pixels, int c) {
    int whole = c / VW * VW;
    for (int j = 0; j < whole; j += VW) {
        vf s = {0};
        for (int64_t p = 0; p < pixels; p++) s += v_load(x + p * ld + j);
        v_store(sum + j, v_load(sum + j) + s);
    }
    for (int j = whole; j < c; j++) {
        float s = 0;
        for (int64_t p = 0; p < pixels; p++) s += x[p * ld + j];
        sum[j] += s;
    }
}
