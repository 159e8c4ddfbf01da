/* SPDX-License-Identifier: MIT */
/* avg_pool2d: the mean of each window. As in PyTorch the divisor counts the padding, but not what
 * ceil mode adds beyond it, unless count_exclude_pad. */
#include "layers/list.h"
#include "layers/pool.h"

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    return at_pool_shape(node->attrs, in[0], &out[0].shape, err);
}

static void pool_rows(const at_pool *p, int y0, int y1) {
    for (int y = y0; y < y1; y++) at_kernels_get()->avg_pool(p, y);
}

static void forward(const at_step *s) {
    at_pool_run_all(&(at_pool_run){
        .opts = s->node->attrs, .large = s->in[0], .small = s->out[0], .rows = pool_rows});
}

static void dpool_rows(const at_pool *p, int y0, int y1) {
    for (int y = y0; y < y1; y++) at_kernels_get()->davg_pool(p, y);
}

static void backward(const at_step *s) {
    if (s->d_in[0].data == NULL) return;
    at_pool_run_all(&(at_pool_run){.opts = s->node->attrs,
                                   .large = s->d_in[0],
                                   .small = s->d_out,
                                   .add = !s->first[0],
                                   .cut_large = true,
                                   .rows = dpool_rows});
}

static void cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    (void)node;
    cost->bytes = 4.0 * ((double)at_shape_count(in[0]) + (double)at_shape_count(out));
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    const at_pool2d_opts *o = node->attrs;
    (void)in, (void)out;
    at_pool_describe(o, attrs);
    json_object_set_new(attrs, "count_include_pad", json_boolean(!o->count_exclude_pad));
}

const at_op at_op_avg_pool2d = {
    .name = "avg_pool2d",
    .flags = AT_FIRST_WRITE,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .cost = cost,
    .reach = at_pool_reach,
    .describe = describe,
};

at_node *at_avg_pool2d(at_graph *g, const char *name, at_node *x, at_pool2d_opts opts) {
    const char *who = name ? name : "avg_pool2d";
    if (!at_pool_defaults(g, who, &opts)) return NULL;
    if (opts.dilation.h != 1 || opts.dilation.w != 1)
        return at_graph_fail(g, "%s: average pooling has no dilation", who);
    return at_node_new(g, &at_op_avg_pool2d, name, &x, 1, x ? x->channels : 0, &opts, sizeof opts);
}
