/* SPDX-License-Identifier: MIT */
/* Normalisation by channel: statistics, their gradients, and the affine pass. Sums over a run are
 * kept in fp32, some pixels at a time; callers keep runs to about a thousand pixels and combine
 * them in double (layers/moments.h). Loops are plain; the compiler makes vectors of channels. Where
 * few channels fill no whole number of vectors, several pixels are taken abreast, as if they were
 * one pixel of more channels. */
#include "nn/kernels/simd/vec.h"

#define INLINE static inline __attribute__((always_inline))
#define FOR_COLS _Pragma("GCC ivdep") for (int64_t j = 0; j < cols; j++)

/* ---- pixels abreast ---- */

enum { WIDE = 1024, NARROW = 64 }; /* floats: at most of pixels abreast, at least of them */

/* How many: as few as fill whole vectors and make a loop worth while. */
static int64_t abreast(int64_t rows, int64_t cols, bool dense) {
    int64_t n = 1;
    if (!dense || cols >= NARROW) return 1;
    while (n * cols % VW != 0 || n * cols < NARROW) n *= 2;
    return rows >= 4 * n ? n : 1;
}

static void repeat(float *wide, const float *narrow, int64_t cols, int64_t n) {
    for (int64_t i = 0; i < n; i++) memcpy(wide + i * cols, narrow, (size_t)cols * sizeof *wide);
}

static void fold(float *narrow, const float *wide, int64_t cols, int64_t n) {
    for (int64_t i = 0; i < n; i++) FOR_COLS narrow[j] += wide[i * cols + j];
}

/* The rows of a dense run that come after the first `done` ones. */
INLINE at_rows rest(at_rows run, int64_t done) {
    return (at_rows){run.data + done * run.ld, run.ld};
}

typedef struct wide_terms {
    float mean[WIDE], scale[WIDE], shift[WIDE], slope[WIDE], offset[WIDE];
} wide_terms;

static at_dnorm widen(wide_terms *w, const at_dnorm *p, int64_t cols, int64_t n, bool all) {
    repeat(w->mean, p->mean, cols, n);
    repeat(w->scale, p->scale, cols, n);
    repeat(w->shift, p->shift, cols, n);
    if (all) {
        repeat(w->slope, p->slope, cols, n);
        repeat(w->offset, p->offset, cols, n);
    }
    return (at_dnorm){w->mean, w->scale, w->shift, w->slope, w->offset, p->relu};
}

/* ---- statistics ---- */

/* Adds deviations from `near`, and their squares. */
static void deviations(float *restrict sum, float *restrict squares, const float *restrict near,
                       at_rows in, int64_t rows, int64_t cols) {
    const float *x = in.data;
    ptrdiff_t ld = in.ld;
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4, x += 4 * ld) {
        FOR_COLS {
            float a = x[j] - near[j], b = x[ld + j] - near[j];
            float c = x[2 * ld + j] - near[j], d = x[3 * ld + j] - near[j];
            sum[j] += (a + b) + (c + d);
            squares[j] += (a * a + b * b) + (c * c + d * d);
        }
    }
    for (; r < rows; r++, x += ld) {
        FOR_COLS {
            float a = x[j] - near[j];
            sum[j] += a;
            squares[j] += a * a;
        }
    }
}

/* The mean of the first pixels. */
static void mean_of_few(float *restrict mean, at_rows in, int64_t rows, int64_t cols) {
    enum { FEW = 32 };
    int64_t few = rows < FEW ? rows : FEW;
    memcpy(mean, in.data, (size_t)cols * sizeof *mean);
    for (int64_t r = 1; r < few; r++) {
        const float *x = in.data + r * in.ld;
        FOR_COLS mean[j] += x[j];
    }
    FOR_COLS mean[j] /= (float)few;
}

/* Up to WIDE channels. Deviations are taken from a mean of few pixels, so that what is subtracted
 * from the sum of squares in the end is small beside it; one pixel may lie far out, and costs
 * digits. */
static void moments_of(float *restrict mean, float *restrict m2, at_rows in, int64_t rows,
                       int64_t cols) {
    float near[WIDE];
    int64_t n = abreast(rows, cols, in.ld == cols), done = n > 1 ? rows / n * n : 0;
    mean_of_few(near, in, rows, cols);
    memset(mean, 0, (size_t)cols * sizeof *mean);
    memset(m2, 0, (size_t)cols * sizeof *m2);
    if (n > 1) {
        float wide_near[WIDE], sum[WIDE] = {0}, squares[WIDE] = {0};
        repeat(wide_near, near, cols, n);
        deviations(sum, squares, wide_near, (at_rows){in.data, n * cols}, rows / n, n * cols);
        fold(mean, sum, cols, n);
        fold(m2, squares, cols, n);
    }
    deviations(mean, m2, near, rest(in, done), rows - done, cols);
    float part = 1 / (float)rows;
    FOR_COLS {
        float sum = mean[j], spread = m2[j] - sum * sum * part;
        m2[j] = spread < 0 ? 0 : spread;
        mean[j] = near[j] + sum * part;
    }
}

void K(moments)(float *restrict mean, float *restrict m2, at_rows in, int64_t rows, int64_t cols) {
    for (int64_t j = 0; j < cols; j += WIDE)
        moments_of(mean + j, m2 + j, (at_rows){in.data + j, in.ld}, rows,
                   cols - j < WIDE ? cols - j : WIDE);
}

