/* SPDX-License-Identifier: MIT */
/* What the measures share. */
#ifndef AT_TRAIN_MEASURES_PRIVATE_H
#define AT_TRAIN_MEASURES_PRIVATE_H

#include "train/measures.h"

/* At least one pixel and at most INT_MAX, or AT_ERR_INPUT. */
at_status at_measurable(int height, int width, at_error *err);

/* Power of the logits along rows and columns of one picture, added to c->peak and c->base
 * (spectrum.c). */
at_status at_spectrum_add(at_checkerboard *c, const float *prob, int classes, int height, int width,
                          at_error *err);

/* The largest at_spectral_peak of all periods; at_phase_gap, or NAN if the period does not divide
 * the stride (measures_flat.c). */
double at_largest_peak(const at_checkerboard *c);
double at_stride_gap(const at_checkerboard *c, int period);

#endif
