/* SPDX-License-Identifier: MIT */
/* A plan is a graph made ready for one batch, height, width, mode and precision: shapes worked out,
 * neighbours fused, and every activation, gradient and workspace given its place in one arena by
 * lifetime. It knows its memory before it is given any. Running it never allocates, prints or
 * fails. Several plans may share a graph; one plan runs at a time per graph. */
#ifndef AT_NN_PLAN_H
#define AT_NN_PLAN_H

#include "nn/graph.h"
#include "nn/op.h"

typedef struct at_plan at_plan;

typedef struct at_plan_opts {
    int batch, height, width; /* batch 0 means 1 */
    at_mode mode;
    at_precision precision;
    at_conv_choice conv;
    at_tuning
        *tuning; /* AT_CONV_TUNE: what was found fastest, and what is found now; NULL: as AUTO */
    at_node *output;  /* what to compute; NULL: the graph's output. A loss, for training */
    bool input_grad;  /* also the gradient of inputs */
    bool keep;        /* no memory is reused: every value can be read after forward */
    bool recompute;   /* training: drop values after forward and compute them once more in backward;
                       * as many as make the plan smallest, or fit it into max_bytes. Same bits */
    bool once;        /* inference: keeps nothing that a second run would be faster for */
    size_t max_bytes; /* refuse to need more (0: what the machine has free) */
} at_plan_opts;

/* AT_PRECISION_AUTO as what it means on this processor: bf16 where products of bf16 are faster than
 * those of fp32 (AMX; AVX512-BF16 of AMD), else fp32. The others as they are. */
at_precision at_precision_resolve(at_precision precision);
const char *at_precision_name(at_precision precision); /* "fp32", "bf16", "auto" */

/* On error *plan is NULL. A plan that does not fit says how much it needs and which batch would. */
at_status at_plan_new(at_plan **plan, at_graph *g, at_plan_opts opts, at_error *err);
void at_plan_free(at_plan *plan);

/* The memory a plan would take, without making it: arena + parameters' gradients. Times nothing:
 * what tuning doesn't remember is chosen by cost. */
at_status at_plan_measure(at_graph *g, at_plan_opts opts, size_t *bytes, at_error *err);
size_t at_plan_bytes(const at_plan *plan);

/* Bytes that this process may still take: what the machine and the control group leave; SIZE_MAX
 * where nobody knows. */
size_t at_memory_available(void);

/* A node's value: inputs (to fill before every forward), the output (to read after), any node with
 * opts.keep. data is NULL for what is not there. A node absorbed by its producer has the producer's
 * value only if it is the last of the chain. */
at_tensor at_plan_value(const at_plan *plan, const at_node *node);
/* The gradient of the output (to fill before backward; 1 if it is a single number), and of inputs
 * with opts.input_grad (to read after). */
at_tensor at_plan_grad(const at_plan *plan, const at_node *node);
/* The shape any node has in this plan. */
at_shape at_plan_shape(const at_plan *plan, const at_node *node);

/* Which stream dropout draws from in the next forward. */
void at_plan_set_iteration(at_plan *plan, uint64_t seed, uint64_t iteration);

void at_plan_forward(at_plan *plan);
/* Adds to the graph's gradients (at_graph_grads), which the caller zeroes. After forward, in
 * training mode only. */
void at_plan_backward(at_plan *plan);

/* Runs forward (inputs filled anew) and stops at the first value that is not finite: AT_ERR_INPUT
 * naming the node or parameter; *image is the image of the batch, or -1. Slow; for finding out why
 * a loss is NaN. */
at_status at_plan_check_finite(at_plan *plan, int *image, at_error *err);

/* Multiply-accumulates of one forward. */
double at_plan_macs(const at_plan *plan);

/* Seconds spent per step, for benchmarks: off by default. */
typedef struct at_step_time {
    const at_node *node;
    double forward_s, backward_s;
    at_cost cost;
} at_step_time;
void at_plan_profile(at_plan *plan, bool on);
int at_plan_step_count(const at_plan *plan);
at_step_time at_plan_step_time(const at_plan *plan, int step);

#endif
