/* SPDX-License-Identifier: MIT */
/* DeepLabv3 (Chen, Papandreou, Schroff & Adam 2017) on ResNet of basic blocks: dilation in place of
 * the last strides, atrous spatial pyramid pooling with image pooling, scores by 1x1 convolution,
 * upsampled to the image's size. Rates are doubled at output stride 8. The decoder's own width, which
 * --match adjusts, is the pyramid's. With duc, dense upsampling convolution makes the scores. */
#include "models/blocks.h"
#include "models/list.h"

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    at_node *x = at_resnet(g, image, o, false);
    at_aspp_opts pyramid = {.channels = at_decoder_width(256, 0, o),
                            .rates = o->rates,
                            .rate_count = o->rate_count,
                            .norm = o->norm};
    x = at_aspp(g, "aspp", x, pyramid);
    if (o->upsample == AT_UP_DUC) return at_dense_head(g, x, o->classes, o->output_stride, image);
    x = at_classifier(g, "classifier", x, o->classes);
    return at_grow(
        g, "head", x,
        (at_grow_opts){
            .op = o->upsample, .factor = o->output_stride, .like = image, .last = "logits"});
}

static void defaults(at_model_opts *o) {
    static const int rates[] = {6, 12, 18};
    if (o->output_stride == 0) o->output_stride = 16;
    if (o->rate_count > 0) return;
    for (o->rate_count = 0; o->rate_count < 3; o->rate_count++)
        o->rates[o->rate_count] = rates[o->rate_count] * 16 / o->output_stride;
}

const at_model at_model_deeplabv3 = {
    .name = "deeplabv3",
    .summary = "dilated ResNet and atrous spatial pyramid pooling (Chen et al. 2017)",
    .upsamples = AT_UPS_SCORES | 1 << AT_UP_DUC,
    .default_upsample = AT_UP_BILINEAR,
    .depths = at_resnet_depths,
    .depth_help = "weighted layers of ResNet",
    .has_rates = true,
    .has_output_stride = true,
    .defaults = defaults,
    .build = build,
};
