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
void at_conv_node_forward(const at_step *s, const at_conv *c, at_conv_pass pass);
void at_conv_node_backward(const at_step *s, const at_conv *c, at_conv_pass pass);
bool at_conv_node_absorb(at_step *s, const at_node *next);
void at_conv_node_release(at_step *s);

/* Attributes in PyTorch's names. */
void at_describe_pair(json_t *attrs, const char *key, at_pair p);
void at_describe_window(json_t *attrs, at_pair kernel, at_pair stride, at_pair padding,
                        at_pair dilation);

#endif
