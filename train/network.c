/* SPDX-License-Identifier: MIT */
/* Networks as files: a graph and all that it needs to meet pictures. */
#include "train/network.h"

#include <stdlib.h>
#include <string.h>

#include "train/network_private.h"

const char *const at_loss_names[AT_LOSS_COUNT] = {"ce", "dice", "ce+dice", "focal"};

at_node *at_loss_build(at_graph *g, at_node *logits, const at_loss_spec *spec) {
    static const uint8_t ignore[] = {AT_IGNORE};
    const at_loss_opts opts = {.class_weights = spec->weighted ? spec->class_weights : NULL,
                               .ignore = ignore,
                               .ignore_count = 1,
                               .label_smoothing = (float)spec->label_smoothing,
                               .gamma = (float)spec->gamma};
    at_node *target = at_target(g, "target");
    switch (spec->kind) {
    case AT_LOSS_DICE:
        return at_soft_dice(g, "loss", logits, target, opts);
    case AT_LOSS_FOCAL:
        return at_focal(g, "loss", logits, target, opts);
    case AT_LOSS_CE_DICE:
        return at_add(g, "loss", at_softmax_cross_entropy(g, "loss.ce", logits, target, opts),
                      at_soft_dice(g, "loss.dice", logits, target, opts));
    default:
        return at_softmax_cross_entropy(g, "loss", logits, target, opts);
    }
}

at_status at_network_build(at_network *net, at_error *err) {
    at_graph_free(net->graph);
    net->graph = NULL;
    return at_model_new(&net->graph, net->model, net->opts, err);
}

static at_status copy_classes(const at_classes *from, at_classes *to, at_error *err) {
    json_t *j = at_classes_to_json(from);
    if (!j) return at_fail_memory(err, "class names", 0);
    const at_status s = at_classes_from_json(j, to, err);
    json_decref(j);
    return s;
}

at_status at_network_new(at_network *net, const at_model *model, at_model_opts opts,
                         const at_classes *classes, uint64_t seed, at_error *err) {
    static const double mean[4] = {0.485, 0.456, 0.406, 0.5}, std[4] = {0.229, 0.224, 0.225, 0.25};
    *net = (at_network){.model = model, .opts = opts};
    net->opts.classes = classes->count;
    memcpy(net->mean, mean, sizeof mean);
    memcpy(net->std, std, sizeof std);
    at_status s = copy_classes(classes, &net->classes, err);
    if (s == AT_OK) s = at_model_resolve(model, &net->opts, err);
    if (s == AT_OK) s = at_network_build(net, err);
    if (s == AT_OK) s = at_graph_init(net->graph, seed, err);
    if (s != AT_OK) at_network_free(net);
    return s;
}

/* The average of the weights, if there is one: the measures in the file are the average's. */
static at_status load_values(at_network *net, const at_st_file *f, at_error *err) {
    AT_TRY(at_weights_load(net->graph, f, err));
    char *name = at_format("ema.%s", at_graph_param(net->graph, 0)->name);
    const bool averaged = name && at_st_find(f, name);
    free(name);
    if (!averaged) return AT_OK;
    AT_TRY(at_weights_load_flat(net->graph, f, "ema.", at_graph_values(net->graph), err));
    at_graph_touch(net->graph);
    return AT_OK;
}

at_status at_network_load(at_network *net, const char *path, at_error *err) {
    at_st_file f = {0};
    *net = (at_network){0};
    AT_TRY(at_st_open(&f, path, err));
    at_status s = at_network_read_metadata(net, &f, err);
    if (s == AT_OK) s = at_network_build(net, err);
    if (s == AT_OK) s = load_values(net, &f, err);
    if (s != AT_OK) at_network_free(net);
    at_st_close(&f);
    return s;
}

at_status at_network_save(const at_network *net, const char *path, at_error *err) {
    json_t *metadata;
    AT_TRY(at_network_metadata(net, &metadata, err));
    const at_flat values = {.prefix = "", .data = at_graph_values(net->graph)};
    const at_status s = at_weights_save(net->graph, path, &values, 1, NULL, 0, metadata, err);
    json_decref(metadata);
    return s;
}

void at_network_free(at_network *net) {
    at_graph_free(net->graph);
    at_classes_free(&net->classes);
    json_decref(net->metrics);
    *net = (at_network){0};
}
