/* SPDX-License-Identifier: MIT */
/* SegNet-Basic (Badrinarayanan, Kendall & Cipolla, TPAMI 2017, section 3.1): encoders of 7x7
 * convolution, norm, ReLU and pooling; decoders of unpooling with the encoder's indices, 7x7
 * convolution and norm, without ReLU. As the paper says and its released file does not, no
 * convolution has a bias (unless there are no norms). Pooling rounds up, as there: 45 rows become
 * 23, and unpooling goes back to 45. The last encoder's decoder is number 0. */
#include <stdio.h>

#include "models/blocks.h"
#include "models/list.h"

enum { MOST_LEVELS = 6 };

typedef struct level {
    at_node *features, *pool;
} level;

static level encode(at_graph *g, int i, at_node *x, const at_model_opts *o) {
    level l;
    at_graph_push(g, "encoder");
    l.features = at_same_block(g, i, x, at_scale_width(64, o->width), 7, o->norm);
    at_graph_push(g, "%d", i);
    l.pool =
        at_max_pool2d(g, "pool", l.features, (at_pool2d_opts){.kernel = {2, 2}, .ceil_mode = true});
    at_graph_pop(g);
    at_graph_pop(g);
    return l;
}

static at_node *decode(at_graph *g, int i, at_node *x, level l, const at_model_opts *o) {
    char name[24];
    at_conv2d_opts conv = {
        .channels = at_scale_width(64, o->width), .kernel = {7, 7}, .padding = {3, 3}};
    at_grow_opts up = {.op = o->upsample,
                       .factor = 2,
                       .no_bias = o->norm != AT_NORM_NONE,
                       .like = l.features,
                       .pool = l.pool};
    snprintf(name, sizeof name, "decoder.%d", i);
    x = at_grow(g, name, x, up);
    return at_conv_block(g, name, x,
                         (at_conv_block_opts){.conv = conv, .norm = o->norm, .linear = true});
}

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    level levels[MOST_LEVELS];
    at_node *x = image;
    if (o->lrn) x = at_local_response_norm(g, "lrn", x, (at_local_response_norm_opts){0});
    for (int i = 0; i < o->depth; i++) {
        levels[i] = encode(g, i, x, o);
        x = levels[i].pool;
    }
    for (int i = 0; i < o->depth; i++) x = decode(g, i, x, levels[o->depth - 1 - i], o);
    return at_conv2d(g, "logits", x,
                     (at_conv2d_opts){.channels = o->classes,
                                      .kernel = {1, 1},
                                      .no_bias = o->norm != AT_NORM_NONE});
}

static const int depths[] = {4, 1, 2, 3, 5, MOST_LEVELS, 0};

const at_model at_model_segnet_basic = {
    .name = "segnet-basic",
    .summary = "7x7 convolutions and unpooling with indices (Badrinarayanan et al., TPAMI 2017)",
    .upsamples = AT_UPS_ALL,
    .default_upsample = AT_UP_UNPOOL,
    .depths = depths,
    .depth_help = "poolings",
    .has_lrn = true,
    .build = build,
};
