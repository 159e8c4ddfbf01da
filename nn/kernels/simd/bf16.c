/* SPDX-License-Identifier: MIT */
/* Between float and bfloat16: whatever the level and the place in a row, the bits are the same. */
#include "nn/kernels/bf16.h"
#include "nn/kernels/simd/vec.h"

static void widen_row(float *out, const uint16_t *x, int64_t count) {
    int64_t j = 0;
    for (; j + VW <= count; j += VW) v_store(out + j, v_load_any(x + j, VW, true));
    for (; j < count; j++) out[j] = at_bf16_widened(x[j]);
}

static void narrow_row(uint16_t *out, const float *x, int64_t count) {
    int64_t j = 0;
    for (; j + VW <= count; j += VW) v_store_any(out + j, v_load(x + j), VW, true);
    for (; j < count; j++) out[j] = at_bf16_narrowed(x[j]);
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

/* ---- weights in pairs ---- */

static uint32_t pair(float first, float second) {
    return at_bf16_narrowed(first) | (uint32_t)at_bf16_narrowed(second) << 16;
}

/* Rows lie as they are needed: one loop over columns. */
static void pack_rows(uint32_t *out, const float *x, ptrdiff_t row, const float *scale, int n) {
    if (scale == NULL)
        for (int j = 0; j < n; j++) out[j] = pair(x[j], x[row + j]);
    else
        for (int j = 0; j < n; j++) out[j] = pair(x[j] * scale[j], x[row + j] * scale[j]);
}

/* Or columns do, and are read along their length. */
static void pack_columns(uint32_t *out, int nr, const float *x, ptrdiff_t col, const float *scale,
                         int k, int n) {
    for (int j = 0; j < n; j++) {
        float by = scale != NULL ? scale[j] : 1;
        for (int l = 0; l < k; l += 2)
            out[l / 2 * nr + j] = pair(x[j * col + l] * by, x[j * col + l + 1] * by);
    }
}

void K(pack_pairs)(uint16_t *out, int nr, const float *x, ptrdiff_t row, ptrdiff_t col,
                   const float *scale, int k, int n) {
    uint32_t *both = (uint32_t *)(void *)out;
    for (int l = 0; l < k / 2 && n < nr; l++)
        memset(both + l * nr + n, 0, (size_t)(nr - n) * sizeof *both);
    if (row == 1) {
        pack_columns(both, nr, x, col, scale, k, n);
        return;
    }
    for (int l = 0; l < k; l += 2) pack_rows(both + l / 2 * nr, x + l * row, row, scale, n);
}

void K(pair_rows)(uint32_t *out, ptrdiff_t out_ld, const uint16_t *x, ptrdiff_t ld, int rows,
                  int cols) {
    int i = 0;
    for (; i + 1 < rows; i += 2, out += out_ld, x += 2 * ld)
        for (int j = 0; j < cols; j++) out[j] = x[j] | (uint32_t)x[ld + j] << 16;
    if (i < rows)
        for (int j = 0; j < cols; j++) out[j] = x[j];
}
