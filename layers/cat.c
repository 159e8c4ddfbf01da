/* SPDX-License-Identifier: MIT */
/* Concatenation of channels. Where a plan has put an input straight into its place in the output
 * (or a gradient into its place in d_out), there is nothing to copy. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    for (int i = 1; i < node->input_count; i++)
        if (in[i].n != in[0].n || in[i].h != in[0].h || in[i].w != in[0].w)
            return at_fail(err, AT_ERR_INPUT,
                           "cannot concatenate %d x %d x %d (%s) and %d x %d x %d (%s; images, "
                           "height, width): crop, pad or interpolate one of them first",
                           in[0].n, in[0].h, in[0].w, node->inputs[0]->name, in[i].n, in[i].h,
                           in[i].w, node->inputs[i]->name);
    out[0].shape = (at_shape){in[0].n, in[0].h, in[0].w, out[0].shape.c};
    return AT_OK;
}

/* The part of t, [.., all channels], that belongs to one input. */
static at_tensor part(at_tensor t, int64_t channel, at_tensor input) {
    t.data = at_element(t, channel);
    t.shape = input.shape;
    return t;
}

static bool in_place(at_tensor a, at_tensor b) {
    return a.data == b.data && a.ld == b.ld; /* of one place, hence of one type */
}

static void copy_strip(const at_step *s, const at_strip *p) {
    (void)s;
    at_kernels_get()->copy(p->t[0], p->t[1], p->rows, p->cols, false);
}

static void add_strip(const at_step *s, const at_strip *p) {
    (void)s;
    at_kernels_get()->copy(p->t[0], p->t[1], p->rows, p->cols, true);
}

static void forward(const at_step *s) {
    int64_t channel = 0;
    for (int i = 0; i < s->in_count; channel += s->in[i++].shape.c) {
        at_tensor to = part(s->out[0], channel, s->in[i]);
        if (!in_place(to, s->in[i]))
            at_for_strips(s, copy_strip, AT_STRIP_ROWS, (at_tensor[]){to, s->in[i]}, 2, 1);
    }
}

static void backward(const at_step *s) {
    int64_t channel = 0;
    for (int i = 0; i < s->in_count; channel += s->in[i++].shape.c) {
        at_tensor from = part(s->d_out, channel, s->in[i]);
        if (s->d_in[i].data == NULL || in_place(s->d_in[i], from)) continue;
        at_for_strips(s, s->first[i] ? copy_strip : add_strip, AT_STRIP_ROWS,
                      (at_tensor[]){s->d_in[i], from}, 2, 1);
    }
}

const at_op at_op_cat = {
    .name = "cat",
    .flags = AT_FIRST_WRITE | AT_TAKES_BF16 | AT_HOLDS_INPUTS,
    .shape = shape,
    .forward = forward,
    .again = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = at_describe_nothing,
};

at_node *at_cat(at_graph *g, const char *name, at_node *const *inputs, int count) {
    int channels = 0;
    if (count < 1) return at_graph_fail(g, "%s: nothing to concatenate", name ? name : "cat");
    for (int i = 0; i < count; i++) channels += inputs[i] != NULL ? inputs[i]->channels : 0;
    return at_node_new(g, &at_op_cat, name, inputs, count, channels, NULL, 0);
}
