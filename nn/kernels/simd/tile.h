/* SPDX-License-Identifier: MIT */
/* What the micro-kernels of convolution share: the tile of accumulators, MR rows by NR columns in NV
 * vectors, and how it is stored. */
#ifndef AT_NN_KERNELS_SIMD_TILE_H
#define AT_NN_KERNELS_SIMD_TILE_H

#include "nn/kernels/simd/vec.h"

enum { NV = 2, NR = NV * VW }; /* a panel; tiles of at most VW columns compute only half of it */
#if defined(__AVX512F__)
enum { MR = 14 };
#define EACH_MORE(X, f) X(f, 7) X(f, 8) X(f, 9) X(f, 10) X(f, 11) X(f, 12) X(f, 13) X(f, 14)
#else
enum { MR = 6 };
#define EACH_MORE(X, f)
#endif

/* f(t, rows, two) with constants for the tile's rows and whether it needs both vectors. */
#define TILE_CASE(f, rows)                                                                         \
    case rows:                                                                                     \
        if (t->n > VW)                                                                             \
            f(t, rows, true);                                                                      \
        else                                                                                       \
            f(t, rows, false);                                                                     \
        break;
#define TILE_INSTANCES(f)                                                                          \
    switch (t->m) {                                                                                \
        TILE_CASE(f, 1)                                                                            \
        TILE_CASE(f, 2)                                                                            \
        TILE_CASE(f, 3)                                                                            \
        TILE_CASE(f, 4)                                                                            \
        TILE_CASE(f, 5)                                                                            \
        TILE_CASE(f, 6)                                                                            \
        EACH_MORE(TILE_CASE, f)                                                                    \
    }

#define INLINE static inline __attribute__((always_inline))

/* The first n columns of one vector. */
INLINE void store_columns(float *out, vf v, int n, bool add, bool relu) {
    if (n == VW) {
        if (add) v += v_load(out);
        v_store(out, relu ? v_max0(v) : v);
        return;
    }
    if (add) v += v_load_n(out, n);
    v_store_n(out, relu ? v_max0(v) : v, n);
}

/* Into bf16, from memory: were it done where the sums are, they would not stay in registers. */
static __attribute__((noinline)) void store_bf16(const at_conv_tile *t, float sums[][NR]) {
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < t->n; j += VW) {
            uint16_t *out = (uint16_t *)t->out + i * t->out_ld + j;
            vf v = v_load(&sums[i][j]);
            if (t->add) v += v_load_any(out, t->n - j, true);
            v_store_any(out, t->relu ? v_max0(v) : v, t->n - j, true);
        }
}

/* All sums begin with the bias. */
INLINE void tile_begin(const at_conv_tile *t, vf acc[][NV], int rows) {
    vf b0 = t->bias != NULL ? v_load(t->bias) : (vf){0};
    vf b1 = t->bias != NULL ? v_load(t->bias + VW) : (vf){0};
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) acc[i][0] = b0, acc[i][1] = b1;
}

INLINE void tile_end(const at_conv_tile *t, vf acc[][NV], int rows, bool two) {
    if (t->bf16) {
        float sums[MR][NR];
#pragma GCC unroll 14
        for (int i = 0; i < rows; i++)
            v_store(sums[i], acc[i][0]), v_store(sums[i] + VW, acc[i][1]);
        store_bf16(t, sums);
        return;
    }
#pragma GCC unroll 14
    for (int i = 0; i < rows; i++) {
        float *out = (float *)t->out + i * t->out_ld;
        store_columns(out, acc[i][0], two ? VW : t->n, t->add, t->relu);
        if (two) store_columns(out + VW, acc[i][1], t->n - VW, t->add, t->relu);
    }
}

#endif
