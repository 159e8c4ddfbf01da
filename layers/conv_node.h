/* SPDX-License-Identifier: MIT */
/* What conv2d and conv_transpose2d share: the first is the forward pass of its convolution and the
 * data pass is its gradient; for the second it is the other way round. `pass` names the pass that
 * makes the node's output. Private to the layers. */
#ifndef AT_LAYERS_CONV_NODE_H
#define AT_LAYERS_CONV_NODE_H

#include "layers/conv.h"

/* Fills in default stride, dilation and groups and checks ranges; false with the graph's error set.
 */
bool at_conv_node_defaults(at_graph *g, const char *name, at_pair *kernel, at_pair *stride,
                           at_pair *padding, at_pair *dilation, int *groups, int in_channels,
                           int out_channels);

at_status at_conv_node_prepare(at_step *s, const at_conv *c, at_conv_pass pass, at_error *err);
/* The parts of the above: the state, in which everything is direct, and memory for the ways that are
 * set. */
at_status at_conv_node_state(at_step *s, at_error *err);
void at_conv_node_lay_out(at_step *s, const at_conv *c, at_conv_pass pass);
void at_conv_node_forward(const at_step *s, const at_conv *c, at_conv_pass pass);
void at_conv_node_backward(const at_step *s, const at_conv *c, at_conv_pass pass);
bool at_conv_node_absorb(at_step *s, const at_node *next);
void at_conv_node_release(at_step *s);

/* ---- choosing by timing (conv_tune.c) ---- */

/* The sums that a node computes; the first two are passes. */
typedef enum at_conv_sum {
    AT_SUM_FORWARD = AT_CONV_FORWARD,
    AT_SUM_DATA = AT_CONV_DATA,
    AT_SUM_WEIGHTS,
    AT_CONV_SUMS
} at_conv_sum;

/* Ways of computing them, by number. */
enum { AT_CONV_WAYS = 5 };
extern const char *const at_conv_way_names[AT_CONV_WAYS];
bool at_conv_node_can(const at_step *s, const at_conv *c, at_conv_sum sum, int way);
int at_conv_node_way(const at_step *s, at_conv_sum sum);
void at_conv_node_set_way(at_step *s, at_conv_sum sum, int way);

/* Sets ways that are remembered or, where the step may time, found fastest. */
at_status at_conv_tune(at_step *s, const at_conv *c, at_conv_pass pass, at_error *err);

/* Attributes in PyTorch's names. */
void at_describe_pair(json_t *attrs, const char *key, at_pair p);
void at_describe_window(json_t *attrs, at_pair kernel, at_pair stride, at_pair padding,
                        at_pair dilation);

#endif
