/* SPDX-License-Identifier: MIT */
/* A network with all that it needs to meet pictures: structure, parameters, classes, normalisation,
 * resizing. It is what a weights file holds. The file is safetensors; its metadata are strings:
 *   format      "atrous-weights/1"         version   of the library that wrote it
 *   model       JSON: name and options     classes   JSON: list of name and color
 *   mean, std   JSON: one number a channel resize    JSON: [height, width], or absent
 *   ignore      JSON: raw ids              epoch     epochs trained
 *   metrics     JSON: the measures on the validation split when it was written
 *   loss        JSON: the loss it was trained with
 *   split       JSON: [seed, share] of the validation split, where one was held out of the data
 * A file of a run's `last` also holds "training" and tensors for resuming. */
#ifndef AT_TRAIN_NETWORK_H
#define AT_TRAIN_NETWORK_H

#include "data/data.h"
#include "models/models.h"

typedef enum at_loss_kind {
    AT_LOSS_CE = 0,
    AT_LOSS_DICE,
    AT_LOSS_CE_DICE,
    AT_LOSS_FOCAL,
    AT_LOSS_COUNT
} at_loss_kind;
extern const char *const at_loss_names[AT_LOSS_COUNT]; /* "ce", "dice", "ce+dice", "focal" */

typedef struct at_loss_spec {
    at_loss_kind kind;
    double label_smoothing, gamma;
    bool weighted;
    float class_weights[AT_MAX_CLASSES]; /* if weighted */
} at_loss_spec;

/* Appends "target" and the loss of `logits` to a graph: one number. NULL with the graph's error. */
at_node *at_loss_build(at_graph *g, at_node *logits, const at_loss_spec *spec);

typedef struct at_network {
    const at_model *model;
    at_model_opts opts; /* resolved */
    at_graph *graph;    /* owned; input "image", output logits */
    at_classes classes; /* owned */
    double mean[4], std[4];
    at_pair resize; /* 0, 0: pictures are taken as they are */
    int ignore_count;
    int ignore[AT_MAX_CLASSES];
    at_loss_spec loss;
    uint64_t split_seed; /* at_dataset_opts' seed and val_share: the same pictures stay held out */
    double val_share;
    int epoch;
    json_t *metrics; /* owned; NULL: none */
} at_network;

/* A freshly initialised one; classes are copied. Mean and std are ImageNet's until set. */
at_status at_network_new(at_network *net, const at_model *model, at_model_opts opts,
                         const at_classes *classes, uint64_t seed, at_error *err);
/* From a weights file. Where the file holds an average of the weights (EMA), that is loaded. A file
 * without our metadata is AT_ERR_INPUT that says which model option is missing. */
at_status at_network_load(at_network *net, const char *path, at_error *err);
at_status at_network_save(const at_network *net, const char *path, at_error *err);
/* Safe on a zero-initialised one, and twice. */
void at_network_free(at_network *net);

#endif
