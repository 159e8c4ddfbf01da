/* SPDX-License-Identifier: MIT */
/* What dropout of elements and of channels share: a probability, and masks that are a function of
 * (seed, step number, node, element), drawn again in backward. Private to the layers. */
#ifndef AT_LAYERS_DROPOUT_H
#define AT_LAYERS_DROPOUT_H

#include "layers/strips.h"

/* mask[i] = 0 or 1 / (1 - p) for elements first .. first + count - 1 of the step's tensor; first is
 * a multiple of 128. */
void at_dropout_draw(const at_step *s, float *mask, int64_t first, int64_t count);

/* Does nothing, forward or backward, but hand on: inference, or p = 0. */
bool at_dropout_idle(const at_step *s);
void at_dropout_copy(const at_step *s, at_tensor to, at_tensor from, bool add);

void at_dropout_describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs);
at_node *at_dropout_node(at_graph *g, const at_op *op, const char *name, at_node *x, float p);

#endif
