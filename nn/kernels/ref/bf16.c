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

void at_pack_pairs_ref(uint16_t *out, int nr, const float *x, ptrdiff_t row, ptrdiff_t col,
                       const float *scale, int k, int n) {
    for (int l = 0; l < k; l++)
        for (int j = 0; j < nr; j++) {
            float v = j < n ? x[l * row + j * col] : 0;
            out[(l / 2 * nr + j) * 2 + l % 2] = at_bf16_narrowed(scale && j < n ? v * scale[j] : v);
        }
}

void at_pair_rows_ref(uint32_t *out, ptrdiff_t out_ld, const uint16_t *x, ptrdiff_t ld, int rows,
                      int cols) {
    for (int i = 0; i < rows; i += 2)
        for (int j = 0; j < cols; j++) {
            uint32_t second = i + 1 < rows ? x[(i + 1) * ld + j] : 0;
            out[i / 2 * out_ld + j] = x[i * ld + j] | second << 16;
        }
}
