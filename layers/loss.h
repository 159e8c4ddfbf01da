/* SPDX-License-Identifier: MIT */
/* What the losses over softmax probabilities share. All are sums over pixels, cut into chunks whose
 * sums are added in double and in order, divided by the sum of the labels' weights; forward keeps
 * each pixel's log of the sum of exponentials, so that backward needs one exponential a logit and
 * no reduction. Private to the layers. */
#ifndef AT_LAYERS_LOSS_H
#define AT_LAYERS_LOSS_H

#include "layers/layers.h"
#include "nn/kernels/kernels.h"

enum { AT_LABELS = 256, AT_MAX_CLASSES = 255 };

typedef struct at_loss_attrs {
    int classes;
    bool counted[AT_LABELS];      /* by label: a class, and not ignored */
    float weight[AT_MAX_CLASSES]; /* by class */
    float label_smoothing, gamma, smooth;
} at_loss_attrs;

/* In step->saved; then lse and slope, a float a pixel each. */
typedef struct at_loss_saved {
    double scale;                            /* 1 / sum of the labels' weights; 0 without any */
    float base[AT_LABELS], extra[AT_LABELS]; /* Dice: gradient by each probability */
} at_loss_saved;

/* One chunk of the batch's pixels. */
typedef struct at_loss_chunk {
    int64_t pixels;
    const float *x;
    float *dx;
    ptrdiff_t ld, dx_ld;
    const uint8_t *label;
    float *lse, *slope;
    bool add; /* to dx */
} at_loss_chunk;

int64_t at_loss_chunk_count(const at_step *s);
at_loss_chunk at_loss_chunk_at(const at_step *s, int64_t index);

/* Asks for `saved`, and for `part` bytes of work a chunk. */
at_status at_loss_prepare(at_step *s, size_t part, at_error *err);

/* Weights by label: the class's, times `scale`, or 0 where the label counts nowhere. */
void at_loss_label_weights(const at_loss_attrs *a, double scale, float *by_label);
/* The sum over labels of count * weight. */
double at_loss_weight_sum(const at_loss_attrs *a, const int64_t *count);

at_status at_loss_shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err);
void at_loss_cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost);
/* Class weights, if they are not all 1, and ignored classes (other ids never count). */
void at_loss_describe(const at_loss_attrs *a, json_t *attrs);

/* Checks the options and adds the node. */
at_node *at_loss_node(at_graph *g, const at_op *op, const char *name, at_node *logits,
                      at_node *target, const at_loss_opts *opts);

#endif
