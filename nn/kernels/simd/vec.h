/* SPDX-License-Identifier: MIT */
/* The vector of the level this file is compiled for, through GCC's vector extensions (x86, Arm,
 * anything), and the suffix that keeps the levels' functions apart. */
#ifndef AT_NN_KERNELS_SIMD_VEC_H
#define AT_NN_KERNELS_SIMD_VEC_H

#ifdef __AVX2__
#include <immintrin.h>
#endif
#include <math.h>
#include <string.h>

#include "nn/kernels/list.h"

#if defined(__AVX512BF16__)
#define AT_LEVEL avx512_bf16
enum { VW = 16 };
#elif defined(__AVX512F__)
#define AT_LEVEL avx512
enum { VW = 16 }; /* floats in a vector */
#elif defined(__AVX2__)
#define AT_LEVEL avx2
enum { VW = 8 };
#else
#define AT_LEVEL generic
enum { VW = 4 };
#endif

#define AT_PASTE_(a, b) at_##a##_##b
#define AT_PASTE(a, b) AT_PASTE_(a, b)
/* K(relu) is at_relu_avx512 and so on. */
#define K(name) AT_PASTE(name, AT_LEVEL)

#define AT_KERNEL_PROTOTYPE(name, ret, args) ret K(name) args;
AT_KERNEL_LIST(AT_KERNEL_PROTOTYPE)
AT_DOT_LIST(AT_KERNEL_PROTOTYPE)
#undef AT_KERNEL_PROTOTYPE

typedef float vf __attribute__((vector_size(VW * 4)));
typedef int32_t vi __attribute__((vector_size(VW * 4)));

static inline vf v_load(const float *p) {
    vf v;
    memcpy(&v, p, sizeof v);
    return v;
}
static inline void v_store(float *p, vf v) {
    memcpy(p, &v, sizeof v);
}
/* Can rows of `cols` floats from p on be written past the caches, vector by vector? */
static inline bool v_aligned(const float *p, ptrdiff_t ld, int64_t cols) {
    return (uintptr_t)p % sizeof(vf) == 0 && ld % VW == 0 && cols % VW == 0;
}
/* The end of a parallel loop is a fence for these stores (nn/threads.c). */
static inline void v_stream(float *p, vf v) {
#if defined(__AVX512F__)
    _mm512_stream_ps(p, (__m512)v);
#elif defined(__AVX2__)
    _mm256_stream_ps(p, (__m256)v);
#else
    v_store(p, v);
#endif
}
static inline vf v_set1(float x) {
    return x - (vf){0}; /* a broadcast: x - 0 keeps x, -0 included */
}
static inline vf v_select(vi mask, vf yes, vf no) {
    return (vf)(((vi)yes & mask) | ((vi)no & ~mask));
}
/* a > b ? a : b, so that a NaN in b stays. */
static inline vf v_max(vf a, vf b) {
#if defined(__AVX512F__)
    return (vf)_mm512_max_ps((__m512)a, (__m512)b);
#else
    return v_select(a > b, a, b);
#endif
}
static inline vf v_max0(vf v) {
    return v_max((vf){0}, v);
}

/* The first n lanes, 0 <= n <= VW, for the ends of arrays; nothing beyond is touched. The others
 * read as zero. */
static inline vf v_load_n(const float *p, int n) {
#if defined(__AVX512F__)
    return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p);
#elif defined(__AVX2__)
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    return (vf)_mm256_maskload_ps(p, (__m256i)(lane < n));
#else
    vf v = {0};
    if (n == VW) return v_load(p);
    for (int i = 0; i < n; i++) v[i] = p[i];
    return v;
#endif
}
static inline void v_store_n(float *p, vf v, int n) {
#if defined(__AVX512F__)
    _mm512_mask_storeu_ps(p, (__mmask16)((1u << n) - 1), (__m512)v);
#elif defined(__AVX2__)
    const vi lane = {0, 1, 2, 3, 4, 5, 6, 7};
    _mm256_maskstore_ps(p, (__m256i)(lane < n), (__m256)v);
#else
    if (n == VW)
        v_store(p, v);
    else
        for (int i = 0; i < n; i++) p[i] = v[i];
#endif
}

/* The first n elements of bfloat16, or of floats. */
typedef uint16_t vh __attribute__((vector_size(VW * 2)));

static inline vf v_widen(vh h) {
    return (vf)(__builtin_convertvector(h, vi) << 16);
}
/* To the nearest, ties to even (nn/kernels/bf16.h). */
static inline vh v_narrow(vf v) {
#if defined(__AVX512F__)
    __m512i x = (__m512i)v, one = _mm512_set1_epi32(1);
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(x, 16), one);
    __m512i up = _mm512_add_epi32(_mm512_add_epi32(x, _mm512_set1_epi32(0x7fff)), odd);
    __mmask16 nan = _mm512_cmp_ps_mask((__m512)v, (__m512)v, _CMP_UNORD_Q);
    up = _mm512_mask_or_epi32(up, nan, x, _mm512_set1_epi32(0x400000));
    return (vh)_mm512_cvtepi32_epi16(_mm512_srli_epi32(up, 16));
#else
    vi bits = (vi)v, nan = v != v;
    vi odd = bits >> 16 & 1, rounded = bits + 0x7fff + odd, quiet = bits | 0x400000;
    return __builtin_convertvector(((rounded & ~nan) | (quiet & nan)) >> 16, vh);
#endif
}
static inline vf v_load_any(const void *p, int n, bool bf16) {
    vh h = {0};
    if (!bf16) return n >= VW ? v_load(p) : v_load_n(p, n);
    memcpy(&h, p, n >= VW ? sizeof h : (size_t)n * 2);
    return v_widen(h);
}
static inline void v_store_any(void *p, vf v, int n, bool bf16) {
    if (bf16) {
        vh h = v_narrow(v);
        memcpy(p, &h, n >= VW ? sizeof h : (size_t)n * 2);
    } else if (n >= VW) {
        v_store(p, v);
    } else {
        v_store_n(p, v, n);
    }
}
/* Where element i of an array of either kind is. */
static inline void *v_element(const void *p, ptrdiff_t i, bool bf16) {
    return (char *)(uintptr_t)p + (bf16 ? i * 2 : i * 4);
}

/* p[index] in each lane. */
static inline vf v_gather(const float *p, vi index) {
#if defined(__AVX512F__)
    return (vf)_mm512_i32gather_ps((__m512i)index, p, 4);
#elif defined(__AVX2__)
    return (vf)_mm256_i32gather_ps(p, (__m256i)index, 4);
#else
    vf v;
    for (int i = 0; i < VW; i++) v[i] = p[index[i]];
    return v;
#endif
}

#endif
