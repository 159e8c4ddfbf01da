/* SPDX-License-Identifier: MIT */
/* Hybrid dilated convolution: residual blocks "0", "1", ... whose convolutions take one rate after
 * the other, so that together they see every pixel (no gridding). The stride is the first block's.
 */
#include <stdio.h>

#include "layers/layers.h"

at_node *at_hdc_group(at_graph *g, const char *name, at_node *x, at_hdc_opts o) {
    if (o.rates == NULL || o.rate_count < 1 || o.blocks < 1 || o.first < 0)
        return at_graph_fail(g, "%s: %d blocks, %d rates, beginning with rate %d, make no group",
                             name, o.blocks, o.rate_count, o.first);
    at_graph_push(g, "%s", name);
    for (int i = 0; i < o.blocks; i++) {
        char block[16];
        int at = o.first + 2 * i;
        at_residual_opts r = {
            .channels = o.channels,
            .stride = i == 0 ? o.stride : 1,
            .dilation = {o.rates[at % o.rate_count], o.rates[(at + 1) % o.rate_count]},
            .norm = o.norm};
        snprintf(block, sizeof block, "%d", i);
        x = at_residual_block(g, block, x, r);
    }
    at_graph_pop(g);
    return x;
}
