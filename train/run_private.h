/* SPDX-License-Identifier: MIT */
/* How the trainer keeps a run's tables. results.csv is rewritten whole and atomically after each
 * epoch (it is small), so a reader never sees half a row; metrics.jsonl is appended to. */
#ifndef AT_TRAIN_RUN_PRIVATE_H
#define AT_TRAIN_RUN_PRIVATE_H

#include "train/run.h"

at_status at_results_write(const char *path, const at_epoch_row *rows, int count, at_error *err);

/* Appends one line; takes over the reference; NULL is AT_ERR_MEMORY. */
at_status at_jsonl_append(const char *path, json_t *line, at_error *err);
/* Drops the lines of epochs after `epoch`, and a half line at the end. A missing file is fine. */
at_status at_jsonl_truncate(const char *path, int epoch, at_error *err);

#endif
