/* SPDX-License-Identifier: MIT */
/* What an operator is: one static const descriptor of functions. Everything that describes a
 * network (plan, summary, cost table, receptive field, JSON, exports) is a walk over the graph that
 * asks the descriptors; nothing switches over kinds of operators.
 *
 * Adding an operator: layers/<op>.c, one line in layers/list.h, tests/test_<op>.c. */
#ifndef AT_NN_OP_H
#define AT_NN_OP_H

#include <jansson.h>

#include "nn/graph.h"
#include "nn/tuning.h"

typedef struct at_step at_step;

enum { AT_MAX_OUTPUTS = 2 };

/* What backward reads besides the gradient of the output; all else is freed as soon as forward is
 * past its last reader. */
enum {
    AT_NEEDS_INPUT = 1,       /* the inputs' values */
    AT_NEEDS_OUTPUT = 2,      /* the output's values */
    AT_FIRST_WRITE = 4,       /* backward obeys at_step.first: the runner need not zero gradients */
    AT_GRAD_IN_PLACE = 8,     /* a d_in[i] that is written first may be d_out itself */
    AT_GRAD_AFTER_INPUT = 16, /* backward writes no d_in before it has read all of the inputs */
    AT_SAME_SIZE_SAME = 32,   /* an output of input 0's size is input 0: the node gets no step */
    AT_TAKES_BF16 = 64,       /* forward and backward read and write AT_BF16 tensors themselves */
    AT_READS_F32 = 128,       /* its inputs stay fp32 in bf16 plans: losses */
    AT_HOLDS_INPUTS = 256,    /* out[0] is all inputs, side by side along the channels */
};

/* Multiply-accumulates and bytes read and written by forward. */
typedef struct at_cost {
    double macs, bytes;
} at_cost;

/* One step of receptive-field arithmetic (Araujo et al., Distill 2019): an output pixel reads
 * `kernel` input pixels `dilation` apart, the next one begins stride / upscale further on. */
typedef struct at_reach {
    at_pair kernel, stride, dilation, padding, upscale; /* ones and zeros by default */
    bool global;                                        /* reads the whole image */
} at_reach;

struct at_op {
    const char *name; /* PyTorch's functional name: "conv2d" */
    unsigned flags;
    unsigned shape_only; /* bit i: input i lends its height and width; no value, no gradient */

    /* Sizes of out[0] (and out[1], a second output such as pooling indices, with its dtype) from
     * the inputs' shapes; out[0].shape.c is already set. Errors name sizes; the caller adds the
     * node. */
    at_status (*shape)(const at_node *node, const at_shape *in, at_tensor *out, at_error *err);

    /* Optional. Once per plan, after shapes are known: asks for memory by setting the _bytes fields
     * of the step, chooses an algorithm. May allocate step->state (freed with `release`). */
    at_status (*prepare)(at_step *step, at_error *err);
    void (*release)(at_step *step);

    /* out = f(in). d_in += f'(in) d_out; parameter gradients += too. Neither allocates, prints or
     * fails. In inference out[1].data is NULL if nobody reads it. backward may destroy d_out, and
     * skips every d_in whose data is NULL. Without `again`, forward may run a second time before
     * backward, to the same bits: then it changes nothing but out and saved. */
    void (*forward)(const at_step *step);
    void (*backward)(const at_step *step);

    /* Optional, for operators that cost no more than a pass over memory: writes out[0] once more
     * during backward, from the inputs and `saved` alone, to the same bits. A plan then frees the
     * output after forward where that saves memory. */
    void (*again)(const at_step *step);

    /* Optional. May this step also do what `next` does (the only reader of its output)? If so it
     * records that in the step, and `next` gets no step of its own: the output is next's. */
    bool (*absorb)(at_step *step, const at_node *next);

    /* Optional. May this operator's steps do without the value of input 0, by doing themselves what
     * `producer` makes it of? Asked where nobody else reads that value. Then producer gets no step
     * (with opts.keep: one that makes the value, but passes no gradient), step->front names it, and
     * in[0] and d_in[0] are those of its input 0. */
    bool (*inline_input)(const at_node *producer);

    void (*cost)(const at_node *node, const at_shape *in, at_shape out,
                 at_cost *cost);                         /* optional */
    void (*reach)(const at_node *node, at_reach *reach); /* optional */

    /* Writes the attributes, with PyTorch's names and meaning, into `attrs`. */
    void (*describe)(const at_node *node, const at_shape *in, at_shape out, json_t *attrs);

    const char *param_names[AT_MAX_PARAMS]; /* "weight", "bias", ... in the order of node->params */
    const char *output_names[AT_MAX_OUTPUTS]; /* only where there are two: "value", "indices" */
};

/* ---- for operator functions (layers/) ---- */

