/* SPDX-License-Identifier: MIT */
/* The operators' front door. Every function adds a node to the graph and returns it, or NULL with
 * the graph's error set (nn/graph.h). Spatial attributes are (height, width) pairs; a zero in an
 * options struct means PyTorch's default. Semantics are those of the PyTorch function of the same
 * name, in NHWC, unless a comment says otherwise. A NULL name means the operator's name. */
#ifndef AT_LAYERS_LAYERS_H
#define AT_LAYERS_LAYERS_H

#include "nn/nn.h"

/* ---- convolution ---- */

typedef struct at_conv2d_opts {
    int channels;     /* of the output; required */
    at_pair kernel;   /* required */
    at_pair stride;   /* 0: 1 */
    at_pair padding;  /* zeros, pixels per side */
    at_pair dilation; /* 0: 1 */
    int groups;       /* 0: 1; must divide both channel counts; equal to both: depthwise */
    bool no_bias;
    bool frozen;
    at_init init; /* zero: He normal by fan-in kernel.h * kernel.w * in / groups */
} at_conv2d_opts;
/* Parameters: weight [out, in / groups, kh, kw], bias [out]. */
at_node *at_conv2d(at_graph *g, const char *name, at_node *x, at_conv2d_opts opts);

typedef struct at_conv_transpose2d_opts {
    int channels;
    at_pair kernel;
    at_pair stride;
    at_pair padding;        /* as of the convolution whose data gradient this is */
    at_pair output_padding; /* extra rows and columns at the bottom and right; < max(stride,
                               dilation) */
    at_pair dilation;
    int groups;
    bool no_bias;
    bool frozen;  /* weight is not trained: fixed interpolation with AT_INIT_BILINEAR */
    at_init init; /* zero: He normal by the taps that meet in one output pixel */
} at_conv_transpose2d_opts;
/* Parameters: weight [in, out / groups, kh, kw], bias [out]. */
at_node *at_conv_transpose2d(at_graph *g, const char *name, at_node *x,
                             at_conv_transpose2d_opts opts);

/* ---- pooling ---- */

typedef struct at_pool2d_opts {
    at_pair kernel;
    at_pair stride;   /* 0: the kernel */
    at_pair padding;  /* at most half the kernel */
    at_pair dilation; /* max pooling only; 0: 1 */
    bool ceil_mode;
    bool count_exclude_pad; /* average pooling: PyTorch's count_include_pad=False */
} at_pool2d_opts;
/* Second output, for at_max_unpool2d: where in its window each maximum is, a byte (the first in
 * reading order if several are equal; a NaN wins). Windows have at most 256 taps. */
at_node *at_max_pool2d(at_graph *g, const char *name, at_node *x, at_pool2d_opts opts);
at_node *at_avg_pool2d(at_graph *g, const char *name, at_node *x, at_pool2d_opts opts);
/* Mean over the image: height and width 1. PyTorch: adaptive_avg_pool2d(output_size=1). */
at_node *at_global_avg_pool2d(at_graph *g, const char *name, at_node *x);

/* Scatters x to the places `pool` took its maxima from; zeros elsewhere; where two windows chose
 * one place, the later in reading order stays. Height and width are those of `size`: the node that
 * was pooled, or one that pooling would give as many windows. x must have the shape that `pool`
 * gave. */
at_node *at_max_unpool2d(at_graph *g, const char *name, at_node *x, at_node *pool, at_node *size);

/* ---- resolution ---- */

typedef enum at_interp_mode { AT_NEAREST = 0, AT_BILINEAR, AT_BICUBIC } at_interp_mode;

typedef struct at_interpolate_opts {
    at_interp_mode mode;
    bool align_corners; /* not with AT_NEAREST */
    at_pair factor;     /* integer scale factor, or zero: take the size of `size` */
    at_node *size;
} at_interpolate_opts;
/* Bicubic is Keys' kernel with a = -0.75, edges clamped, as PyTorch's. */
at_node *at_interpolate(at_graph *g, const char *name, at_node *x, at_interpolate_opts opts);

/* [n, h, w, c r r] to [n, h r, w r, c]; PyTorch's channel order: in channel c r r + i r + j. */
at_node *at_pixel_shuffle(at_graph *g, const char *name, at_node *x, int factor);

typedef enum at_pad_mode { AT_PAD_CONSTANT = 0, AT_PAD_REFLECT, AT_PAD_REPLICATE } at_pad_mode;
typedef struct at_pad_opts {
    int left, right, top, bottom; /* pixels, >= 0 */
    int multiple; /* if > 0 instead: pad at the bottom and right up to a multiple of this */
    at_pad_mode mode;
} at_pad_opts;
at_node *at_pad(at_graph *g, const char *name, at_node *x, at_pad_opts opts);
/* The window of x that begins at `offset` and has the height and width of `size`. */
at_node *at_crop(at_graph *g, const char *name, at_node *x, at_node *size, at_pair offset);

/* ---- normalisation ---- */

/* eps 0: 1e-5; momentum 0: 0.1. Parameters: weight, bias, running_mean, running_var (var unbiased).
 * Over a single value (1 x 1 at batch 1) the training-mode output is the bias; no gradient passes
 * and the running statistics stay (PyTorch refuses). */
typedef struct at_batch_norm_opts {
    float eps, momentum;
} at_batch_norm_opts;
at_node *at_batch_norm(at_graph *g, const char *name, at_node *x, at_batch_norm_opts opts);
/* groups must divide the channels. */
typedef struct at_group_norm_opts {
    int groups;
    float eps;
} at_group_norm_opts;
at_node *at_group_norm(at_graph *g, const char *name, at_node *x, at_group_norm_opts opts);
/* Across channels; y = x / (k + alpha / size * sum x^2)^beta (Krizhevsky et al. 2012; PyTorch's
 * meaning of alpha). A composite of kernels of its own, not of nodes. Zeros: 5, 1e-4, 0.75, 1. */
