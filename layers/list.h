/* SPDX-License-Identifier: MIT */
/* The list of operators: one line each, in the order of layers.h. From it come the descriptors'
 * declarations and at_op_list. */
#ifndef AT_LAYERS_LIST_H
#define AT_LAYERS_LIST_H

#include "nn/nn.h"

/* clang-format off */
#define AT_OP_LIST(X)      \
    X(conv2d)              \
    X(conv_transpose2d)    \
    X(max_pool2d)          \
    X(avg_pool2d)          \
    X(global_avg_pool2d)   \
    X(max_unpool2d)        \
    X(interpolate)         \
    X(pixel_shuffle)       \
    X(batch_norm)          \
    X(group_norm)          \
    X(local_response_norm) \
    X(relu)                \
    X(leaky_relu)          \
    X(prelu)               \
    X(elu)                 \
    X(sigmoid)             \
    X(tanh)                \
    X(dropout)             \
    X(dropout2d)           \
    X(cat)                 \
    X(add)                 \
    X(mul)                 \
    X(pad)                 \
    X(crop)                \
    X(softmax_cross_entropy) \
    X(soft_dice)           \
    X(focal)
/* clang-format on */

/* at_op_relu and so on, each defined in layers/<op>.c. */
#define AT_OP_DECLARE(name) extern const at_op at_op_##name;
AT_OP_LIST(AT_OP_DECLARE)
#undef AT_OP_DECLARE

#endif
