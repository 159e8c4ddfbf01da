/* SPDX-License-Identifier: MIT */
/* Activations and element-wise arithmetic. Most loops are plain: the compiler makes vectors of
 * them, with narrower ones for the rest of a row, and every element gets the same arithmetic
 * wherever it stands. ROW gives the r-th row of a run. */
#include "nn/kernels/simd/math.h"

#define ROW(run, r) ((run).data + (r) * (run).ld)
#define FOR_ROWS for (int64_t r = 0; r < rows; r++)
/* dx may be dy, element by element, hence ivdep and not restrict. */
#define FOR_COLS _Pragma("GCC ivdep") for (int64_t j = 0; j < cols; j++)

/* A choice whose two sides are both evaluated, so that no load hangs on a condition. */
static inline float pick(bool first, float a, float b) {
    return first ? a : b;
}

/* y[j] = value, where the value is made from u = x[j]. */
#define UNARY(value)                                                                               \
    FOR_ROWS {                                                                                     \
        float *y = ROW(out, r);                                                                    \
        const float *x = ROW(in, r);                                                               \
        FOR_COLS {                                                                                 \
            float u = x[j];                                                                        \
            y[j] = value;                                                                          \
        }                                                                                          \
    }

/* The same with vectors: v_value is made from u, VW elements of x or what is left of them. */
#define UNARY_V(v_value)                                                                           \
    FOR_ROWS {                                                                                     \
        float *y = ROW(out, r);                                                                    \
        const float *x = ROW(in, r);                                                               \
        int64_t j = 0;                                                                             \
        for (; j + VW <= cols; j += VW) {                                                          \
            vf u = v_load(x + j);                                                                  \
            v_store(y + j, v_value);                                                               \
        }                                                                                          \
        if (j < cols) {                                                                            \
            vf u = v_load_n(x + j, (int)(cols - j));                                               \
            v_store_n(y + j, v_value, (int)(cols - j));                                            \
        }                                                                                          \
    }

/* dx[j] = or += value, made from g = dy[j] and v = y[j]. */
#define GRADIENT(value)                                                                            \
    FOR_ROWS {                                                                                     \
        float *dx = ROW(d_in, r);                                                                  \
        const float *dy = ROW(d_out, r), *y = ROW(out, r);                                         \
        if (add) {                                                                                 \
            FOR_COLS {                                                                             \
                float g = dy[j], v = y[j];                                                         \
                dx[j] += value;                                                                    \
            }                                                                                      \
        } else {                                                                                   \
            FOR_COLS {                                                                             \
                float g = dy[j], v = y[j];                                                         \
                dx[j] = value;                                                                     \
            }                                                                                      \
        }                                                                                          \
    }

/* Comparisons are written so that a NaN goes through: a network that has lost its numbers must
 * show. */
void K(relu)(at_rows out, at_rows in, int64_t rows, int64_t cols) {
    UNARY(pick(u < 0, 0, u))
}

void K(drelu)(at_rows d_in, at_rows d_out, at_rows out, int64_t rows, int64_t cols, bool add) {
    GRADIENT(pick(v > 0, g, 0))
}

void K(leaky_relu)(at_rows out, at_rows in, float slope, int64_t rows, int64_t cols) {
    UNARY(pick(u > 0, u, u * slope))
}

void K(dleaky_relu)(at_rows d_in, at_rows d_out, at_rows out, float slope, int64_t rows,
                    int64_t cols, bool add) {
    GRADIENT(pick(v > 0, g, g * slope))
}

void K(elu)(at_rows out, at_rows in, float alpha, int64_t rows, int64_t cols) {
    UNARY_V(v_select(u > 0, u, alpha * v_expm1(v_select(u > 0, (vf){0}, u))))
}

void K(delu)(at_rows d_in, at_rows d_out, at_rows out, float alpha, int64_t rows, int64_t cols,
             bool add) {
    GRADIENT(pick(v > 0, g, g * (v + alpha)))
}

