/* SPDX-License-Identifier: MIT */
/* ResNet of basic blocks, with a chosen output stride: the first stages halve the size until it is
 * reached, the others dilate. Every halving rounds up, so all image sizes work. */
#include <stdio.h>

#include "models/blocks.h"

enum { STAGES = 4 };

const int at_resnet_depths[] = {18, 34, 0};
static const int blocks[][STAGES] = {{2, 2, 2, 2}, {3, 4, 6, 3}}; /* table 1 of the paper */
static const int widths[STAGES] = {64, 128, 256, 512};

static at_node *stem(at_graph *g, at_node *x, const at_model_opts *o) {
    at_conv2d_opts conv = {.channels = at_scale_width(widths[0], o->width),
                           .kernel = {7, 7},
                           .stride = {2, 2},
                           .padding = {3, 3}};
    x = at_conv_block(g, "encoder.stem", x, (at_conv_block_opts){.conv = conv, .norm = o->norm});
    return at_max_pool2d(g, "encoder.stem.pool", x,
                         (at_pool2d_opts){.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
}

/* The first convolution of a stage that lost its stride still sees the undilated grid: *dilation on
 * entry; what follows it has the new one, *dilation on return. */
static at_node *stage(at_graph *g, at_node *x, const at_model_opts *o, int s, int count, int stride,
                      int before, int dilation) {
    at_graph_push(g, "encoder.%d", s);
    for (int i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof name, "%d", i);
        at_residual_opts r = {.channels = at_scale_width(widths[s], o->width),
                              .stride = i == 0 ? stride : 1,
                              .dilation = {i == 0 ? before : dilation, dilation},
                              .norm = o->norm};
        x = at_residual_block(g, name, x, r);
    }
    at_graph_pop(g);
    return x;
}

static at_node *hybrid_stage(at_graph *g, at_node *x, const at_model_opts *o, int s, int count) {
    char name[24];
    snprintf(name, sizeof name, "encoder.%d", s);
    at_hdc_opts h = {.channels = at_scale_width(widths[s], o->width),
                     .blocks = count,
                     .stride = 1,
                     .rates = o->rates,
                     .rate_count = o->rate_count,
                     .norm = o->norm};
    return at_hdc_group(g, name, x, h);
}

at_node *at_resnet(at_graph *g, at_node *x, const at_model_opts *o, bool hybrid) {
    const int *counts = blocks[o->depth == at_resnet_depths[0] ? 0 : 1];
    int reached = 4, dilation = 1;
    x = stem(g, x, o);
    for (int s = 0; s < STAGES; s++) {
        int wanted = s == 0 ? 1 : 2, stride = reached * wanted <= o->output_stride ? wanted : 1;
        int before = dilation;
        if (stride < wanted) dilation *= wanted;
        reached *= stride;
        if (hybrid && stride < wanted)
            x = hybrid_stage(g, x, o, s, counts[s]);
        else
            x = stage(g, x, o, s, counts[s], stride, before, dilation);
    }
    return x;
}
