/* SPDX-License-Identifier: MIT */
/* Normalisation of the kind that a network was asked for. */
#include "layers/layers.h"

/* The largest divisor of the channels that is at most 32 (the number Wu & He recommend) and leaves
 * at least 4 channels to a group: after image pooling, 1 x 1, a group of one channel would be its
 * own mean, and nothing would get through. */
static int group_count(int channels) {
    int groups = channels / 4 < 32 ? channels / 4 : 32;
    if (groups < 1) return 1;
    while (channels % groups != 0) groups--;
    return groups;
}

at_node *at_norm(at_graph *g, at_node *x, at_norm_kind kind) {
    if (x == NULL || kind == AT_NORM_NONE) return x;
    if (kind == AT_NORM_BATCH) return at_batch_norm(g, "norm", x, (at_batch_norm_opts){0});
    return at_group_norm(g, "norm", x, (at_group_norm_opts){.groups = group_count(x->channels)});
}
