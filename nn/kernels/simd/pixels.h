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
    if (b->count == VW && c >= 4) {
        int k = 0;
        for (; k + 4 <= c; k += 4) v_load_columns(b->x + k, x + k, ld);
        if (k < c) v_load_columns(b->x + c - 4, x + c - 4, ld); /* some for the second time */
        return;
    }
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

static inline vf block_max(const pixel_block *b, int c) {
    vf max = b->x[0];
    for (int k = 1; k < c; k++) max = v_max(b->x[k], max);
    return max;
}

/* x becomes exp(x - max); returns the maximum. */
static inline vf block_exp(pixel_block *b, int c) {
    const vf max = block_max(b, c);
    for (int k = 0; k < c; k++) b->x[k] = v_exp(b->x[k] - max);
    return max;
}

static inline vf block_sum(const pixel_block *b, int c) {
    vf sum = {0};
    for (int k = 0; k < c; k++) sum += b->x[k];
    return sum;
}

/* Sum of exp(x - max). */
static inline vf block_exp_sum(const pixel_block *b, vf max, int c) {
    vf even = {0}, odd = {0};
    int k = 0;
    for (; k + 2 <= c; k += 2) {
        even += v_exp(b->x[k] - max);
        odd += v_exp(b->x[k + 1] - max);
    }
    if (k < c) even += v_exp(b->x[k] - max);
    return even + odd;
}

/* The labels of `count` pixels; 0 in the lanes beyond. */
static inline vi block_labels(const uint8_t *label, int count) {
    typedef uint8_t bytes __attribute__((vector_size(VW)));
    bytes v = {0};
    if (count == VW)
        memcpy(&v, label, VW);
    else
        for (int i = 0; i < count; i++) v[i] = label[i];
    return __builtin_convertvector(v, vi);
}

/* table[label] of each pixel; 0 in the lanes beyond. */
static inline vf block_lookup(const pixel_block *b, const float *table, vi label) {
    const vi lane = AT_LANES;
    return (vf)((vi)v_gather(table, label) & (lane < b->count));
}

/* Class `label` of each pixel; something else where there is no such class. */
static inline vf block_pick(const pixel_block *b, vi label, int c) {
    const vi lane = AT_LANES;
    return v_gather((const float *)b->x, (label & (label < c)) * VW + lane);
}

/* Sums of lanes, in double and in a fixed order. */
typedef double vd __attribute__((vector_size(VW * 8)));

static inline double lanes_sum(const vd *v) {
    double sum = 0;
    for (int i = 0; i < VW; i++) sum += (*v)[i];
    return sum;
}

#endif
