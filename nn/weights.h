/* SPDX-License-Identifier: MIT */
/* A graph's parameters to and from safetensors files, in PyTorch's names and order. */
#ifndef AT_NN_WEIGHTS_H
#define AT_NN_WEIGHTS_H

#include "nn/graph.h"
#include "nn/safetensors.h"

/* What a partial load did: how many parameters came from the file, and a text of what did not. */
typedef struct at_load_report {
    int loaded, missing, mismatched; /* parameters of the graph */
    int unused;                      /* tensors of the file */
    char text[2048];                 /* one line a difference, cut with "..." */
} at_load_report;

/* Every parameter must be there with its exact shape: otherwise AT_ERR_INPUT naming the first that
 * is not, and the graph is as before. Other tensors of the file are passed over. */
at_status at_weights_load(at_graph *g, const at_st_file *f, at_error *err);

/* Loads what fits by name and shape, leaves the rest as it is. */
at_status at_weights_load_partial(at_graph *g, const at_st_file *f, at_load_report *report,
                                  at_error *err);

/* Loads a buffer laid out like the graph's values from tensors named prefix + parameter name, as
 * strictly; with a prefix, running statistics may be missing (see trainable_only) and stay. */
at_status at_weights_load_flat(const at_graph *g, const at_st_file *f, const char *prefix,
                               float *flat, at_error *err);

/* One group of tensors to save: a flat buffer laid out like the graph's values. */
typedef struct at_flat {
    const char *prefix; /* "" for the weights themselves, "optimizer.momentum." ... */
    const float *data;
    bool trainable_only; /* leave out buffers (running statistics) */
} at_flat;

/* Writes all groups, then `extra` tensors, into one file with `metadata` (strings; NULL: none). */
at_status at_weights_save(const at_graph *g, const char *path, const at_flat *flats, int flat_count,
                          const at_st_tensor *extra, int extra_count, const json_t *metadata,
                          at_error *err);

#endif
