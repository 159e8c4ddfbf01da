/* SPDX-License-Identifier: MIT */
/* Views of activations. The layout is NHWC, channels innermost. A view owns nothing. */
#ifndef AT_NN_TENSOR_H
#define AT_NN_TENSOR_H

#include <stddef.h>
#include <stdint.h>

/* (height, width): every spatial attribute is such a pair. */
typedef struct at_pair {
    int h, w;
} at_pair;

typedef struct at_shape {
    int n, h, w, c;
} at_shape;

typedef enum at_dtype { AT_F32 = 0, AT_BF16, AT_U8, AT_I32 } at_dtype;

/* [n, h, w, c]; pixel p = (i * h + y) * w + x begins at element p * ld. ld >= c: where ld > c the
 * view is a slice of a wider tensor, and what lies between c and ld belongs to somebody else. */
typedef struct at_tensor {
    void *data; /* NULL: not wanted (a gradient nobody asked for) */
    at_shape shape;
    ptrdiff_t ld; /* elements from one pixel to the next */
    at_dtype dtype;
} at_tensor;

static inline size_t at_dtype_size(at_dtype d) {
    return d == AT_U8 ? 1 : d == AT_BF16 ? 2 : 4;
}
static inline int64_t at_shape_pixels(at_shape s) {
    return (int64_t)s.n * s.h * s.w;
}
static inline int64_t at_shape_count(at_shape s) {
    return at_shape_pixels(s) * s.c;
}
static inline float *at_f32(at_tensor t) {
    return (float *)t.data;
}
/* Where element i is, whatever the type. */
static inline void *at_element(at_tensor t, ptrdiff_t i) {
    return (char *)t.data + i * (ptrdiff_t)at_dtype_size(t.dtype);
}

/* Copies between fp32 and bf16, in parallel; the fp32 one is dense. */
void at_tensor_convert(at_tensor to, at_tensor from);
/* What a dense fp32 copy of a bf16 tensor takes, in whole lines of the cache; 0 for other types. */
size_t at_tensor_wide_bytes(at_tensor t);

#endif
