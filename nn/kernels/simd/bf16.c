/* SPDX-License-Identifier: MIT */
/* Between float and bfloat16. Plain loops: the compiler makes vectors of them, and whatever the
 * level and the place in a row, the bits are the same. */
#include "nn/kernels/bf16.h"
#include "nn/kernels/simd/vec.h"

static void widen_row(float *out, const uint16_t *x, int64_t count) {
    for (int64_t j = 0; j < count; j++) out[j] = at_bf16_widened(x[j]);
}

static void narrow_row(uint16_t *out, const float *x, int64_t count) {
    for (int64_t j = 0; j < count; j++) out[j] = at_bf16_narrowed(x[j]);
}

void K(widen)(float *out, const uint16_t *x, ptrdiff_t ld, int64_t rows, int64_t cols) {
    if (ld == cols) {
        widen_row(out, x, rows * cols);
        return;
    }
    for (int64_t r = 0; r < rows; r++) widen_row(out + r * cols, x + r * ld, cols);
}

void K(narrow)(uint16_t *out, ptrdiff_t ld, const float *x, int64_t rows, int64_t cols) {
    if (ld == cols) {
        narrow_row(out, x, rows * cols);
        return;
    }
    for (int64_t r = 0; r < rows; r++) narrow_row(out + r * ld, x + r * cols, cols);
}
