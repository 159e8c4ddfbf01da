/* SPDX-License-Identifier: MIT */
/* FCN-32s: see fcn.c. */
#include "models/fcn.h"
#include "models/list.h"

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    return at_fcn(g, image, o, 0);
}

const at_model at_model_fcn32s = {
    .name = "fcn32s",
    .summary = "VGG, one step of 32 (Long et al., CVPR 2015)",
    AT_FCN_FIELDS,
    .build = build,
};
