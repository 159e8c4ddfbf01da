/* SPDX-License-Identifier: MIT */
/* Local response normalisation. A pixel's channels go through a work row with zeros at both ends,
 * so that the sum over a window is a sum of shifted rows, without a special case at the borders.
 * The power is exp(-beta log s): s lies between k and some thousands, where that is exact to a few
 * units in the last place. */
#include "nn/kernels/simd/exp.h"
#include "nn/kernels/simd/vec.h"

#define FOR_COLS _Pragma("GCC ivdep") for (int64_t j = 0; j < cols; j++)

/* s[j] = start + factor * sum over i < size of row[j + i]. */
AT_INLINE void window(float *restrict s, const float *restrict row, int size, float start,
                      float factor, int64_t cols) {
    FOR_COLS s[j] = row[j];
    for (int i = 1; i < size; i++) FOR_COLS s[j] += row[j + i];
    FOR_COLS s[j] = start + factor * s[j];
}

AT_INLINE float power(float s, float beta) {
    return x_exp(-beta * x_log(s));
}

void K(lrn)(at_rows out, at_rows in, const at_lrn *p, float *work, int64_t rows, int64_t cols) {
    int size = p->before + 1 + p->after;
    float *row = work, *s = work + cols + size - 1, beta = p->beta;
    memset(row, 0, (size_t)(cols + size - 1) * sizeof *row);
    for (int64_t r = 0; r < rows; r++) {
        float *y = out.data + r * out.ld;
        const float *x = in.data + r * in.ld;
        FOR_COLS row[p->before + j] = x[j] * x[j];
        window(s, row, size, p->k, p->alpha, cols);
        FOR_COLS y[j] = x[j] * power(s[j], beta);
    }
}

/* The first window gives s, the second, mirrored, gathers what the neighbours pass back. In between
 * t = s^-beta takes the place of s, and dy x s^(-beta - 1) that of the squares. */
void K(dlrn)(at_rows d_in, at_rows d_out, at_rows in, const at_lrn *p, float *work, int64_t rows,
             int64_t cols, bool add) {
    int size = p->before + 1 + p->after;
    float *row = work, *t = work + cols + size - 1, beta = p->beta;
    for (int64_t r = 0; r < rows; r++) {
        float *dx = d_in.data + r * d_in.ld;
        const float *x = in.data + r * in.ld, *dy = d_out.data + r * d_out.ld;
        memset(row, 0, (size_t)(cols + size - 1) * sizeof *row);
        FOR_COLS row[p->before + j] = x[j] * x[j];
        window(t, row, size, p->k, p->alpha, cols);
        memset(row, 0, (size_t)(cols + size - 1) * sizeof *row);
        FOR_COLS {
            float s = t[j];
            t[j] = power(s, beta);
            row[p->after + j] = dy[j] * x[j] * t[j] / s;
        }
        FOR_COLS {
            float v = dy[j] * t[j];
            dx[j] = add ? dx[j] + v : v;
        }
        window(t, row, size, 0, -2 * p->alpha * beta, cols);
        FOR_COLS dx[j] += x[j] * t[j];
    }
}
