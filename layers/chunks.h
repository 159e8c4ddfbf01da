/* SPDX-License-Identifier: MIT */
/* How work is cut for at_parallel_for: by shapes alone. Private to the layers. */
#ifndef AT_LAYERS_CHUNKS_H
#define AT_LAYERS_CHUNKS_H

#include <stddef.h>
#include <stdint.h>

enum { AT_CHUNK_BYTES = 128 << 10 }; /* some 10 us of memory traffic; fits the L2 cache */

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
