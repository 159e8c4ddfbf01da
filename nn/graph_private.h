/* SPDX-License-Identifier: MIT */
/* The inside of a graph, for the engine's own files. */
#ifndef AT_NN_GRAPH_PRIVATE_H
#define AT_NN_GRAPH_PRIVATE_H

#include "nn/graph.h"
#include "nn/op.h"

enum { AT_PREFIX_MAX = 256, AT_PREFIX_DEPTH = 16 };

struct at_graph {
    at_node **nodes; /* owned, by id */
    int node_count, node_capacity;
    at_param *params; /* owned, with their names */
    int param_count, param_capacity;
    int64_t flat_count;
    float *values, *grads; /* flat_count floats each, 64-byte aligned */
    at_node *output;
    at_error error; /* the first one */
    char prefix[AT_PREFIX_MAX];
    size_t prefix_marks[AT_PREFIX_DEPTH]; /* its length before each push */
    int prefix_depth;
    uint64_t version; /* changes with the values */
};

/* The gradient buffer, made at the first call; zeroed. */
at_status at_graph_need_grads(at_graph *g, at_error *err);

/* Fills out[0 .. p->count - 1], in PyTorch's order, from the parameter's stream. */
void at_init_fill(const at_param *p, uint64_t seed, float *out);

/* The operator's step in receptive-field arithmetic; ones and zeros where it has none. */
at_reach at_node_reach(const at_node *node);

#endif
