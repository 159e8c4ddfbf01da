/* SPDX-License-Identifier: MIT */
/* What the losses over softmax probabilities share. All are sums over pixels, cut into chunks whose
 * sums are added in double and in order, divided by the sum of the labels' weights; forward keeps
 * each pixel's log of the sum of exponentials, so that backward needs one exponential a logit and
 * no reduction. Where the logits are interpolated for the loss alone, it does that itself
 * (loss_head.c). Private to the layers. */
#ifndef AT_LAYERS_LOSS_H
#define AT_LAYERS_LOSS_H

#include "layers/layers.h"
#include "layers/resample.h"
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
/* With a head of its own, works the logits out; dx is scratch then, and add false. */
at_loss_chunk at_loss_chunk_at(const at_step *s, int64_t index, int worker);
/* After dx was written. */
void at_loss_chunk_done(const at_step *s, int64_t index, int worker);

/* Shall forward compute dx too, but for a factor, since the logits won't be there again? */
bool at_loss_early(const at_step *s);
/* After all chunks were done, with a head of its own: d_in from what they left, times `scale`. */
void at_loss_finish(const at_step *s, double scale);

/* Asks for `saved`, and for `part` bytes of work a chunk. */
at_status at_loss_prepare(at_step *s, size_t part, at_error *err);
void at_loss_release(at_step *s);

/* Weights by label: the class's, times `scale`, or 0 where the label counts nowhere. */
void at_loss_label_weights(const at_loss_attrs *a, double scale, float *by_label);
/* The sum over labels of count * weight. */
double at_loss_weight_sum(const at_loss_attrs *a, const int64_t *count);

at_status at_loss_shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err);
void at_loss_cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost);
/* Class weights, if they are not all 1, and ignored classes (other ids never count). */
void at_loss_describe(const at_loss_attrs *a, json_t *attrs);

/* ---- a head of its own: step->state ---- */

typedef struct at_loss_head {
    at_interpolation *tables;
    int64_t rows, strips;    /* rows of a strip, strips of an image */
    size_t logits, gradient; /* where they begin in scratch, in floats */
    size_t gathered;         /* where the gradient begins in saved, in bytes */
} at_loss_head;

/* Rows of one image. */
typedef struct at_loss_rows {
    int image;
    int64_t first, count;
} at_loss_rows;

bool at_loss_inlines(const at_node *producer);
/* Adds what it needs to the step's memory. *head is freed with at_loss_head_free, on error too. */
at_status at_loss_head_prepare(at_step *s, at_loss_head **head, at_error *err);
void at_loss_head_free(at_loss_head *head);

at_loss_rows at_loss_head_rows(const at_step *s, const at_loss_head *head, int64_t index);
/* The strip's logits, dense; and room for their gradient, which gather reads. */
const float *at_loss_head_logits(const at_step *s, const at_loss_head *head, at_loss_rows r,
                                 int worker);
float *at_loss_head_gradient(const at_step *s, const at_loss_head *head, int worker);
void at_loss_head_gather(const at_step *s, const at_loss_head *head, at_loss_rows r, int worker);
/* d_in from what was gathered, times `scale`. */
void at_loss_head_finish(const at_step *s, const at_loss_head *head, double scale);

/* ---- building ---- */

/* Checks the options and adds the node. */
at_node *at_loss_node(at_graph *g, const at_op *op, const char *name, at_node *logits,
                      at_node *target, const at_loss_opts *opts);

#endif
