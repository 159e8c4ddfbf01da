/* SPDX-License-Identifier: MIT */
/* Normalisation by channel: statistics, their gradients, and the affine pass. Sums over a run are
 * kept in fp32, four pixels at a time; callers keep runs to about a thousand pixels and combine
 * them in double (layers/moments.h). Loops are plain; the compiler makes vectors of channels. */
#include "nn/kernels/simd/vec.h"

#define INLINE static inline __attribute__((always_inline))
#define FOR_COLS _Pragma("GCC ivdep") for (int64_t j = 0; j < cols; j++)

/* Deviations are taken from the first pixel, so that a mean far from zero does not cancel. */
void K(moments)(float *restrict mean, float *restrict m2, at_rows in, int64_t rows, int64_t cols) {
    const float *restrict first = in.data, *x = in.data;
    ptrdiff_t ld = in.ld;
    int64_t r = 0;
    memset(mean, 0, (size_t)cols * sizeof *mean);
    memset(m2, 0, (size_t)cols * sizeof *m2);
    for (; r + 4 <= rows; r += 4, x += 4 * ld) FOR_COLS {
            float a = x[j] - first[j], b = x[ld + j] - first[j];
            float c = x[2 * ld + j] - first[j], d = x[3 * ld + j] - first[j];
            mean[j] += (a + b) + (c + d);
            m2[j] += (a * a + b * b) + (c * c + d * d);
        }
    for (; r < rows; r++, x += ld) FOR_COLS {
            float a = x[j] - first[j];
            mean[j] += a;
            m2[j] += a * a;
        }
    float part = 1 / (float)rows;
    FOR_COLS {
        float sum = mean[j], spread = m2[j] - sum * sum * part;
        m2[j] = spread > 0 ? spread : 0;
        mean[j] = first[j] + sum * part;
    }
}

INLINE void affine(at_rows out, at_rows in, const float *scale, const float *shift, int64_t rows,
                   int64_t cols, bool relu) {
    for (int64_t r = 0; r < rows; r++) {
        float *y = out.data + r * out.ld;
        const float *x = in.data + r * in.ld;
        FOR_COLS {
            float v = x[j] * scale[j] + shift[j];
            y[j] = relu && v < 0 ? 0 : v;
        }
    }
}

void K(scale_shift)(at_rows out, at_rows in, const float *scale, const float *shift, int64_t rows,
                    int64_t cols, bool relu) {
    if (relu)
        affine(out, in, scale, shift, rows, cols, true);
    else
        affine(out, in, scale, shift, rows, cols, false);
}

/* What arrives behind the ReLU: dy where the output was positive. The output is computed again
 * rather than read: its sign comes from the same operations as in forward. */
INLINE float behind(float dy, float x, float scale, float shift, bool relu) {
    return relu && !(x * scale + shift > 0) ? 0 : dy;
}

INLINE void sums(float *restrict sum, float *restrict dot, at_rows d_out, at_rows in,
                 const at_dnorm *p, int64_t rows, int64_t cols, bool relu) {
    const float *mean = p->mean, *scale = p->scale, *shift = p->shift;
    const float *x = in.data, *dy = d_out.data;
    ptrdiff_t ld = in.ld, d_ld = d_out.ld;
    int64_t r = 0;
    memset(sum, 0, (size_t)cols * sizeof *sum);
    memset(dot, 0, (size_t)cols * sizeof *dot);
    for (; r + 2 <= rows; r += 2, x += 2 * ld, dy += 2 * d_ld) FOR_COLS {
            float x0 = x[j], x1 = x[ld + j];
            float g0 = behind(dy[j], x0, scale[j], shift[j], relu);
            float g1 = behind(dy[d_ld + j], x1, scale[j], shift[j], relu);
            sum[j] += g0 + g1;
            dot[j] += g0 * (x0 - mean[j]) + g1 * (x1 - mean[j]);
        }
    for (; r < rows; r++, x += ld, dy += d_ld) FOR_COLS {
            float g = behind(dy[j], x[j], scale[j], shift[j], relu);
            sum[j] += g;
            dot[j] += g * (x[j] - mean[j]);
        }
}

void K(dnorm_sums)(float *sum, float *dot, at_rows d_out, at_rows in, const at_dnorm *p,
                   int64_t rows, int64_t cols) {
    if (p->relu)
        sums(sum, dot, d_out, in, p, rows, cols, true);
    else
        sums(sum, dot, d_out, in, p, rows, cols, false);
}

INLINE void gradient(at_rows d_in, at_rows d_out, at_rows in, const at_dnorm *p, int64_t rows,
                     int64_t cols, bool relu, bool add) {
    const float *mean = p->mean, *scale = p->scale, *shift = p->shift;
    const float *slope = p->slope, *offset = p->offset;
    for (int64_t r = 0; r < rows; r++) {
        float *dx = d_in.data + r * d_in.ld;
        const float *dy = d_out.data + r * d_out.ld, *x = in.data + r * in.ld;
        FOR_COLS {
            float g = behind(dy[j], x[j], scale[j], shift[j], relu);
            float v = scale[j] * g + (slope[j] * (x[j] - mean[j]) + offset[j]);
            dx[j] = add ? dx[j] + v : v;
        }
    }
}

void K(dnorm)(at_rows d_in, at_rows d_out, at_rows in, const at_dnorm *p, int64_t rows,
              int64_t cols, bool add) {
    if (p->relu && add)
        gradient(d_in, d_out, in, p, rows, cols, true, true);
    else if (p->relu)
        gradient(d_in, d_out, in, p, rows, cols, true, false);
    else if (add)
        gradient(d_in, d_out, in, p, rows, cols, false, true);
    else
        gradient(d_in, d_out, in, p, rows, cols, false, false);
}