/* ---- forward ---- */

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

/* The same, written past the caches. */
INLINE void affine_streamed(at_rows out, at_rows in, const float *scale, const float *shift,
                            int64_t rows, int64_t cols, bool relu) {
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j += VW) {
            vf v = v_load(in.data + r * in.ld + j) * v_load(scale + j) + v_load(shift + j);
            v_stream(out.data + r * out.ld + j, relu ? v_select(v < 0, (vf){0}, v) : v);
        }
}

static void affine_either(at_rows out, at_rows in, const float *scale, const float *shift,
                          int64_t rows, int64_t cols, bool relu, bool stream) {
    stream = stream && v_aligned(out.data, out.ld, cols);
    if (stream && relu)
        affine_streamed(out, in, scale, shift, rows, cols, true);
    else if (stream)
        affine_streamed(out, in, scale, shift, rows, cols, false);
    else if (relu)
        affine(out, in, scale, shift, rows, cols, true);
    else
        affine(out, in, scale, shift, rows, cols, false);
}

void K(scale_shift)(at_rows out, at_rows in, const float *scale, const float *shift, int64_t rows,
                    int64_t cols, bool relu, bool stream) {
    int64_t n = abreast(rows, cols, in.ld == cols && out.ld == cols), done = 0;
    if (n > 1) {
        float wide_scale[WIDE], wide_shift[WIDE];
        repeat(wide_scale, scale, cols, n);
        repeat(wide_shift, shift, cols, n);
        affine_either((at_rows){out.data, n * cols}, (at_rows){in.data, n * cols}, wide_scale,
                      wide_shift, rows / n, n * cols, relu, stream);
        done = rows / n * n;
    }
    affine_either(rest(out, done), rest(in, done), scale, shift, rows - done, cols, relu, stream);
}

/* ---- backward ---- */

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
    for (; r + 2 <= rows; r += 2, x += 2 * ld, dy += 2 * d_ld) {
        FOR_COLS {
            float x0 = x[j], x1 = x[ld + j];
            float g0 = behind(dy[j], x0, scale[j], shift[j], relu);
            float g1 = behind(dy[d_ld + j], x1, scale[j], shift[j], relu);
            sum[j] += g0 + g1;
            dot[j] += g0 * (x0 - mean[j]) + g1 * (x1 - mean[j]);
        }
    }
    for (; r < rows; r++, x += ld, dy += d_ld) {
        FOR_COLS {
            float g = behind(dy[j], x[j], scale[j], shift[j], relu);
            sum[j] += g;
            dot[j] += g * (x[j] - mean[j]);
        }
    }
}

static void sums_either(float *sum, float *dot, at_rows d_out, at_rows in, const at_dnorm *p,
                        int64_t rows, int64_t cols) {
    if (p->relu)
        sums(sum, dot, d_out, in, p, rows, cols, true);
    else
        sums(sum, dot, d_out, in, p, rows, cols, false);
}

void K(dnorm_sums)(float *sum, float *dot, at_rows d_out, at_rows in, const at_dnorm *p,
                   int64_t rows, int64_t cols) {
    int64_t n = abreast(rows, cols, in.ld == cols && d_out.ld == cols), done = 0;
    memset(sum, 0, (size_t)cols * sizeof *sum);
    memset(dot, 0, (size_t)cols * sizeof *dot);
    if (n > 1) {
        wide_terms w;
        at_dnorm q = widen(&w, p, cols, n, false);
        float wide_sum[WIDE] = {0}, wide_dot[WIDE] = {0};
        sums_either(wide_sum, wide_dot, (at_rows){d_out.data, n * cols},
                    (at_rows){in.data, n * cols}, &q, rows / n, n * cols);
        fold(sum, wide_sum, cols, n);
        fold(dot, wide_dot, cols, n);
        done = rows / n * n;
    }
    sums_either(sum, dot, rest(d_out, done), rest(in, done), p, rows - done, cols);
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

static void gradient_either(at_rows d_in, at_rows d_out, at_rows in, const at_dnorm *p,
                            int64_t rows, int64_t cols, bool add) {
    if (p->relu && add)
        gradient(d_in, d_out, in, p, rows, cols, true, true);
    else if (p->relu)
        gradient(d_in, d_out, in, p, rows, cols, true, false);
    else if (add)
        gradient(d_in, d_out, in, p, rows, cols, false, true);
    else
        gradient(d_in, d_out, in, p, rows, cols, false, false);
}

void K(dnorm)(at_rows d_in, at_rows d_out, at_rows in, const at_dnorm *p, int64_t rows,
              int64_t cols, bool add) {
    bool dense = in.ld == cols && d_out.ld == cols && d_in.ld == cols;
    int64_t n = abreast(rows, cols, dense), wide = n * cols, done = 0;
    if (n > 1) {
        wide_terms w;
        at_dnorm q = widen(&w, p, cols, n, true);
        gradient_either((at_rows){d_in.data, wide}, (at_rows){d_out.data, wide},
                        (at_rows){in.data, wide}, &q, rows / n, wide, add);
        done = rows / n * n;
    }
    gradient_either(rest(d_in, done), rest(d_out, done), rest(in, done), p, rows - done, cols, add);
}
