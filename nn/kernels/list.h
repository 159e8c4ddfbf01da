/* SPDX-License-Identifier: MIT */
/* The list of kernels: X(name, return type, arguments). Arguments are outputs, then inputs, then
 * sizes; a d prefix marks a gradient. Unless stated otherwise arrays don't overlap, pixels lie `ld`
 * floats apart, counts may be 0, and any alignment will do. */
#ifndef AT_NN_KERNELS_LIST_H
#define AT_NN_KERNELS_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One tile of a convolution in any form, as a sum of small matrix products over taps:
 *   out[i][j] (+)= bias[j] + sum over t, l of a[tap_a[t] + i * a_ld + l] * w[tap_w[t] + l * nr + j]
 * for i < m <= conv_mr, j < n <= conv_nr, l < k, with nr = conv_nr of the table. Weight panels are
 * zero-padded to nr columns; bias too.
 *
 * For conv_dot a and w are bfloat16, m <= dot_mr, nr = dot_nr and w holds pairs of rows: element
 * (l, j) of a tap is w[tap_w[t] + (l / 2 * nr + j) * 2 + l % 2]; k is even, and at_dot_step(k) not
 * 0. Sums are fp32. */
typedef struct at_conv_tile {
    void *out;
    ptrdiff_t out_ld;
    const void *a;
    ptrdiff_t a_ld;
    const ptrdiff_t *tap_a, *tap_w;
    const void *w;
    const float *bias; /* NULL: none; nr floats */
    const float *next; /* prefetched: k lines of 64 bytes from next[tap_w[t]] for each t; or NULL */
    int taps, k, m, n;
    bool bf16; /* of out */
    bool add;  /* add to what out holds */
    bool relu; /* then max(0, .) */
} at_conv_tile;

/* The same for depthwise convolution, a whole run of pixels at once:
 *   out[i][j] (+)= bias[j] + sum over t of a[tap_a[t] + i * a_ld + j] * w[tap_w[t] + j], j < c. */
typedef struct at_depthwise {
    float *out;
    ptrdiff_t out_ld;
    const float *a;
    ptrdiff_t a_ld;
    const ptrdiff_t *tap_a, *tap_w;
    const float *w;
    const float *bias; /* c floats */
    int taps, pixels, c;
    bool add, relu;
} at_depthwise;

/* One tile of a weight gradient: a sum of outer products over rows of pixels:
 *   dw[i * dw_ld + j] += sum over r < rows, p < pixels of
 *                        x[r * x_row + p * x_ld + i] * dy[r * dy_row + p * dy_ld + j]
 * for i < m <= conv_mr, j < n <= conv_nr. */
typedef struct at_conv_dw_tile {
    float *dw;
    ptrdiff_t dw_ld;
    const float *x, *dy;
    ptrdiff_t x_row, x_ld, dy_row, dy_ld;
    int rows, pixels, m, n;
} at_conv_dw_tile;

/* Winograd's transforms of one tile, every channel on its own (what they are: simd/wino.h). Into
 * planes: reads a square of places x_row and x_col floats apart, zeros outside rows row_begin
 * to row_end - 1 and columns col_begin to col_end - 1, writes alpha^2 planes v_plane floats apart. */
typedef struct at_wino_in {
    float *v;
    ptrdiff_t v_plane;
    const void *x;
    ptrdiff_t x_row, x_col;
    int row_begin, row_end, col_begin, col_end;
    int c;
    bool bf16; /* x is; strides count elements */
} at_wino_in;

/* Out of planes: writes the first rows x cols places of the square. */
typedef struct at_wino_out {
    void *y;
    ptrdiff_t y_row, y_col;
    const float *v;
    ptrdiff_t v_plane;
    const float *bias; /* c floats, or NULL */
    int rows, cols, c;
    bool bf16; /* y is; strides count elements */
    bool add;  /* add to what y holds */
    bool relu; /* then max(0, .) */
} at_wino_out;

/* dw[j] += sum over r < rows, p < pixels of
 *     x[r * x_row + p * x_ld + j] * dy[r * dy_row + p * dy_ld + j]   for j < c. */
