/* SPDX-License-Identifier: MIT */
/* What the normalisation kernels compute, a column at a time and in double. */
#include <math.h>

#include "nn/kernels/ref/ref.h"

#define AT(run, r, j) (run).data[(r) * (run).ld + (j)]

void at_moments_ref(float *mean, float *m2, at_rows x, int64_t rows, int64_t cols) {
    for (int64_t j = 0; j < cols; j++) {
        double sum = 0, spread = 0;
        for (int64_t r = 0; r < rows; r++) sum += AT(x, r, j);
        double m = sum / (double)rows;
        for (int64_t r = 0; r < rows; r++) spread += (AT(x, r, j) - m) * (AT(x, r, j) - m);
        mean[j] = (float)m;
        m2[j] = (float)spread;
    }
}

void at_scale_shift_ref(at_rows y, at_rows x, const float *scale, const float *shift, int64_t rows,
                        int64_t cols, bool relu, bool stream) {
    (void)stream;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++) {
            double v = (double)AT(x, r, j) * scale[j] + shift[j];
            AT(y, r, j) = (float)(relu && v < 0 ? 0 : v);
        }
}

static double arrives(const at_dnorm *p, float dy, float x, int64_t j) {
    return p->relu && !((double)x * p->scale[j] + p->shift[j] > 0) ? 0 : dy;
}

void at_dnorm_sums_ref(float *sum, float *dot, at_rows dy, at_rows x, const at_dnorm *p,
                       int64_t rows, int64_t cols) {
    for (int64_t j = 0; j < cols; j++) {
        double s = 0, d = 0;
        for (int64_t r = 0; r < rows; r++) {
            double g = arrives(p, AT(dy, r, j), AT(x, r, j), j);
            s += g;
            d += g * ((double)AT(x, r, j) - p->mean[j]);
        }
        sum[j] = (float)s;
        dot[j] = (float)d;
    }
}

void at_dnorm_ref(at_rows dx, at_rows dy, at_rows x, const at_dnorm *p, int64_t rows, int64_t cols,
                  bool add) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++) {
            double g = arrives(p, AT(dy, r, j), AT(x, r, j), j);
            double v =
                p->scale[j] * g + p->slope[j] * ((double)AT(x, r, j) - p->mean[j]) + p->offset[j];
            AT(dx, r, j) = (float)(add ? AT(dx, r, j) + v : v);
        }
}
