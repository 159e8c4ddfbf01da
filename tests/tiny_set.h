/* SPDX-License-Identifier: MIT */
/* A data set that is learnt in seconds, and a network that is small enough for it. */
#ifndef AT_TESTS_TINY_SET_H
#define AT_TESTS_TINY_SET_H

#include "train/train.h"

enum { TINY_TRAIN = 6, TINY_VAL = 2, TINY_H = 24, TINY_W = 32 };

/* A folder under /tmp with images/ and masks/, train/ and val/: noisy ground with a bright box
 * (class 1) and a dark one (class 2), and a few pixels that count nowhere. */
const char *tiny_set_begin(void);
void tiny_set_end(void);
/* The same as a group's set-up and tear-down. */
int tiny_set_up(void **state);
int tiny_tear_down(void **state);
/* A path in that folder; the last few stay valid. */
const char *tiny_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A U-Net of one pooling, 4 and 8 channels; batch 2, crop 16x16, 3 epochs; runs in the folder. */
at_train_opts tiny_opts(void);

/* The file's bytes, free() them; fails the test if it can't be read. */
char *tiny_read(const char *path, size_t *size);

#endif