/* Where e^-x would leave the range, the result is as good as zero. */
static inline vf v_sigmoid(vf x) {
    return 1.0f / (1.0f + v_exp(-v_max(v_set1(-88), x)));
}

void K(sigmoid)(at_rows out, at_rows in, int64_t rows, int64_t cols) {
    UNARY_V(v_sigmoid(u))
}

void K(dsigmoid)(at_rows d_in, at_rows d_out, at_rows out, int64_t rows, int64_t cols, bool add) {
    GRADIENT(g * v * (1 - v))
}

/* tanh |x| = -t / (2 + t) with t = e^(-2|x|) - 1; then the sign of x. */
static inline vf v_tanh(vf x) {
    vi sign = (vi)x & INT32_MIN;
    vf t = v_expm1(-2.0f * (vf)((vi)x & INT32_MAX));
    vf y = t / (2.0f + t);
    return (vf)(((vi)y & INT32_MAX) | sign);
}

void K(tanh)(at_rows out, at_rows in, int64_t rows, int64_t cols) {
    UNARY_V(v_tanh(u))
}

void K(dtanh)(at_rows d_in, at_rows d_out, at_rows out, int64_t rows, int64_t cols, bool add) {
    GRADIENT(g * (1 - v) * (1 + v))
}

void K(prelu)(at_rows out, at_rows in, const float *w, int64_t rows, int64_t cols) {
    UNARY(pick(u > 0, u, u * w[j]))
}

void K(dprelu)(at_rows d_in, float *dw, at_rows d_out, at_rows in, const float *w, int64_t rows,
               int64_t cols, bool add) {
    memset(dw, 0, (size_t)cols * sizeof *dw);
    FOR_ROWS {
        const float *x = ROW(in, r), *dy = ROW(d_out, r);
        FOR_COLS dw[j] += pick(x[j] > 0, 0, x[j] * dy[j]);
    }
    if (d_in.data == NULL) return;
    at_rows out = in; /* the sign is the input's */
    GRADIENT(pick(v > 0, g, g * w[j]))
}

/* ---- arithmetic ---- */

enum { SHORT = 16 * VW };

void K(copy)(at_rows out, at_rows in, int64_t rows, int64_t cols, bool add) {
    FOR_ROWS {
        float *y = ROW(out, r);
        const float *x = ROW(in, r);
        if (add) {
            FOR_COLS y[j] += x[j];
        } else if (cols <= SHORT) { /* a call would cost more than the copy */
            int64_t j = 0;
            for (; j + VW <= cols; j += VW) v_store(y + j, v_load(x + j));
            v_store_n(y + j, v_load_n(x + j, (int)(cols - j)), (int)(cols - j));
        } else {
            memcpy(y, x, (size_t)cols * sizeof *y);
        }
    }
}

void K(add)(at_rows out, at_rows in, at_rows other, int64_t rows, int64_t cols, bool relu) {
    FOR_ROWS {
        float *y = ROW(out, r);
        const float *a = ROW(in, r), *b = ROW(other, r);
        if (relu) {
            FOR_COLS {
                float sum = a[j] + b[j];
                y[j] = sum < 0 ? 0 : sum;
            }
        } else {
            FOR_COLS y[j] = a[j] + b[j];
        }
    }
}

void K(mul)(at_rows out, at_rows in, at_rows other, int64_t rows, int64_t cols, bool add) {
    FOR_ROWS {
        float *y = ROW(out, r);
        const float *a = ROW(in, r), *b = ROW(other, r);
        if (add) {
            FOR_COLS y[j] += a[j] * b[j];
        } else {
            FOR_COLS y[j] = a[j] * b[j];
        }
    }
}

void K(column_dots)(float *sum, at_rows in, at_rows other, int64_t rows, int64_t cols) {
    memset(sum, 0, (size_t)cols * sizeof *sum);
    FOR_ROWS {
        const float *a = ROW(in, r), *b = ROW(other, r);
        FOR_COLS sum[j] += a[j] * b[j];
    }
}
