/* SPDX-License-Identifier: MIT */
/* conv_tile's twin for bfloat16: pairs of channels are multiplied and added to fp32 sums at once,
 * where the processor has an instruction for that. Elsewhere the pairs are taken apart. */
#include "nn/kernels/simd/tile.h"

/* A pair of rows of one vector of columns, and a pair of channels in every lane. */
#if defined(__AVX512BF16__)
typedef __m512bh pairs;

INLINE pairs pairs_load(const uint16_t *p) {
    return (pairs)_mm512_loadu_si512(p);
}
INLINE pairs pairs_set1(const uint16_t *p) {
    int32_t both;
    memcpy(&both, p, sizeof both);
    return (pairs)_mm512_set1_epi32(both);
}
INLINE vf pairs_dot(vf sum, pairs a, pairs w) {
    return (vf)_mm512_dpbf16_ps((__m512)sum, a, w);
}
#else
typedef struct pairs {
    vf first, second;
} pairs;

INLINE pairs pairs_of(vi both) {
    return (pairs){(vf)(both << 16), (vf)(both & -65536)};
}
INLINE pairs pairs_load(const uint16_t *p) {
    vi both;
    memcpy(&both, p, sizeof both);
    return pairs_of(both);
}
INLINE pairs pairs_set1(const uint16_t *p) {
    int32_t both;
    memcpy(&both, p, sizeof both);
    return pairs_of(both - (vi){0});
}
INLINE vf pairs_dot(vf sum, pairs a, pairs w) {
    return sum + a.first * w.first + a.second * w.second;
}
#endif

/* Adds one tap's k products to the accumulators of `rows` rows; `two`: both vectors of the panel. */
INLINE void tap_dot(vf acc[][NV], const uint16_t *a, ptrdiff_t ld, const uint16_t *w, int k,
                    int rows, bool two) {
    for (int l = 0; l < k; l += 2, w += 2 * NR) {
        pairs w0 = pairs_load(w), w1 = two ? pairs_load(w + 2 * VW) : w0;
#pragma GCC unroll 14
        for (int i = 0; i < rows; i++) {
            pairs x = pairs_set1(a + i * ld + l);
            acc[i][0] = pairs_dot(acc[i][0], x, w0);
            if (two) acc[i][1] = pairs_dot(acc[i][1], x, w1);
        }
    }
}

INLINE void dot(const at_conv_tile *t, int rows, bool two) {
    const uint16_t *a = t->a, *w = t->w;
    vf acc[MR][NV];
    tile_begin(t, acc, rows);
    for (int s = 0; s < t->taps; s++)
        tap_dot(acc, a + t->tap_a[s], t->a_ld, w + t->tap_w[s], t->k, rows, two);
    tile_end(t, acc, rows, two);
}

void K(conv_dot)(const at_conv_tile *t) {
    TILE_INSTANCES(dot)
}
