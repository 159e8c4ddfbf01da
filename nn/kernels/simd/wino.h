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

/* n floats, zeros behind them. */
INLINE vf wino_load(const float *p, int n) {
    return n >= VW ? v_load(p) : v_load_n(p, n);
}

INLINE void wino_store(float *p, vf v, int n) {
    if (n >= VW)
        v_store(p, v);
    else
        v_store_n(p, v, n);
}

typedef void wino_axis(const wino *t, vf *out, const vf *in);

INLINE void wino_dy(const wino *t, vf *out, const vf *in) {
    wino_spread(t, out, in, t->m, false);
}
INLINE void wino_weight(const wino *t, vf *out, const vf *in) {
    wino_spread(t, out, in, t->r, true);
}

/* A transform of both axes, from `from` x `from` values to `to` x `to`. */
INLINE void wino_both(const wino *t, wino_axis *axis, vf *out, const vf *in, int from, int to) {
    vf middle[WINO_MAX * WINO_MAX], column[WINO_MAX], result[WINO_MAX];
#pragma GCC unroll 8
    for (int j = 0; j < from; j++) {
#pragma GCC unroll 8
        for (int i = 0; i < from; i++) column[i] = in[i * from + j];
        axis(t, result, column);
#pragma GCC unroll 8
        for (int i = 0; i < to; i++) middle[i * from + j] = result[i];
    }
#pragma GCC unroll 8
    for (int i = 0; i < to; i++) axis(t, out + i * to, middle + i * from);
}

/* ---- the kernels, for one scheme ---- */

/* Reads size x size places, zeros outside the window. */
INLINE void wino_read(const at_wino_in *s, vf *d, int size, int j, int n) {
    if (n >= VW && s->row_begin <= 0 && s->col_begin <= 0 && s->row_end >= size &&
        s->col_end >= size) {
#pragma GCC unroll 8
        for (int r = 0; r < size; r++)
#pragma GCC unroll 8
            for (int c = 0; c < size; c++)
                d[r * size + c] = v_load(s->x + r * s->x_row + c * s->x_col + j);
        return;
    }
#pragma GCC unroll 1
    for (int r = 0; r < size; r++)
#pragma GCC unroll 1
        for (int c = 0; c < size; c++) {
            bool in = r >= s->row_begin && r < s->row_end && c >= s->col_begin && c < s->col_end;
            d[r * size + c] = in ? wino_load(s->x + r * s->x_row + c * s->x_col + j, n) : (vf){0};
        }
}

INLINE void wino_planes(const at_wino_in *s, const vf *v, int alpha, int j, int n) {
#pragma GCC unroll 64
    for (int i = 0; i < alpha * alpha; i++) wino_store(s->v + i * s->v_plane + j, v[i], n);
}

INLINE void wino_input_kernel(const wino *t, const at_wino_in *s) {
    int a = wino_alpha(t);
    vf d[WINO_MAX * WINO_MAX], v[WINO_MAX * WINO_MAX];
    for (int j = 0; j < s->c; j += VW) {
        wino_read(s, d, a, j, s->c - j);
        wino_both(t, wino_in, v, d, a, a);
        wino_planes(s, v, a, j, s->c - j);
    }
}

INLINE void wino_dy_kernel(const wino *t, const at_wino_in *s) {
    int a = wino_alpha(t);
    vf d[WINO_MAX * WINO_MAX], v[WINO_MAX * WINO_MAX];
    for (int j = 0; j < s->c; j += VW) {
        wino_read(s, d, t->m, j, s->c - j);
        wino_both(t, wino_dy, v, d, t->m, a);
        wino_planes(s, v, a, j, s->c - j);
    }
}

INLINE void wino_weight_kernel(const wino *t, const at_wino_in *s) {
    int a = wino_alpha(t);
    vf d[WINO_MAX * WINO_MAX], v[WINO_MAX * WINO_MAX];
    for (int j = 0; j < s->c; j += VW) {
        wino_read(s, d, t->r, j, s->c - j);
        wino_both(t, wino_weight, v, d, t->r, a);
        wino_planes(s, v, a, j, s->c - j);
    }
}

INLINE void wino_write(const at_wino_out *s, const vf *y, int size, int j, int n) {
    vf bias = s->bias != NULL ? wino_load(s->bias + j, n) : (vf){0};
    for (int r = 0; r < s->rows; r++)
        for (int c = 0; c < s->cols; c++) {
            float *at = s->y + r * s->y_row + c * s->y_col + j;
            vf v = y[r * size + c] + bias;
            if (s->add) v += wino_load(at, n);
            wino_store(at, s->relu ? v_max0(v) : v, n);
        }
}

INLINE void wino_output_kernel(const wino *t, const at_wino_out *s) {
    int a = wino_alpha(t);
    vf v[WINO_MAX * WINO_MAX], y[WINO_MAX * WINO_MAX];
    for (int j = 0; j < s->c; j += VW) {
#pragma GCC unroll 64
        for (int i = 0; i < a * a; i++) v[i] = wino_load(s->v + i * s->v_plane + j, s->c - j);
        wino_both(t, wino_out, y, v, a, t->m);
        wino_write(s, y, t->m, j, s->c - j);
    }
}

INLINE void wino_dw_kernel(const wino *t, const at_wino_out *s) {
    int a = wino_alpha(t);
    vf v[WINO_MAX * WINO_MAX], w[WINO_MAX * WINO_MAX];
    for (int j = 0; j < s->c; j += VW) {
#pragma GCC unroll 64
        for (int i = 0; i < a * a; i++) v[i] = wino_load(s->v + i * s->v_plane + j, s->c - j);
        wino_both(t, wino_gather, w, v, a, t->r);
        wino_write(s, w, t->r, j, s->c - j);
    }
}

#endif
