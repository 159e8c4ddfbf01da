/* SPDX-License-Identifier: MIT */
/* Local response normalisation. A pixel's channels go through a work row with zeros at both ends,
 * so that the sum over a window is a sum of shifted rows, without a special case at the borders.
 * The power is exp(-beta log s): s lies between k and some thousands, where that is exact to a few
 * units in the last place. */
#include "nn/kernels/simd/math.h"

#define FOR_COLS _Pragma("GCC ivdep") for (int64_t j = 0; j < cols; j++)

/* s[j] = start + factor * sum over i < size of row[j + i]. */
static inline void window(float *restrict s, const float *restrict row, int size, float start,
                          float factor, int64_t cols) {
    FOR_COLS s[j] = row[j];
    for (int i = 1; i < size; i++) FOR_COLS s[j] += row[j + i];
    FOR_COLS s[j] = start + factor * s[j];
}

/* s^-beta. */
static inline vf power(vf s, float beta) {
    return v_exp(-beta * v_log(s));
}

/* How many of a vector's lanes there are at column j. */
static inline int lanes(int64_t j, int64_t cols) {
    return cols - j < VW ? (int)(cols - j) : VW;
}

void K(lrn)(at_rows out, at_rows in, const at_lrn *p, float *work, int64_t rows, int64_t cols) {
    int size = p->before + 1 + p->after;
    float *row = work, *s = work + cols + size - 1;
    memset(row, 0, (size_t)(cols + size - 1) * sizeof *row);
    for (int64_t r = 0; r < rows; r++) {
        float *y = out.data + r * out.ld;
        const float *x = in.data + r * in.ld;
        FOR_COLS row[p->before + j] = x[j] * x[j];
        window(s, row, size, p->k, p->alpha, cols);
        for (int64_t j = 0; j < cols; j += VW) {
            int n = lanes(j, cols);
            vf v = v_load_n(x + j, n) * power(v_load_n(s + j, n), p->beta);
            v_store_n(y + j, v, n);
        }
    }
}

/* t = s^-beta takes the place of s, and dy x s^(-beta - 1) goes into the middle of `row`. */
static inline void powers(float *t, float *row, const float *x, const float *dy, float beta,
                          int64_t cols) {
    for (int64_t j = 0; j < cols; j += VW) {
        int n = lanes(j, cols);
        vf s = v_load_n(t + j, n), u = power(s, beta);
        v_store_n(t + j, u, n);
        v_store_n(row + j, v_load_n(dy + j, n) * v_load_n(x + j, n) * u / s, n);
    }
}

/* The first window gives s, the second, mirrored, gathers what the neighbours pass back. */
void K(dlrn)(at_rows d_in, at_rows d_out, at_rows in, const at_lrn *p, float *work, int64_t rows,
             int64_t cols, bool add) {
    int size = p->before + 1 + p->after;
    float *row = work, *t = work + cols + size - 1;
    for (int64_t r = 0; r < rows; r++) {
        float *dx = d_in.data + r * d_in.ld;
        const float *x = in.data + r * in.ld, *dy = d_out.data + r * d_out.ld;
        memset(row, 0, (size_t)(cols + size - 1) * sizeof *row);
        FOR_COLS row[p->before + j] = x[j] * x[j];
        window(t, row, size, p->k, p->alpha, cols);
        memset(row, 0, (size_t)(cols + size - 1) * sizeof *row);
        powers(t, row + p->after, x, dy, p->beta, cols);
        FOR_COLS {
            float v = dy[j] * t[j];
            dx[j] = add ? dx[j] + v : v;
        }
        window(t, row, size, 0, -2 * p->alpha * p->beta, cols);
        FOR_COLS dx[j] += x[j] * t[j];
    }
}
