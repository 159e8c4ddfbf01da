/* SPDX-License-Identifier: MIT */
/* One way to test every operator. A case says how to build it from fp32 inputs, and gives a naive
 * forward in double, written from the definition and from nothing else. check_op then holds the
 * operator, at every kernel level of this machine, to
 *   - forward: equal to the naive one;
 *   - backward: equal to central differences of the naive forward, for a fixed random projection of
 *     the output, over every element of every input and every trained parameter;
 *   - adding: a second backward doubles the parameters' gradients, and two nodes that read the same
 *     inputs together give twice the inputs' gradient;
 *   - slices: inputs, output and gradients may be parts of wider tensors, and what lies between
 *     stays untouched (cases of a single node);
 *   - threads: 1, 2 and 3 of them give the same bits, at 2 x 61 x 83, where work is cut up; the
 *     output is right there too, and so is the slope of the projection in one direction.
 * Everything fails through cmocka's assertions. */
#ifndef AT_TESTS_CHECK_OP_H
#define AT_TESTS_CHECK_OP_H

#include "layers/layers.h"

enum { CHECK_INPUTS = 3, CHECK_PARAMS = 64 };

/* What a naive forward sees: dense NHWC doubles, and parameters in PyTorch's order. */
typedef struct check_data {
    const void *arg; /* the case's */
    const double *in[CHECK_INPUTS];
    at_shape in_shape[CHECK_INPUTS];
    at_shape out_shape;
    const double *params[CHECK_PARAMS]; /* in the order in which the nodes were built */
    const uint8_t *labels;              /* of the target, if the case has one */
} check_data;

typedef struct check_case {
    int batch, height, width;   /* of all inputs; 0: 2 x 5 x 7 */
    int channels[CHECK_INPUTS]; /* of the inputs, up to the first 0; none: one of 5 */
    int labels;          /* if > 0 a target is the last of x: labels 0 .. labels - 1, some 255 */
    float low, high;     /* inputs are uniform in here; both 0: -1 .. 1 */
    bool infer;          /* forward in inference mode, and nothing else */
    bool twice_differs;  /* two nodes of a kind differ (random numbers): leave that check out */
    bool small_naive;    /* the naive forward is too slow, or too small, for the large size */
    at_conv_choice conv; /* which algorithm convolutions take */
    double tolerance;    /* of the largest magnitude; 0: 2e-5 */
    const void *arg;

    /* Adds the nodes under test and returns the output. x: the inputs. */
    at_node *(*build)(at_graph *g, at_node *const *x, const void *arg);
    /* out: dense, of d->out_shape. NULL: forward is not checked, and backward is compared with
     * differences of the operator's own fp32 forward, which needs a tolerance near 1e-2. */
    void (*naive)(const check_data *d, double *out);
} check_case;

void check_op(const check_case *c);

/* The graph, or a plan of this size, must be refused in words that contain `text`. */
void check_op_refuses(const check_case *c, const char *text);

/* Element (n, y, x, c) of a dense NHWC array. */
static inline int64_t check_at(at_shape s, int n, int y, int x, int c) {
    return (((int64_t)n * s.h + y) * s.w + x) * s.c + c;
}

#endif