typedef struct at_local_response_norm_opts {
    int size;
    float alpha, beta, k;
} at_local_response_norm_opts;
at_node *at_local_response_norm(at_graph *g, const char *name, at_node *x,
                                at_local_response_norm_opts opts);

/* ---- pointwise ---- */

at_node *at_relu(at_graph *g, const char *name, at_node *x);
at_node *at_leaky_relu(at_graph *g, const char *name, at_node *x,
                       float negative_slope);                 /* 0: 0.01 */
at_node *at_prelu(at_graph *g, const char *name, at_node *x); /* weight [channels], from 0.25 */
at_node *at_elu(at_graph *g, const char *name, at_node *x, float alpha); /* 0: 1 */
at_node *at_sigmoid(at_graph *g, const char *name, at_node *x);
at_node *at_tanh(at_graph *g, const char *name, at_node *x);
at_node *at_dropout(at_graph *g, const char *name, at_node *x, float p);   /* 0 <= p < 1 */
at_node *at_dropout2d(at_graph *g, const char *name, at_node *x, float p); /* whole channels */

at_node *at_cat(at_graph *g, const char *name, at_node *const *inputs, int count); /* channels */
at_node *at_add(at_graph *g, const char *name, at_node *a, at_node *b);
/* Same shape, or b of height and width 1 (a gate per channel). */
at_node *at_mul(at_graph *g, const char *name, at_node *a, at_node *b);

/* ---- losses: one number, [1, 1, 1, 1] ---- */

typedef struct at_loss_opts {
    const float *class_weights; /* one a class, copied; NULL: all 1 */
    const uint8_t *ignore;      /* ids that count nowhere; copied */
    int ignore_count;
    float label_smoothing; /* cross-entropy only; 0 .. 1 */
    float gamma;           /* focal only; 0: 2 */
    float smooth;          /* Dice only; 0: 1 */
} at_loss_opts;
/* Labels outside 0 .. classes-1 that are not ignored are the caller's error; they count as ignored.
 * If everything is ignored the loss is 0 and so is every gradient.
 *
 * Cross-entropy: PyTorch's cross_entropy with weight, label_smoothing and reduction "mean" (divided
 * by the sum of the labels' weights). Focal: mean over counted pixels of -w (1 - p)^gamma log p
 * (Lin et al., ICCV 2017), divided by the sum of weights likewise. Dice: 1 - mean over classes
 * present in the labels of (2 sum p t + smooth) / (sum p + sum t + smooth), over the batch; class
 * weights weigh the mean. */
at_node *at_softmax_cross_entropy(at_graph *g, const char *name, at_node *logits, at_node *target,
                                  at_loss_opts opts);
at_node *at_soft_dice(at_graph *g, const char *name, at_node *logits, at_node *target,
                      at_loss_opts opts);
at_node *at_focal(at_graph *g, const char *name, at_node *logits, at_node *target,
                  at_loss_opts opts);

/* ---- composites: they only call the above ---- */

typedef enum at_norm_kind { AT_NORM_BATCH = 0, AT_NORM_GROUP, AT_NORM_NONE } at_norm_kind;

/* Normalisation named "norm": batch, group (as many groups as divide the channels, at most 32, of 4
 * channels or more), or x itself. */
at_node *at_norm(at_graph *g, at_node *x, at_norm_kind kind);

/* "conv", then "norm", then "relu" (unless linear) under a prefix `name`. No bias before a norm. */
typedef struct at_conv_block_opts {
    at_conv2d_opts conv;
    at_norm_kind norm;
    bool linear;
} at_conv_block_opts;
at_node *at_conv_block(at_graph *g, const char *name, at_node *x, at_conv_block_opts opts);

/* Atrous spatial pyramid pooling (Chen et al. 2017, "Rethinking Atrous Convolution", section 3.3):
 * 1x1, a dilated 3x3 for each rate, and image pooling -> 1x1 -> bilinear; concatenated; 1x1. */
typedef struct at_aspp_opts {
    int channels;     /* of every branch and of the output */
    const int *rates; /* NULL: 6, 12, 18 */
    int rate_count;
    at_norm_kind norm;
    bool no_image_pooling;
    float dropout; /* after the last 1x1 */
} at_aspp_opts;
at_node *at_aspp(at_graph *g, const char *name, at_node *x, at_aspp_opts opts);

/* Residual block of ResNet-18 (He et al., CVPR 2016): two 3x3, identity or 1x1 projection. The
 * dilations are of the first and second convolution; the stride is the first's. */
typedef struct at_residual_opts {
    int channels, stride, dilation[2]; /* 0: 1 */
    at_norm_kind norm;
} at_residual_opts;
at_node *at_residual_block(at_graph *g, const char *name, at_node *x, at_residual_opts opts);

/* Hybrid dilated convolution (Wang et al., WACV 2018, section 3.2): a chain of residual blocks
 * whose 3x3 convolutions cycle through `rates`, beginning with rates[first]. */
typedef struct at_hdc_opts {
    int channels, blocks, stride;
    const int *rates;
    int rate_count, first;
    at_norm_kind norm;
} at_hdc_opts;
at_node *at_hdc_group(at_graph *g, const char *name, at_node *x, at_hdc_opts opts);

/* Dense upsampling convolution (same paper, section 3.1): 3x3 convolution to classes * factor^2
 * channels ("conv"), then pixel shuffle ("shuffle"). */
at_node *at_duc(at_graph *g, const char *name, at_node *x, int classes, int factor);

/* Every operator, for walks over all of them (tests, documentation). NULL-terminated. */
extern const at_op *const at_op_list[];

#endif
