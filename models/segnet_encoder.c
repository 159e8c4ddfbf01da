/* SPDX-License-Identifier: MIT */
/* What SegNet-Basic and FCN-Basic have in common. As the paper says and its released file does not,
 * no convolution has a bias (unless there are no norms). Pooling rounds up, as there: 45 rows
 * become 23. */
#include "models/blocks.h"

const int at_segnet_depths[] = {4, 1, 2, 3, 5, AT_SEGNET_LEVELS, 0};

static at_segnet_level level(at_graph *g, int i, at_node *x, const at_model_opts *o) {
    at_segnet_level l;
    at_graph_push(g, "encoder");
    l.features = at_same_block(g, i, x, at_scale_width(64, o->width), 7, o->norm);
    at_graph_push(g, "%d", i);
    l.pool =
        at_max_pool2d(g, "pool", l.features, (at_pool2d_opts){.kernel = {2, 2}, .ceil_mode = true});
    at_graph_pop(g);
    at_graph_pop(g);
    return l;
}

at_node *at_segnet_encoder(at_graph *g, at_node *x, const at_model_opts *o,
                           at_segnet_level levels[AT_SEGNET_LEVELS]) {
    if (o->lrn) x = at_local_response_norm(g, "lrn", x, (at_local_response_norm_opts){0});
    for (int i = 0; i < o->depth; i++) {
        levels[i] = level(g, i, x, o);
        x = levels[i].pool;
    }
    return x;
}
