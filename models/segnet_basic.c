/* SPDX-License-Identifier: MIT */
/* SegNet-Basic (Badrinarayanan, Kendall & Cipolla, TPAMI 2017, section 3.1): decoders of unpooling
 * with the encoder's indices, 7x7 convolution and norm, without ReLU. The last encoder's decoder is
 * number 0. Variants of the paper's table 1: SingleChannelDecoder is --decoder single, in which
 * every filter convolves its own map alone; EncoderAddition is --skip add, which adds the encoder's
 * maps of the same resolution. With duc, dense upsampling convolution of the last pooling takes the
 * place of all decoders. */
#include <stdio.h>

#include "models/blocks.h"
#include "models/list.h"

static at_node *convolve(at_graph *g, const char *name, int i, at_node *x, const at_model_opts *o) {
    bool single = o->decoder == AT_DECODER_SINGLE;
    bool own = !single && o->skip == AT_SKIP_NONE; /* the number of maps is the decoder's affair */
    at_conv2d_opts conv = {.channels =
                               own ? at_decoder_width(64, i, o) : at_scale_width(64, o->width),
                           .kernel = {7, 7},
                           .padding = {3, 3},
                           .groups = single && x != NULL ? x->channels : 1};
    return at_conv_block(g, name, x,
                         (at_conv_block_opts){.conv = conv, .norm = o->norm, .linear = true});
}

static at_node *decode(at_graph *g, int i, at_node *x, at_segnet_level l, const at_model_opts *o) {
    char name[24];
    at_grow_opts up = {.op = o->upsample,
                       .factor = 2,
                       .no_bias = o->norm != AT_NORM_NONE,
                       .conv_follows = true,
                       .like = l.features,
                       .pool = l.pool};
    if (o->upsample == AT_UP_UNPOOL) up.channels = at_scale_width(64, o->width);
    snprintf(name, sizeof name, "decoder.%d", i);
    x = convolve(g, name, i, at_grow(g, name, x, up), o);
    if (o->skip != AT_SKIP_ADD) return x;
    at_graph_push(g, "%s", name);
    x = at_add(g, "add", x, l.features);
    at_graph_pop(g);
    return x;
}

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    at_segnet_level levels[AT_SEGNET_LEVELS];
    at_node *x = at_segnet_encoder(g, image, o, levels);
    if (o->upsample == AT_UP_DUC) return at_dense_head(g, x, o->classes, 1 << o->depth, image);
    for (int i = 0; i < o->depth; i++) x = decode(g, i, x, levels[o->depth - 1 - i], o);
    return at_conv2d(g, "logits", x,
                     (at_conv2d_opts){.channels = o->classes,
                                      .kernel = {1, 1},
                                      .no_bias = o->norm != AT_NORM_NONE});
}

const at_model at_model_segnet_basic = {
    .name = "segnet-basic",
    .summary = "7x7 convolutions and unpooling with indices (Badrinarayanan et al., TPAMI 2017)",
    .upsamples = AT_UPS_FEATURES | 1 << AT_UP_DUC,
    .default_upsample = AT_UP_UNPOOL,
    .skips = 1 << AT_SKIP_NONE | 1 << AT_SKIP_ADD,
    .default_skip = AT_SKIP_NONE,
    .decoders = 1 << AT_DECODER_FULL | 1 << AT_DECODER_SINGLE,
    .default_decoder = AT_DECODER_FULL,
    .depths = at_segnet_depths,
    .depth_help = "poolings",
    .has_lrn = true,
    .build = build,
};
