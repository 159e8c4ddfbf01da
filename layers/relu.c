/* SPDX-License-Identifier: MIT */
/* y = max(x, 0). Where it follows a convolution, a norm or an addition that nobody else reads, it
 * is done there and has no step of its own. The gradient takes the sign from the output. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

static void forward_strip(const at_step *s, const at_strip *p) {
    (void)s;
    at_kernels_get()->relu(p->t[0], p->t[1], p->rows, p->cols);
}

static void forward(const at_step *s) {
    at_for_strips(s, forward_strip, AT_STRIP_ELEMENTS, (at_tensor[]){s->out[0], s->in[0]}, 2, 1);
}

static void backward_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->drelu(p->t[0], p->t[1], p->t[2], p->rows, p->cols, !s->first[0]);
}

static void backward(const at_step *s) {
    if (s->d_in[0].data == NULL) return;
    at_for_strips(s, backward_strip, AT_STRIP_ELEMENTS,
                  (at_tensor[]){s->d_in[0], s->d_out, s->out[0]}, 3, 1);
}

const at_op at_op_relu = {
    .name = "relu",
    .flags = AT_NEEDS_OUTPUT | AT_FIRST_WRITE | AT_GRAD_IN_PLACE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = at_describe_nothing,
};

at_node *at_relu(at_graph *g, const char *name, at_node *x) {
    return at_unary(g, &at_op_relu, name, x, NULL, 0);
}
