/* SPDX-License-Identifier: MIT */
/* bfloat16: the upper half of a float. Rounding is to the nearest, ties to even; a NaN stays one. */
#include <math.h>
#include <string.h>

#include "nn/kernels/ref/ref.h"

static float widened(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static uint16_t narrowed(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (isnan(x)) return (uint16_t)(bits >> 16 | 0x40u);
    uint32_t rest = bits & 0xffffu, even = bits >> 16 & 1u;
    return (uint16_t)((bits >> 16) + (rest > 0x8000u || (rest == 0x8000u && even)));
}

void at_widen_ref(float *out, const uint16_t *x, ptrdiff_t ld, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++) out[r * cols + j] = widened(x[r * ld + j]);
}

void at_narrow_ref(uint16_t *out, ptrdiff_t ld, const float *x, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++) out[r * ld + j] = narrowed(x[r * cols + j]);
}
