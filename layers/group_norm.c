/* SPDX-License-Identifier: MIT */
/* Group normalisation (Wu & He, ECCV 2018): each image on its own, over pixels and groups of
 * neighbouring channels; the same in training and inference; with the ReLU that follows if nobody
 * else reads in between. Statistics are collected by channel, as in batch norm, and then put
 * together for each group; backward reads the input only. */
#include <math.h>

#include "layers/layers.h"
#include "layers/list.h"
#include "layers/moments.h"

enum { WEIGHT, BIAS };

/* Rows of [n, c] floats: in `saved` (training), in `work` behind the collection (inference). */
enum { MEAN, INVERSE, SCALE, SHIFT, SAVED_ROWS };
/* And in `work` behind the collection, backward. */
enum { SLOPE, OFFSET, WORK_ROWS };

static int64_t row_floats(const at_step *s) {
    return (int64_t)s->in[0].shape.n * s->node->channels;
}

static size_t collection_bytes(const at_step *s) {
    return at_collection_bytes(s->in[0].shape, AT_STRIP_IMAGES);
}

static at_status prepare(at_step *s, at_error *err) {
    size_t row = (size_t)row_floats(s) * sizeof(float);
    bool train = s->mode == AT_TRAIN;
    (void)err;
    s->saved_bytes = train ? SAVED_ROWS * row : 0;
    s->work_bytes = collection_bytes(s) + (train ? WORK_ROWS : SAVED_ROWS) * row;
    return AT_OK;
}

static bool absorb(at_step *s, const at_node *next) {
    if (next->op != &at_op_relu || s->activation != AT_ACT_NONE) return false;
    s->activation = AT_ACT_RELU;
    return true;
}

static float *work_row(const at_step *s, int row) {
    return (float *)(void *)((char *)s->work + collection_bytes(s)) + row * row_floats(s);
}

static float *saved_row(const at_step *s, int row) {
    return s->mode == AT_TRAIN ? (float *)s->saved + row * row_floats(s) : work_row(s, row);
}

static at_collection collection(const at_step *s) {
    return at_collection_in(s->work, s->in[0].shape, AT_STRIP_IMAGES);
}

static bool relu(const at_step *s) {
    return s->activation == AT_ACT_RELU;
}

/* One group of one image: channels begin .. end - 1, and where the image's rows begin. */
typedef struct group {
    int begin, end;
    int64_t row;          /* image * c */
    const double *totals; /* the image's [2][c] */
    double values;        /* pixels * channels */
} group;

typedef void group_body(const at_step *s, const group *g);

static void for_groups(const at_step *s, group_body *body) {
    at_collection m = collection(s);
    int groups = ((const at_group_norm_opts *)s->node->attrs)->groups, c = m.shape.c;
    int each = c / groups;
    double pixels = (double)m.shape.h * m.shape.w;
    for (int image = 0; image < m.shape.n; image++)
        for (int i = 0; i < groups; i++)
            body(s, &(group){i * each, (i + 1) * each, (int64_t)image * c,
                             m.total + (int64_t)2 * image * c, pixels * each});
}

/* ---- forward ---- */

static void moments_strip(const at_step *s, const at_strip *p) {
    at_collection m = collection(s);
    at_kernels_get()->moments(at_collection_first(&m, p->index), at_collection_second(&m, p->index),
                              p->t[0], p->rows, p->cols);
}

/* Channels have equally many values, so the group's mean is the mean of theirs. A single value has
 * no variance: the output is the bias. */
static void normalise_group(const at_step *s, const group *g) {
    const at_group_norm_opts *o = s->node->attrs;
    int c = s->node->channels, each = g->end - g->begin;
    double mean = 0, spread = 0;
    for (int j = g->begin; j < g->end; j++) mean += g->totals[j] / each;
    for (int j = g->begin; j < g->end; j++) {
        double d = g->totals[j] - mean;
        spread += g->totals[c + j] + g->values / each * d * d;
    }
    double inverse = g->values > 1 ? 1 / sqrt(spread / g->values + (double)o->eps) : 0;
    for (int j = g->begin; j < g->end; j++) {
        double scale = at_step_param(s, WEIGHT)[j] * inverse;
        saved_row(s, MEAN)[g->row + j] = (float)mean;
        saved_row(s, INVERSE)[g->row + j] = (float)inverse;
        saved_row(s, SCALE)[g->row + j] = (float)scale;
        saved_row(s, SHIFT)[g->row + j] = (float)(at_step_param(s, BIAS)[j] - mean * scale);
    }
}

static void affine_strip(const at_step *s, const at_strip *p) {
    int64_t row = p->image * p->cols;
    at_kernels_get()->scale_shift(p->t[0], p->t[1], saved_row(s, SCALE) + row,
                                  saved_row(s, SHIFT) + row, p->rows, p->cols, relu(s), p->stream);
}

