/* SPDX-License-Identifier: MIT */
/* The parts of check_op. A trial is one graph with its data and the truth about it; a result is
 * what one run of it gave. Failures are cmocka's. */
#ifndef AT_TESTS_CHECK_TRIAL_H
#define AT_TESTS_CHECK_TRIAL_H

#include "tests/check_op.h"

typedef struct check_trial {
    const check_case *c;
    at_graph *g;
    at_node *x[CHECK_INPUTS + 1], *out;
    int inputs, params;
    at_plan_opts opts;
    check_data d;
    double *in[CHECK_INPUTS], *param[CHECK_PARAMS]; /* what d points to */
    int64_t in_count[CHECK_INPUTS], param_count[CHECK_PARAMS], out_count;
    uint8_t *labels;
    double *projection;
    double *y, *d_in[CHECK_INPUTS], *d_param[CHECK_PARAMS]; /* the truth */
} check_trial;

typedef struct check_result {
    float *y, *d_in[CHECK_INPUTS], *d_param[CHECK_PARAMS];
} check_result;

void *check_zeros(int64_t count, size_t size);

/* `copies` of the case's nodes, added up; large: at 2 x 61 x 83. */
check_trial *check_trial_new(const check_case *c, int copies, bool large);
void check_trial_free(check_trial *t);

/* The graph alone, which may have failed. */
void check_build(check_trial *t, int copies);
at_plan_opts check_plan_opts(const check_case *c, at_node *out);
at_plan *check_plan(const check_trial *t);

/* One forward, and in training `backwards` backward passes. */
check_result check_run(const check_trial *t, int backwards);
void check_result_free(check_result r);

void check_load_params(const check_trial *t);
void check_forward(const check_trial *t, at_plan *plan);
float *check_from_view(at_tensor v); /* dense; the caller frees it */

/* Output and gradients, by the naive forward and its differences. */
void check_find_truth(check_trial *t);
/* Of a large trial: the output, and in the first element of each gradient the derivative of the
 * projected output along check_direction. */
void check_find_large_truth(check_trial *t);
bool check_has_large_truth(const check_case *c);
/* A direction in the space of many numbers: plus or minus one, without a pattern. */
double check_direction(int64_t i);

#endif
