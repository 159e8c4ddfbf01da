/* SPDX-License-Identifier: MIT */
/* A run directory:
 *   config.json                      every option, can be fed back
 *   metrics.jsonl  results.csv       one row an epoch; the CSV's columns are a promise
 *   results.svg    confusion_matrix.svg
 *   report.html                      all of it on a page (run_report.h)
 *   train_batch0..2.png              what the network is really shown
 *   val_pred0..2.png                 image, truth, prediction, errors
 *   weights/best.safetensors         highest mIoU on the validation split
 *   weights/last.safetensors         and all that resuming needs */
#ifndef AT_TRAIN_RUN_H
#define AT_TRAIN_RUN_H

#include "nn/nn.h"

/* Makes parent/name, or parent/name2, name3, ... if that exists: nothing is ever overwritten.
 * *path is malloc'ed. `name` must be a single path component. */
at_status at_run_new(const char *parent, const char *name, char **path, at_error *err);

/* One row of results.csv; NAN: not measured in that epoch (an empty field). */
typedef struct at_epoch_row {
    int epoch; /* 1, 2, ... */
    double time_s, train_loss, val_loss, miou, pixel_accuracy, mean_accuracy, lr;
    double mean_dice, fwiou, grad_norm;
} at_epoch_row;

/* The rows of a results.csv; *rows is malloc'ed. */
at_status at_results_read(const char *path, at_epoch_row **rows, int *count, at_error *err);

/* Curves of loss, measures and learning rate over epochs, light and dark. */
at_status at_results_save_svg(const char *path, const at_epoch_row *rows, int count, at_error *err);

#endif
