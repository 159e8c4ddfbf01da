/* SPDX-License-Identifier: MIT */
/* VGG's convolutions, with norms if wanted (the paper has none). Pooling rounds up, so that every
 * image size down to one pixel works. */
#include <assert.h>

#include "models/blocks.h"

const int at_vgg_depths[] = {16, 11, 13, 19, 0};

/* Simonyan & Zisserman 2015, table 1: configurations D, A, B, E. */
static const int convs[][AT_VGG_STAGES] = {
    {2, 2, 3, 3, 3}, {1, 1, 2, 2, 2}, {2, 2, 2, 2, 2}, {2, 2, 4, 4, 4}};
static const int widths[AT_VGG_STAGES] = {64, 128, 256, 512, 512};

at_node *at_vgg(at_graph *g, at_node *x, const at_model_opts *o, at_node *pools[AT_VGG_STAGES]) {
    int row = 0;
    while (at_vgg_depths[row] != o->depth) row++;
    for (int s = 0; s < AT_VGG_STAGES; s++) {
        at_graph_push(g, "encoder.%d", s);
        for (int i = 0; i < convs[row][s]; i++)
            x = at_same_block(g, i, x, at_scale_width(widths[s], o->width), 3, o->norm);
        x = at_max_pool2d(g, "pool", x, (at_pool2d_opts){.kernel = {2, 2}, .ceil_mode = true});
        pools[s] = x;
        at_graph_pop(g);
    }
    return x;
}
