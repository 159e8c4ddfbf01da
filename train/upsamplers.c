/* SPDX-License-Identifier: MIT */
/* The pattern that an operator brings along, whatever the picture: uneven overlap of a transposed
 * convolution (Odena et al., Distill 2016), and sums of trained kernels that differ from phase to
 * phase (the condition of Sugawara, Shiota & Kiya, 2019: no checkerboard from a constant input if
 * all are equal). */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/measures_private.h"

/* Taps that meet in an output pixel of the phase, along one axis. */
static int taps_at(int kernel, int stride, int dilation, int phase) {
    int count = 0;
    for (int t = 0; t < kernel; t++) count += (int64_t)t * dilation % stride == phase;
    return count;
}

/* Variance / squared mean of the number of taps along one axis. */
static double axis_unevenness(int kernel, int stride, int dilation) {
    double squares = 0;
    const double mean = (double)kernel / stride;
    for (int phase = 0; phase < stride; phase++) {
        const double off = taps_at(kernel, stride, dilation, phase) - mean;
        squares += off * off;
    }
    return squares / stride / (mean * mean);
}

double at_overlap_unevenness(at_pair kernel, at_pair stride, at_pair dilation) {
    assert(kernel.h > 0 && kernel.w > 0 && stride.h > 0 && stride.w > 0);
    const double h = axis_unevenness(kernel.h, stride.h, dilation.h),
                 w = axis_unevenness(kernel.w, stride.w, dilation.w);
    return sqrt(h + w + h * w); /* counts multiply: (1 + h)(1 + w) - 1 */
}

/* ---- trained kernels ---- */

typedef struct spread {
    double variances, means; /* of the sums over phases; means squared */
} spread;

static void add_phases(spread *s, const double *sums, int phases) {
    double mean = 0, squares = 0;
    for (int p = 0; p < phases; p++) mean += sums[p] / phases;
    for (int p = 0; p < phases; p++) squares += (sums[p] - mean) * (sums[p] - mean) / phases;
    s->variances += squares;
    s->means += mean * mean;
}

/* Sums that should be equal are so up to rounding. */
static double spread_of(spread s) {
    if (s.variances <= 1e-24 * s.means) return s.means > 0 ? 0 : NAN;
    return s.means > 0 ? sqrt(s.variances / s.means) : INFINITY;
}

enum { MAX_PHASES = AT_MAX_GRID * AT_MAX_GRID };

double at_polyphase_spread(const float *weights, int pairs, at_pair kernel, at_pair stride,
                           at_pair dilation) {
    const int phases = stride.h * stride.w;
    assert(stride.h <= AT_MAX_GRID && stride.w <= AT_MAX_GRID);
    double sums[MAX_PHASES];
    spread s = {0};
    for (int i = 0; i < pairs; i++) {
        for (int p = 0; p < phases; p++) sums[p] = 0;
        for (int y = 0; y < kernel.h; y++)
            for (int x = 0; x < kernel.w; x++, weights++)
                sums[(int64_t)y * dilation.h % stride.h * stride.w +
                     (int64_t)x * dilation.w % stride.w] += (double)*weights;
        add_phases(&s, sums, phases);
    }
    return spread_of(s);
}

/* Weights [out * factor^2][in][taps] of the convolution before a pixel shuffle: output channel
 * c factor^2 + phase. */
static double shuffle_spread(const float *weights, int out, int in, int taps, int factor) {
    const int phases = factor * factor;
    double sums[MAX_PHASES];
    spread s = {0};
    for (int c = 0; c < out; c++)
        for (int i = 0; i < in; i++) {
            for (int p = 0; p < phases; p++) {
                const float *w =
                    weights + (((size_t)c * (size_t)phases + (size_t)p) * (size_t)in + (size_t)i) *
                                  (size_t)taps;
                sums[p] = 0;
                for (int t = 0; t < taps; t++) sums[p] += (double)w[t];
            }
            add_phases(&s, sums, phases);
        }
    return spread_of(s);
}

