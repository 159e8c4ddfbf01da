/* SPDX-License-Identifier: MIT */
/* Two numbers a channel, collected strip by strip by a kernel and combined here in double and in
 * the order of the strips: what batch and group norm have in common. Private to the layers. */
#ifndef AT_LAYERS_MOMENTS_H
#define AT_LAYERS_MOMENTS_H

#include "layers/strips.h"

/* Memory for a norm over tensors of this shape: `partial` holds [strips][2][c], `total` [n][2][c]
 * (n = 1 for AT_STRIP_PIXELS). */
typedef struct at_collection {
    at_shape shape;
    at_strip_kind kind;
    double *total;
    float *partial;
} at_collection;

size_t at_collection_bytes(at_shape shape, at_strip_kind kind);
at_collection at_collection_in(void *memory, at_shape shape, at_strip_kind kind);

/* Where the kernel leaves the first and the second number of a strip. */
float *at_collection_first(const at_collection *m, int64_t strip);
float *at_collection_second(const at_collection *m, int64_t strip);

/* total = sums over the strips of each image (or of all). */
void at_collect_sums(const at_collection *m);
/* The numbers are mean and sum of squared deviations: total = those of all pixels together. The
 * squares of the means' differences are added to the strips' own, which cannot cancel (Chan et al.,
 * "Updating formulae and a pairwise algorithm for computing sample variances", 1979). */
void at_collect_moments(const at_collection *m);

#endif
