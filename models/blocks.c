/* SPDX-License-Identifier: MIT */
/* Small blocks of several architectures. */
#include <stdio.h>

#include "models/blocks.h"

at_node *at_same_block(at_graph *g, int index, at_node *x, int channels, int kernel,
                       at_norm_kind norm) {
    char name[16];
    snprintf(name, sizeof name, "%d", index);
    at_conv2d_opts conv = {
        .channels = channels, .kernel = {kernel, kernel}, .padding = {kernel / 2, kernel / 2}};
    return at_conv_block(g, name, x, (at_conv_block_opts){.conv = conv, .norm = norm});
}

at_node *at_dense_head(at_graph *g, at_node *x, int classes, int factor, at_node *image) {
    return at_crop(g, "logits", at_duc(g, "head", x, classes, factor), image, (at_pair){0, 0});
}

at_node *at_classifier(at_graph *g, const char *name, at_node *x, int classes) {
    return at_conv2d(g, name, x, (at_conv2d_opts){.channels = classes, .kernel = {1, 1}});
}
