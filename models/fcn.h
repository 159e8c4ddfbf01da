/* SPDX-License-Identifier: MIT */
/* What FCN-32s, 16s and 8s share: everything but how many skips are fused. Private to the models.
 */
#ifndef AT_MODELS_FCN_H
#define AT_MODELS_FCN_H

#include "models/blocks.h"

/* skips: 0, 1 or 2 poolings, from the fourth upwards, whose scores join. */
at_node *at_fcn(at_graph *g, at_node *image, const at_model_opts *opts, int skips);

/* The fields of a descriptor that the three have in common. */
#define AT_FCN_FIELDS                                                                              \
    .upsamples = AT_UPS_SCORES, .default_upsample = AT_UP_TRANSPOSED, .depths = at_vgg_depths,     \
    .depth_help = "weighted layers of VGG", .has_fc = true

#endif
