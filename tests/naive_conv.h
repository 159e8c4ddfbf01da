/* SPDX-License-Identifier: MIT */
/* Convolution and transposed convolution in double, written from their definitions. */
#ifndef AT_TESTS_NAIVE_CONV_H
#define AT_TESTS_NAIVE_CONV_H

#include "layers/layers.h"

typedef struct naive_conv {
    at_pair kernel, stride, padding, dilation;
    int groups;
} naive_conv;

/* weight: [y.c, x.c / groups, kh, kw]; bias may be NULL. y is written. */
void naive_conv2d(const naive_conv *c, const double *x, at_shape xs, const double *weight,
                  const double *bias, double *y, at_shape ys);

/* weight: [x.c, y.c / groups, kh, kw]. Scatters each input pixel, as the definition says. */
void naive_conv_transpose2d(const naive_conv *c, const double *x, at_shape xs, const double *weight,
                            const double *bias, double *y, at_shape ys);

#endif
