/* SPDX-License-Identifier: MIT */
/* What nn/size.h computes, explained: the numbered relations of Dumoulin & Visin, "A guide to
 * convolution arithmetic for deep learning" (2016), the direct convolution that equals a transposed
 * one (chapter 4), and the matrix C of a convolution (section 4.1). One axis at a time. */
#ifndef AT_NN_ARITH_H
#define AT_NN_ARITH_H

#include "nn/size.h"

/* The number, 1 to 15, of the most special relation that covers these arguments. `transposed` ones
 * with dilation have none in the paper: 0. */
int at_conv_relation(at_window w);
int at_conv_transpose_relation(at_window w, int output_padding);
int at_pool_relation(at_window w); /* 7; 6 with padding, 15 with dilation */
/* "o = floor((i - k) / s) + 1"; for 0 the general form of a transposed convolution. i, o: input and
 * output; k: kernel; s: stride; p: padding; d: dilation; a: output padding. */
const char *at_relation_text(int relation);

/* The a of relation 14: rows of the input that a convolution's last step does not reach. With it as
 * output padding the transposed convolution gives the input's size back. */
int at_conv_remainder(int in, at_window w);

/* A transposed convolution as a direct one of stride 1 over its input stretched and padded; the
 * kernel is turned by 180 degrees. Negative padding means that rows are cut off. */
typedef struct at_equivalent {
    int zeros;         /* inserted between neighbouring input rows */
    int before, after; /* zeros added at the beginning and at the end */
    int kernel, dilation;
} at_equivalent;
at_equivalent at_conv_transpose_equivalent(at_window w, int output_padding);

/* C[o][i]: the tap 0 .. kernel-1 through which output o of a convolution reads input i; -1: none.
 */
int at_conv_tap(int o, int i, at_window w);

#endif
