/* SPDX-License-Identifier: MIT */
/* y = x where x > 0, else alpha (e^x - 1) (Clevert et al., ICLR 2016). alpha is positive, so that
 * the output has the input's sign; left of zero the derivative is y + alpha. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

typedef struct attrs {
    float alpha;
} attrs;

static float alpha_of(const at_node *node) {
    return ((const attrs *)node->attrs)->alpha;
}

static void forward_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->elu(p->t[0], p->t[1], alpha_of(s->node), p->rows, p->cols);
}

static void forward(const at_step *s) {
    at_for_strips(s, forward_strip, AT_STRIP_ELEMENTS, (at_tensor[]){s->out[0], s->in[0]}, 2, 1);
}

static void backward_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->delu(p->t[0], p->t[1], p->t[2], alpha_of(s->node), p->rows, p->cols,
                           !s->first[0]);
}

static void backward(const at_step *s) {
    if (s->d_in[0].data == NULL) return;
    at_for_strips(s, backward_strip, AT_STRIP_ELEMENTS,
                  (at_tensor[]){s->d_in[0], s->d_out, s->out[0]}, 3, 1);
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs_json) {
    (void)in, (void)out;
    at_describe_number(attrs_json, "alpha", alpha_of(node));
}

const at_op at_op_elu = {
    .name = "elu",
    .flags = AT_NEEDS_OUTPUT | AT_FIRST_WRITE | AT_GRAD_IN_PLACE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = describe,
};

at_node *at_elu(at_graph *g, const char *name, at_node *x, float alpha) {
    attrs a = {alpha != 0 ? alpha : 1};
    if (!(a.alpha > 0))
        return at_graph_fail(g, "%s: alpha %g: it must be positive", name ? name : "elu",
                             (double)alpha);
    return at_unary(g, &at_op_elu, name, x, &a, sizeof a);
}
