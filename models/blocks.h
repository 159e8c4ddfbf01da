/* SPDX-License-Identifier: MIT */
/* What architectures share: backbones, and the one block that brings resolution back. Private to
 * the models. Like operator functions, all of these pass NULL through. */
#ifndef AT_MODELS_BLOCKS_H
#define AT_MODELS_BLOCKS_H

#include "models/models.h"

enum {
    AT_UPS_RESIZE = 1 << AT_UP_NEAREST | 1 << AT_UP_BILINEAR | 1 << AT_UP_BICUBIC,
    AT_UPS_NO_INDICES = AT_UPS_RESIZE | 1 << AT_UP_TRANSPOSED | 1 << AT_UP_PIXELSHUFFLE,
    AT_UPS_ALL = AT_UPS_NO_INDICES | 1 << AT_UP_UNPOOL,
};

/* Makes x `factor` times as high and wide with the operator of opts.op; no norm, no activation.
 * - nearest, bilinear, bicubic: "resize"; if the channels change, a 3x3 convolution "project".
 * - transposed: "transposed", padding (kernel - factor) / 2. If kernel = 2 factor and the channels
 *   stay, it begins as bilinear interpolation and has no bias; else as He normal, with a bias.
 * - unpool: if the channels change, a 3x3 convolution "project"; then "unpool".
 * - pixelshuffle: a 3x3 convolution "expand" to channels * factor^2, which begins as one
 *   convolution and nearest-neighbour interpolation (ICNR); then "shuffle".
 *
 * With `like`, the result has its size: interpolation and unpooling go there directly, from the
 * others a "crop" takes the top left, which lines up with what pooling in ceil mode, or a
 * convolution with stride, made of each block of factor x factor pixels. */
typedef struct at_grow_opts {
    at_upsample op;   /* not AT_UP_DEFAULT */
    int factor;       /* even */
    int channels;     /* of the result; 0: those of x */
    int kernel;       /* transposed: even; 0: 2 * factor, what bilinear interpolation needs */
    bool no_bias;     /* of project and expand */
    at_node *like;    /* NULL: exactly factor times; unpool needs it */
    at_node *pool;    /* unpool: the pooling whose indices it takes, of `channels` channels */
    const char *last; /* name of the last node where `like` is given and the channels stay
                       * ("logits"); NULL: as above */
} at_grow_opts;
at_node *at_grow(at_graph *g, const char *name, at_node *x, at_grow_opts opts);

/* Convolution of an odd kernel that keeps the size, norm and ReLU, as "index.conv" and so on. */
at_node *at_same_block(at_graph *g, int index, at_node *x, int channels, int kernel,
                       at_norm_kind norm);

/* A convolution 1x1 with bias to one channel a class. */
at_node *at_classifier(at_graph *g, const char *name, at_node *x, int classes);

/* VGG (Simonyan & Zisserman 2015) without its classifier: opts->depth 11, 13, 16 or 19 weighted
 * layers, "encoder.<stage>.<i>"; "encoder.<stage>.pool", in ceil mode, ends each stage. */
enum { AT_VGG_STAGES = 5 };
extern const int at_vgg_depths[];
at_node *at_vgg(at_graph *g, at_node *x, const at_model_opts *opts, at_node *pools[AT_VGG_STAGES]);

/* ResNet (He et al. 2016) of basic blocks without its classifier: opts->depth 18 or 34. Stages
 * beyond opts->output_stride keep their size and dilate instead: with `hybrid`, their convolutions
 * cycle through opts->rates; without, each stage that lost its stride doubles the dilation of what
 * follows (Chen et al. 2017, section 3.1). Names: "encoder.stem", "encoder.<stage>.<block>". */
extern const int at_resnet_depths[];
at_node *at_resnet(at_graph *g, at_node *x, const at_model_opts *opts, bool hybrid);

#endif
