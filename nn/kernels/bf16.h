/* SPDX-License-Identifier: MIT */
/* bfloat16 is the upper half of a float. */
#ifndef AT_NN_KERNELS_BF16_H
#define AT_NN_KERNELS_BF16_H

#include <stdint.h>
#include <string.h>

static inline float at_bf16_widened(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

/* To the nearest, ties to even: adding half of the last place, less one unit of the float where it
 * is even, carries exactly when rounding goes up. A NaN stays one. */
static inline uint16_t at_bf16_narrowed(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t rounded = (bits + 0x7fffu + (bits >> 16 & 1u)) >> 16, quiet = bits >> 16 | 0x40u;
    return (uint16_t)(x != x ? quiet : rounded);
}

#endif
