/* SPDX-License-Identifier: MIT */
/* y = x where x > 0, else negative_slope x. The slope is positive, so that the output has the
 * input's sign and backward needs nothing else. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

typedef struct attrs {
    float negative_slope;
} attrs;

static float negative_slope_of(const at_node *node) {
    return ((const attrs *)node->attrs)->negative_slope;
}

static void forward_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->leaky_relu(p->t[0], p->t[1], negative_slope_of(s->node), p->rows, p->cols);
}

static void forward(const at_step *s) {
    at_for_strips(s, forward_strip, AT_STRIP_ELEMENTS, (at_tensor[]){s->out[0], s->in[0]}, 2, 1);
}

static void backward_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->dleaky_relu(p->t[0], p->t[1], p->t[2], negative_slope_of(s->node), p->rows,
                                  p->cols, !s->first[0]);
}

static void backward(const at_step *s) {
    if (s->d_in[0].data == NULL) return;
    at_for_strips(s, backward_strip, AT_STRIP_ELEMENTS,
                  (at_tensor[]){s->d_in[0], s->d_out, s->out[0]}, 3, 1);
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs_json) {
    (void)in, (void)out;
    at_describe_number(attrs_json, "negative_slope", negative_slope_of(node));
}

const at_op at_op_leaky_relu = {
    .name = "leaky_relu",
    .flags = AT_NEEDS_OUTPUT | AT_FIRST_WRITE | AT_GRAD_IN_PLACE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = describe,
};

at_node *at_leaky_relu(at_graph *g, const char *name, at_node *x, float negative_slope) {
    attrs a = {negative_slope != 0 ? negative_slope : 0.01f};
    if (!(a.negative_slope > 0))
        return at_graph_fail(g, "%s: negative_slope %g: it must be positive",
                             name ? name : "leaky_relu", (double)negative_slope);
    return at_unary(g, &at_op_leaky_relu, name, x, &a, sizeof a);
}
