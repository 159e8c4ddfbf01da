/* SPDX-License-Identifier: MIT */
/* FCN-16s: see fcn.c. */
#include "models/fcn.h"
#include "models/list.h"

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    return at_fcn(g, image, o, 1);
}

const at_model at_model_fcn16s = {
    .name = "fcn16s",
    .summary = "VGG, scores of pool4 fused (Long et al., CVPR 2015)",
    AT_FCN_FIELDS,
    .build = build,
};
