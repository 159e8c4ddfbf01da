/* SPDX-License-Identifier: MIT */
/* Elementary functions on vectors of floats, within 1.1 units in the last place, without tables.
 * Denormal results are zero and denormal arguments count as zero, as everywhere in the engine. */
#ifndef AT_NN_KERNELS_SIMD_MATH_H
#define AT_NN_KERNELS_SIMD_MATH_H

#include "nn/kernels/simd/vec.h"

/* x = n ln 2 + r with n an integer and |r| <= ln 2 / 2: returns r, and what n + 127 are the low bits
 * of. For |x| < 2^15. */
static inline vf v_reduce(vf x, vf *shifted) {
    const float round = 0x1.8p23f + 127; /* adding it leaves n + 127 in the low bits */
    *shifted = x * 0x1.715476p0f + round;
    vf n = *shifted - round;
    return x - n * 0x1.63p-1f + n * 0x1.bd0106p-13f; /* ln 2 in two parts, the first short */
}

/* (e^r - 1 - r) / r^2, by a polynomial (minimax, 3e-9). */
static inline vf v_expm1_tail(vf r) {
    vf q = r * 0x1.6db4e4p-10f + 0x1.123be0p-7f;
    q = q * r + 0x1.55545ep-5f;
    q = q * r + 0x1.55548ep-3f;
    return q * r + 0.5f;
}

/* e^x - 1 = 2^n p + (2^n - 1): returns p, and 2^n. For -126 ln 2 <= x <= 88. */
static inline vf v_reduced_expm1(vf x, vf *power) {
    vf shifted, r = v_reduce(x, &shifted);
    *power = (vf)((vi)shifted << 23);
    return r * r * v_expm1_tail(r) + r;
}

/* e^x for x <= 88. Below 2^-126 it is 0 (with AVX-512 where denormals are flushed, as in every
 * worker); NaN stays. */
static inline vf v_exp(vf x) {
#if defined(__AVX512F__)
    vf shifted, r = v_reduce(v_max(v_set1(-104), x), &shifted);
    vf p = (v_expm1_tail(r) * r + 1.0f) * r + 1.0f, n = shifted - (0x1.8p23f + 127);
    return (vf)_mm512_scalef_ps((__m512)p, (__m512)n);
#else
    const vf low = v_set1(-87.3365f);
    vf power, p = v_reduced_expm1(v_max(low, x), &power) + 1.0f;
    return (vf)((vi)(p * power) & ~(x < low));
#endif
}

/* e^x - 1 for x <= 88, as exact near zero as elsewhere. */
static inline vf v_expm1(vf x) {
    vf power, p = v_reduced_expm1(v_max(v_set1(-40), x), &power);
    return power * p + (power - 1.0f);
}

/* log x = e ln 2 + log m with m in sqrt(1/2) .. sqrt(2), and log m = 2 atanh(s), s = f / (2 + f),
 * f = m - 1, through its series in s^2 (minimax, 1e-12). log 0 is -infinity, of negative numbers
 * NaN. */
static inline vf v_log(vf x) {
    const int32_t root_half = 0x3f3504f3;
    vi e = ((vi)x - root_half) >> 23;
    vf f = (vf)((vi)x - (e << 23)) - 1.0f;
    vf n = __builtin_convertvector(e, vf);
    vf s = f / (f + 2.0f), z = s * s;
    vf r = z * 0x1.e4be4ep-3f + 0x1.242b10p-2f;
    r = r * z + 0x1.999abcp-2f;
    r = r * z + 0x1.555554p-1f;
    vf y = n * 0x1.63p-1f + (f - (s * (f - z * r) + n * 0x1.bd0106p-13f));
    y = v_select(x < 0x1p-126f, v_set1(-INFINITY), y);
    y = v_select(x < 0, v_set1(NAN), y);
    return v_select((x == INFINITY) | (x != x), x, y);
}

#endif
