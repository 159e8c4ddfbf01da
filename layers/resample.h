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

/* Rows of one resampled image, one after the other. Where that makes it higher, rows of the source
 * are stretched first and kept, since the next row of the result needs them again; and a blend of
 * whole rows is dense, whatever the number of channels. Else rows are blended first, since fewer
 * pixels are left then. */
enum { AT_RESAMPLER_KEEPS = 4 }; /* the most taps of interpolation */
typedef struct at_resampler {
    at_tensor from;
    int image;
    const at_resample *y, *x;
    float *scratch;
    int kept[AT_RESAMPLER_KEEPS]; /* which rows of the source are in scratch; -1: none */
} at_resampler;

/* Floats of scratch for resampling images of `from` to `to`. */
size_t at_resampler_scratch(at_shape from, at_shape to);
at_resampler at_resampler_make(at_tensor from, int image, const at_resample *y,
                               const at_resample *x, float *scratch);
/* Row y of the result goes to `to`, written or added. */
void at_resampler_row(at_resampler *r, int y, at_line to, bool add);

#endif
