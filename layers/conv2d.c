/* SPDX-License-Identifier: MIT */
/* conv2d: y[o] = bias[o] + sum over taps and channels of x * weight. Weight [out, in / groups, kh,
 * kw], kept as [kh][kw][in / groups][out]. In inference it takes over a batch norm (folded into
 * weights and bias) and a ReLU that follow; in training the ReLU, when there is no norm between. */
#include "layers/conv_node.h"
#include "layers/layers.h"
#include "layers/list.h"

static at_conv problem(const at_node *n, at_shape x, at_shape y) {
    const at_conv2d_opts *o = n->attrs;
    at_conv c = {.x = x,
                 .y = y,
                 .kernel = o->kernel,
                 .stride = o->stride,
                 .padding = o->padding,
                 .dilation = o->dilation,
                 .groups = o->groups};
    at_conv_flatten(&c);
    return c;
}

static at_status shape(const at_node *n, const at_shape *in, at_tensor *out, at_error *err) {
    const at_conv2d_opts *o = n->attrs;
    at_window y = {o->kernel.h, o->stride.h, o->padding.h, o->dilation.h};
    at_window x = {o->kernel.w, o->stride.w, o->padding.w, o->dilation.w};
    out->shape.n = in[0].n;
    AT_TRY(at_conv_size(in[0].h, y, &out->shape.h, err));
    return at_conv_size(in[0].w, x, &out->shape.w, err);
}

static at_status prepare(at_step *s, at_error *err) {
    at_conv c = problem(s->node, s->in[0].shape, s->out[0].shape);
    return at_conv_node_prepare(s, &c, AT_CONV_FORWARD, err);
}

static void forward(const at_step *s) {
    at_conv c = problem(s->node, s->in[0].shape, s->out[0].shape);
    at_conv_node_forward(s, &c, AT_CONV_FORWARD);
}

static void backward(const at_step *s) {
    at_conv c = problem(s->node, s->in[0].shape, s->out[0].shape);
    at_conv_node_backward(s, &c, AT_CONV_FORWARD);
}

static void cost(const at_node *n, const at_shape *in, at_shape out, at_cost *cost) {
    const at_conv2d_opts *o = n->attrs;
    double taps = (double)o->kernel.h * o->kernel.w * in[0].c / o->groups;
    cost->macs = taps * (double)at_shape_count(out);
    cost->bytes =
        4.0 * ((double)at_shape_count(in[0]) + (double)at_shape_count(out) + taps * out.c);
}

static void reach(const at_node *n, at_reach *r) {
    const at_conv2d_opts *o = n->attrs;
    r->kernel = o->kernel;
    r->stride = o->stride;
    r->padding = o->padding;
    r->dilation = o->dilation;
}

static void describe(const at_node *n, const at_shape *in, at_shape out, json_t *attrs) {
    const at_conv2d_opts *o = n->attrs;
    (void)in, (void)out;
    at_describe_window(attrs, o->kernel, o->stride, o->padding, o->dilation);
    json_object_set_new(attrs, "groups", json_integer(o->groups));
}

const at_op at_op_conv2d = {
    .name = "conv2d",
    .flags = AT_NEEDS_INPUT | AT_FIRST_WRITE | AT_GRAD_AFTER_INPUT,
    .shape = shape,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .absorb = at_conv_node_absorb,
    .release = at_conv_node_release,
    .cost = cost,
    .reach = reach,
    .describe = describe,
    .param_names = {"weight", "bias"},
};

at_node *at_conv2d(at_graph *g, const char *name, at_node *x, at_conv2d_opts o) {
    if (x == NULL) return NULL;
    if (!at_conv_node_defaults(g, name ? name : "conv2d", &o.kernel, &o.stride, &o.padding,
                               &o.dilation, &o.groups, x->channels, o.channels))
        return NULL;
    at_node *n = at_node_new(g, &at_op_conv2d, name, &x, 1, o.channels, &o, sizeof o);
    int in = x->channels / o.groups;
    if (o.init.kind == AT_INIT_ZERO) o.init.kind = AT_INIT_HE_NORMAL;
    if (o.init.fan_in == 0) o.init.fan_in = in * o.kernel.h * o.kernel.w;
    at_node_add_param(n, (at_param_spec){.rank = 4,
                                         .dims = {o.channels, in, o.kernel.h, o.kernel.w},
                                         .layout = AT_LAYOUT_CONV,
                                         .init = o.init,
                                         .frozen = o.frozen});
    if (!o.no_bias)
        at_node_add_param(
            n,
            (at_param_spec){.rank = 1, .dims = {o.channels}, .no_decay = true, .frozen = o.frozen});
    return n;
}
