/* SPDX-License-Identifier: MIT */
/* Fully convolutional networks (Long, Shelhamer & Darrell, CVPR 2015) on VGG: fc6 and fc7 as
 * convolutions with dropout, scores by 1x1 convolution, upsampled and added to the scores of
 * earlier poolings. Instead of the paper's padding of 100 pixels, fc6 pads by 3 and pooling rounds
 * up; what transposed convolution makes too large is cropped. Transposed convolutions begin as
 * bilinear interpolation, mix classes and are all trained. */
#include "models/fcn.h"

static at_node *fully_connected(at_graph *g, const char *name, at_node *x, int kernel,
                                const at_model_opts *o) {
    at_conv2d_opts conv = {
        .channels = o->fc, .kernel = {kernel, kernel}, .padding = {kernel / 2, kernel / 2}};
    x = at_conv_block(g, name, x, (at_conv_block_opts){.conv = conv, .norm = o->norm});
    if (o->no_dropout) return x;
    at_graph_push(g, "%s", name);
    x = at_dropout(g, "dropout", x, 0.5f);
    at_graph_pop(g);
    return x;
}

/* "decoder.<i>": scores of twice the stride, brought to the pooling's size, plus its own scores. */
static at_node *fuse(at_graph *g, int i, at_node *scores, at_node *pool, const at_model_opts *o) {
    at_graph_push(g, "decoder.%d", i);
    at_node *skip = at_classifier(g, "score", pool, o->classes);
    at_node *up =
        at_grow(g, "up", scores, (at_grow_opts){.op = o->upsample, .factor = 2, .like = skip});
    scores = at_add(g, "add", up, skip);
    at_graph_pop(g);
    return scores;
}

at_node *at_fcn(at_graph *g, at_node *image, const at_model_opts *o, int skips) {
    at_node *pools[AT_VGG_STAGES];
    at_node *x = at_vgg(g, image, o, pools);
    x = fully_connected(g, "fc6", x, 7, o);
    x = fully_connected(g, "fc7", x, 1, o);
    x = at_classifier(g, "score", x, o->classes);
    for (int i = 0; i < skips; i++) x = fuse(g, i, x, pools[AT_VGG_STAGES - 2 - i], o);
    return at_grow(
        g, "head", x,
        (at_grow_opts){.op = o->upsample, .factor = 32 >> skips, .like = image, .last = "logits"});
}