/* Adds a node; copies attrs. NULL, with the graph's error set, if an input is NULL, belongs to
 * another graph, or the name is taken. A NULL name means the operator's. */
at_node *at_node_new(at_graph *g, const at_op *op, const char *name, at_node *const *inputs,
                     int input_count, int channels, const void *attrs, size_t attrs_size);

/* Input `input` of the node is the producer's output `port` (1: the second one) instead of its
 * value. */
void at_node_set_port(at_node *node, int input, int port);

/* Adds the node's next parameter, named node name + "." + op->param_names[i]. */
void at_node_add_param(at_node *node, at_param_spec spec);

/* ---- a node in a plan ---- */

typedef enum at_mode { AT_INFER = 0, AT_TRAIN } at_mode;
/* AT_BF16_MIXED: activations and their gradients are stored as bfloat16, except inputs, the output
 * and what losses read; parameters, their gradients, statistics and all sums are fp32. */
typedef enum at_precision { AT_FP32 = 0, AT_BF16_MIXED, AT_PRECISION_AUTO } at_precision;
typedef enum at_conv_choice {
    AT_CONV_AUTO = 0,
    AT_CONV_DIRECT,
    AT_CONV_WINOGRAD,
    AT_CONV_TUNE
} at_conv_choice;

typedef enum at_activation { AT_ACT_NONE = 0, AT_ACT_RELU } at_activation;

/* Passes of an operator. */
enum { AT_PASS_FORWARD = 1, AT_PASS_BACKWARD = 2 };

/* Everything an operator's functions may look at while a plan runs. */
struct at_step {
    const at_node *node;
    at_mode mode;
    at_conv_choice conv;
    at_tuning *tuning; /* AT_CONV_TUNE: what was found fastest; NULL: nobody remembers */
    bool may_time;     /* prepare may run the operator to find out */
    bool once;         /* inference: runs but one time, so nothing is worth keeping */
    int in_count;
    at_tensor *in, *d_in; /* in_count each. data is NULL where only the shape is lent, or no
                           * gradient is wanted */
    bool *first; /* d_in[i] holds garbage: write, don't add (only ever true with AT_FIRST_WRITE).
                  * Where two inputs are one node, d_in[0] is to be complete before d_in[1] is added
                  */
    at_tensor out[AT_MAX_OUTPUTS];
    at_tensor d_out;

    /* What `absorb` took over. It may also add to `needs`, which begins as op->flags. */
    unsigned needs;
    at_activation activation;
    const at_node *norm;  /* inference: batch norm to fold into the weights */
    const at_node *last;  /* the node whose value out[0] is; the node itself if none absorbed */
    const at_node *front; /* what inline_input agreed to, or NULL */

    /* Memory asked for by prepare (set the _bytes, find the pointers when running). All 64-byte
     * aligned. saved: from forward to backward. kept: for the plan's life, zeroed at its start.
     * work: during one call. scratch: during one call, for each worker. */
    size_t saved_bytes, kept_bytes, work_bytes, scratch_bytes;
    void *saved, *kept, *work;
    char *scratch;

    /* Tensors of AT_BF16 are handed as they are to these passes; to the others the runner gives
     * fp32 copies. All or none by AT_TAKES_BF16; `prepare` may change it. */
    unsigned takes_bf16;
    char *stage; /* in bf16 plans, for each worker: stage_bytes in which strips are widened */
    size_t stage_bytes;

    void *state;   /* the operator's own, made by prepare */
    uint64_t seed; /* the run's seed and step number: dropout's stream */
    uint64_t iteration;
    uint64_t version; /* changes whenever parameters changed; never 0 */
};

/* Values and gradients of a node's i-th parameter, in the layout its spec names. Gradients are NULL
 * in inference. */
float *at_step_param(const at_step *step, int i);
float *at_step_param_grad(const at_step *step, int i);
float *at_node_param(const at_node *node, int i);

/* Floats of one tensor's strip that a worker's stage holds, at least: layers/strips.h cuts tensors
 * of `channels` channels into no larger ones. */
enum { AT_STAGE_TENSORS = 4, AT_STAGE_FLOATS = 32768, AT_STAGE_PIXELS = 64 };
static inline int64_t at_stage_floats(int channels) {
    int64_t pixels = (int64_t)AT_STAGE_PIXELS * channels;
    return pixels > AT_STAGE_FLOATS ? pixels : AT_STAGE_FLOATS;
}
static inline size_t at_stage_bytes(int channels) {
    return AT_STAGE_TENSORS * (size_t)at_stage_floats(channels) * sizeof(float);
}

static inline void *at_step_scratch(const at_step *step, int worker) {
    return step->scratch + step->scratch_bytes * (size_t)worker;
}

#endif
