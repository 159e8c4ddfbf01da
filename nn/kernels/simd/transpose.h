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

/* Swaps the off-diagonal s x s blocks of every 2s x 2s block of `rows` rows; lane & s tells a
 * block's half. */
static inline __attribute__((always_inline)) void v_swap_blocks(vf *m, int rows, int s) {
    const vi lane = AT_LANES;
    const vi right = (lane & s) / s; /* 0 or 1 */
    const vi upper = lane + right * (VW - s), lower = lane + (1 - right) * s + right * VW;
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
        if (i & s) continue;
        vf a = m[i], b = m[i + s];
        m[i] = __builtin_shuffle(a, b, upper);
        m[i + s] = __builtin_shuffle(a, b, lower);
    }
}

static inline __attribute__((always_inline)) void v_transpose(vf m[VW]) {
    v_swap_blocks(m, VW, 1);
    v_swap_blocks(m, VW, 2);
#if defined(__AVX2__)
    v_swap_blocks(m, VW, 4);
#endif
#if defined(__AVX512F__)
    v_swap_blocks(m, VW, 8);
#endif
}

/* Four floats each from x, x + 4 ld, x + 8 ld ..: VW in all. */
static inline vf v_load_fours(const float *x, ptrdiff_t ld) {
#if defined(__AVX512F__)
    __m512 v = _mm512_castps128_ps512(_mm_loadu_ps(x));
    v = _mm512_mask_broadcast_f32x4(v, 0x00f0, _mm_loadu_ps(x + 4 * ld));
    v = _mm512_mask_broadcast_f32x4(v, 0x0f00, _mm_loadu_ps(x + 8 * ld));
    return (vf)_mm512_mask_broadcast_f32x4(v, 0xf000, _mm_loadu_ps(x + 12 * ld));
#elif defined(__AVX2__)
    return (vf)_mm256_loadu2_m128(x + 4 * ld, x);
#else
    (void)ld;
    return v_load(x);
#endif
}

/* m[j] = element j of VW rows, ld floats apart, for j < 4: every fourth row in one vector, so that
 * two swaps do. */
static inline __attribute__((always_inline)) void v_load_columns(vf *m, const float *x,
                                                                 ptrdiff_t ld) {
    for (int i = 0; i < 4; i++) m[i] = v_load_fours(x + i * ld, ld);
    v_swap_blocks(m, 4, 1);
    v_swap_blocks(m, 4, 2);
}

#endif
