/* SPDX-License-Identifier: MIT */
/* Loops over parts ("strips") of tensors of one shape, in parallel. How they are cut depends on the
 * shape alone, so numbers that are kept per strip can be combined in the same order for any number
 * of threads. Also what most pointwise operators have in common. Private to the layers. */
#ifndef AT_LAYERS_STRIPS_H
#define AT_LAYERS_STRIPS_H

#include "nn/kernels/kernels.h"
#include "nn/nn.h"

enum { AT_STRIP_TENSORS = AT_STAGE_TENSORS };

typedef enum at_strip_kind {
    AT_STRIP_ELEMENTS, /* channels don't matter: one long row, where all tensors are dense */
    AT_STRIP_PIXELS,   /* a row is a pixel, a column is a channel */
    AT_STRIP_ROWS,     /* the same, where nothing is kept for each strip: cut as is best */
    AT_STRIP_IMAGES,   /* the same, and no strip goes over the border of two images */
} at_strip_kind;

typedef struct at_strip {
    at_rows t[AT_STRIP_TENSORS]; /* where it begins in each tensor; data NULL if the tensor's is */
    int64_t rows, cols;
    int64_t index; /* 0 .. at_strip_count - 1; images one after the other */
    int64_t first; /* dense number of its first element */
    bool stream;   /* t[0] is large and written only: it may be written past the caches */
    int image;     /* of AT_STRIP_IMAGES */
    int worker;
} at_strip;

typedef void at_strip_body(const at_step *step, const at_strip *strip);

/* How many strips a tensor of this shape is cut into; for AT_STRIP_PIXELS and AT_STRIP_IMAGES. */
int64_t at_strip_count(at_shape shape, at_strip_kind kind);
/* How many pixels the strip of this index has. */
int64_t at_strip_pixels(at_shape shape, at_strip_kind kind, int64_t index);

/* body once for every strip; the first tensor gives the shape. The first `written` tensors are what
 * it writes or adds to. Tensors may be bf16: the body sees fp32. */
void at_for_strips(const at_step *step, at_strip_body *body, at_strip_kind kind,
                   const at_tensor *tensors, int count, int written);

/* The output has the first input's shape. */
at_status at_shape_of_input(const at_node *node, const at_shape *in, at_tensor *out, at_error *err);
/* Every input read once, the output written once. */
void at_cost_of_pass(const at_node *node, const at_shape *in, at_shape out, at_cost *cost);
/* An operator without attributes. */
void at_describe_nothing(const at_node *node, const at_shape *in, at_shape out, json_t *attrs);
/* A float as the shortest decimal that means it: 0.1, not 0.10000000149011612. */
void at_describe_number(json_t *attrs, const char *key, float value);

/* A node of one input that keeps its channels. */
at_node *at_unary(at_graph *g, const at_op *op, const char *name, at_node *x, const void *attrs,
                  size_t attrs_size);

#endif
