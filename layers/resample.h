/* SPDX-License-Identifier: MIT */
/* Tables of interpolation along one axis, and their transposes; interpolation by rows, for whoever
 * does it. Private to the layers. */
#ifndef AT_LAYERS_RESAMPLE_H
#define AT_LAYERS_RESAMPLE_H

#include "layers/layers.h"
#include "nn/kernels/kernels.h"

/* Owns its arrays, in one block. */
typedef struct at_axis {
    at_resample taps;
    void *block;
} at_axis;

/* From `in` to `out` pixels. Coordinates are PyTorch's: the output pixel o lies at
 * (o + 1/2) in / out - 1/2 of the input, or with align_corners at o (in - 1) / (out - 1). */
at_status at_axis_make(at_axis *axis, at_interp_mode mode, bool align_corners, int in, int out,
                       at_error *err);

/* The transpose of `a`, which resamples to `in` pixels: what backward applies. */
at_status at_axis_transpose(at_axis *axis, const at_axis *a, int in, at_error *err);

void at_axis_free(at_axis *axis);

/* The tables of an interpolate node. */
typedef struct at_interpolation {
    at_axis y, x;           /* output from input */
    at_axis back_y, back_x; /* input's gradient from output's; empty unless asked for */
} at_interpolation;

/* *t is freed with at_interpolation_free, on error too. */
at_status at_interpolation_new(at_interpolation **t, const at_node *node, at_shape in, at_shape out,
                               bool back, at_error *err);
void at_interpolation_free(at_interpolation *t);

/* One row of resampling: `rows` of an image of `from` are blended into scratch (a row of from,
 * dense), then mixed to `pixels` of `to`, to_ld elements of `type` apart; written or added. */
void at_resample_row(void *to, at_dtype type, ptrdiff_t to_ld, at_tensor from, int image,
                     at_taps rows, const at_resample *pixels, bool add, float *scratch);

#endif