typedef struct at_depthwise_dw {
    float *dw;
    const float *x, *dy;
    ptrdiff_t x_row, x_ld, dy_row, dy_ld;
    int rows, pixels, c;
} at_depthwise_dw;

/* A pooling of one image: windows on the large plane, one value for each in the small plane. A
 * window's tap (i, j) lies on row y * stride_h - pad_h + i * dilation_h, column likewise; taps
 * outside the plane don't take part, and every window has a tap inside. Codes name taps as
 * i * kernel_w + j. Which plane is read and which written depends on the kernel. */
typedef struct at_pool {
    void *large;   /* [h, w, c] */
    void *small;   /* [out_h, out_w, c] */
    uint8_t *code; /* [out_h, out_w, c]: where the maximum is; max pooling only */
    ptrdiff_t large_ld, small_ld, code_ld;
    int h, w, out_h, out_w, c;
    int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w, dilation_h, dilation_w;
    bool bf16;        /* of both planes */
    bool exclude_pad; /* averages divide by the taps inside only, not by the padded window */
    bool add;         /* add to what the written plane holds; codes are always written */
    bool stream;      /* of the large plane, where it is written: see at_line */
} at_pool;

/* Windows that meet without overlapping: each place has at most one. */
static inline bool at_pool_tiled(const at_pool *p) {
    return p->kernel_h == p->stride_h && p->kernel_w == p->stride_w && p->pad_h == 0 &&
           p->pad_w == 0 && p->dilation_h == 1 && p->dilation_w == 1;
}

/* One span of an optimiser's step over `count` parameters. With d = scale * g + decay * w:
 *   sgd_step:  m = beta1 * m + d; w -= lr * (nesterov ? d + beta1 * m : m)
 *   adam_step: w *= shrink; m += rest1 * (d - m); v = beta2 * v + rest2 * d * d;
 *              w -= lr * m / (sqrt(v) / root2 + eps)          (lr and root2: bias corrected)
 * rest1 and rest2 are 1 - beta1 and 1 - beta2, which in fp32 would lose half their digits. */
typedef struct at_update {
    float *w, *m, *v;
    const float *g;
    int64_t count;
    float scale, decay, shrink, lr, beta1, beta2, rest1, rest2, root2, eps;
    bool nesterov;
} at_update;

/* Pixels of one row, `ld` elements apart, floats or bfloat16. */
typedef struct at_line {
    const void *data; /* written to where it is an output */
    ptrdiff_t ld;
    bool bf16;
    bool stream; /* an output that no cache would keep until it is read: may be written past them */
} at_line;

/* Rows of floats, `ld` floats apart: a run of pixels of an activation. The kernels below that work
 * on rows x cols take these; a dense run may be passed as one long row where channels don't matter.
 */
typedef struct at_rows {
    float *data;
    ptrdiff_t ld;
} at_rows;

/* What the two backward passes of a normalisation know about each channel. */
typedef struct at_dnorm {
    const float *mean, *scale, *shift; /* forward was x * scale + shift */
    const float *slope, *offset;       /* dnorm only: the terms that come from the statistics */
    bool relu;                         /* then max(0, .): dy counts where x * scale + shift > 0 */
} at_dnorm;

/* Local response normalisation: s = k + alpha * sum over channels j - before .. j + after of x^2,
 * cut at the first and last channel; y = x * s^-beta. */
typedef struct at_lrn {
    int before, after;
    float alpha, beta, k;
} at_lrn;

/* Resampling along an axis: element o of the result is the sum of weight[i] * x[index[i]] over
 * begin[o] <= i < begin[o + 1]. */
typedef struct at_resample {
    int size;             /* of the result */
    const int32_t *begin; /* size + 1 */
    const int32_t *index;
    const float *weight;
} at_resample;

typedef struct at_taps {
    const int32_t *index;
    const float *weight;
    int count;
} at_taps;

static inline at_taps at_resample_taps(const at_resample *r, int o) {
    int32_t first = r->begin[o];
    return (at_taps){r->index + first, r->weight + first, r->begin[o + 1] - first};
}

/* What a pixel of each label contributes to a loss over softmax probabilities:
 *   hit[label] * loss(class) + smooth[label] * sum over classes of weight[class] * loss(class)
 * where loss(k) = -log p_k. A label with neither counts nowhere, whatever its logits are. */
