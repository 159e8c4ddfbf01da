/* SPDX-License-Identifier: MIT */
/* max_unpool2d: each value goes to the place its pooling took a maximum from, zeros elsewhere.
 * Where windows overlap two values may go to one place: the later one stays, and only it gets a
 * gradient (PyTorch leaves the forward order open and gives the gradient to both). Places are
 * relative to the window, so that a plane of another size than the pooled one works as long as
 * pooling it gives as many windows; a place outside it is dropped. */
#include "layers/list.h"
#include "layers/pool.h"

static const at_pool2d_opts *pooling(const at_node *node) {
    return node->inputs[1]->attrs;
}

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    at_shape x = in[0], code = in[1], size = in[2], pooled;
    if (x.n != code.n || x.h != code.h || x.w != code.w || size.n != x.n)
        return at_fail(err, AT_ERR_INPUT,
                       "unpooling %d x %d x %d values with the indices of %d x %d x %d: they must "
                       "be as many",
                       x.n, x.h, x.w, code.n, code.h, code.w);
    AT_TRY(at_pool_shape(pooling(node), size, &pooled, err));
    if (pooled.h != x.h || pooled.w != x.w)
        return at_fail(err, AT_ERR_INPUT,
                       "unpooling %d x %d values to %d x %d pixels: pooling those gives %d x %d; "
                       "take the size of the node that was pooled",
                       x.h, x.w, size.h, size.w, pooled.h, pooled.w);
    out[0].shape.n = x.n;
    out[0].shape.h = size.h;
    out[0].shape.w = size.w;
    return AT_OK;
}

static void scatter_rows(const at_pool *p, int y0, int y1) {
    at_kernels_get()->max_scatter(p, y0, y1, false);
}

static void forward(const at_step *s) {
    at_pool_run_all(&(at_pool_run){.opts = pooling(s->node),
                                   .large = s->out[0],
                                   .small = s->in[0],
                                   .code = s->in[1],
                                   .cut_large = true,
                                   .rows = scatter_rows});
}

static void gather_rows(const at_pool *p, int y0, int y1) {
    for (int y = y0; y < y1; y++) at_kernels_get()->max_gather(p, y);
}

static void backward(const at_step *s) {
    if (s->d_in[0].data == NULL) return;
    at_pool_run_all(&(at_pool_run){.opts = pooling(s->node),
                                   .large = s->d_out,
                                   .small = s->d_in[0],
                                   .code = s->in[1],
                                   .add = !s->first[0],
                                   .rows = gather_rows});
}

static void cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    (void)node;
    cost->bytes = 5.0 * (double)at_shape_count(in[0]) + 4.0 * (double)at_shape_count(out);
}

static void reach(const at_node *node, at_reach *r) {
    r->upscale = pooling(node)->stride;
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    (void)node, (void)in, (void)out, (void)attrs; /* the indices say it all */
}

const at_op at_op_max_unpool2d = {
    .name = "max_unpool2d",
    .flags = AT_FIRST_WRITE,
    .shape_only = 1u << 2,
    .shape = shape,
    .prepare = at_pool_prepare,
    .forward = forward,
    .again = forward,
    .backward = backward,
    .cost = cost,
    .reach = reach,
    .describe = describe,
};

at_node *at_max_unpool2d(at_graph *g, const char *name, at_node *x, at_node *pool, at_node *size) {
    at_node *inputs[] = {x, pool, size};
    const char *who = name ? name : "max_unpool2d";
    if (pool != NULL && pool->op != &at_op_max_pool2d)
        return at_graph_fail(g, "%s: indices come from a max_pool2d, not from '%s', a %s", who,
                             pool->name, pool->op->name);
    if (x != NULL && pool != NULL && x->channels != pool->channels)
        return at_graph_fail(g, "%s: '%s' has %d channels, '%s' has %d; they must be equal", who,
                             x->name, x->channels, pool->name, pool->channels);
    at_node *n = at_node_new(g, &at_op_max_unpool2d, name, inputs, 3, x ? x->channels : 0, NULL, 0);
    at_node_set_port(n, 1, 1);
    return n;
}
