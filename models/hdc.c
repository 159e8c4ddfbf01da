/* SPDX-License-Identifier: MIT */
/* Hybrid dilated convolution and dense upsampling convolution (Wang et al., WACV 2018) on ResNet of
 * basic blocks: in the stages that lost their stride the 3x3 convolutions cycle through rates
 * without a common factor; the head makes a block of stride x stride scores from each place.
 * Here pixelshuffle and duc are one thing, and pixelshuffle-random is the same but for its initial
 * values. Another upsampling replaces that head by a 3x3 convolution to one score a class, and the
 * operator. */
#include "models/blocks.h"
#include "models/list.h"

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    at_node *x = at_resnet(g, image, o, true);
    if (o->upsample == AT_UP_PIXELSHUFFLE || o->upsample == AT_UP_DUC)
        return at_dense_head(g, x, o->classes, o->output_stride, image);
    if (o->upsample != AT_UP_PIXELSHUFFLE_RANDOM)
        x = at_conv2d(
            g, "classifier", x,
            (at_conv2d_opts){.channels = o->classes, .kernel = {3, 3}, .padding = {1, 1}});
    return at_grow(g, "head", x,
                   (at_grow_opts){.op = o->upsample,
                                  .factor = o->output_stride,
                                  .channels = o->classes,
                                  .like = image,
                                  .last = "logits"});
}

static void defaults(at_model_opts *o) {
    static const int rates[] = {1, 2, 5};
    if (o->output_stride == 0) o->output_stride = 8;
    if (o->rate_count > 0) return;
    for (o->rate_count = 0; o->rate_count < 3; o->rate_count++)
        o->rates[o->rate_count] = rates[o->rate_count];
}

const at_model at_model_hdc = {
    .name = "hdc",
    .summary =
        "hybrid dilation and dense upsampling convolution on ResNet (Wang et al., WACV 2018)",
    .upsamples = AT_UPS_SCORES | 1 << AT_UP_DUC,
    .default_upsample = AT_UP_PIXELSHUFFLE,
    .depths = at_resnet_depths,
    .depth_help = "weighted layers of ResNet",
    .has_rates = true,
    .has_output_stride = true,
    .defaults = defaults,
    .build = build,
};
