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

/* ---- coverage ---- */

/* The pixels of a plane that one pixel of a later node depends on, in the smallest window that
 * holds them; borders of images are left out of account. */
typedef struct at_cover {
    int h, w;        /* of the window */
    int64_t reached; /* pixels of it that count */
    bool global;     /* on some path the whole plane does; the map is of the others */
    uint8_t *map;    /* [h, w], 1: reached; owned */
} at_cover;

/* Of `from`'s plane, for a pixel of `to`. AT_ERR_INPUT where one does not depend on the other. */
at_status at_graph_cover(at_cover *c, const at_node *from, const at_node *to, at_error *err);
void at_cover_free(at_cover *c);

/* A stretch is a chain of convolutions at one resolution with one number of channels: a stage of a
 * ResNet, the branch of a pyramid. Where some of them are dilated, gridding shows in what each of
 * them reaches of the stretch's input (Wang et al., WACV 2018, section 3.2). */
typedef struct at_gridding_row {
    const at_node *node, *input; /* the convolution; the stretch's input */
    at_pair dilation;
    at_cover cover;
} at_gridding_row;

typedef struct at_gridding {
    at_gridding_row *rows; /* owned; stretch by stretch, in the order of the graph */
    int count;             /* 0: nothing is dilated */
} at_gridding;

at_status at_gridding_new(at_gridding *out, const at_graph *g, at_error *err);
void at_gridding_free(at_gridding *gridding);

/* ---- writing it down ---- */

/* "atrous-graph/1" (docs: the graph as JSON). `model` describes the options; borrowed. NULL: out of
 * memory. */
json_t *at_survey_json(const at_survey *s, const json_t *model);

/* One line a node, then totals, then what dilated convolutions reach; bytes are a plan's for
 * training and inference, 0: not told. And the graph for Graphviz. malloc'ed; NULL: out of memory.
 */
char *at_survey_table(const at_survey *s, size_t train_bytes, size_t infer_bytes);
char *at_survey_dot(const at_survey *s);
/* A picture of the receptive fields at each resolution, drawn over the image, and of what dilated
 * convolutions reach. As above. */
char *at_survey_svg(const at_survey *s);

#endif
