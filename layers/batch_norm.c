/* SPDX-License-Identifier: MIT */
/* Batch normalisation (Ioffe & Szegedy, ICML 2015) over images and pixels, with the ReLU that
 * follows if nobody else reads in between. Training: one pass for the statistics, one that writes
 * x * scale + shift; backward: one pass for two sums, one for the gradient. Backward reads the
 * input only: which outputs the ReLU has cut is worked out again from it. In inference scale and
 * shift come from the running statistics; a convolution before it folds them into its weights
 * instead (conv_node.c). */
#include <math.h>

#include "layers/layers.h"
#include "layers/list.h"
#include "layers/moments.h"

enum { WEIGHT, BIAS, RUNNING_MEAN, RUNNING_VAR };

/* Rows of c floats in `saved` (training) or `work` (inference). */
enum { MEAN, INVERSE, SCALE, SHIFT, SAVED_ROWS };
/* And behind the collection in `work`, backward. */
enum { SLOPE, OFFSET, WORK_ROWS };

static size_t rows_bytes(const at_step *s, size_t rows) {
    return rows * (size_t)s->node->channels * sizeof(float);
}

static at_status prepare(at_step *s, at_error *err) {
    (void)err;
    if (s->mode == AT_TRAIN) {
        s->saved_bytes = rows_bytes(s, SAVED_ROWS);
        s->work_bytes = at_collection_bytes(s->in[0].shape, AT_STRIP_PIXELS);
        s->work_bytes += rows_bytes(s, WORK_ROWS);
    } else {
        s->work_bytes = rows_bytes(s, SAVED_ROWS);
    }
    return AT_OK;
}

static bool absorb(at_step *s, const at_node *next) {
    if (next->op != &at_op_relu || s->activation != AT_ACT_NONE) return false;
    s->activation = AT_ACT_RELU;
    return true;
}

static float *saved_row(const at_step *s, int row) {
    float *rows = s->mode == AT_TRAIN ? s->saved : s->work;
    return rows + row * s->node->channels;
}

static at_collection collection(const at_step *s) {
    return at_collection_in(s->work, s->in[0].shape, AT_STRIP_PIXELS);
}

static bool relu(const at_step *s) {
    return s->activation == AT_ACT_RELU;
}

/* ---- forward ---- */

static void moments_strip(const at_step *s, const at_strip *p) {
    at_collection m = collection(s);
    at_kernels_get()->moments(at_collection_first(&m, p->index), at_collection_second(&m, p->index),
                              p->t[0], p->rows, p->cols);
}

static void set_affine(const at_step *s, int j, double mean, double inverse) {
    double scale = at_step_param(s, WEIGHT)[j] * inverse;
    saved_row(s, MEAN)[j] = (float)mean;
    saved_row(s, INVERSE)[j] = (float)inverse;
    saved_row(s, SCALE)[j] = (float)scale;
    saved_row(s, SHIFT)[j] = (float)(at_step_param(s, BIAS)[j] - mean * scale);
}

static void update(float *running, float momentum, double now) {
    *running = (float)((1.0 - (double)momentum) * *running + (double)momentum * now);
}

/* A single value has no variance: then the output is the bias, and nothing is learned of it. */
static void batch_statistics(const at_step *s) {
    const at_batch_norm_opts *o = s->node->attrs;
    int64_t count = at_shape_pixels(s->in[0].shape);
    at_collection m = collection(s);
    at_for_strips(s, moments_strip, AT_STRIP_PIXELS, s->in, 1, 0);
    at_collect_moments(&m);
    for (int j = 0; j < m.shape.c; j++) {
        double mean = m.total[j], spread = m.total[m.shape.c + j];
        double inverse = count > 1 ? 1 / sqrt(spread / (double)count + (double)o->eps) : 0;
        set_affine(s, j, mean, inverse);
        if (count == 1) continue;
        update(&at_step_param(s, RUNNING_MEAN)[j], o->momentum, mean);
        update(&at_step_param(s, RUNNING_VAR)[j], o->momentum, spread / (double)(count - 1));
    }
}

static void running_statistics(const at_step *s) {
    const at_batch_norm_opts *o = s->node->attrs;
    for (int j = 0; j < s->node->channels; j++)
        set_affine(s, j, at_step_param(s, RUNNING_MEAN)[j],
                   1 / sqrt((double)at_step_param(s, RUNNING_VAR)[j] + (double)o->eps));
}

static void affine_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->scale_shift(p->t[0], p->t[1], saved_row(s, SCALE), saved_row(s, SHIFT),
                                  p->rows, p->cols, relu(s), p->stream);
}

