/* SPDX-License-Identifier: MIT */
/* What architectures share: backbones, and the one block that brings resolution back. Private to
 * the models. Like operator functions, all of these pass NULL through. */
#ifndef AT_MODELS_BLOCKS_H
#define AT_MODELS_BLOCKS_H

#include "models/models.h"

enum {
    AT_UPS_RESIZE =
        1 << AT_UP_NEAREST | 1 << AT_UP_BILINEAR | 1 << AT_UP_BICUBIC | 1 << AT_UP_BILINEAR_CORNERS,
    AT_UPS_TRANSPOSED = 1 << AT_UP_TRANSPOSED | 1 << AT_UP_TRANSPOSED2 | 1 << AT_UP_TRANSPOSED3 |
                        1 << AT_UP_TRANSPOSED4 | 1 << AT_UP_TRANSPOSED_BILINEAR |
                        1 << AT_UP_TRANSPOSED_FROZEN,
    AT_UPS_SHUFFLE = 1 << AT_UP_PIXELSHUFFLE | 1 << AT_UP_PIXELSHUFFLE_RANDOM,
    /* what may follow class scores: their number stays and nothing repairs what is left out */
    AT_UPS_SCORES = AT_UPS_RESIZE | AT_UPS_TRANSPOSED | AT_UPS_SHUFFLE | 1 << AT_UP_REPLICATE,
    /* with features, convolutions to come and a pooling at hand */
    AT_UPS_FEATURES =
        AT_UPS_SCORES | 1 << AT_UP_UNPOOL | 1 << AT_UP_UNPOOL_CORNER | 1 << AT_UP_ADDITIVE,
};

/* Makes x `factor` times as high and wide with the operator of opts.op; no norm, no activation.
 * - nearest, bilinear, bicubic, bilinear-corners (align_corners): "resize"; if the channels change,
 *   a 3x3 convolution "project".
 * - transposed: "transposed", of opts.kernel. If kernel >= 2 factor and the channels stay, it
 *   begins as bilinear interpolation and has no bias; else as He normal, with a bias.
 * - transposed2, 3, 4: "transposed", of a kernel of 2, 3, 4 halves of the factor (so 2, 3 or 4 at
 *   stride 2: no, uneven and even overlap); begins as He normal, with a bias.
 * - transposed-bilinear: "transposed", kernel 2 factor, begins as bilinear interpolation (averages
 *   of channels where they become fewer), no bias.
 * - transposed-frozen: the same for each channel by itself and never trained; if the channels
 *   change, a 3x3 convolution "project".
 * - unpool: if the channels change, a 3x3 convolution "project"; then "unpool".
 * - unpool-corner: the same, but every value goes to the top left of its block ("corner").
 * - replicate: the same, but every value fills its block ("resize").
 * - pixelshuffle: a 3x3 convolution "expand" to channels * factor^2, which begins as one
 *   convolution and nearest-neighbour interpolation (ICNR); then "shuffle".
 * - pixelshuffle-random: the same, but it begins as He normal.
 * - additive (Wojna et al. 2017): every four channels are added up ("sum"), then bilinear "resize";
 *   a 3x3 convolution "project" unless a convolution follows anyway.
 * - duc is none of these: it makes scores of features, see at_dense_head.
 *
 * Transposed convolutions have padding (kernel - factor) / 2, rounded up, where rounding is made
 * good by output padding.
 *
 * With `like`, the result has its size: interpolation and unpooling go there directly, from the
 * others a "crop" takes the top left, which lines up with what pooling in ceil mode, or a
 * convolution with stride, made of each block of factor x factor pixels. */
typedef struct at_grow_opts {
    at_upsample op;    /* not AT_UP_DEFAULT, not AT_UP_DUC */
    int factor;        /* even */
    int channels;      /* of the result; 0: those of x */
    int kernel;        /* transposed; 0: 2 * factor, what bilinear interpolation needs */
    bool no_bias;      /* of project and expand */
    bool conv_follows; /* which reads any number of channels */
    at_node *like;     /* NULL: exactly factor times; unpool needs it */
    at_node *pool;     /* unpool: the pooling whose indices it takes, of `channels` channels */
    const char *last;  /* name of the last node where `like` is given and the channels stay
                       * ("logits"); NULL: as above */
} at_grow_opts;
at_node *at_grow(at_graph *g, const char *name, at_node *x, at_grow_opts opts);

/* Dense upsampling convolution of features, "head", and a crop to the image's size, "logits". */
at_node *at_dense_head(at_graph *g, at_node *x, int classes, int factor, at_node *image);

/* Convolution of an odd kernel that keeps the size, norm and ReLU, as "index.conv" and so on. */
at_node *at_same_block(at_graph *g, int index, at_node *x, int channels, int kernel,
                       at_norm_kind norm);

/* A convolution 1x1 with bias to one channel a class. */
at_node *at_classifier(at_graph *g, const char *name, at_node *x, int classes);

/* The encoder of SegNet-Basic (Badrinarayanan et al. 2017, section 3.1), opts->depth times 7x7
 * convolution, norm, ReLU, and pooling in ceil mode: "encoder.<i>", "encoder.<i>.pool"; before them
 * "lrn" if opts say so. Returns the last pooling. */
enum { AT_SEGNET_LEVELS = 6 };
extern const int at_segnet_depths[];
typedef struct at_segnet_level {
    at_node *features, *pool;
} at_segnet_level;
at_node *at_segnet_encoder(at_graph *g, at_node *x, const at_model_opts *opts,
                           at_segnet_level levels[AT_SEGNET_LEVELS]);

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
