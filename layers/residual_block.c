/* SPDX-License-Identifier: MIT */
/* The basic block of ResNet: "conv1" and "conv2" with a norm each, the input added to their result,
 * and a ReLU. The input is projected ("shortcut") where channels or resolution change. Without
 * norms conv2 begins small, or each of eight blocks would double the variance. */
#include "layers/layers.h"

static const float small = 0.35f; /* about 1 / sqrt(8) */

static at_node *conv3x3(at_graph *g, const char *name, at_node *x, at_residual_opts o, int stride,
                        int dilation, bool linear) {
    at_init init = {0};
    if (linear && o.norm == AT_NORM_NONE)
        init = (at_init){.kind = AT_INIT_HE_NORMAL, .value = small};
    return at_conv_block(g, name, x,
                         (at_conv_block_opts){.conv = {.channels = o.channels,
                                                       .kernel = {3, 3},
                                                       .stride = {stride, stride},
                                                       .padding = {dilation, dilation},
                                                       .dilation = {dilation, dilation},
                                                       .init = init},
                                              .norm = o.norm,
                                              .linear = linear});
}

static at_node *shortcut(at_graph *g, at_node *x, at_residual_opts o) {
    if (x == NULL || (x->channels == o.channels && o.stride == 1)) return x;
    return at_conv_block(
        g, "shortcut", x,
        (at_conv_block_opts){
            .conv = {.channels = o.channels, .kernel = {1, 1}, .stride = {o.stride, o.stride}},
            .norm = o.norm,
            .linear = true});
}

at_node *at_residual_block(at_graph *g, const char *name, at_node *x, at_residual_opts o) {
    if (o.stride == 0) o.stride = 1;
    for (int i = 0; i < 2; i++)
        if (o.dilation[i] == 0) o.dilation[i] = 1;
    at_graph_push(g, "%s", name);
    at_node *y = conv3x3(g, "conv1", x, o, o.stride, o.dilation[0], false);
    y = conv3x3(g, "conv2", y, o, 1, o.dilation[1], true);
    y = at_add(g, "add", y, shortcut(g, x, o));
    y = at_relu(g, "relu", y);
    at_graph_pop(g);
    return y;
}