static void apply(const at_step *s) {
    at_for_strips(s, affine_strip, AT_STRIP_ROWS, (at_tensor[]){s->out[0], s->in[0]}, 2, 1);
}

static void forward(const at_step *s) {
    if (s->mode == AT_TRAIN)
        batch_statistics(s);
    else
        running_statistics(s);
    apply(s);
}

/* ---- backward ---- */

static float *work_row(const at_step *s, int row) {
    char *rows = (char *)s->work + at_collection_bytes(s->in[0].shape, AT_STRIP_PIXELS);
    return (float *)(void *)rows + row * s->node->channels;
}

static at_dnorm terms(const at_step *s) {
    return (at_dnorm){.mean = saved_row(s, MEAN),
                      .scale = saved_row(s, SCALE),
                      .shift = saved_row(s, SHIFT),
                      .slope = work_row(s, SLOPE),
                      .offset = work_row(s, OFFSET),
                      .relu = relu(s)};
}

/* t: d_out, x. */
static void sums_strip(const at_step *s, const at_strip *p) {
    at_collection m = collection(s);
    at_dnorm d = terms(s);
    at_kernels_get()->dnorm_sums(at_collection_first(&m, p->index),
                                 at_collection_second(&m, p->index), p->t[0], p->t[1], &d, p->rows,
                                 p->cols);
}

/* t: d_x, d_out, x. */
static void gradient_strip(const at_step *s, const at_strip *p) {
    at_dnorm d = terms(s);
    at_kernels_get()->dnorm(p->t[0], p->t[1], p->t[2], &d, p->rows, p->cols, !s->first[0]);
}

/* With N values, g the sum of dy and h that of dy (x - mean):
 *   dx = scale (dy - g / N - (x - mean) inverse^2 h / N). */
static void backward(const at_step *s) {
    at_collection m = collection(s);
    double count = (double)at_shape_pixels(m.shape);
    float *dweight = at_step_param_grad(s, WEIGHT), *dbias = at_step_param_grad(s, BIAS);
    at_for_strips(s, sums_strip, AT_STRIP_PIXELS, (at_tensor[]){s->d_out, s->in[0]}, 2, 0);
    at_collect_sums(&m);
    for (int j = 0; j < m.shape.c; j++) {
        double sum = m.total[j], dot = m.total[m.shape.c + j];
        double inverse = saved_row(s, INVERSE)[j], scale = saved_row(s, SCALE)[j];
        dweight[j] += (float)(dot * inverse);
        dbias[j] += (float)sum;
        work_row(s, SLOPE)[j] = (float)(-scale * inverse * inverse * dot / count);
        work_row(s, OFFSET)[j] = (float)(-scale * sum / count);
    }
    if (s->d_in[0].data == NULL) return;
    at_for_strips(s, gradient_strip, AT_STRIP_ROWS, (at_tensor[]){s->d_in[0], s->d_out, s->in[0]},
                  3, 1);
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *j) {
    const at_batch_norm_opts *o = node->attrs;
    (void)in, (void)out;
    at_describe_number(j, "eps", o->eps);
    at_describe_number(j, "momentum", o->momentum);
}

const at_op at_op_batch_norm = {
    .name = "batch_norm",
    .flags = AT_NEEDS_INPUT | AT_FIRST_WRITE | AT_GRAD_IN_PLACE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .prepare = prepare,
    .absorb = absorb,
    .forward = forward,
    .again = apply,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = describe,
    .param_names = {"weight", "bias", "running_mean", "running_var"},
};

at_node *at_batch_norm(at_graph *g, const char *name, at_node *x, at_batch_norm_opts opts) {
    if (opts.eps == 0) opts.eps = 1e-5f;
    if (opts.momentum == 0) opts.momentum = 0.1f;
    if (!(opts.eps > 0) || !(opts.momentum > 0 && opts.momentum <= 1))
        return at_graph_fail(g, "%s: eps %g must be positive, momentum %g in 0 .. 1",
                             name ? name : "batch_norm", (double)opts.eps, (double)opts.momentum);
    at_node *node = at_unary(g, &at_op_batch_norm, name, x, &opts, sizeof opts);
    if (node == NULL) return NULL;
    at_param_spec zeros = {.rank = 1, .dims = {node->channels}, .no_decay = true};
    at_param_spec ones = zeros;
    ones.init = (at_init){.kind = AT_INIT_CONSTANT, .value = 1};
    at_node_add_param(node, ones);
    at_node_add_param(node, zeros);
    zeros.buffer = ones.buffer = true;
    at_node_add_param(node, zeros);
    at_node_add_param(node, ones);
    return node;
}
