/* SPDX-License-Identifier: MIT */
/* max_pool2d: the largest value of each window, and which tap it was (layers/pool.h). Taps in the
 * padding never win. */
#include "layers/list.h"
#include "layers/pool.h"

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    AT_TRY(at_pool_shape(node->attrs, in[0], &out[0].shape, err));
    out[1].shape = out[0].shape;
    out[1].dtype = AT_U8;
    return AT_OK;
}

static void pool_rows(const at_pool *p, int y0, int y1) {
    for (int y = y0; y < y1; y++) at_kernels_get()->max_pool(p, y);
}

static void forward(const at_step *s) {
    at_pool_run_all(&(at_pool_run){.opts = s->node->attrs,
                                   .large = s->in[0],
                                   .small = s->out[0],
                                   .code = s->out[1],
                                   .rows = pool_rows});
}

static void scatter_rows(const at_pool *p, int y0, int y1) {
    at_kernels_get()->max_scatter(p, y0, y1, true);
}

static void backward(const at_step *s) {
    if (s->d_in[0].data == NULL) return;
    at_pool_run_all(&(at_pool_run){.opts = s->node->attrs,
                                   .large = s->d_in[0],
                                   .small = s->d_out,
                                   .code = s->out[1],
                                   .add = !s->first[0],
                                   .cut_large = true,
                                   .rows = scatter_rows});
}

static void cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    (void)node;
    cost->bytes = 4.0 * (double)at_shape_count(in[0]) + 5.0 * (double)at_shape_count(out);
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    const at_pool2d_opts *o = node->attrs;
    (void)in, (void)out;
    at_pool_describe(o, attrs);
    json_object_set_new(attrs, "dilation", json_pack("[ii]", o->dilation.h, o->dilation.w));
}

const at_op at_op_max_pool2d = {
    .name = "max_pool2d",
    .flags = AT_FIRST_WRITE,
    .shape = shape,
    .prepare = at_pool_prepare,
    .forward = forward,
    .backward = backward,
    .cost = cost,
    .reach = at_pool_reach,
    .describe = describe,
    .output_names = {"value", "indices"},
};

at_node *at_max_pool2d(at_graph *g, const char *name, at_node *x, at_pool2d_opts opts) {
    const char *who = name ? name : "max_pool2d";
    if (!at_pool_defaults(g, who, &opts)) return NULL;
    if ((int64_t)opts.kernel.h * opts.kernel.w > AT_POOL_MAX_TAPS)
        return at_graph_fail(g, "%s: a window of %d x %d is larger than %d pixels", who,
                             opts.kernel.h, opts.kernel.w, AT_POOL_MAX_TAPS);
    return at_node_new(g, &at_op_max_pool2d, name, &x, 1, x ? x->channels : 0, &opts, sizeof opts);
}
