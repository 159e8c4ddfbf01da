/* SPDX-License-Identifier: MIT */
/* FCN-8s: see fcn.c. */
#include "models/fcn.h"
#include "models/list.h"

static at_node *build(at_graph *g, at_node *image, const at_model_opts *o) {
    return at_fcn(g, image, o, 2);
}

const at_model at_model_fcn8s = {
    .name = "fcn8s",
    .summary = "VGG, scores of pool4 and pool3 fused (Long et al., CVPR 2015)",
    AT_FCN_FIELDS,
    .build = build,
};
