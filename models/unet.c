/* SPDX-License-Identifier: MIT */
/* U-Net (Ronneberger, Fischer & Brox, MICCAI 2015): pairs of 3x3 convolutions, channels doubling at
 * each of four poolings; on the way back each level is upsampled to half its channels and
 * concatenated to the encoder's features. Unlike the paper's, convolutions are padded and have
 * norms, and pooling rounds up, so that every size works and what upsampling makes too large is
 * cropped. The decoder's own width, which --match adjusts, is that of all but the encoder's features
 * at each level. */
#include "models/blocks.h"
#include "models/list.h"

enum { MOST_LEVELS = 6 };

static at_node *double_conv(at_graph *g, at_node *x, int channels, const at_model_opts *o) {
    for (int i = 0; i < 2; i++) x = at_same_block(g, i, x, channels, 3, o->norm);
    return x;
}

static at_node *decode(at_graph *g, int level, at_node *x, at_node *skip, at_node *pool,
                       const at_model_opts *o) {
    int channels = at_decoder_width(64 << level, 0, o);
    at_grow_opts up = {.op = o->upsample,
                       .factor = 2,
                       .channels = channels,
                       .kernel = 2,
                       .like = skip,
                       .pool = pool};
    if (o->upsample == AT_UP_UNPOOL) up.channels = at_scale_width(64 << level, o->width);
    at_graph_push(g, "decoder.%d", o->depth - 1 - level);
    at_node *pair[2] = {skip, at_grow(g, "up", x, up)};
    x = double_conv(g, at_cat(g, "cat", pair, 2), channels, o);
    at_graph_pop(g);
    return x;
}

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    at_node *skips[MOST_LEVELS], *pools[MOST_LEVELS];
    at_node *x = image;
    for (int i = 0; i < o->depth; i++) {
        at_graph_push(g, "encoder.%d", i);
        skips[i] = double_conv(g, x, at_scale_width(64 << i, o->width), o);
        x = pools[i] = at_max_pool2d(g, "pool", skips[i],
                                     (at_pool2d_opts){.kernel = {2, 2}, .ceil_mode = true});
        at_graph_pop(g);
    }
    at_graph_push(g, "bottom");
    x = double_conv(g, x, at_scale_width(64 << o->depth, o->width), o);
    at_graph_pop(g);
    for (int i = o->depth - 1; i >= 0; i--) x = decode(g, i, x, skips[i], pools[i], o);
    return at_classifier(g, "logits", x, o->classes);
}

static const int depths[] = {4, 1, 2, 3, 5, MOST_LEVELS, 0};

const at_model at_model_unet = {
    .name = "unet",
    .summary = "3x3 convolutions with skips by concatenation (Ronneberger et al., MICCAI 2015)",
    .upsamples = AT_UPS_FEATURES,
    .default_upsample = AT_UP_TRANSPOSED,
    .depths = depths,
    .depth_help = "poolings",
    .build = build,
};
