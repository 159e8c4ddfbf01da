/* SPDX-License-Identifier: MIT */
/* How work is cut for at_parallel_for: by shapes alone; and what is written past the caches. Private
 * to the layers. */
#ifndef AT_LAYERS_CHUNKS_H
#define AT_LAYERS_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

#include "nn/nn.h"

enum { AT_CHUNK_BYTES = 128 << 10 }; /* some 10 us of memory traffic; fits the L2 cache */

/* Is this gone from the caches before it is read? Measured on a Xeon of 2 MiB of L2 a core, a copy
 * past the caches and a read of it take longer below 4 MiB, as long at 8, three quarters at 22. */
static inline bool at_streams(at_tensor t) {
    const int64_t least = 8 << 20;
    return t.dtype == AT_F32 && at_shape_count(t.shape) * (int64_t)sizeof(float) >= least;
}

/* Of `rows` rows that touch `bytes` bytes each, how many make one chunk: 1 .. rows. */
static inline int64_t at_chunk_rows(int64_t rows, size_t bytes) {
    int64_t fit = (int64_t)(AT_CHUNK_BYTES / (bytes + 1)) + 1;
    return fit < rows ? fit : rows;
}

/* How many chunks of `chunk` rows cover `rows`. */
static inline int64_t at_chunk_count(int64_t rows, int64_t chunk) {
    return (rows + chunk - 1) / chunk;
}

#endif
