/* SPDX-License-Identifier: MIT */
#include "nn/tensor.h"

#include <assert.h>

#include "nn/kernels/kernels.h"
#include "nn/threads.h"

enum { CHUNK = 1 << 14 }; /* elements */

typedef struct conversion {
    at_tensor to, from;
    int64_t rows; /* of a chunk */
} conversion;

static void convert_chunk(void *arg, int64_t index, int worker) {
    const conversion *c = arg;
    int64_t first = index * c->rows, left = at_shape_pixels(c->from.shape) - first;
    int64_t rows = left < c->rows ? left : c->rows, cols = c->from.shape.c;
    void *to = at_element(c->to, first * c->to.ld), *from = at_element(c->from, first * c->from.ld);
    (void)worker;
    if (c->to.dtype == AT_BF16)
        at_kernels_get()->narrow(to, c->to.ld, from, rows, cols);
    else
        at_kernels_get()->widen(to, from, c->from.ld, rows, cols);
}

void at_tensor_convert(at_tensor to, at_tensor from) {
    conversion c = {to, from, CHUNK / from.shape.c + 1};
    assert(to.dtype != from.dtype && (to.dtype == AT_BF16 || from.dtype == AT_BF16));
    assert((to.dtype == AT_BF16 ? from : to).ld == from.shape.c);
    at_parallel_for((at_shape_pixels(from.shape) + c.rows - 1) / c.rows, convert_chunk, &c);
}

size_t at_tensor_wide_bytes(at_tensor t) {
    if (t.dtype != AT_BF16 || t.shape.n == 0) return 0;
    return ((size_t)at_shape_count(t.shape) * sizeof(float) + 63) / 64 * 64;
}
