/* SPDX-License-Identifier: MIT */
/* One forward and backward of a network on one picture, written down so completely that another
 * engine can repeat it: what was fed, logits, loss, every gradient. */
#ifndef AT_TRAIN_GRADIENTS_H
#define AT_TRAIN_GRADIENTS_H

#include "train/network.h"

typedef struct at_gradients_opts {
    at_mode mode; /* AT_INFER: image and logits only, with running statistics and folded norms */
    bool dropout; /* leave it on, drawn by `seed` */
    uint64_t seed;
    at_precision precision;
    at_conv_choice conv;
    size_t max_bytes; /* for the plan; 0: what is free */
} at_gradients_opts;

/* Batch 1, no augmentation. image: [h, w, channels of the network], as it is to be fed but for the
 * normalisation; mask: [h, w] ids and AT_IGNORE, NULL for AT_INFER. A label that the network has
 * not is AT_ERR_INPUT naming the pixel. Writes to `path`, a safetensors file, in PyTorch's layouts:
 * "image" [1, c, h, w], "logits" [1, k, h, w], and for AT_TRAIN "loss" [] and each parameter's
 * gradient under the parameter's name. Running statistics in *net are moved on by AT_TRAIN. *loss
 * may be NULL. */
at_status at_gradients_save(at_network *net, const at_image *image, const uint8_t *mask,
                            at_gradients_opts opts, const char *path, double *loss, at_error *err);

#endif