typedef struct at_label_table {
    const float *hit, *smooth; /* [256] */
    const float *weight;       /* [classes]; NULL: there is no smoothing */
    float weight_sum;
} at_label_table;

/* By how many channels conv_dot goes: k in as few equal pieces of at most 32 as it can be, or 0 if
 * they would not be even. */
static inline int at_dot_step(int k) {
    int pieces = (k + 31) / 32;
    return k > 0 && k % (2 * pieces) == 0 ? k / pieces : 0;
}

/* clang-format off */
/* Kernels with bfloat16 products; of them there are more levels than of the others. */
#define AT_DOT_LIST(X)                                                                             \
    X(conv_dot, void, (const at_conv_tile *t))
#define AT_KERNEL_LIST(X)                                                                          \
    /* conv */                                                                                     \
    X(conv_tile, void, (const at_conv_tile *t))                                                    \
    X(conv_dw_tile, void, (const at_conv_dw_tile *t))                                              \
    X(depthwise, void, (const at_depthwise *t))                                                    \
    X(depthwise_dw, void, (const at_depthwise_dw *t))                                              \
    /* winograd: F(4x4, 3x3) and F(4x4, 4x4). alpha x alpha inputs, r x r weights and m x m output     \
     * gradients to planes; planes to m x m outputs and to r x r weight gradients */               \
    X(wino43_input, void, (const at_wino_in *t))                                                   \
    X(wino43_weight, void, (const at_wino_in *t))                                                  \
    X(wino43_dy, void, (const at_wino_in *t))                                                      \
    X(wino43_output, void, (const at_wino_out *t))                                                 \
    X(wino43_dw, void, (const at_wino_out *t))                                                     \
    X(wino44_input, void, (const at_wino_in *t))                                                   \
    X(wino44_weight, void, (const at_wino_in *t))                                                  \
    X(wino44_dy, void, (const at_wino_in *t))                                                      \
    X(wino44_output, void, (const at_wino_out *t))                                                 \
    X(wino44_dw, void, (const at_wino_out *t))                                                     \
    /* sum[j] += sum over pixels of x[p * ld + j] */                                               \
    X(pixel_sum, void, (float *sum, const float *x, ptrdiff_t ld, int64_t pixels, int c))          \
    /* pooling. One row of the small plane: maximum and code (code NULL: not wanted), the first of \
     * equals, NaN above all */                                                                    \
    X(max_pool, void, (const at_pool *p, int row))                                                 \
    /* rows y0 .. y1-1 of the large plane: each place gets the small values of the windows whose   \
     * maximum it is: their sum, or else (not with add) the last in reading order; 0 where there is\
     * none. If the pooling is tiled, y0 is a multiple of kernel_h */                              \
    X(max_scatter, void, (const at_pool *p, int y0, int y1, bool sum))                             \
    /* its transpose (with sum = false): one row of the small plane: what lies where the maximum   \
     * was; 0 if that is outside, or if a later window took the same place */                      \
    X(max_gather, void, (const at_pool *p, int row))                                               \
    /* means of windows: one row of the small plane; and its transpose: one of the large */        \
    X(avg_pool, void, (const at_pool *p, int row))                                                 \
    X(davg_pool, void, (const at_pool *p, int y))                                                  \
    /* resampling, written or added to. Rows: one of `pixels` pixels from some that lie `row`      \
     * elements apart, the first at x. Pixels: one row of r->size pixels from another */           \
    X(blend_rows, void, (at_line out, at_line x, ptrdiff_t row, at_taps t, int64_t pixels, int c,  \
                         bool add))                                                                \
    X(mix_pixels, void, (at_line out, at_line x, const at_resample *r, int c, bool add))           \
    /* out[j * out_ld + i] = x[i * ld + j] for i < rows, j < cols */                               \
    X(transpose, void, (float *out, ptrdiff_t out_ld, const float *x, ptrdiff_t ld, int rows,      \
                        int cols))                                                                 \
    /* bfloat16, to the nearest, ties to even: float rows are dense, the others `ld` elements apart */\
    X(widen, void, (float *out, const uint16_t *x, ptrdiff_t ld, int64_t rows, int64_t cols))      \
    X(narrow, void, (uint16_t *out, ptrdiff_t ld, const float *x, int64_t rows, int64_t cols))     \
    /* conv_dot's weights: out[(l / 2 * nr + j) * 2 + l % 2] = x[l * row + j * col] * scale[j] for    \
     * l < k, which is even, and j < n; 0 for j up to nr. scale NULL: 1. row or col is 1 */                            \
    X(pack_pairs, void, (uint16_t *out, int nr, const float *x, ptrdiff_t row, ptrdiff_t col,      \
                         const float *scale, int k, int n))                                        \
    /* Rows of bfloat16 in pairs: out[i / 2 * out_ld + j] holds x[i * ld + j] in its lower half, x[(i + \
     * 1) * ld + j] in its upper one, for even i < rows, j < cols; 0 for a last row without a partner */ \
    X(pair_rows, void, (uint32_t *out, ptrdiff_t out_ld, const uint16_t *x, ptrdiff_t ld, int rows, \
                        int cols))                                                                 \
    /* pixel shuffle: out[p * step + place[k] + j] = x[p * ld + j * q + k] for j < c, k < q */     \
    X(pixel_shuffle, void, (float *out, ptrdiff_t step, const ptrdiff_t *place, const float *x,    \
                            ptrdiff_t ld, int64_t pixels, int c, int q))                           \
    X(dpixel_shuffle, void, (float *dx, ptrdiff_t ld, const float *dy, ptrdiff_t step,             \
                             const ptrdiff_t *place, int64_t pixels, int c, int q, bool add))      \
    /* loss, from logits x [pixels, c], c <= 256: returned or added up, sums over pixels; stored,  \
     * each pixel's log of the sum of exponentials, from which backward finds p again. focal:      \
     * hit * (1 - p)^gamma * -log p; slope (where the label counts) is its derivative by the       \
     * label's logit, over hit * (p - 1). dice_sums: prob[k] += p_k, inter[label] += p_label, where\
     * hit is not 0 */                                                                             \
    X(count_labels, void, (int64_t *count, const uint8_t *label, int64_t pixels))                  \
    X(cross_entropy, double, (float *lse, const float *x, ptrdiff_t ld, const uint8_t *label,      \
                              const at_label_table *t, int64_t pixels, int c))                     \
    X(focal, double, (float *lse, float *slope, const float *x, ptrdiff_t ld,                      \
                      const uint8_t *label, const float *hit, float gamma, int64_t pixels, int c)) \
    X(dice_sums, void, (float *lse, double *prob, double *inter, const float *x, ptrdiff_t ld,     \
                        const uint8_t *label, const float *hit, int64_t pixels, int c))            \
    /* dx_k = p_k (h + s W) - h [k = label] - s weight_k, or += that, with h = hit * slope (NULL: 1),\
     * s = smooth, W the weights' sum. ddice: dx_k = p_k (g_k - sum_j p_j g_j) with                \
     * g_k = base[k] + [k = label] extra[k] */                                                     \
    X(dcross_entropy, void, (float *dx, ptrdiff_t dx_ld, const float *x, ptrdiff_t ld,             \
                             const float *lse, const float *slope, const uint8_t *label,           \
                             const at_label_table *t, int64_t pixels, int c, bool add))            \
    X(ddice, void, (float *dx, ptrdiff_t dx_ld, const float *x, ptrdiff_t ld, const float *lse,    \
                    const uint8_t *label, const float *hit, const float *base,                     \
                    const float *extra, int64_t pixels, int c, bool add))                          \
    /* optim: y += t * (x - y); sum of squares */                                                  \
    X(sgd_step, void, (const at_update *u))                                                        \
    X(adam_step, void, (const at_update *u))                                                       \
    X(lerp, void, (float *y, const float *x, float t, int64_t count))                              \
    X(sum_squares, double, (const float *x, int64_t count))                                        \
    /* metrics: out[p] = the first largest of `classes` values of pixel p; classes <= 256 */       \
    X(argmax, void, (uint8_t *out, const float *x, int classes, ptrdiff_t ld, int64_t pixels))     \
    /* pointwise, rows x cols. A d kernel adds to dx, or writes it; dx may be dy then. relu, leaky \
     * relu, elu, sigmoid and tanh are derived from the output (slope, alpha > 0). */              \
    X(relu, void, (at_rows y, at_rows x, int64_t rows, int64_t cols))                              \
    X(drelu, void, (at_rows dx, at_rows dy, at_rows y, int64_t rows, int64_t cols, bool add))      \
    X(leaky_relu, void, (at_rows y, at_rows x, float slope, int64_t rows, int64_t cols))           \
    X(dleaky_relu, void, (at_rows dx, at_rows dy, at_rows y, float slope, int64_t rows,            \
                          int64_t cols, bool add))                                                 \
    X(elu, void, (at_rows y, at_rows x, float alpha, int64_t rows, int64_t cols))                  \
    X(delu, void, (at_rows dx, at_rows dy, at_rows y, float alpha, int64_t rows, int64_t cols,     \
                   bool add))                                                                      \
    X(sigmoid, void, (at_rows y, at_rows x, int64_t rows, int64_t cols))                           \
    X(dsigmoid, void, (at_rows dx, at_rows dy, at_rows y, int64_t rows, int64_t cols, bool add))   \
    X(tanh, void, (at_rows y, at_rows x, int64_t rows, int64_t cols))                              \
    X(dtanh, void, (at_rows dx, at_rows dy, at_rows y, int64_t rows, int64_t cols, bool add))      \
    /* w: one slope a column. dw[j] = its gradient over these rows. dx.data may be NULL */         \
    X(prelu, void, (at_rows y, at_rows x, const float *w, int64_t rows, int64_t cols))             \
    X(dprelu, void, (at_rows dx, float *dw, at_rows dy, at_rows x, const float *w, int64_t rows,   \
                     int64_t cols, bool add))                                                      \
    /* arithmetic, rows x cols: y = x; a + b, then max(0, .); a * b. With add: y += that. An ld of 0\
     * repeats a row. column_dots: sum[j] = sum over rows of a * b */                              \
    X(copy, void, (at_rows y, at_rows x, int64_t rows, int64_t cols, bool add))                    \
    X(add, void, (at_rows y, at_rows a, at_rows b, int64_t rows, int64_t cols, bool relu))         \
    X(mul, void, (at_rows y, at_rows a, at_rows b, int64_t rows, int64_t cols, bool add))          \
    X(column_dots, void, (float *sum, at_rows a, at_rows b, int64_t rows, int64_t cols))           \
    /* norm, a column is a channel. moments: mean and sum of squared deviations, rows >= 1.        \
     * dnorm_sums: sum of dy, and of dy (x - mean). dnorm: dx = scale dy + slope (x - mean) +      \
     * offset, or dx +=. stream: see at_line */                                                    \
    X(moments, void, (float *mean, float *m2, at_rows x, int64_t rows, int64_t cols))              \
    X(scale_shift, void, (at_rows y, at_rows x, const float *scale, const float *shift,            \
                          int64_t rows, int64_t cols, bool relu, bool stream))                     \
    X(dnorm_sums, void, (float *sum, float *dot, at_rows dy, at_rows x, const at_dnorm *p,         \
                         int64_t rows, int64_t cols))                                              \
    X(dnorm, void, (at_rows dx, at_rows dy, at_rows x, const at_dnorm *p, int64_t rows,            \
                    int64_t cols, bool add))                                                       \
    /* work: 2 * (cols + before + after) floats */                                                 \
    X(lrn, void, (at_rows y, at_rows x, const at_lrn *p, float *work, int64_t rows, int64_t cols)) \
    X(dlrn, void, (at_rows dx, at_rows dy, at_rows x, const at_lrn *p, float *work, int64_t rows,  \
                   int64_t cols, bool add))                                                        \
    /* dropout: mask[i] = 0 where the number of element first + i is below `threshold`, else scale.\
     * Element e has 16 bits of the Philox4x32-10 block at counter + 16 (e / 128) + e % 16: word   \
     * e / 16 % 4, upper half if e % 128 >= 64. first is a multiple of 128 */                      \
    X(dropout_mask, void, (float *mask, const uint32_t key[2], const uint32_t counter[4],          \
                           uint64_t first, int64_t count, uint32_t threshold, float scale))
/* clang-format on */

#endif
