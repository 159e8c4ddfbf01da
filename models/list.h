/* SPDX-License-Identifier: MIT */
/* The list of architectures: one line each, in the order in which they are shown. From it come the
 * descriptors' declarations and at_model_list. */
#ifndef AT_MODELS_LIST_H
#define AT_MODELS_LIST_H

#include "models/models.h"

/* clang-format off */
#define AT_MODEL_LIST(X) \
    X(segnet_basic)      \
    X(fcn_basic)         \
    X(unet)              \
    X(fcn32s)            \
    X(fcn16s)            \
    X(fcn8s)             \
    X(deeplabv3)         \
    X(hdc)
/* clang-format on */

/* at_model_unet and so on, each defined in models/<name>.c. */
#define AT_MODEL_DECLARE(name) extern const at_model at_model_##name;
AT_MODEL_LIST(AT_MODEL_DECLARE)
#undef AT_MODEL_DECLARE

#endif
