/* SPDX-License-Identifier: MIT */
/* Winograd's transforms by their matrices (B^T, A^T, G of Lavin & Gray), which are made in double
 * from the points by the textbook formulas: nothing here is shared with the vector code but the
 * points. */
#include <math.h>

#include "nn/kernels/ref/ref.h"

enum { MAX = 8 };

typedef struct scheme {
    int m, r, finite; /* finite points; infinity is the last */
    double point[MAX];
} scheme;

static scheme f43(void) {
    double s = sqrt(2);
    return (scheme){4, 3, 5, {0, s / 2, -s / 2, s, -s}};
}

static scheme f44(void) {
    return (scheme){4, 4, 6, {0.5, -0.5, 1, -1, 2, -2}};
}

/* Coefficients of the product of (x - point) over all finite points but `skip`. */
static void polynomial(const scheme *s, int skip, double *c) {
    for (int i = 0; i < MAX; i++) c[i] = i == 0;
    for (int k = 0; k < s->finite; k++) {
        if (k == skip) continue;
        for (int i = MAX - 1; i >= 0; i--) c[i] = (i > 0 ? c[i - 1] : 0) - s->point[k] * c[i];
    }
}

/* M'(point k) = product of differences to the others. */
static double slope(const scheme *s, int k) {
    double v = 1;
    for (int i = 0; i < s->finite; i++)
        if (i != k) v *= s->point[k] - s->point[i];
    return v;
}

/* A matrix of `rows` x `cols`. */
typedef struct matrix {
    int rows, cols;
    double at[MAX][MAX];
} matrix;

static matrix input_matrix(const scheme *s) {
    int alpha = s->m + s->r - 1;
    matrix b = {.rows = alpha, .cols = alpha};
    for (int k = 0; k < alpha; k++) {
        double c[MAX];
        polynomial(s, k, c); /* k = finite skips none: M itself */
        for (int j = 0; j < alpha; j++) b.at[k][j] = c[j];
    }
    return b;
}

/* Powers of the points: [alpha][n], with the last row picking the last. scaled: divided by M'. */
static matrix powers(const scheme *s, int n, int scaled) {
    matrix g = {.rows = s->finite + 1, .cols = n};
    for (int k = 0; k < s->finite; k++)
        for (int j = 0; j < n; j++) g.at[k][j] = pow(s->point[k], j) / (scaled ? slope(s, k) : 1);
    g.at[s->finite][n - 1] = 1;
    return g;
}

static matrix transposed(matrix a) {
    matrix t = {.rows = a.cols, .cols = a.rows};
    for (int i = 0; i < a.rows; i++)
        for (int j = 0; j < a.cols; j++) t.at[j][i] = a.at[i][j];
    return t;
}

/* a x a^T */
static void sandwich(const matrix *a, double x[MAX][MAX], double out[MAX][MAX]) {
    for (int i = 0; i < a->rows; i++)
        for (int j = 0; j < a->rows; j++) {
            out[i][j] = 0;
            for (int k = 0; k < a->cols; k++)
                for (int l = 0; l < a->cols; l++) out[i][j] += a->at[i][k] * x[k][l] * a->at[j][l];
        }
}

static void into_planes(const at_wino_in *t, matrix a) {
    for (int c = 0; c < t->c; c++) {
        double x[MAX][MAX] = {{0}}, v[MAX][MAX];
        for (int i = 0; i < a.cols; i++)
            for (int j = 0; j < a.cols; j++)
                if (i >= t->row_begin && i < t->row_end && j >= t->col_begin && j < t->col_end)
                    x[i][j] = at_ref_load(t->x, i * t->x_row + j * t->x_col + c, t->bf16);
        sandwich(&a, x, v);
        for (int i = 0; i < a.rows; i++)
            for (int j = 0; j < a.rows; j++)
                t->v[(i * a.rows + j) * t->v_plane + c] = (float)v[i][j];
    }
}

static void out_of_planes(const at_wino_out *t, matrix a) {
    for (int c = 0; c < t->c; c++) {
        double v[MAX][MAX] = {{0}}, y[MAX][MAX];
        for (int i = 0; i < a.cols; i++)
            for (int j = 0; j < a.cols; j++) v[i][j] = t->v[(i * a.cols + j) * t->v_plane + c];
        sandwich(&a, v, y);
        for (int i = 0; i < t->rows; i++)
            for (int j = 0; j < t->cols; j++) {
                ptrdiff_t at = i * t->y_row + j * t->y_col + c;
                double sum = y[i][j] + (t->bias ? t->bias[c] : 0);
                if (t->add) sum += at_ref_load(t->y, at, t->bf16);
                at_ref_store(t->y, at, t->relu && sum < 0 ? 0 : (float)sum, t->bf16);
            }
    }
}

#define SCHEME(name, make)                                                                         \
    void at_##name##_input_ref(const at_wino_in *t) {                                              \
        scheme s = make();                                                                         \
        into_planes(t, input_matrix(&s));                                                          \
    }                                                                                              \
    void at_##name##_weight_ref(const at_wino_in *t) {                                             \
        scheme s = make();                                                                         \
        into_planes(t, powers(&s, s.r, 1));                                                        \
    }                                                                                              \
    void at_##name##_dy_ref(const at_wino_in *t) {                                                 \
        scheme s = make();                                                                         \
        into_planes(t, powers(&s, s.m, 0));                                                        \
    }                                                                                              \
    void at_##name##_output_ref(const at_wino_out *t) {                                            \
        scheme s = make();                                                                         \
        out_of_planes(t, transposed(powers(&s, s.m, 0)));                                          \
    }                                                                                              \
    void at_##name##_dw_ref(const at_wino_out *t) {                                                \
        scheme s = make();                                                                         \
        out_of_planes(t, transposed(powers(&s, s.r, 1)));                                          \
    }

SCHEME(wino43, f43)
SCHEME(wino44, f44)
