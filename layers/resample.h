/* SPDX-License-Identifier: MIT */
/* Tables of interpolation along one axis, and their transposes. Private to the layers. */
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

#endif
