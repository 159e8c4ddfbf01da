/* SPDX-License-Identifier: MIT */
/* What the pointwise kernels compute, one element at a time and in double. */
#include <math.h>

#include "nn/kernels/ref/ref.h"

#define AT(run, r, j) (run).data[(r) * (run).ld + (j)]

/* Every element of `out` from u, the element of `in`. */
#define EACH(value)                                                                                \
    for (int64_t r = 0; r < rows; r++)                                                             \
        for (int64_t j = 0; j < cols; j++) {                                                       \
            double u = AT(in, r, j);                                                               \
            AT(out, r, j) = (float)(value);                                                        \
        }

/* Every element of `d_in` from g, the gradient that arrives, and v, the element of `out`. */
#define EACH_GRADIENT(value)                                                                       \
    for (int64_t r = 0; r < rows; r++)                                                             \
        for (int64_t j = 0; j < cols; j++) {                                                       \
            double g = AT(d_out, r, j), v = AT(out, r, j), before = add ? AT(d_in, r, j) : 0;      \
            AT(d_in, r, j) = (float)(before + (value));                                            \
        }

void at_relu_ref(at_rows out, at_rows in, int64_t rows, int64_t cols) {
    EACH(u < 0 ? 0 : u)
}

void at_drelu_ref(at_rows d_in, at_rows d_out, at_rows out, int64_t rows, int64_t cols, bool add) {
    EACH_GRADIENT(v > 0 ? g : 0)
}

void at_leaky_relu_ref(at_rows out, at_rows in, float slope, int64_t rows, int64_t cols) {
    EACH(u > 0 ? u : u * slope)
}

void at_dleaky_relu_ref(at_rows d_in, at_rows d_out, at_rows out, float slope, int64_t rows,
                        int64_t cols, bool add) {
    EACH_GRADIENT(v > 0 ? g : g * slope)
}

void at_elu_ref(at_rows out, at_rows in, float alpha, int64_t rows, int64_t cols) {
    EACH(u > 0 ? u : alpha * expm1(u))
}

void at_delu_ref(at_rows d_in, at_rows d_out, at_rows out, float alpha, int64_t rows, int64_t cols,
                 bool add) {
    EACH_GRADIENT(v > 0 ? g : g * (v + alpha))
}

void at_sigmoid_ref(at_rows out, at_rows in, int64_t rows, int64_t cols) {
    EACH(1 / (1 + exp(-u)))
}

void at_dsigmoid_ref(at_rows d_in, at_rows d_out, at_rows out, int64_t rows, int64_t cols,
                     bool add) {
    EACH_GRADIENT(g * v * (1 - v))
}

void at_tanh_ref(at_rows out, at_rows in, int64_t rows, int64_t cols) {
    EACH(tanh(u))
}

void at_dtanh_ref(at_rows d_in, at_rows d_out, at_rows out, int64_t rows, int64_t cols, bool add) {
    EACH_GRADIENT(g * (1 - v * v))
}

void at_prelu_ref(at_rows out, at_rows in, const float *w, int64_t rows, int64_t cols) {
    EACH(u > 0 ? u : u * w[j])
}

void at_dprelu_ref(at_rows d_in, float *dw, at_rows d_out, at_rows in, const float *w, int64_t rows,
                   int64_t cols, bool add) {
    for (int64_t j = 0; j < cols; j++) {
        double sum = 0;
        for (int64_t r = 0; r < rows; r++)
            if (!(AT(in, r, j) > 0)) sum += (double)AT(in, r, j) * AT(d_out, r, j);
        dw[j] = (float)sum;
    }
    if (d_in.data == NULL) return;
    at_rows out = in;
    EACH_GRADIENT(v > 0 ? g : g * w[j])
}

void at_copy_ref(at_rows out, at_rows in, int64_t rows, int64_t cols, bool add) {
    EACH(add ? AT(out, r, j) + u : u)
}

void at_add_ref(at_rows out, at_rows in, at_rows other, int64_t rows, int64_t cols, bool relu) {
    EACH(relu && u + AT(other, r, j) < 0 ? 0 : u + AT(other, r, j))
}

void at_mul_ref(at_rows out, at_rows in, at_rows other, int64_t rows, int64_t cols, bool add) {
    EACH((add ? AT(out, r, j) : 0) + u * AT(other, r, j))
}

void at_column_dots_ref(float *sum, at_rows in, at_rows other, int64_t rows, int64_t cols) {
    for (int64_t j = 0; j < cols; j++) {
        double dot = 0;
        for (int64_t r = 0; r < rows; r++) dot += (double)AT(in, r, j) * AT(other, r, j);
        sum[j] = (float)dot;
    }
}
