/* SPDX-License-Identifier: MIT */
/* The window of x that begins at `offset` and is as large as the second input, which lends its size
 * and nothing else. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

typedef struct attrs {
    at_pair offset;
} attrs;

static at_pair offset_of(const at_node *node) {
    return ((const attrs *)node->attrs)->offset;
}

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    at_pair o = offset_of(node);
    if (in[1].h > in[0].h - o.h || in[1].w > in[0].w - o.w)
        return at_fail(err, AT_ERR_INPUT,
                       "cannot crop %d x %d at (%d, %d) from %d x %d: the window leaves the image",
                       in[1].h, in[1].w, o.h, o.w, in[0].h, in[0].w);
    out[0].shape = (at_shape){in[0].n, in[1].h, in[1].w, in[0].c};
    return AT_OK;
}

/* Row y (of all images in turn) of the window in a tensor of the input's shape. */
static at_rows window_row(const at_step *s, at_tensor whole, int64_t y) {
    at_pair o = offset_of(s->node);
    int64_t h = s->out[0].shape.h;
    int64_t row = y / h * whole.shape.h + y % h + o.h;
    return (at_rows){at_f32(whole) + (row * whole.shape.w + o.w) * whole.ld, whole.ld};
}

static at_rows own_row(at_tensor t, int64_t y) {
    return (at_rows){at_f32(t) + y * t.shape.w * t.ld, t.ld};
}

static void forward_row(void *arg, int64_t y, int worker) {
    const at_step *s = *(const at_step *const *)arg;
    (void)worker;
    at_kernels_get()->copy(own_row(s->out[0], y), window_row(s, s->in[0], y), s->out[0].shape.w,
                           s->out[0].shape.c, false);
}

static void backward_row(void *arg, int64_t y, int worker) {
    const at_step *s = *(const at_step *const *)arg;
    (void)worker;
    at_kernels_get()->copy(window_row(s, s->d_in[0], y), own_row(s->d_out, y), s->out[0].shape.w,
                           s->out[0].shape.c, true);
}

static int64_t row_count(const at_step *s) {
    return (int64_t)s->out[0].shape.n * s->out[0].shape.h;
}

static void forward(const at_step *s) {
    at_parallel_for(row_count(s), forward_row, &s);
}

static void backward(const at_step *s) {
    if (s->d_in[0].data != NULL) at_parallel_for(row_count(s), backward_row, &s);
}

/* Twice the window, whatever the size of x. */
static void cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    (void)node, (void)in;
    cost->bytes = 2.0 * (double)at_shape_count(out) * sizeof(float);
}

static void reach(const at_node *node, at_reach *r) {
    at_pair o = offset_of(node);
    r->padding = (at_pair){-o.h, -o.w};
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *j) {
    at_pair o = offset_of(node);
    (void)in, (void)out;
    json_object_set_new(j, "offset", json_pack("[ii]", o.h, o.w));
}

const at_op at_op_crop = {
    .name = "crop",
    .flags = AT_SAME_SIZE_SAME,
    .shape_only = 1u << 1,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .cost = cost,
    .reach = reach,
    .describe = describe,
};

at_node *at_crop(at_graph *g, const char *name, at_node *x, at_node *size, at_pair offset) {
    attrs a = {offset};
    if (offset.h < 0 || offset.w < 0)
        return at_graph_fail(g, "%s: crop offset (%d, %d) is negative", name ? name : "crop",
                             offset.h, offset.w);
    return at_node_new(g, &at_op_crop, name, (at_node *[]){x, size}, 2, x != NULL ? x->channels : 0,
                       &a, sizeof a);
}
