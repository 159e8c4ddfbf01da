/* SPDX-License-Identifier: MIT */
/* Winograd's transforms for any F(m, r), from its points: Toom-Cook with pairs of points +-p, with or
 * without 0, and infinity; alpha = m + r - 1 points in all (Winograd 1980; Lavin & Gray, CVPR 2016).
 * With M(x) the product of (x - point) over the finite points, along one axis:
 *
 *   input   V[+-p] = S +- p T, where S = sum of q[j] d[j + 1], T = sum of q[j] d[j], Q = M / (x^2 - p^2);
 *           V[0] the same sum with M / x, V[inf] with M itself
 *   output  y[i] = sum over p of p^i (V[p] +- V[-p]), + V[0] where i = 0, + V[inf] where i = m - 1
 *   weight  U[p] = sum of w[j] p^j / M'(p), U[inf] = w[r - 1]
 *
 * and the weight gradient's transforms are the transposes of the last two. M is even or odd because
 * points come in pairs, so half the coefficients are zero; the tables are constants and the loops
 * unroll, so zeros cost nothing.
 *
 * Points for m + r - 1 = 6: 0, +-1/sqrt(2), +-sqrt(2), infinity, whose errors are about half those of
 * 0, +-1, +-2. For 7: +-1/2, +-1, +-2, infinity. */
#ifndef AT_NN_KERNELS_SIMD_WINO_H
#define AT_NN_KERNELS_SIMD_WINO_H

#include "nn/kernels/simd/vec.h"

#define INLINE static inline __attribute__((always_inline))

enum { WINO_MAX = 8 }; /* alpha at most */

typedef struct wino {
    int m, r, pairs;
    bool zero;            /* 0 is a point */
    float p[3];           /* the pairs */
    float q[3][WINO_MAX]; /* Q of each pair, by power */
    float q0[WINO_MAX];   /* M / x */
    float all[WINO_MAX];  /* M */
    float n[3], n0;       /* 1 / M'(p), the same at -p but for the sign of `flip` */
    float flip;           /* M'(-p) = flip * M'(p) */
} wino;

#define S2 1.41421356237309505f
static const wino WINO43 = {
    4,
    3,
    2,
    true,
    {S2 / 2, S2, 0},
    {{0, -2, 0, 1}, {0, -0.5f, 0, 1}, {0}},
    {1, 0, -2.5f, 0, 1},
    {0, 1, 0, -2.5f, 0, 1},
    {-2.0f / 3, 1.0f / 6, 0},
    1,
    1,
};
#undef S2

/* M = (x^2 - 1/4)(x^2 - 1)(x^2 - 4) = x^6 - 21/4 x^4 + 21/4 x^2 - 1 */
static const wino WINO44 = {
    4,
    4,
    3,
    false,
    {0.5f, 1, 2},
    {{4, 0, -5, 0, 1}, {1, 0, -4.25f, 0, 1}, {0.25f, 0, -1.25f, 0, 1}},
    {0},
    {-1, 0, 5.25f, 0, -5.25f, 0, 1},
    {1.0f / 2.8125f, -1.0f / 4.5f, 1.0f / 45},
    0,
    -1,
};

INLINE int wino_alpha(const wino *t) {
    return t->m + t->r - 1;
}

/* out = sum of c[j] in[j], j < n, leaving zeros out. */
INLINE vf wino_dot(const float *c, const vf *in, int n) {
    vf sum = {0};
    bool any = false;
#pragma GCC unroll 8
    for (int j = 0; j < n; j++) {
        if (c[j] == 0) continue;
        sum = !any ? c[j] * in[j] : sum + c[j] * in[j];
        any = true;
    }
    return sum;
}

/* One axis of the input transform: alpha values to alpha values. */
INLINE void wino_in(const wino *t, vf *out, const vf *d) {
    int a = wino_alpha(t), at = 0;
    if (t->zero) out[at++] = wino_dot(t->q0, d, a - 1);
#pragma GCC unroll 3
    for (int i = 0; i < t->pairs; i++) {
        vf s = wino_dot(t->q[i], d + 1, a - 2), u = wino_dot(t->q[i], d, a - 2);
        out[at++] = s + t->p[i] * u;
        out[at++] = s - t->p[i] * u;
    }
    out[at] = wino_dot(t->all, d, a);
}

/* p^i */
INLINE float wino_power(float p, int i) {
    float v = 1;
#pragma GCC unroll 8
    for (int j = 0; j < i; j++) v *= p;
    return v;
}

