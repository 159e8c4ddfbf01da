/* SPDX-License-Identifier: MIT */
/* Convolution, norm, ReLU. */
#include "layers/layers.h"

at_node *at_conv_block(at_graph *g, const char *name, at_node *x, at_conv_block_opts opts) {
    if (opts.norm != AT_NORM_NONE) opts.conv.no_bias = true; /* the norm would subtract it again */
    at_graph_push(g, "%s", name);
    x = at_conv2d(g, "conv", x, opts.conv);
    x = at_norm(g, x, opts.norm);
    if (!opts.linear) x = at_relu(g, "relu", x);
    at_graph_pop(g);
    return x;
}
