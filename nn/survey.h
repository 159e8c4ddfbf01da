/* SPDX-License-Identifier: MIT */
/* A network described node by node at one input size: shapes, cost, receptive fields, and three
 * ways to write that down. Everything comes from the operators' descriptors. */
#ifndef AT_NN_SURVEY_H
#define AT_NN_SURVEY_H

#include <jansson.h>

#include "nn/graph.h"
#include "nn/op.h"

/* The image pixels that output pixel 0 of a node depends on along one axis, first .. last (outside
 * the image where there is padding); those of output pixel i begin i * jump further on. After
 * upsampling the jump may be a fraction, and the span is that of the phase which sees most. */
typedef struct at_span {
    double first, last, jump;
} at_span;

/* Araujo, Norris & Sim, "Computing Receptive Fields of Convolutional Neural Networks" (Distill
 * 2019). Where paths meet, the field is what any of them sees. Norms are taken as in inference. */
typedef struct at_field {
    at_span h, w;
    bool global; /* some path pools over the whole image; h and w are the field of the others */
} at_field;

static inline double at_span_size(at_span s) {
    return s.last - s.first + 1;
}

typedef struct at_survey_row {
    const at_node *node;
    at_shape shape;
    int64_t parameters; /* that are trained: no running statistics, nothing frozen */
    double macs;
    at_field field;
} at_survey_row;

/* The nodes that the graph's output needs, in an order in which they can run. */
typedef struct at_survey {
    const at_graph *graph;
    at_survey_row *rows; /* owned */
    int count;
    int64_t parameters;
    double macs;
} at_survey;

/* AT_ERR_INPUT where a node can't have the size it would get, naming it. */
at_status at_survey_new(at_survey *s, const at_graph *g, at_shape input, at_error *err);
void at_survey_free(at_survey *s);

/* Receptive fields alone, which need no size: `fields` has one element a node of the graph. */
void at_graph_fields(const at_graph *g, at_field *fields);

/* "atrous-graph/1" (docs: the graph as JSON). `model` describes the options; borrowed. NULL: out of
 * memory. */
json_t *at_survey_json(const at_survey *s, const json_t *model);

/* One line a node, then totals; bytes are a plan's for training and inference, 0: not told. And the
 * graph for Graphviz. malloc'ed; NULL: out of memory. */
char *at_survey_table(const at_survey *s, size_t train_bytes, size_t infer_bytes);
char *at_survey_dot(const at_survey *s);
/* A picture of the receptive fields at each resolution, drawn over the image. As above. */
char *at_survey_svg(const at_survey *s);

#endif