/* One axis of the output transform: alpha values to m. */
INLINE void wino_out(const wino *t, vf *y, const vf *v) {
    int a = wino_alpha(t), first = t->zero ? 1 : 0;
#pragma GCC unroll 4
    for (int i = 0; i < t->m; i++) {
        vf sum = i == 0 && t->zero ? v[0] : (vf){0};
        bool any = i == 0 && t->zero;
#pragma GCC unroll 3
        for (int k = 0; k < t->pairs; k++) {
            vf plus = v[first + 2 * k], minus = v[first + 2 * k + 1];
            vf pair = i % 2 ? plus - minus : plus + minus;
            sum = any ? sum + wino_power(t->p[k], i) * pair : wino_power(t->p[k], i) * pair;
            any = true;
        }
        y[i] = i == t->m - 1 ? sum + v[a - 1] : sum;
    }
}

/* Its transpose: m values to alpha. Also, with r for m and scaled by 1 / M', the weight transform.
 */
INLINE void wino_spread(const wino *t, vf *v, const vf *y, int n, bool scaled) {
    int at = 0;
    if (t->zero) v[at++] = scaled ? t->n0 * y[0] : y[0];
#pragma GCC unroll 3
    for (int k = 0; k < t->pairs; k++) {
        vf even = y[0], odd = t->p[k] * y[1];
#pragma GCC unroll 8
        for (int i = 2; i < n; i++) {
            if (i % 2)
                odd += wino_power(t->p[k], i) * y[i];
            else
                even += wino_power(t->p[k], i) * y[i];
        }
        vf plus = even + odd, minus = even - odd;
        v[at++] = scaled ? t->n[k] * plus : plus;
        v[at++] = scaled ? t->flip * t->n[k] * minus : minus;
    }
    v[at] = y[n - 1];
}

/* The transpose of the weight transform: alpha values to r. */
INLINE void wino_gather(const wino *t, vf *w, const vf *u) {
    int a = wino_alpha(t), first = t->zero ? 1 : 0;
#pragma GCC unroll 4
    for (int i = 0; i < t->r; i++) {
        vf sum = i == 0 && t->zero ? t->n0 * u[0] : (vf){0};
#pragma GCC unroll 3
        for (int k = 0; k < t->pairs; k++) {
            vf plus = u[first + 2 * k], minus = t->flip * u[first + 2 * k + 1];
            sum += t->n[k] * wino_power(t->p[k], i) * (i % 2 ? plus - minus : plus + minus);
        }
        w[i] = i == t->r - 1 ? sum + u[a - 1] : sum;
    }
}

typedef void wino_axis(const wino *t, vf *out, const vf *in);

INLINE void wino_dy(const wino *t, vf *out, const vf *in) {
    wino_spread(t, out, in, t->m, false);
}
INLINE void wino_weight(const wino *t, vf *out, const vf *in) {
    wino_spread(t, out, in, t->r, true);
}

/* Where a square of vectors is read, `row` and `col` elements apart. */
typedef struct wino_from {
    const void *at;
    ptrdiff_t row, col;
    bool bf16;
} wino_from;

/* What takes a finished row: row i of the result. */
typedef void wino_sink(const void *s, int i, const vf *row, int n, int j, int channels);

/* A transform of both axes, from `from` x `from` values to `to` x `to`, of channels j, j + 1 ...; a
 * column at a time, so that the first axis needs few registers. */
INLINE void wino_both(const wino *t, wino_axis *axis, wino_from x, int from, int to,
                      wino_sink *sink, const void *s, int j, int channels) {
    vf middle[WINO_MAX * WINO_MAX], column[WINO_MAX], result[WINO_MAX];
#pragma GCC unroll 8
    for (int c = 0; c < from; c++) {
#pragma GCC unroll 8
        for (int r = 0; r < from; r++)
            column[r] = v_load_any(v_element(x.at, r * x.row + c * x.col, x.bf16), VW, x.bf16);
        axis(t, result, column);
#pragma GCC unroll 8
        for (int r = 0; r < to; r++) middle[r * from + c] = result[r];
    }
#pragma GCC unroll 8
    for (int r = 0; r < to; r++) {
        axis(t, result, middle + r * from);
        sink(s, r, result, to, j, channels);
    }
}

/* ---- the kernels, for one scheme ---- */

/* A whole vector of every place, zeros outside the window and behind the last channel. */
INLINE wino_from wino_border(const at_wino_in *s, float *square, int size, int j, int n) {
#pragma GCC unroll 1
    for (int i = 0; i < size * size; i++) {
        int r = i / size, c = i % size;
        bool in = r >= s->row_begin && r < s->row_end && c >= s->col_begin && c < s->col_end;
        const void *x = v_element(s->x, r * s->x_row + c * s->x_col + j, s->bf16);
        v_store(square + i * VW, in ? v_load_any(x, n, s->bf16) : (vf){0});
    }
    return (wino_from){square, size * VW, VW, false};
}

