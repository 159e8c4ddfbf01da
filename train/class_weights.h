/* SPDX-License-Identifier: MIT */
/* Weights of classes in the loss, given or worked out from the counts of the training masks. */
#ifndef AT_TRAIN_CLASS_WEIGHTS_H
#define AT_TRAIN_CLASS_WEIGHTS_H

#include "data/data.h"

typedef enum at_class_weighting {
    AT_CLASS_WEIGHTS_NONE = 0, /* all 1 */
    AT_CLASS_WEIGHTS_MEDIAN,   /* median of f / f(c); f(c): the class' pixels / pixels of the images
                                  that   contain it (Eigen & Fergus, ICCV 2015; SegNet) */
    AT_CLASS_WEIGHTS_ENET,     /* 1 / ln(1.02 + p(c)), p: share of all counted pixels (Paszke et al.
                                  2016) */
    AT_CLASS_WEIGHTS_INVERSE,  /* 1 / (classes present * p(c)): each class weighs the same in all */
    AT_CLASS_WEIGHTS_LIST,     /* given */
} at_class_weighting;

/* "none", "median", "enet", "inverse" or one number a class, "1,2.5,...". A list of another length,
 * or a number that is negative, not finite, or all zero, is AT_ERR_USAGE. `weights` has room for
 * `classes` numbers and is written for a list only. */
at_status at_class_weights_parse(const char *text, int classes, at_class_weighting *kind,
                                 float *weights, at_error *err);

/* Writes `classes` weights. A class with no pixel gets 1 (median, inverse), or the formula's value.
 */
void at_class_weights(at_class_weighting kind, const at_class_stats *stats, int classes,
                      float *weights);

/* What the kind computes, in words and symbols, for reports. */
const char *at_class_weights_formula(at_class_weighting kind);

#endif
