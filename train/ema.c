/* SPDX-License-Identifier: MIT */
/* Exponential moving average of weights (Polyak & Juditsky 1992, in the form everybody trains
 * with). Running statistics are copied: they are averages already. */
#include <stdlib.h>
#include <string.h>

#include "nn/kernels/kernels.h"
#include "train/optim.h"

enum { SPAN = 65536 };

struct at_ema {
    at_graph *graph;
    double decay;
    float *values;
    float t; /* of the update that is being made */
};

at_status at_ema_new(at_ema **out, at_graph *g, double decay, at_error *err) {
    const size_t bytes = (size_t)at_graph_flat_count(g) * sizeof(float);
    at_ema *e = calloc(1, sizeof *e);
    float *values = malloc(bytes + 1);
    *out = NULL;
    if (!e || !values) {
        free(e);
        free(values);
        return at_fail_memory(err, "average of the weights", bytes);
    }
    memcpy(values, at_graph_values(g), bytes);
    *e = (at_ema){.graph = g, .decay = decay, .values = values};
    *out = e;
    return AT_OK;
}

void at_ema_free(at_ema *e) {
    if (!e) return;
    free(e->values);
    free(e);
}

static void update_body(void *arg, int64_t i, int worker) {
    const at_ema *e = arg;
    (void)worker;
    const int64_t from = i * SPAN, rest = at_graph_flat_count(e->graph) - from;
    at_kernels_get()->lerp(e->values + from, at_graph_values(e->graph) + from, e->t,
                           rest < SPAN ? rest : SPAN);
}

void at_ema_update(at_ema *e, int64_t step) {
    const double young = (1 + (double)step) / (10 + (double)step);
    e->t = (float)(1 - (young < e->decay ? young : e->decay));
    at_parallel_for((at_graph_flat_count(e->graph) + SPAN - 1) / SPAN, update_body, e);
    for (int i = 0; i < at_graph_param_count(e->graph); i++) {
        const at_param *p = at_graph_param(e->graph, i);
        if (p->spec.buffer)
            memcpy(e->values + p->offset, at_graph_values(e->graph) + p->offset,
                   (size_t)p->count * sizeof(float));
    }
}

void at_ema_swap(at_ema *e) {
    float *w = at_graph_values(e->graph);
    for (int64_t i = 0; i < at_graph_flat_count(e->graph); i++) {
        const float kept = w[i];
        w[i] = e->values[i];
        e->values[i] = kept;
    }
    at_graph_touch(e->graph);
}

float *at_ema_values(at_ema *e) {
    return e->values;
}
