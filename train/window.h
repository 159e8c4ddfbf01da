/* SPDX-License-Identifier: MIT */
/* Where to look closer at a picture, and the edges in it as lines. */
#ifndef AT_TRAIN_WINDOW_H
#define AT_TRAIN_WINDOW_H

#include "nn/nn.h"

/* Where to look closer: the corner of the side x side window with the largest sum of weights
 * [height, width]. side is at most height and width. */
at_status at_window_best(const int32_t *weights, int height, int width, int side, int *y, int *x,
                         at_error *err);
/* The edges between different ids as an SVG path in units of pixels, "" without any; malloc'ed;
 * NULL: out of memory. */
char *at_window_edges(const uint8_t *ids, int height, int width);

#endif
