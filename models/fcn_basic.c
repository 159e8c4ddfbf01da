/* SPDX-License-Identifier: MIT */
/* FCN-Basic (Badrinarayanan, Kendall & Cipolla, TPAMI 2017, section 3.1): SegNet-Basic's encoder
 * with the decoders of fully convolutional networks. The last pooling is scored by a 1x1
 * convolution; each decoder is a transposed convolution, 8x8 with stride 2, that mixes channels and
 * begins as bilinear interpolation, and adds the scores of the pooling of the new size. The last
 * one, to the image's size, has nothing to add. Variants of the paper's table 1: NoAddition is
 * --skip none; NoDimReduction is --decoder full, which keeps the encoder's number of maps and adds
 * poolings as they are; Bilinear-Interpolation is --skip none --upsample bilinear.
 *
 * The paper does not say where norms and biases are in these decoders: there are none here (biases,
 * if there are no norms). */
#include "models/blocks.h"
#include "models/list.h"

static at_node *score(at_graph *g, const char *name, at_node *x, const at_model_opts *o) {
    return at_conv2d(g, name, x,
                     (at_conv2d_opts){.channels = o->classes,
                                      .kernel = {1, 1},
                                      .no_bias = o->norm != AT_NORM_NONE});
}

/* The paper's kernel, four times the stride. */
static at_grow_opts growth(const at_model_opts *o, at_node *like) {
    return (at_grow_opts){.op = o->upsample,
                          .factor = 2,
                          .kernel = 8,
                          .no_bias = o->norm != AT_NORM_NONE,
                          .like = like};
}

static at_node *decode(at_graph *g, int i, at_node *x, at_node *pool, const at_model_opts *o) {
    at_graph_push(g, "decoder.%d", i);
    x = at_grow(g, "up", x, growth(o, pool));
    if (o->skip == AT_SKIP_ADD)
        x = at_add(g, "add", x, o->decoder == AT_DECODER_FULL ? pool : score(g, "score", pool, o));
    at_graph_pop(g);
    return x;
}

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    at_segnet_level levels[AT_SEGNET_LEVELS];
    at_node *x = at_segnet_encoder(g, image, o, levels);
    bool full = o->decoder == AT_DECODER_FULL;
    if (!full) x = score(g, "score", x, o);
    for (int i = 0; i < o->depth - 1; i++) x = decode(g, i, x, levels[o->depth - 2 - i].pool, o);
    at_grow_opts last = growth(o, image);
    if (!full) last.last = "logits";
    x = at_grow(g, "head", x, last);
    return full ? score(g, "logits", x, o) : x;
}

const at_model at_model_fcn_basic = {
    .name = "fcn-basic",
    .summary = "SegNet-Basic's encoder, scores upsampled and added (Badrinarayanan et al., 2017)",
    .upsamples = AT_UPS_SCORES,
    .default_upsample = AT_UP_TRANSPOSED,
    .skips = 1 << AT_SKIP_NONE | 1 << AT_SKIP_ADD,
    .default_skip = AT_SKIP_ADD,
    .decoders = 1 << AT_DECODER_FULL | 1 << AT_DECODER_REDUCED,
    .default_decoder = AT_DECODER_REDUCED,
    .depths = at_segnet_depths,
    .depth_help = "poolings",
    .has_lrn = true,
    .build = build,
};
