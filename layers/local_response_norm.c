/* SPDX-License-Identifier: MIT */
/* y = x / (k + alpha / size * sum of x^2 over `size` neighbouring channels)^beta (Krizhevsky et
 * al., NIPS 2012), with PyTorch's alpha and window: channels j - size / 2 .. j + (size - 1) / 2,
 * zeros beyond the ends. The sums are worked out again in backward. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

static at_lrn window_of(const at_node *node) {
    const at_local_response_norm_opts *o = node->attrs;
    return (at_lrn){.before = o->size / 2,
                    .after = (o->size - 1) / 2,
                    .alpha = o->alpha / (float)o->size,
                    .beta = o->beta,
                    .k = o->k};
}

static at_status prepare(at_step *s, at_error *err) {
    at_lrn w = window_of(s->node);
    (void)err;
    s->scratch_bytes =
        2 * ((size_t)s->node->channels + (size_t)w.before + (size_t)w.after) * sizeof(float);
    return AT_OK;
}

static void forward_strip(const at_step *s, const at_strip *p) {
    at_lrn w = window_of(s->node);
    at_kernels_get()->lrn(p->t[0], p->t[1], &w, at_step_scratch(s, p->worker), p->rows, p->cols);
}

static void forward(const at_step *s) {
    at_for_strips(s, forward_strip, AT_STRIP_PIXELS, (at_tensor[]){s->out[0], s->in[0]}, 2, 1);
}

static void backward_strip(const at_step *s, const at_strip *p) {
    at_lrn w = window_of(s->node);
    at_kernels_get()->dlrn(p->t[0], p->t[1], p->t[2], &w, at_step_scratch(s, p->worker), p->rows,
                           p->cols, !s->first[0]);
}

static void backward(const at_step *s) {
    if (s->d_in[0].data == NULL) return;
    at_for_strips(s, backward_strip, AT_STRIP_PIXELS, (at_tensor[]){s->d_in[0], s->d_out, s->in[0]},
                  3, 1);
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *j) {
    const at_local_response_norm_opts *o = node->attrs;
    (void)in, (void)out;
    json_object_set_new(j, "size", json_integer(o->size));
    at_describe_number(j, "alpha", o->alpha);
    at_describe_number(j, "beta", o->beta);
    at_describe_number(j, "k", o->k);
}

const at_op at_op_local_response_norm = {
    .name = "local_response_norm",
    .flags = AT_NEEDS_INPUT | AT_FIRST_WRITE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = describe,
};

at_node *at_local_response_norm(at_graph *g, const char *name, at_node *x,
                                at_local_response_norm_opts opts) {
    if (opts.size == 0) opts.size = 5;
    if (opts.alpha == 0) opts.alpha = 1e-4f;
    if (opts.beta == 0) opts.beta = 0.75f;
    if (opts.k == 0) opts.k = 1;
    if (opts.size < 1 || !(opts.alpha > 0) || !(opts.beta > 0) || !(opts.k > 0))
        return at_graph_fail(g, "%s: size %d, alpha %g, beta %g, k %g: all must be positive",
                             name ? name : "local_response_norm", opts.size, (double)opts.alpha,
                             (double)opts.beta, (double)opts.k);
    return at_unary(g, &at_op_local_response_norm, name, x, &opts, sizeof opts);
}
