/* SPDX-License-Identifier: MIT */
/* What a running step asks of its graph. */
#include <assert.h>

#include "nn/graph_private.h"

float *at_step_param(const at_step *step, int i) {
    return at_node_param(step->node, i);
}

float *at_step_param_grad(const at_step *step, int i) {
    const at_node *n = step->node;
    assert(i < n->param_count);
    if (step->mode != AT_TRAIN) return NULL;
    return n->graph->grads + n->graph->params[n->params[i]].offset;
}
