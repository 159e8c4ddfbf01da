/* SPDX-License-Identifier: MIT */
/* Measures of a segmentation, all from one confusion matrix over a whole split (never a mean over
 * images): Long et al., CVPR 2015, section 5, and Dice. */
#ifndef AT_TRAIN_METRICS_H
#define AT_TRAIN_METRICS_H

#include "data/data.h"

/* Counts of pixels, rows truth, columns prediction. */
typedef struct at_confusion {
    int classes;
    int64_t *counts; /* [classes][classes], owned */
} at_confusion;

at_status at_confusion_init(at_confusion *c, int classes, at_error *err);
void at_confusion_free(at_confusion *c);
void at_confusion_clear(at_confusion *c);

/* Pixels whose truth is not below `classes` (AT_IGNORE among them) count nowhere. Predictions are
 * below `classes`. */
void at_confusion_add(at_confusion *c, const uint8_t *truth, const uint8_t *prediction,
                      int64_t pixels);
void at_confusion_merge(at_confusion *c, const at_confusion *other); /* same classes */

/* How classes that are absent count: one sentence for people, in every report. */
extern const char at_absent_rule[];

/* NAN marks what has no value: 0/0. */
typedef struct at_class_metrics {
    double iou, accuracy, dice;
    int64_t pixels; /* of the truth */
} at_class_metrics;

typedef struct at_metrics {
    int64_t pixels; /* counted ones */
    double pixel_accuracy, mean_accuracy, miou, fwiou, mean_dice;
    /* What always answering the commonest class would get: the least a network must beat. */
    double majority_accuracy, majority_miou;
    /* The class predicted most often, its share of the predictions, and the share of the other
     * classes' pixels that were found. */
    int top_class;
    double top_share, others_found;
    int classes;
    at_class_metrics of[AT_MAX_CLASSES];
} at_metrics;

/* Everything is 0 (NAN for classes) if nothing was counted. */
void at_metrics_from(const at_confusion *c, at_metrics *m);

/* The object that `val --json` prints: split, images, pixels, pixel_accuracy, mean_accuracy, miou,
 * fwiou, mean_dice, absent_classes, classes, confusion, and more after them. A value that does not
 * exist is null. NULL: out of memory. */
json_t *at_metrics_to_json(const at_metrics *m, const at_confusion *c, const at_classes *classes,
                           const char *split, int images);

/* The matrix as a picture: shares of each truth row, with names; light and dark. */
at_status at_confusion_save_svg(const char *path, const at_confusion *c, const at_classes *classes,
                                at_error *err);

/* The same inside a page (html.h). */
void at_confusion_put_svg(FILE *f, const at_confusion *c, const at_classes *classes);

#endif
