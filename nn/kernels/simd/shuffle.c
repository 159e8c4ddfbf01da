/* SPDX-License-Identifier: MIT */
/* Transposition, in blocks of VW x VW in registers; and pixel shuffle and its transpose, which
 * transpose a c x q matrix for every pixel. */
#include "nn/kernels/simd/transpose.h"

#define INLINE static inline __attribute__((always_inline))

/* Up to VW rows of up to VW columns; row i at place[i], or `row` floats apart. */
INLINE void load_rows(vf m[VW], const float *from, const ptrdiff_t *place, ptrdiff_t row, int rows,
                      int columns) {
#pragma GCC unroll 16
    for (int i = 0; i < VW; i++)
        m[i] = i < rows ? v_load_n(from + (place ? place[i] : i * row), columns) : (vf){0};
}

INLINE void transpose_block(float *out, ptrdiff_t out_ld, const float *x, ptrdiff_t ld, int rows,
                            int cols) {
    vf m[VW];
    load_rows(m, x, NULL, ld, rows, cols);
    v_transpose(m);
#pragma GCC unroll 16
    for (int j = 0; j < VW; j++)
        if (j < cols) v_store_n(out + j * out_ld, m[j], rows);
}

void K(transpose)(float *out, ptrdiff_t out_ld, const float *x, ptrdiff_t ld, int rows, int cols) {
    for (int j = 0; j < cols; j += VW)
        for (int i = 0; i < rows; i += VW) {
            int r = rows - i < VW ? rows - i : VW, c = cols - j < VW ? cols - j : VW;
            float *to = out + j * out_ld + i;
            const float *from = x + i * ld + j;
            if (r == VW && c == VW)
                transpose_block(to, out_ld, from, ld, VW, VW);
            else
                transpose_block(to, out_ld, from, ld, r, c);
        }
}

INLINE void block(float *out, const ptrdiff_t *place, const float *x, int q, int rows,
                  int columns) {
    vf m[VW];
    load_rows(m, x, NULL, q, rows, columns);
    v_transpose(m);
#pragma GCC unroll 16
    for (int k = 0; k < VW; k++)
        if (k < columns) v_store_n(out + place[k], m[k], rows);
}

INLINE void shuffle_pixel(float *out, const ptrdiff_t *place, const float *x, int c, int q) {
    for (int j = 0; j < c; j += VW)
        for (int k = 0; k < q; k += VW)
            block(out + j, place + k, x + (ptrdiff_t)j * q + k, q, c - j < VW ? c - j : VW,
                  q - k < VW ? q - k : VW);
}

void K(pixel_shuffle)(float *out, ptrdiff_t step, const ptrdiff_t *place, const float *x,
                      ptrdiff_t ld, int64_t pixels, int c, int q) {
    for (int64_t p = 0; p < pixels; p++)
        if (q == 4)
            shuffle_pixel(out + p * step, place, x + p * ld, c, 4);
        else
            shuffle_pixel(out + p * step, place, x + p * ld, c, q);
}

INLINE void back_block(float *dx, const float *dy, const ptrdiff_t *place, int q, int rows,
                       int columns, bool add) {
    vf m[VW];
    load_rows(m, dy, place, 0, columns, rows);
    v_transpose(m);
#pragma GCC unroll 16
    for (int j = 0; j < VW; j++) {
        if (j >= rows) break;
        float *to = dx + (ptrdiff_t)j * q;
        v_store_n(to, add ? v_load_n(to, columns) + m[j] : m[j], columns);
    }
}

INLINE void back_pixel(float *dx, const float *dy, const ptrdiff_t *place, int c, int q, bool add) {
    for (int j = 0; j < c; j += VW)
        for (int k = 0; k < q; k += VW)
            back_block(dx + (ptrdiff_t)j * q + k, dy + j, place + k, q, c - j < VW ? c - j : VW,
                       q - k < VW ? q - k : VW, add);
}

void K(dpixel_shuffle)(float *dx, ptrdiff_t ld, const float *dy, ptrdiff_t step,
                       const ptrdiff_t *place, int64_t pixels, int c, int q, bool add) {
    for (int64_t p = 0; p < pixels; p++)
        if (q == 4)
            back_pixel(dx + p * ld, dy + p * step, place, c, 4, add);
        else
            back_pixel(dx + p * ld, dy + p * step, place, c, q, add);
}