/* ---- the graph's ---- */

/* An operator's attribute as it describes it, a pair or a single number; 0 if there was no memory
 * to write it down. */
static at_pair attribute(const json_t *attrs, const char *name) {
    const json_t *v = json_object_get(attrs, name);
    if (json_is_integer(v))
        return (at_pair){(int)json_integer_value(v), (int)json_integer_value(v)};
    return (at_pair){(int)json_integer_value(json_array_get(v, 0)),
                     (int)json_integer_value(json_array_get(v, 1))};
}

static json_t *describe(const at_node *n) {
    json_t *attrs = json_object();
    if (attrs && n->op->describe) n->op->describe(n, &(at_shape){0}, (at_shape){0}, attrs);
    return attrs;
}

/* The weight of a node in PyTorch's order; NULL: out of memory. */
static float *weight_of(const at_node *n, const at_param **param) {
    const at_param *p = *param = at_graph_param(n->graph, n->params[0]);
    float *w = malloc((size_t)p->count * sizeof *w);
    if (w) at_param_export(p, at_graph_values(n->graph), w);
    return w;
}

static bool fits(at_pair stride) {
    return stride.h >= 1 && stride.w >= 1 && stride.h <= AT_MAX_GRID && stride.w <= AT_MAX_GRID &&
           stride.h * stride.w > 1;
}

/* *u stays without a name if the node is no upsampler. False: out of memory. */
static bool look_at_transposed(const at_node *n, at_upsampler *u) {
    json_t *attrs = describe(n);
    const at_pair kernel = attribute(attrs, "kernel"), stride = attribute(attrs, "stride"),
                  dilation = attribute(attrs, "dilation");
    json_decref(attrs);
    if (!kernel.h || !stride.h || !dilation.h) return false;
    if (!fits(stride)) return true;
    const at_param *p;
    float *w = weight_of(n, &p);
    if (!w) return false;
    *u = (at_upsampler){
        n->name,
        n->op->name,
        kernel,
        stride,
        at_overlap_unevenness(kernel, stride, dilation),
        at_polyphase_spread(w, p->spec.dims[0] * p->spec.dims[1], kernel, stride, dilation)};
    free(w);
    return true;
}

static bool look_at_shuffle(const at_node *n, at_upsampler *u) {
    const at_node *conv = n->inputs[0];
    json_t *attrs = describe(n);
    const at_pair factor = attribute(attrs, "upscale_factor");
    json_decref(attrs);
    if (!factor.h) return false;
    if (!fits(factor) || strcmp(conv->op->name, "conv2d") != 0) return true;
    const at_param *p;
    float *w = weight_of(conv, &p);
    if (!w) return false;
    const int *d = p->spec.dims;
    *u = (at_upsampler){
        n->name,
        n->op->name,
        {d[2], d[3]},
        factor,
        0,
        shuffle_spread(w, d[0] / (factor.h * factor.h), d[1], d[2] * d[3], factor.h)};
    free(w);
    return true;
}

static bool look_at(const at_node *n, at_upsampler *u) {
    *u = (at_upsampler){0};
    if (strcmp(n->op->name, "conv_transpose2d") == 0) return look_at_transposed(n, u);
    if (strcmp(n->op->name, "pixel_shuffle") == 0) return look_at_shuffle(n, u);
    return true;
}

at_status at_upsamplers(const at_graph *g, at_upsampler **list, int *count, at_error *err) {
    const int nodes = at_graph_node_count(g);
    *count = 0;
    *list = malloc(((size_t)nodes + 1) * sizeof **list);
    bool ok = *list != NULL;
    for (int i = 0; ok && i < nodes; i++) {
        ok = look_at(at_graph_node(g, i), &(*list)[*count]);
        *count += ok && (*list)[*count].node != NULL;
    }
    if (ok) return AT_OK;
    free(*list);
    *list = NULL;
    *count = 0;
    return at_fail_memory(err, "a list of upsampling operators", (size_t)nodes * sizeof **list);
}
