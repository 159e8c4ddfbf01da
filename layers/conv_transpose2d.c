/* SPDX-License-Identifier: MIT */
/* conv_transpose2d: the data computation of the convolution whose input has this operator's output
 * size (Dumoulin & Visin, chapter 4, relation 14 for output padding). Weight [in, out / groups, kh,
 * kw], which in the eyes of that convolution is OIHW. */
#include "layers/conv_node.h"
#include "layers/layers.h"
#include "layers/list.h"

/* The convolution that is transposed maps our output to our input. */
static at_conv problem(const at_node *n, at_shape in, at_shape out) {
    const at_conv_transpose2d_opts *o = n->attrs;
    return (at_conv){.x = out,
                     .y = in,
                     .kernel = o->kernel,
                     .stride = o->stride,
                     .padding = o->padding,
                     .dilation = o->dilation,
                     .groups = o->groups};
}

static at_status shape(const at_node *n, const at_shape *in, at_tensor *out, at_error *err) {
    const at_conv_transpose2d_opts *o = n->attrs;
    at_window y = {o->kernel.h, o->stride.h, o->padding.h, o->dilation.h};
    at_window x = {o->kernel.w, o->stride.w, o->padding.w, o->dilation.w};
    out->shape.n = in[0].n;
    AT_TRY(at_conv_transpose_size(in[0].h, y, o->output_padding.h, &out->shape.h, err));
    return at_conv_transpose_size(in[0].w, x, o->output_padding.w, &out->shape.w, err);
}

static at_status prepare(at_step *s, at_error *err) {
    at_conv c = problem(s->node, s->in[0].shape, s->out[0].shape);
    return at_conv_node_prepare(s, &c, AT_CONV_DATA, err);
}

static void forward(const at_step *s) {
    at_conv c = problem(s->node, s->in[0].shape, s->out[0].shape);
    at_conv_node_forward(s, &c, AT_CONV_DATA);
}

static void backward(const at_step *s) {
    at_conv c = problem(s->node, s->in[0].shape, s->out[0].shape);
    at_conv_node_backward(s, &c, AT_CONV_DATA);
}

static void cost(const at_node *n, const at_shape *in, at_shape out, at_cost *cost) {
    const at_conv_transpose2d_opts *o = n->attrs;
    double taps = (double)o->kernel.h * o->kernel.w * out.c / o->groups;
    cost->macs = taps * (double)at_shape_count(in[0]);
    cost->bytes =
        4.0 * ((double)at_shape_count(in[0]) + (double)at_shape_count(out) + taps * in[0].c);
}

/* An output pixel reads ceil(extent / stride) input pixels, one apart. */
static void reach(const at_node *n, at_reach *r) {
    const at_conv_transpose2d_opts *o = n->attrs;
    at_pair extent = {(o->kernel.h - 1) * o->dilation.h + 1, (o->kernel.w - 1) * o->dilation.w + 1};
    r->kernel = (at_pair){(extent.h + o->stride.h - 1) / o->stride.h,
                          (extent.w + o->stride.w - 1) / o->stride.w};
    r->upscale = o->stride;
    r->padding = (at_pair){(extent.h - 1 - o->padding.h) / o->stride.h,
                           (extent.w - 1 - o->padding.w) / o->stride.w};
}

static void describe(const at_node *n, const at_shape *in, at_shape out, json_t *attrs) {
    const at_conv_transpose2d_opts *o = n->attrs;
    (void)in, (void)out;
    at_describe_window(attrs, o->kernel, o->stride, o->padding, o->dilation);
    at_describe_pair(attrs, "output_padding", o->output_padding);
    json_object_set_new(attrs, "groups", json_integer(o->groups));
}

const at_op at_op_conv_transpose2d = {
    .name = "conv_transpose2d",
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

static bool padding_fits(at_graph *g, const char *name, at_conv_transpose2d_opts o) {
    int h = o.stride.h > o.dilation.h ? o.stride.h : o.dilation.h;
    int w = o.stride.w > o.dilation.w ? o.stride.w : o.dilation.w;
    if (o.output_padding.h >= 0 && o.output_padding.w >= 0 && o.output_padding.h < h &&
        o.output_padding.w < w)
        return true;
    at_graph_fail(g, "%s: output_padding %d x %d must be below max(stride, dilation), %d x %d",
                  name, o.output_padding.h, o.output_padding.w, h, w);
    return false;
}

at_node *at_conv_transpose2d(at_graph *g, const char *name, at_node *x,
                             at_conv_transpose2d_opts o) {
    const char *shown = name ? name : "conv_transpose2d";
    if (x == NULL) return NULL;
    if (!at_conv_node_defaults(g, shown, &o.kernel, &o.stride, &o.padding, &o.dilation, &o.groups,
                               x->channels, o.channels) ||
        !padding_fits(g, shown, o))
        return NULL;
    at_node *n = at_node_new(g, &at_op_conv_transpose2d, name, &x, 1, o.channels, &o, sizeof o);
    int meet =
        (o.kernel.h + o.stride.h - 1) / o.stride.h * ((o.kernel.w + o.stride.w - 1) / o.stride.w);
    if (o.init.kind == AT_INIT_ZERO) o.init.kind = AT_INIT_HE_NORMAL;
    if (o.init.fan_in == 0) o.init.fan_in = meet * x->channels / o.groups;
    o.init.groups = o.groups;
    at_node_add_param(
        n, (at_param_spec){.rank = 4,
                           .dims = {x->channels, o.channels / o.groups, o.kernel.h, o.kernel.w},
                           .layout = AT_LAYOUT_CONV,
                           .init = o.init,
                           .frozen = o.frozen});
    if (!o.no_bias)
        at_node_add_param(n, (at_param_spec){.rank = 1, .dims = {o.channels}, .no_decay = true});
    return n;
}
