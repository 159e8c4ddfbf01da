/* SPDX-License-Identifier: MIT */
/* What max pooling, max unpooling and average pooling share. The second output of max pooling is
 * one byte for each value: which tap of its window, i * kernel.w + j, held the maximum. A quarter
 * of the memory of flat indices, and unpooling reads it with the pooling's geometry whatever the
 * width of the plane; so kernels are limited to 256 taps. Private to the layers. */
#ifndef AT_LAYERS_POOL_H
#define AT_LAYERS_POOL_H

#include "layers/layers.h"
#include "nn/kernels/kernels.h"

enum { AT_POOL_MAX_TAPS = 256 };

/* Fills in default stride and dilation and checks ranges; false with the graph's error set. The
 * attributes of a pooling node are its at_pool2d_opts. */
bool at_pool_defaults(at_graph *g, const char *name, at_pool2d_opts *opts);

/* Size of the small plane; fails too if a dilated window lies in the padding alone. */
at_status at_pool_shape(const at_pool2d_opts *opts, at_shape large, at_shape *small, at_error *err);

/* Max pooling and unpooling take planes of bf16 if both are. */
at_status at_pool_prepare(at_step *step, at_error *err);

/* Rows y0 .. y1-1 of one image, of whichever plane is cut. */
typedef void at_pool_rows(const at_pool *p, int y0, int y1);

/* Calls `rows` for every image and every chunk of rows of the large or the small plane; chunks of
 * the large plane begin at multiples of kernel.h. code.data may be NULL. */
typedef struct at_pool_run {
    const at_pool2d_opts *opts;
    at_tensor large, small, code;
    bool add, cut_large;
    at_pool_rows *rows;
} at_pool_run;
void at_pool_run_all(const at_pool_run *run);

void at_pool_reach(const at_node *node, at_reach *reach);
void at_pool_describe(const at_pool2d_opts *opts, json_t *attrs);

#endif
