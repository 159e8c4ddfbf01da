/* SPDX-License-Identifier: MIT */
/* What the micro-kernels of convolution share: the tile of accumulators, MR rows by NR columns in NV
 * vectors, and how it is stored. */
#ifndef AT_NN_KERNELS_SIMD_TILE_H
#define AT_NN_KERNELS_SIMD_TILE_H

#include "nn/kernels/simd/vec.h"

enum { NV = 2, NR = NV * VW }; /* a panel; tiles of at most VW columns compute only half of it */
/* An instance for each row count, 1 .. MR. */
#define EACH_UP_TO_6(X) X(1) X(2) X(3) X(4) X(5) X(6)
#if defined(__AVX512F__)
enum { MR = 14 };
#define EACH_ROW_COUNT(X) EACH_UP_TO_6(X) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
enum { MR = 6 };
#define EACH_ROW_COUNT(X) EACH_UP_TO_6(X)
#endif

#define INLINE static inline __attribute__((always_inline))

/* The first n columns of one vector. */
INLINE void store_columns(void *out, vf v, int n, bool bf16, bool add, bool relu) {
    if (add) v += v_load_any(out, n, bf16);
    v_store_any(out, relu ? v_max0(v) : v, n, bf16);
}

INLINE void tile_store(const at_conv_tile *t, void *out, const vf acc[NV], bool two) {
    store_columns(out, acc[0], two ? VW : t->n, t->bf16, t->add, t->relu);
    if (two)
        store_columns(v_element(out, VW, t->bf16), acc[1], t->n - VW, t->bf16, t->add, t->relu);
}

#endif