static void forward(const at_step *s) {
    at_collection m = collection(s);
    at_for_strips(s, moments_strip, AT_STRIP_IMAGES, s->in, 1, 0);
    at_collect_moments(&m);
    for_groups(s, normalise_group);
    at_for_strips(s, affine_strip, AT_STRIP_IMAGES, (at_tensor[]){s->out[0], s->in[0]}, 2, 1);
}

/* ---- backward ---- */

static at_dnorm terms(const at_step *s, int image) {
    int64_t row = (int64_t)image * s->node->channels;
    return (at_dnorm){.mean = saved_row(s, MEAN) + row,
                      .scale = saved_row(s, SCALE) + row,
                      .shift = saved_row(s, SHIFT) + row,
                      .slope = work_row(s, SLOPE) + row,
                      .offset = work_row(s, OFFSET) + row,
                      .relu = relu(s)};
}

/* t: d_out, x. */
static void sums_strip(const at_step *s, const at_strip *p) {
    at_collection m = collection(s);
    at_dnorm d = terms(s, p->image);
    at_kernels_get()->dnorm_sums(at_collection_first(&m, p->index),
                                 at_collection_second(&m, p->index), p->t[0], p->t[1], &d, p->rows,
                                 p->cols);
}

/* With N values in the group, g and h the sums over it of weight dy and weight dy (x - mean):
 *   dx = inverse (weight dy - g / N - (x - mean) inverse^2 h / N). */
static void gather_group(const at_step *s, const group *g) {
    int c = s->node->channels;
    double inverse = saved_row(s, INVERSE)[g->row + g->begin], sum = 0, dot = 0;
    for (int j = g->begin; j < g->end; j++) {
        double weight = at_step_param(s, WEIGHT)[j];
        sum += weight * g->totals[j];
        dot += weight * g->totals[c + j];
        at_step_param_grad(s, WEIGHT)[j] += (float)(g->totals[c + j] * inverse);
        at_step_param_grad(s, BIAS)[j] += (float)g->totals[j];
    }
    for (int j = g->begin; j < g->end; j++) {
        work_row(s, SLOPE)[g->row + j] = (float)(-inverse * inverse * inverse * dot / g->values);
        work_row(s, OFFSET)[g->row + j] = (float)(-inverse * sum / g->values);
    }
}

/* t: d_x, d_out, x. */
static void gradient_strip(const at_step *s, const at_strip *p) {
    at_dnorm d = terms(s, p->image);
    at_kernels_get()->dnorm(p->t[0], p->t[1], p->t[2], &d, p->rows, p->cols, !s->first[0]);
}

static void backward(const at_step *s) {
    at_collection m = collection(s);
    at_for_strips(s, sums_strip, AT_STRIP_IMAGES, (at_tensor[]){s->d_out, s->in[0]}, 2, 0);
    at_collect_sums(&m);
    for_groups(s, gather_group);
    if (s->d_in[0].data == NULL) return;
    at_for_strips(s, gradient_strip, AT_STRIP_IMAGES, (at_tensor[]){s->d_in[0], s->d_out, s->in[0]},
                  3, 1);
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *j) {
    const at_group_norm_opts *o = node->attrs;
    (void)in, (void)out;
    json_object_set_new(j, "groups", json_integer(o->groups));
    at_describe_number(j, "eps", o->eps);
}

const at_op at_op_group_norm = {
    .name = "group_norm",
    .flags = AT_NEEDS_INPUT | AT_FIRST_WRITE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .prepare = prepare,
    .absorb = absorb,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = describe,
    .param_names = {"weight", "bias"},
};

at_node *at_group_norm(at_graph *g, const char *name, at_node *x, at_group_norm_opts opts) {
    if (x == NULL) return NULL;
    if (opts.eps == 0) opts.eps = 1e-5f;
    if (opts.groups < 1 || x->channels % opts.groups != 0 || !(opts.eps > 0))
        return at_graph_fail(
            g, "%s: %d groups do not divide %d channels, or eps %g is not positive",
            name ? name : "group_norm", opts.groups, x->channels, (double)opts.eps);
    at_node *node = at_unary(g, &at_op_group_norm, name, x, &opts, sizeof opts);
    if (node == NULL) return NULL;
    at_param_spec spec = {.rank = 1, .dims = {node->channels}, .no_decay = true};
    at_param_spec ones = spec;
    ones.init = (at_init){.kind = AT_INIT_CONSTANT, .value = 1};
    at_node_add_param(node, ones);
    at_node_add_param(node, spec);
    return node;
}
