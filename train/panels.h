/* SPDX-License-Identifier: MIT */
/* The pictures of a run: what the network is shown, and what it answers. */
#ifndef AT_TRAIN_PANELS_H
#define AT_TRAIN_PANELS_H

#include "train/network.h"

/* A batch as it is fed: each image with its labels laid over it, and the labels alone, with a
 * legend of the classes that occur. images: [count, h, w, channels], normalised. */
at_status at_panel_batch(const char *path, const at_network *net, const float *images,
                         const uint8_t *masks, int count, at_pair size, at_error *err);

/* Image, truth, prediction and errors of one picture (red: wrong, grey: counts nowhere). `title` is
 * a line above. */
at_status at_panel_prediction(const char *path, const at_network *net, const char *title,
                              const at_image *image, const uint8_t *truth,
                              const uint8_t *prediction, at_error *err);

/* Into a picture of 3 channels and the size of `ids`: the classes' colours; and the errors, where
 * what is right is dimmed to its brightness and what is wrong is red. */
void at_paint_ids(at_image *out, const at_classes *c, const uint8_t *ids);
void at_paint_errors(at_image *out, const at_classes *c, const at_image *image,
                     const uint8_t *truth, const uint8_t *ids);

#endif
