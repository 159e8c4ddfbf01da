/* SPDX-License-Identifier: MIT */
/* A survey as JSON, complete enough to rebuild the network elsewhere: format "atrous-graph/1".
 * Every function steals nothing and returns NULL when out of memory. */
#include "nn/graph_private.h"
#include "nn/survey_private.h"

static json_t *shape_json(at_shape s) {
    return json_pack("[i, i, i, i]", s.n, s.c, s.h, s.w);
}

/* "name", or "name:output" for a second output. */
static json_t *input_json(const at_node *n, int i) {
    const at_node *from = n->inputs[i];
    if (n->ports[i] == 0) return json_string(from->name);
    return json_sprintf("%s:%s", from->name, from->op->output_names[n->ports[i]]);
}

static json_t *inputs_json(const at_node *n) {
    json_t *list = json_array();
    for (int i = 0; i < n->input_count; i++)
        if (json_array_append_new(list, input_json(n, i)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *params_json(const at_node *n) {
    json_t *params = json_object();
    for (int i = 0; i < n->param_count; i++) {
        const char *name = at_graph_param(n->graph, n->params[i])->name;
        if (json_object_set_new(params, n->op->param_names[i], json_string(name)) != 0) {
            json_decref(params);
            return NULL;
        }
    }
    return params;
}

/* The roles of parameters that training leaves as they are; NULL: there are none, or no memory,
 * which *failed then tells. */
static json_t *frozen_json(const at_node *n, int *failed) {
    json_t *list = NULL;
    for (int i = 0; i < n->param_count && !*failed; i++) {
        if (!at_graph_param(n->graph, n->params[i])->spec.frozen) continue;
        if (list == NULL) list = json_array();
        *failed = json_array_append_new(list, json_string(n->op->param_names[i]));
    }
    if (!*failed) return list;
    json_decref(list);
    return NULL;
}

/* The shape that row's node finds at input i: that of the row of the same node, whose outputs are
 * of one size where there are two. */
static at_shape shape_of(const at_survey *s, const at_node *n) {
    int i = 0;
    while (s->rows[i].node != n) i++;
    return s->rows[i].shape;
}

static json_t *attrs_json(const at_survey *s, const at_survey_row *row) {
    enum { MOST = 64 };
    const at_node *n = row->node;
    at_shape in[MOST] = {{0}};
    json_t *attrs = json_object();
    for (int i = 0; i < n->input_count && i < MOST; i++) in[i] = shape_of(s, n->inputs[i]);
    if (attrs != NULL && n->op->describe != NULL) n->op->describe(n, in, row->shape, attrs);
    return attrs;
}

static json_t *node_json(const at_survey *s, const at_survey_row *row) {
    const at_node *n = row->node;
    json_t *j = json_object();
    int failed = json_object_set_new(j, "name", json_string(n->name));
    failed |= json_object_set_new(j, "op", json_string(n->op->name));
    failed |= json_object_set_new(j, "inputs", inputs_json(n));
    if (n->op->output_names[1] != NULL)
        failed |= json_object_set_new(
            j, "outputs", json_pack("[s, s]", n->op->output_names[0], n->op->output_names[1]));
    failed |= json_object_set_new(j, "output_shape", shape_json(row->shape));
    failed |= json_object_set_new(j, "attrs", attrs_json(s, row));
    if (n->param_count > 0) failed |= json_object_set_new(j, "params", params_json(n));
    json_t *frozen = frozen_json(n, &failed);
    if (frozen != NULL) failed |= json_object_set_new(j, "frozen", frozen);
    if (!failed) return j;
    json_decref(j);
    return NULL;
}

/* Adds what lies in rows: the input, and the list of nodes. */
static int rows_json(const at_survey *s, json_t *root) {
    json_t *nodes = json_array();
    int failed = json_object_set_new(root, "nodes", nodes);
    for (int i = 0; i < s->count && !failed; i++) {
        const at_survey_row *row = &s->rows[i];
        if (row->node->input_count > 0)
            failed = json_array_append_new(nodes, node_json(s, row));
        else if (row->node->dtype == AT_F32)
            failed = json_object_set_new(root, "input",
                                         json_pack("{s: s, s: o}", "name", row->node->name, "shape",
                                                   shape_json(row->shape)));
    }
    return failed;
}

/* What dilated convolutions reach, where there are any. */
static int coverage_json(const at_survey *s, json_t *root) {
    at_gridding gridding;
    if (at_gridding_new(&gridding, s->graph, NULL) != AT_OK) return -1;
    int failed =
        gridding.count > 0 ? json_object_set_new(root, "coverage", at_gridding_json(&gridding)) : 0;
    at_gridding_free(&gridding);
    return failed;
}

json_t *at_survey_json(const at_survey *s, const json_t *model) {
    json_t *root = json_object();
    int failed = json_object_set_new(root, "format", json_string("atrous-graph/1"));
    if (model != NULL) failed |= json_object_set_new(root, "model", json_deep_copy(model));
    failed |= json_object_set_new(root, "input", json_null()); /* its place; filled in below */
    failed |= rows_json(s, root);
    failed |= json_object_set_new(root, "output", json_string(at_graph_output(s->graph)->name));
    failed |= coverage_json(s, root);
    if (!failed) return root;
    json_decref(root);
    return NULL;
}
