/* SPDX-License-Identifier: MIT */
/* Private to the data room: the synthetic set. */
#ifndef AT_DATA_SYNTH_H
#define AT_DATA_SYNTH_H

#include "data/classes.h"

enum { AT_SYNTH_COUNT = 500, AT_SYNTH_SIZE = 64 };

extern const at_known at_known_synth;

/* Draws picture `index` of the set of this seed: RGB, and exact ids. *mask is malloc'ed. */
at_status at_synth_draw(uint64_t seed, uint64_t index, at_pair size, at_image *image,
                        uint8_t **mask, at_error *err);

#endif
