/* SPDX-License-Identifier: MIT */
/* Atrous spatial pyramid pooling of DeepLabv3: what a pixel sees at several rates and over the
 * whole image, side by side, mixed by a 1x1 convolution. Branches are "branch0" (1x1), "branch1" ..
 * (the rates) and "pool"; the mixture is "project". */
#include <stdio.h>

#include "layers/layers.h"

enum { MAX_BRANCHES = 34 };

static at_conv_block_opts block(at_aspp_opts o, int kernel, int rate) {
    int padding = kernel / 2 * rate; /* keeps the size */
    return (at_conv_block_opts){.conv = {.channels = o.channels,
                                         .kernel = {kernel, kernel},
                                         .padding = {padding, padding},
                                         .dilation = {rate, rate}},
                                .norm = o.norm};
}

/* The image's mean, seen by every pixel. */
static at_node *image_branch(at_graph *g, at_node *x, at_aspp_opts o) {
    at_graph_push(g, "pool");
    at_node *y = at_global_avg_pool2d(g, "mean", x);
    y = at_conv_block(g, "block", y, block(o, 1, 1));
    y = at_interpolate(g, "spread", y, (at_interpolate_opts){.mode = AT_BILINEAR, .size = x});
    at_graph_pop(g);
    return y;
}

static at_node *branches(at_graph *g, at_node *x, at_aspp_opts o) {
    at_node *parts[MAX_BRANCHES];
    int count = 0;
    parts[count++] = at_conv_block(g, "branch0", x, block(o, 1, 1));
    for (int i = 0; i < o.rate_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "branch%d", i + 1);
        parts[count++] = at_conv_block(g, name, x, block(o, 3, o.rates[i]));
    }
    if (!o.no_image_pooling) parts[count++] = image_branch(g, x, o);
    return at_cat(g, "cat", parts, count);
}

at_node *at_aspp(at_graph *g, const char *name, at_node *x, at_aspp_opts opts) {
    static const int paper[] = {6, 12, 18};
    if (opts.rates == NULL) opts.rates = paper, opts.rate_count = 3;
    if (opts.rate_count < 0 || opts.rate_count > MAX_BRANCHES - 2)
        return at_graph_fail(g, "%s: %d rates: at most %d", name, opts.rate_count,
                             MAX_BRANCHES - 2);
    at_graph_push(g, "%s", name);
    x = branches(g, x, opts);
    x = at_conv_block(g, "project", x, block(opts, 1, 1));
    if (opts.dropout > 0) x = at_dropout(g, "dropout", x, opts.dropout);
    at_graph_pop(g);
    return x;
}
