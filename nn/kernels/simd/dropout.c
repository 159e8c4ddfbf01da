/* SPDX-License-Identifier: MIT */
/* Dropout masks: Philox4x32-10 for a vector of counters at a time. Sixteen bits an element make the
 * probability exact to 1 / 65536 and the generator cheap enough to draw the mask again in backward
 * instead of storing it. The product of 32 by 32 bits is the one thing that the compiler does not
 * find the instruction for. */
#include "nn/kernels/simd/vec.h"

#ifdef __SSE2__
#include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16, GROUP = 8 * LANES }; /* counters, and elements, of a group */

typedef uint32_t vu __attribute__((vector_size(VW * 4)));
typedef uint64_t vd __attribute__((vector_size(VW * 4)));

/* Products of the even lanes. */
INLINE vd multiply_even(vu a, vu b) {
#if defined(__AVX512F__)
    return (vd)_mm512_mul_epu32((__m512i)a, (__m512i)b);
#elif defined(__AVX2__)
    return (vd)_mm256_mul_epu32((__m256i)a, (__m256i)b);
#elif defined(__SSE2__)
    return (vd)_mm_mul_epu32((__m128i)a, (__m128i)b);
#else
    return ((vd)a & UINT32_MAX) * ((vd)b & UINT32_MAX);
#endif
}

/* High and low words of m * c, lane by lane. */
INLINE void multiply(vu *high, vu *low, vu c, uint32_t m) {
    const uint64_t half = UINT32_MAX;
    vu factor = m - (vu){0};
    vd even = multiply_even(c, factor), odd = multiply_even((vu)((vd)c >> 32), factor);
    *high = (vu)((even >> 32) | (odd & ~half));
    *low = (vu)((even & half) | (odd << 32));
}

INLINE void philox(vu c[4], uint32_t k0, uint32_t k1) {
    for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u) {
        vu high0, low0, high2, low2;
        multiply(&high0, &low0, c[0], 0xD2511F53u);
        multiply(&high2, &low2, c[2], 0xCD9E8D57u);
        c[0] = high2 ^ c[1] ^ k0;
        c[2] = high0 ^ c[3] ^ k1;
        c[1] = low2;
        c[3] = low0;
    }
}

/* scale where drawn >= threshold, else 0. Both are below 2^16, so signed comparison will do. */
INLINE void keep(float *out, vu drawn, uint32_t threshold, float scale) {
    v_store(out, v_select((vi)drawn >= (int32_t)threshold, v_set1(scale), (vf){0}));
}

/* The group whose first counter is `from`. */
INLINE void group(float out[GROUP], const uint32_t key[2], const uint32_t counter[4], uint32_t from,
                  uint32_t threshold, float scale) {
    for (int lane = 0; lane < LANES; lane += VW) {
        vu c[4];
        uint32_t count[VW];
        for (int i = 0; i < VW; i++) count[i] = counter[0] + from + (uint32_t)(lane + i);
        memcpy(&c[0], count, sizeof c[0]);
        for (int w = 1; w < 4; w++) c[w] = counter[w] - (vu){0};
        philox(c, key[0], key[1]);
        for (int w = 0; w < 4; w++) {
            keep(out + w * LANES + lane, c[w] & 0xffff, threshold, scale);
            keep(out + (w + 4) * LANES + lane, c[w] >> 16, threshold, scale);
        }
    }
}

void K(dropout_mask)(float *mask, const uint32_t key[2], const uint32_t counter[4], uint64_t first,
                     int64_t count, uint32_t threshold, float scale) {
    uint32_t from = (uint32_t)(first / GROUP * LANES);
    int64_t i = 0;
    for (; i + GROUP <= count; i += GROUP, from += LANES)
        group(mask + i, key, counter, from, threshold, scale);
    if (i < count) {
        float last[GROUP];
        group(last, key, counter, from, threshold, scale);
        memcpy(mask + i, last, (size_t)(count - i) * sizeof *mask);
    }
}
