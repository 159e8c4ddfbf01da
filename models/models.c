/* SPDX-License-Identifier: MIT */
/* The registry, and how a description becomes a graph. */
#include <string.h>

#include "models/list.h"

#define AT_MODEL_ADDRESS(name) &at_model_##name,
const at_model *const at_model_list[] = {AT_MODEL_LIST(AT_MODEL_ADDRESS) NULL};
#undef AT_MODEL_ADDRESS

const at_model *at_model_find(const char *name) {
    for (const at_model *const *m = at_model_list; *m != NULL; m++)
        if (strcmp((*m)->name, name) == 0) return *m;
    return NULL;
}

static at_status build(at_graph *g, const at_model *m, const at_model_opts *opts, at_error *err) {
    at_node *image = at_input(g, "image", opts->in_channels);
    at_graph_set_output(g, m->build(g, image, opts));
    return at_graph_finish(g, err);
}

at_status at_model_new(at_graph **out, const at_model *m, at_model_opts opts, at_error *err) {
    *out = NULL;
    AT_TRY(at_model_resolve(m, &opts, err));
    at_graph *g = at_graph_new();
    if (g == NULL) return at_fail_memory(err, "a graph", 0);
    at_status status = build(g, m, &opts, err);
    if (status != AT_OK) {
        at_graph_free(g);
        return at_error_context(err, "%s", m->name);
    }
    *out = g;
    return AT_OK;
}
