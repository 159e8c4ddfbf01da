/* SPDX-License-Identifier: MIT */
/* Numbers that PyTorch gave, as a second truth beside check_op's naive forward. The input holds
 * sin(0), sin(1), ... in NHWC order, the gradient of the output cos(0), cos(1), ...; in PyTorch:
 *   x = torch.arange(n*h*w*c, dtype=torch.double).sin().reshape(n, h, w, c).requires_grad_()
 *   y = F.some_op(x.permute(0, 3, 1, 2), ...).permute(0, 2, 3, 1)
 *   y.backward(torch.arange(y.numel(), dtype=torch.double).cos().reshape(y.shape))
 * and then y and x.grad, flattened. */
#ifndef AT_TESTS_LITERAL_H
#define AT_TESTS_LITERAL_H

#include "layers/layers.h"

typedef struct literal {
    at_shape in;
    const void *arg;
    /* target: the labels, if there are any. */
    at_node *(*build)(at_graph *g, at_node *x, at_node *target, const void *arg);
    const uint8_t *labels; /* one a pixel, or NULL */
    int out_count;
    const float *y, *dx; /* out_count and as many as `in` has */
} literal;

void check_literal(const literal *l);

#endif