INLINE void wino_to_planes(const void *arg, int i, const vf *row, int n, int j, int channels) {
    const at_wino_in *s = arg;
#pragma GCC unroll 8
    for (int k = 0; k < n; k++) {
        float *at = s->v + (i * n + k) * s->v_plane + j;
        if (channels >= VW)
            v_store(at, row[k]);
        else
            v_store_n(at, row[k], channels);
    }
}

/* Whole vectors of channels of a tile inside the window are read where they lie. */
INLINE int wino_in_inside(const wino *t, wino_axis *axis, const at_wino_in *s, int from,
                          bool bf16) {
    int j = 0;
    for (; j + VW <= s->c; j += VW)
        wino_both(t, axis, (wino_from){v_element(s->x, j, bf16), s->x_row, s->x_col, bf16}, from,
                  wino_alpha(t), wino_to_planes, s, j, VW);
    return j;
}

/* Into planes. */
INLINE void wino_in_kernel(const wino *t, wino_axis *axis, const at_wino_in *s, int from) {
    float square[WINO_MAX * WINO_MAX * VW];
    int a = wino_alpha(t), j = 0;
    if (s->row_begin <= 0 && s->col_begin <= 0 && s->row_end >= from && s->col_end >= from)
        j = s->bf16 ? wino_in_inside(t, axis, s, from, true)
                    : wino_in_inside(t, axis, s, from, false);
#pragma GCC unroll 1
    for (; j < s->c; j += VW)
        wino_both(t, axis, wino_border(s, square, from, j, s->c - j), from, a, wino_to_planes, s, j,
                  s->c - j);
}

INLINE void wino_input_kernel(const wino *t, const at_wino_in *s) {
    wino_in_kernel(t, wino_in, s, wino_alpha(t));
}
INLINE void wino_dy_kernel(const wino *t, const at_wino_in *s) {
    wino_in_kernel(t, wino_dy, s, t->m);
}
INLINE void wino_weight_kernel(const wino *t, const at_wino_in *s) {
    wino_in_kernel(t, wino_weight, s, t->r);
}

INLINE void wino_put(const at_wino_out *s, int i, const vf *row, int n, int j, int channels,
                     bool bf16) {
    if (i >= s->rows) return;
    vf bias = s->bias != NULL ? v_load_any(s->bias + j, channels, false) : (vf){0};
#pragma GCC unroll 8
    for (int k = 0; k < n; k++) {
        void *at = v_element(s->y, i * s->y_row + k * s->y_col + j, bf16);
        vf v = row[k] + bias;
        if (k >= s->cols) return;
        if (s->add) v += v_load_any(at, channels, bf16);
        v_store_any(at, s->relu ? v_max0(v) : v, channels, bf16);
    }
}

INLINE void wino_from_planes(const void *s, int i, const vf *row, int n, int j, int channels) {
    wino_put(s, i, row, n, j, channels, false);
}
INLINE void wino_from_planes_bf16(const void *s, int i, const vf *row, int n, int j, int channels) {
    wino_put(s, i, row, n, j, channels, true);
}

INLINE void wino_out_of(const wino *t, wino_axis *axis, const at_wino_out *s, int to,
                        wino_sink *sink) {
    float square[WINO_MAX * WINO_MAX * VW];
    int a = wino_alpha(t), j = 0;
    for (; j + VW <= s->c; j += VW)
        wino_both(t, axis, (wino_from){s->v + j, a * s->v_plane, s->v_plane, false}, a, to, sink, s,
                  j, VW);
    if (j == s->c) return;
    for (int i = 0; i < a * a; i++)
        v_store(square + i * VW, v_load_n(s->v + i * s->v_plane + j, s->c - j));
    wino_both(t, axis, (wino_from){square, a * VW, VW, false}, a, to, sink, s, j, s->c - j);
}

/* Out of planes. */
INLINE void wino_out_kernel(const wino *t, wino_axis *axis, const at_wino_out *s, int to) {
    if (s->bf16)
        wino_out_of(t, axis, s, to, wino_from_planes_bf16);
    else
        wino_out_of(t, axis, s, to, wino_from_planes);
}

INLINE void wino_output_kernel(const wino *t, const at_wino_out *s) {
    wino_out_kernel(t, wino_out, s, t->m);
}
INLINE void wino_dw_kernel(const wino *t, const at_wino_out *s) {
    wino_out_kernel(t, wino_gather, s, t->r);
}

#endif
