/* SPDX-License-Identifier: MIT */
/* Elementary functions on vectors of floats, within 1.1 units in the last place, without tables.
 * Denormal results are zero and denormal arguments count as zero, as everywhere in the engine. */
#ifndef AT_NN_KERNELS_SIMD_MATH_H
#define AT_NN_KERNELS_SIMD_MATH_H

#include "nn/kernels/simd/vec.h"

/* e^x for x <= 88: 2^n e^r with n the integer next to x / ln 2, so that |r| <= ln 2 / 2, where a
 * polynomial (minimax for (e^r - 1 - r) / r^2, 3e-9) does. Below 2^-126 it is 0; NaN stays. */
static inline vf v_exp(vf x) {
    const float round = 0x1.8p23f + 127; /* adding it leaves n + 127 in the low bits */
    const vf low = v_set1(-87.3365f);
    vf t = v_max(low, x);
    vf shifted = t * 0x1.715476p0f + round;
    vf n = shifted - round;
    vf r = t - n * 0x1.63p-1f + n * 0x1.bd0106p-13f; /* ln 2 in two parts, the first short */
    vf q = r * 0x1.6db4e4p-10f + 0x1.123be0p-7f;
    q = q * r + 0x1.55545ep-5f;
    q = q * r + 0x1.55548ep-3f;
    q = q * r + 0.5f;
    vf p = (r * r * q + r) + 1.0f;
    vf y = p * (vf)((vi)shifted << 23);
    return (vf)((vi)y & ~(x < low));
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
