/* SPDX-License-Identifier: MIT */
/* How fast and how large: one network's training step and inference, and single operators at every
 * level of kernels. */
#ifndef AT_TRAIN_BENCH_H
#define AT_TRAIN_BENCH_H

#include "models/models.h"

/* Milliseconds of one run; `runs` of them were measured after one that was not. */
typedef struct at_timing {
    double median, min;
    int runs;
} at_timing;

typedef struct at_bench_opts {
    at_model_opts net; /* resolved or not */
    at_pair size;
    int batch, repeat;
    at_precision precision;
    at_conv_choice conv;
    at_tuning *tuning; /* for AT_CONV_TUNE; NULL: the user's (train/tune.h) */
    bool train_only, recompute;
    uint64_t seed;
    size_t max_bytes; /* for a plan; 0: what is free */
    /* Optional: sees both plans, with the seconds that `runs` runs spent in each step. */
    void (*profile)(const at_plan *plan, at_mode mode, int runs);
} at_bench_opts;

typedef struct at_bench_result {
    at_timing train_step, inference;   /* inference.runs 0: not measured */
    size_t train_peak, inference_peak; /* bytes, as planned */
    size_t rss;                        /* bytes, the most that the system saw the process have */
    double macs;                       /* of one forward of the batch */
    int64_t parameters;
} at_bench_result;

/* A training step is forward, softmax cross-entropy, backward, SGD with momentum, on random data
 * made beforehand. */
at_status at_bench_model(const at_model *m, at_bench_opts opts, at_bench_result *out,
                         at_error *err);

/* What is timed by at_bench_kernels: one convolution, say, as it would stand in a network. */
typedef struct at_bench_case {
    const char *name;
    at_shape in;
    at_node *(*build)(at_graph *g, at_node *x);
} at_bench_case;
extern const at_bench_case at_bench_cases[]; /* ends with a NULL name */

/* GFLOP/s (two a multiply-accumulate) of forward and of backward, the best of `repeat` runs, with
 * the kernels of one level. Afterwards the usual level is active again. */
typedef struct at_bench_speed {
    double forward, backward;
} at_bench_speed;
at_status at_bench_kernels(const at_bench_case *c, int level, int repeat, at_bench_speed *out,
                           at_error *err);

/* GFLOP/s of that level's micro-kernel on data in the first cache, on all threads: what convolutions
 * without an algorithm that saves multiplications could reach at most. */
double at_bench_peak(int level, int repeat);

/* Operators that only move data: seconds, the best of `repeat` runs, with the best kernels, and the
 * bytes that had to be moved at least; backward 0 where there is none. */
typedef struct at_bench_pass {
    double forward_s, backward_s, forward_bytes, backward_bytes;
    double copy_speed; /* of a copy at that moment, in bytes a second, read and written */
} at_bench_pass;
const char *at_bench_operator_name(int i); /* NULL: there are no more */
at_status at_bench_operator(int i, int repeat, at_bench_pass *out, at_error *err);

/* Name of the processor, as the system tells it; "unknown" if it does not. Cut to the buffer. */
void at_cpu_name(char *buffer, size_t size);

#endif
