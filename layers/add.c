/* SPDX-License-Identifier: MIT */
/* y = a + b, and the ReLU behind it if nobody else reads the sum. Both inputs get the output's
 * gradient, where the output is positive if there is a ReLU. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    (void)node;
    if (in[0].n != in[1].n || in[0].h != in[1].h || in[0].w != in[1].w)
        return at_fail(
            err, AT_ERR_INPUT,
            "cannot add %d x %d x %d and %d x %d x %d (images, height, width): crop, pad "
            "or interpolate one of them first",
            in[0].n, in[0].h, in[0].w, in[1].n, in[1].h, in[1].w);
    out[0].shape = in[0];
    return AT_OK;
}

static bool absorb(at_step *s, const at_node *next) {
    if (next->op != &at_op_relu || s->activation != AT_ACT_NONE) return false;
    s->activation = AT_ACT_RELU;
    s->needs |= AT_NEEDS_OUTPUT;
    return true;
}

static bool relu(const at_step *s) {
    return s->activation == AT_ACT_RELU;
}

static void forward_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->add(p->t[0], p->t[1], p->t[2], p->rows, p->cols, relu(s));
}

static void forward(const at_step *s) {
    at_for_strips(s, forward_strip, AT_STRIP_ELEMENTS, (at_tensor[]){s->out[0], s->in[0], s->in[1]},
                  3, 1);
}

/* Both gradients of a strip while d_out is in the cache. */
static void backward_strip(const at_step *s, const at_strip *p) {
    const at_kernels *k = at_kernels_get();
    for (int i = 0; i < 2; i++) {
        if (p->t[i].data == NULL) continue;
        if (relu(s))
            k->drelu(p->t[i], p->t[2], p->t[3], p->rows, p->cols, !s->first[i]);
        else if (!s->first[i] || p->t[i].data != p->t[2].data)
            k->copy(p->t[i], p->t[2], p->rows, p->cols, !s->first[i]);
    }
}

static void backward(const at_step *s) {
    at_for_strips(s, backward_strip, AT_STRIP_ELEMENTS,
                  (at_tensor[]){s->d_in[0], s->d_in[1], s->d_out, s->out[0]}, relu(s) ? 4 : 3, 2);
}

const at_op at_op_add = {
    .name = "add",
    .flags = AT_FIRST_WRITE | AT_GRAD_IN_PLACE | AT_TAKES_BF16,
    .shape = shape,
    .absorb = absorb,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = at_describe_nothing,
};

at_node *at_add(at_graph *g, const char *name, at_node *a, at_node *b) {
    if (a != NULL && b != NULL && a->channels != b->channels)
        return at_graph_fail(g, "%s: cannot add %d channels (%s) and %d (%s)", name ? name : "add",
                             a->channels, a->name, b->channels, b->name);
    return at_node_new(g, &at_op_add, name, (at_node *[]){a, b}, 2, a != NULL ? a->channels : 0,
                       NULL, 0);
}
