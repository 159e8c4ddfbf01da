/* SPDX-License-Identifier: MIT */
/* Shapes and cost of every node that the output needs; receptive fields are field.c, writing it
 * down survey_json.c and survey_text.c. */
#include "nn/survey.h"

#include <stdlib.h>

#include "nn/graph_private.h"

/* What the walk knows of a node, by id. */
typedef struct sizes {
    at_shape *value, *second;
    bool *needed;
    at_field *fields;
} sizes;

static void sizes_free(sizes *s) {
    free(s->value);
    free(s->second);
    free(s->needed);
    free(s->fields);
}

static at_status sizes_alloc(sizes *s, const at_graph *g, at_error *err) {
    size_t n = (size_t)g->node_count + 1;
    *s = (sizes){.value = calloc(n, sizeof *s->value),
                 .second = calloc(n, sizeof *s->second),
                 .needed = calloc(n, sizeof *s->needed),
                 .fields = calloc(n, sizeof *s->fields)};
    if (s->value && s->second && s->needed && s->fields) return AT_OK;
    sizes_free(s);
    return at_fail_memory(err, "a survey", n * sizeof *s->fields);
}

static int mark_needed(const at_graph *g, bool *needed) {
    int count = 0;
    needed[at_graph_output(g)->id] = true;
    for (int id = g->node_count - 1; id >= 0; id--) {
        const at_node *n = g->nodes[id];
        if (!needed[id]) continue;
        count++;
        for (int i = 0; i < n->input_count; i++) needed[n->inputs[i]->id] = true;
    }
    return count;
}

static at_status size_node(const at_node *n, at_shape input, sizes *s, at_shape *in, at_cost *cost,
                           at_error *err) {
    at_tensor out[AT_MAX_OUTPUTS] = {0};
    if (n->input_count == 0) {
        s->value[n->id] = (at_shape){input.n, input.h, input.w, n->channels};
        return AT_OK;
    }
    for (int i = 0; i < n->input_count; i++)
        in[i] = n->ports[i] ? s->second[n->inputs[i]->id] : s->value[n->inputs[i]->id];
    out[0].shape.c = n->channels;
    if (n->op->shape(n, in, out, err) != AT_OK) return at_error_context(err, "%s", n->name);
    s->value[n->id] = out[0].shape;
    s->second[n->id] = out[1].shape;
    if (n->op->cost != NULL) n->op->cost(n, in, out[0].shape, cost);
    return AT_OK;
}

static int64_t parameters_of(const at_node *n) {
    int64_t count = 0;
    for (int i = 0; i < n->param_count; i++) {
        const at_param *p = at_graph_param(n->graph, n->params[i]);
        if (!p->spec.buffer && !p->spec.frozen) count += p->count;
    }
    return count;
}

static at_status add_row(at_survey *s, const at_node *n, at_shape input, sizes *z, at_shape *in,
                         at_error *err) {
    at_cost cost = {0};
    AT_TRY(size_node(n, input, z, in, &cost, err));
    s->rows[s->count] = (at_survey_row){.node = n,
                                        .shape = z->value[n->id],
                                        .parameters = parameters_of(n),
                                        .macs = cost.macs,
                                        .field = z->fields[n->id]};
    s->parameters += s->rows[s->count].parameters;
    s->macs += cost.macs;
    s->count++;
    return AT_OK;
}

static int most_inputs(const at_graph *g) {
    int most = 1;
    for (int id = 0; id < g->node_count; id++)
        if (g->nodes[id]->input_count > most) most = g->nodes[id]->input_count;
    return most;
}

static at_status fill(at_survey *s, at_shape input, sizes *z, at_error *err) {
    const at_graph *g = s->graph;
    int count = mark_needed(g, z->needed);
    size_t room = (size_t)most_inputs(g);
    at_shape *in = calloc(room, sizeof *in);
    s->rows = calloc((size_t)count, sizeof *s->rows);
    at_status status = AT_OK;
    if (in == NULL || s->rows == NULL)
        status = at_fail_memory(err, "a survey", (size_t)count * sizeof *s->rows);
    else
        at_graph_fields(g, z->fields);
    for (int id = 0; id < g->node_count && status == AT_OK; id++)
        if (z->needed[id]) status = add_row(s, g->nodes[id], input, z, in, err);
    free(in);
    return status;
}

at_status at_survey_new(at_survey *s, const at_graph *g, at_shape input, at_error *err) {
    sizes z;
    *s = (at_survey){.graph = g};
    AT_TRY(at_graph_status(g, err));
    if (g->node_count == 0) return at_fail(err, AT_ERR_INPUT, "the graph has no nodes");
    AT_TRY(sizes_alloc(&z, g, err));
    at_status status = fill(s, input, &z, err);
    sizes_free(&z);
    if (status != AT_OK) at_survey_free(s);
    return status;
}

void at_survey_free(at_survey *s) {
    free(s->rows);
    *s = (at_survey){0};
}
