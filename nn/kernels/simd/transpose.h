/* SPDX-License-Identifier: MIT */
/* A VW x VW matrix of floats, transposed in registers. */
#ifndef AT_NN_KERNELS_SIMD_TRANSPOSE_H
#define AT_NN_KERNELS_SIMD_TRANSPOSE_H

#include "nn/kernels/simd/vec.h"

#if defined(__AVX512F__)
#define AT_LANES                                                                                   \
    { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 }
#elif defined(__AVX2__)
#define AT_LANES                                                                                   \
    { 0, 1, 2, 3, 4, 5, 6, 7 }
#else
#define AT_LANES                                                                                   \
    { 0, 1, 2, 3 }
#endif

/* Swaps the off-diagonal s x s blocks of every 2s x 2s block; lane & s tells a block's half. */
static inline __attribute__((always_inline)) void v_swap_blocks(vf m[VW], int s) {
    const vi lane = AT_LANES;
    const vi right = (lane & s) / s; /* 0 or 1 */
    const vi upper = lane + right * (VW - s), lower = lane + (1 - right) * s + right * VW;
#pragma GCC unroll 16
    for (int i = 0; i < VW; i++) {
        if (i & s) continue;
        vf a = m[i], b = m[i + s];
        m[i] = __builtin_shuffle(a, b, upper);
        m[i + s] = __builtin_shuffle(a, b, lower);
    }
}

static inline __attribute__((always_inline)) void v_transpose(vf m[VW]) {
    v_swap_blocks(m, 1);
    v_swap_blocks(m, 2);
#if defined(__AVX2__)
    v_swap_blocks(m, 4);
#endif
#if defined(__AVX512F__)
    v_swap_blocks(m, 8);
#endif
}

#endif
