/* SPDX-License-Identifier: MIT */
/* The plan keeps every value, so that the logits can be read after the loss has used them. */
#include "train/gradients.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The same parameters in a graph without dropout. Dropout has none, so both lie alike. */
static at_status drop_dropout(at_network *net, at_error *err) {
    at_model_opts opts = net->opts;
    at_graph *g;
    opts.no_dropout = true;
    AT_TRY(at_model_new(&g, net->model, opts, err));
    assert(at_graph_flat_count(g) == at_graph_flat_count(net->graph));
    memcpy(at_graph_values(g), at_graph_values(net->graph),
           (size_t)at_graph_flat_count(g) * sizeof(float));
    at_graph_touch(g);
    at_graph_free(net->graph);
    net->graph = g;
    net->opts = opts;
    return AT_OK;
}

static at_status check_labels(const at_network *net, const uint8_t *mask, int width, int height,
                              at_error *err) {
    for (int i = 0; i < width * height; i++)
        if (mask[i] >= net->opts.classes && mask[i] != AT_IGNORE)
            return at_fail(
                err, AT_ERR_INPUT,
                "the mask has label %d at x %d, y %d, but the network has classes 0 to %d: "
                "name the id in --ignore, or give a network of more classes",
                mask[i], i % width, i / width, net->opts.classes - 1);
    return AT_OK;
}

static void feed(at_tensor to, const at_network *net, const at_image *image) {
    const int c = image->channels;
    for (int i = 0; i < image->width * image->height; i++)
        for (int k = 0; k < c; k++)
            at_f32(to)[i * to.ld + k] =
                (float)((image->data[i * c + k] / 255.0 - net->mean[k]) / net->std[k]);
}

/* [h, w, c] of the first picture as [1, c, h, w]; malloc'ed. */
static at_status export(at_tensor from, const char *name, at_st_tensor *out, at_error *err) {
    const int64_t pixels = (int64_t)from.shape.h * from.shape.w;
    const int c = from.shape.c;
    const size_t bytes = (size_t)pixels * (size_t)c * sizeof(float);
    float *data = malloc(bytes);
    if (!data) return at_fail_memory(err, name, bytes);
    for (int64_t i = 0; i < pixels; i++)
        for (int k = 0; k < c; k++) data[k * pixels + i] = at_f32(from)[i * from.ld + k];
    *out = (at_st_tensor){name, AT_ST_F32, 4, {1, c, from.shape.h, from.shape.w}, data, bytes};
    return AT_OK;
}

/* What a run of the plan left behind, into the file. */
static at_status save(const at_network *net, const at_plan *plan, const at_node *image,
                      const at_node *logits, const at_node *loss, const char *path, at_error *err) {
    at_st_tensor extra[3] = {{0}};
    const at_flat grads = {
        .prefix = "", .data = at_graph_grads(net->graph), .trainable_only = true};
    at_status s = export(at_plan_value(plan, image), "image", &extra[0], err);
    if (s == AT_OK) s = export(at_plan_value(plan, logits), "logits", &extra[1], err);
    if (loss)
        extra[2] = (at_st_tensor){.name = "loss",
                                  .dtype = AT_ST_F32,
                                  .data = at_plan_value(plan, loss).data,
                                  .bytes = sizeof(float)};
    if (s == AT_OK)
        s = at_weights_save(net->graph, path, &grads, loss ? 1 : 0, extra, loss ? 3 : 2, NULL, err);
    free((void *)(uintptr_t)extra[0].data);
    free((void *)(uintptr_t)extra[1].data);
    return s;
}

static void compute(at_plan *plan, at_graph *g, at_node *loss) {
    at_plan_forward(plan);
    if (!loss) return;
    memset(at_graph_grads(g), 0, (size_t)at_graph_flat_count(g) * sizeof(float));
    at_plan_backward(plan);
}

at_status at_gradients_save(at_network *net, const at_image *image, const uint8_t *mask,
                            at_gradients_opts opts, const char *path, double *loss, at_error *err) {
    const bool train = opts.mode == AT_TRAIN;
    at_plan *plan;
    if (train) AT_TRY(check_labels(net, mask, image->width, image->height, err));
    if (!opts.dropout) AT_TRY(drop_dropout(net, err));
    at_graph *g = net->graph;
    at_node *logits = at_graph_output(g), *input = at_graph_find(g, "image");
    at_node *criterion = train ? at_loss_build(g, logits, &net->loss) : NULL;
    AT_TRY(at_graph_status(g, err));
    AT_TRY(at_plan_new(&plan, g,
                       (at_plan_opts){.batch = 1,
                                      .height = image->height,
                                      .width = image->width,
                                      .mode = opts.mode,
                                      .precision = opts.precision,
                                      .conv = opts.conv,
                                      .output = train ? criterion : logits,
                                      .keep = true,
                                      .max_bytes = opts.max_bytes},
                       err));
    at_plan_set_iteration(plan, opts.seed, 0);
    feed(at_plan_value(plan, input), net, image);
    if (train)
        memcpy(at_plan_value(plan, at_graph_find(g, "target")).data, mask,
               (size_t)image->width * (size_t)image->height);
    compute(plan, g, criterion);
    if (train && loss) *loss = (double)*at_f32(at_plan_value(plan, criterion));
    const at_status s = save(net, plan, input, logits, criterion, path, err);
    at_plan_free(plan);
    return s;
}
