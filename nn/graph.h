/* SPDX-License-Identifier: MIT */
/* A graph is structure and parameters: nodes made by operator functions (layers/layers.h), channels
 * known, batch, height and width open. The first error sticks: operator functions then return NULL
 * and pass NULL inputs through, so a model reads as a list of layers, and at_graph_finish reports
 * the error once. Nodes, parameters and names belong to the graph. */
#ifndef AT_NN_GRAPH_H
#define AT_NN_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/status.h"
#include "nn/tensor.h"

typedef struct at_graph at_graph;
typedef struct at_node at_node;

/* ---- parameters ---- */

/* How a parameter lies in the graph's flat buffer. Files always hold PyTorch's order. */
typedef enum at_layout {
    AT_LAYOUT_PLAIN = 0, /* as dims say */
    AT_LAYOUT_CONV,      /* dims (a, b, h, w) stored as [h][w][b][a]: OIHW becomes HWIO */
} at_layout;

typedef enum at_init_kind {
    AT_INIT_ZERO = 0,
    AT_INIT_CONSTANT,  /* value */
    AT_INIT_HE_NORMAL, /* N(0, gain * sqrt(2 / fan_in)); He et al., ICCV 2015 */
    AT_INIT_BILINEAR,  /* transposed convolution as interpolation (FCN, section 3.3) */
    AT_INIT_ICNR,      /* sub-pixel convolution without checkerboard (Aitken et al. 2017) */
    AT_INIT_UNIFORM,   /* U(-value, value) */
} at_init_kind;

typedef struct at_init {
    at_init_kind kind;
    float value; /* AT_INIT_CONSTANT, AT_INIT_UNIFORM; HE_NORMAL, BILINEAR: gain, 0 means 1 */
    int fan_in;  /* AT_INIT_HE_NORMAL */
    int factor;  /* AT_INIT_ICNR: upscale factor */
    int groups;  /* AT_INIT_BILINEAR: of the transposed convolution, which fills it in; 0: 1 */
} at_init;

typedef struct at_param_spec {
    int rank, dims[4]; /* PyTorch's order */
    at_layout layout;
    at_init init;
    bool buffer;   /* not trained: running statistics */
    bool no_decay; /* norms and biases: weight decay leaves them alone */
    bool frozen;   /* has a gradient, but optimisers leave it alone */
} at_param_spec;

typedef struct at_param {
    char *name; /* "encoder.0.conv.weight", as in the weight file */
    at_param_spec spec;
    int64_t count;
    int64_t offset; /* in floats, in the graph's flat value and gradient buffers; 64-byte aligned */
} at_param;

/* ---- nodes: read only outside nn and layers ---- */

typedef struct at_op at_op; /* nn/op.h */

enum { AT_MAX_PARAMS = 4 };

struct at_node {
    const at_op *op;
    at_graph *graph;
    char *name; /* "encoder.0.conv" */
    int id;     /* position in the graph; inputs have smaller ids */
    int channels;
    at_dtype dtype; /* AT_F32, or AT_U8 for a target */
    int input_count;
    at_node **inputs;
    uint8_t *ports;            /* which output of inputs[i]: 0 its value, 1 its second output */
    int params[AT_MAX_PARAMS]; /* indices of parameters */
    int param_count;
    const void *attrs; /* the operator's own struct */
};

/* ---- making and asking ---- */

/* NULL when out of memory. */
at_graph *at_graph_new(void);
void at_graph_free(at_graph *g);

/* Names made between push and pop get the prefix and a dot. printf-style. */
void at_graph_push(at_graph *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
void at_graph_pop(at_graph *g);

/* The image, [n, h, w, channels] fp32, and the labels, [n, h, w, 1] bytes; n, h
 * and w are the plan's. */
at_node *at_input(at_graph *g, const char *name, int channels);
at_node *at_target(at_graph *g, const char *name);

/* What the graph computes; `at_graph_finish` takes the last node if nobody says. */
void at_graph_set_output(at_graph *g, at_node *output);
at_node *at_graph_output(const at_graph *g);

/* Reports the sticky error, or allocates values for all parameters (zero, not initialised). More
 * nodes (a loss) may be added afterwards if they have no parameters. */
at_status at_graph_finish(at_graph *g, at_error *err);

/* Initialises each parameter from the stream (seed, its name): a part of two models that has the
 * same names begins with the same numbers. Buffers get their constant. */
at_status at_graph_init(at_graph *g, uint64_t seed, at_error *err);

/* Records an error for operator functions; the first one stays. Returns NULL. */
at_node *at_graph_fail(at_graph *g, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool at_graph_failed(const at_graph *g);
at_status at_graph_status(const at_graph *g, at_error *err);

int at_graph_node_count(const at_graph *g);
at_node *at_graph_node(const at_graph *g, int id);
at_node *at_graph_find(const at_graph *g, const char *name); /* NULL: none */

int at_graph_param_count(const at_graph *g);
const at_param *at_graph_param(const at_graph *g, int index);
const at_param *at_graph_find_param(const at_graph *g, const char *name);
int64_t at_graph_trainable_count(const at_graph *g); /* numbers that are trained */

/* The flat buffers. values: available after at_graph_finish. grads: NULL until the first training
 * plan is made. Both have at_graph_flat_count floats; gaps between parameters are zero. */
float *at_graph_values(const at_graph *g);
float *at_graph_grads(const at_graph *g);
int64_t at_graph_flat_count(const at_graph *g);

/* Call after changing values, so that plans refresh what they derived from them. */
void at_graph_touch(at_graph *g);

/* Copies one parameter out to, or in from, PyTorch's order; `flat` is any buffer laid out like the
 * graph's values (values, gradients, optimiser state). */
void at_param_export(const at_param *p, const float *flat, float *out);
void at_param_import(const at_param *p, const float *in, float *flat);

#endif
