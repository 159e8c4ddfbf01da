/* SPDX-License-Identifier: MIT */
/* Between float and bfloat16. */
#include "nn/kernels/ref/ref.h"

void at_widen_ref(float *out, const uint16_t *x, ptrdiff_t ld, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++) out[r * cols + j] = at_bf16_widened(x[r * ld + j]);
}

void at_narrow_ref(uint16_t *out, ptrdiff_t ld, const float *x, int64_t rows, int64_t cols) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++) out[r * ld + j] = at_bf16_narrowed(x[r * cols + j]);
}
