/* SPDX-License-Identifier: MIT */
/* What --conv tune remembers between runs: one JSON file for this user, tuning.json under
 * $XDG_CACHE_HOME/atrous or ~/.cache/atrous, with the fastest ways for each processor, level of
 * kernels, number of threads and version of this library. It is a cache: one that can't be read or
 * written is as good as none. */
#ifndef AT_TRAIN_TUNE_H
#define AT_TRAIN_TUNE_H

#include "nn/nn.h"

/* A table with what the file knows for this processor and at_threads(). */
at_status at_tune_open(at_tuning **t, at_error *err);

/* Adds to the file what was timed since; does nothing for NULL. */
void at_tune_save(const at_tuning *t);

/* Both, and at_tuning_free; does nothing for NULL. */
void at_tune_close(at_tuning *t);

/* The file's path, malloc'ed; NULL if there is no place for it. */
char *at_tune_path(void);

#endif
