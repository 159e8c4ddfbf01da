/* SPDX-License-Identifier: MIT */
/* Exponentials and the like in single precision, written as plain arithmetic without branches or
 * calls, so that a loop over floats that uses them is vectorised whole. Errors, measured by the
 * tests against double: exp and expm1 below 2 units in the last place, sigmoid and tanh below 4.
 * A NaN stays one. */
#ifndef AT_NN_KERNELS_SIMD_EXP_H
#define AT_NN_KERNELS_SIMD_EXP_H

#include <stdint.h>
#include <string.h>

#define AT_INLINE static inline __attribute__((always_inline))

/* Differences of bit patterns go through unsigned: those of a NaN may overflow. */
AT_INLINE int32_t x_bits(float x) {
    int32_t i;
    memcpy(&i, &x, sizeof i);
    return i;
}
AT_INLINE float x_float(int32_t i) {
    float x;
    memcpy(&x, &i, sizeof x);
    return x;
}
/* 2^e for -126 <= e <= 127. */
AT_INLINE float x_pow2(int32_t e) {
    return x_float((int32_t)(((uint32_t)e + 127u) << 23));
}

/* x = n ln 2 + r with |r| <= ln 2 / 2; returns e^r - 1 by a minimax polynomial of relative error
 * 1.4e-8. ln 2 is subtracted in two parts, the first short enough for an exact product. Adding
 * 1.5 * 2^23 rounds to an integer, which then stands in the low bits. */
AT_INLINE float x_reduced_expm1(float x, int32_t *n) {
    float shifted = x * 0x1.715476p0f + 0x1.8p23f;
    float whole = shifted - 0x1.8p23f;
    float r = x - whole * 0x1.63p-1f;
    r = r + whole * 0x1.bd0106p-13f;
    *n = (int32_t)((uint32_t)x_bits(shifted) - (uint32_t)x_bits(0x1.8p23f));
    float q = 0x1.6d99bep-10f;
    q = q * r + 0x1.12288p-7f;
    q = q * r + 0x1.555486p-5f;
    q = q * r + 0x1.5554aep-3f;
    q = q * r + 0.5f;
    return r + r * r * q;
}

/* The power of two goes on in two steps, each in range, so that results overflow to infinity and
 * fade to zero as they should. */
AT_INLINE float x_exp(float x) {
    int32_t n;
    x = x < -110 ? -110 : x;
    x = x > 90 ? 90 : x;
    float p = 1 + x_reduced_expm1(x, &n);
    return p * x_pow2(n >> 1) * x_pow2(n - (n >> 1));
}

/* e^x - 1 without cancellation, for x <= 80. */
AT_INLINE float x_expm1(float x) {
    int32_t n;
    x = x < -40 ? -40 : x;
    float p = x_reduced_expm1(x, &n), s = x_pow2(n);
    return s * p + (s - 1);
}

AT_INLINE float x_sigmoid(float x) {
    return 1 / (1 + x_exp(-x));
}

/* tanh |x| = -t / (2 + t) with t = e^(-2|x|) - 1; then the sign of x. */
AT_INLINE float x_tanh(float x) {
    float t = x_expm1(-2 * x_float(x_bits(x) & INT32_MAX));
    float y = t / (2 + t);
    return x_float((x_bits(y) & INT32_MAX) | (x_bits(x) & INT32_MIN));
}

/* ln x for normal x > 0: x = 2^n m with sqrt(1/2) <= m < sqrt(2), and
 * ln m = 2 (s + s^3 / 3 + s^5 / 5 + ...) with s = (m - 1) / (m + 1). */
AT_INLINE float x_log(float x) {
    int32_t n = (int32_t)((uint32_t)x_bits(x) - (uint32_t)x_bits(0x1.6a09e6p-1f)) >> 23;
    float m = x_float((int32_t)((uint32_t)x_bits(x) - ((uint32_t)n << 23)));
    float s = (m - 1) / (m + 1), z = s * s;
    float p = 1 / 11.0f;
    p = p * z + 1 / 9.0f;
    p = p * z + 1 / 7.0f;
    p = p * z + 1 / 5.0f;
    p = p * z + 1 / 3.0f;
    return (float)n * 0x1.62e43p-1f + (2 * s + 2 * s * z * p - (float)n * 0x1.05c61p-29f);
}

#endif
