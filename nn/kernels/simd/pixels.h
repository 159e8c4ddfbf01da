/* SPDX-License-Identifier: MIT */
/* VW pixels at a time, lanes along the pixels: class k of all of them is one vector, so that what
 * is done for each pixel (a maximum, a sum, a logarithm) is done for VW at once. */
#ifndef AT_NN_KERNELS_SIMD_PIXELS_H
#define AT_NN_KERNELS_SIMD_PIXELS_H

#include "nn/kernels/simd/math.h"
#include "nn/kernels/simd/transpose.h"

enum { MAX_CLASSES = 256 };

typedef struct pixel_block {
    int count; /* pixels, <= VW; the other lanes are zero */
    vf x[MAX_CLASSES];
} pixel_block;

static inline __attribute__((always_inline)) void block_load(pixel_block *b, const float *x,
                                                             ptrdiff_t ld, int c) {
    for (int k = 0; k < c; k += VW) {
        int n = c - k < VW ? c - k : VW;
        vf *m = b->x + k;
#pragma GCC unroll 16
        for (int i = 0; i < VW; i++) m[i] = i < b->count ? v_load_n(x + i * ld + k, n) : (vf){0};
        v_transpose(m);
    }
}

/* Destroys the block. */
static inline __attribute__((always_inline)) void block_store(pixel_block *b, float *dx,
                                                              ptrdiff_t ld, int c, bool add) {
    for (int k = 0; k < c; k += VW) {
        int n = c - k < VW ? c - k : VW;
        vf *m = b->x + k;
        v_transpose(m);
        for (int i = 0; i < b->count; i++) {
            float *to = dx + i * ld + k;
            v_store_n(to, add ? v_load_n(to, n) + m[i] : m[i], n);
        }
    }
}

/* x becomes exp(x - max); returns the maximum. */
static inline vf block_exp(pixel_block *b, int c) {
    vf max = b->x[0];
    for (int k = 1; k < c; k++) max = v_select(b->x[k] > max, b->x[k], max);
    for (int k = 0; k < c; k++) b->x[k] = v_exp(b->x[k] - max);
    return max;
}

static inline vf block_sum(const pixel_block *b, int c) {
    vf sum = {0};
    for (int k = 0; k < c; k++) sum += b->x[k];
    return sum;
}

/* table[label] of each pixel; 0 in the lanes beyond. */
static inline vf block_lookup(const pixel_block *b, const float *table, const uint8_t *label) {
    float v[VW] = {0};
    for (int i = 0; i < b->count; i++) v[i] = table[label[i]];
    return v_load(v);
}

static inline vi block_labels(const pixel_block *b, const uint8_t *label) {
    int32_t v[VW] = {0};
    vi out;
    for (int i = 0; i < b->count; i++) v[i] = label[i];
    memcpy(&out, v, sizeof out);
    return out;
}

/* Class label[i] of pixel i; 0 where there is no such class. */
static inline vf block_pick(const pixel_block *b, const uint8_t *label, int c) {
    const float *x = (const float *)b->x;
    float v[VW] = {0};
    for (int i = 0; i < b->count; i++)
        if (label[i] < c) v[i] = x[label[i] * VW + i];
    return v_load(v);
}

/* Sums of lanes, in double and in a fixed order. */
typedef double vd __attribute__((vector_size(VW * 8)));

static inline double lanes_sum(const vd *v) {
    double sum = 0;
    for (int i = 0; i < VW; i++) sum += (*v)[i];
    return sum;
}

#endif
