/* SPDX-License-Identifier: MIT */
/* The size arithmetic of convolution, transposed convolution and pooling, once for everybody.
 * Relations: Dumoulin & Visin, "A guide to convolution arithmetic for deep learning" (2016), with
 * dilation (relation 15) and output padding (relation 14). One axis at a time; padding is pixels
 * per side. A size that comes out below 1, or any argument out of range, is AT_ERR_INPUT with the
 * numbers in the text. */
#ifndef AT_NN_SIZE_H
#define AT_NN_SIZE_H

#include <stdbool.h>

#include "nn/status.h"

typedef struct at_window {
    int kernel;   /* >= 1 */
    int stride;   /* >= 1 */
    int padding;  /* >= 0, each side */
    int dilation; /* >= 1 */
} at_window;

/* Extent of a dilated kernel: dilation * (kernel - 1) + 1. */
int at_window_extent(at_window w);

/* floor((in + 2p - extent) / s) + 1. */
at_status at_conv_size(int in, at_window w, int *out, at_error *err);

/* (in - 1) s - 2p + extent + output_padding; 0 <= output_padding < max(stride, dilation). */
at_status at_conv_transpose_size(int in, at_window w, int output_padding, int *out, at_error *err);

/* Pooling; ceil_mode rounds up, but the last window must start inside the input or its left
 * padding (PyTorch's rule). Requires padding <= kernel / 2. */
at_status at_pool_size(int in, at_window w, bool ceil_mode, int *out, at_error *err);

#endif
