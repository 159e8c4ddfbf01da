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
 * zero-padded to nr columns; bias too. */
typedef struct at_conv_tile {
    float *out;
    ptrdiff_t out_ld;
    const float *a;
    ptrdiff_t a_ld;
    const ptrdiff_t *tap_a, *tap_w;
    const float *w;
    const float *bias; /* NULL: none; nr floats */
    int taps, k, m, n;
    bool add;  /* add to what out holds */
    bool relu; /* then max(0, .) */
} at_conv_tile;

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

/* clang-format off */
#define AT_KERNEL_LIST(X)                                                                          \
    /* conv */                                                                                     \
    X(conv_tile, void, (const at_conv_tile *t))                                                    \
    X(conv_dw_tile, void, (const at_conv_dw_tile *t))                                              \
    /* pointwise: y = max(x, 0); dx += dy where y > 0 */                                           \
    X(relu, void, (float *y, const float *x, int64_t count))                                       \
    X(drelu, void, (float *dx, const float *dy, const float *y, int64_t count))
/* clang-format on */

#endif
