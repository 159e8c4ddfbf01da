/* SPDX-License-Identifier: MIT */
/* Dense upsampling convolution: every low-resolution pixel predicts its factor x factor block. The
 * block begins with equal values (ICNR; Aitken et al. 2017), so that training does not start from a
 * checkerboard. */
#include "layers/layers.h"

at_node *at_duc(at_graph *g, const char *name, at_node *x, int classes, int factor) {
    if (classes < 1 || factor < 1 || factor > 64 || classes > 65536)
        return at_graph_fail(g, "%s: %d classes, factor %d, are out of range", name, classes,
                             factor);
    at_graph_push(g, "%s", name);
    x = at_conv2d(g, "conv", x,
                  (at_conv2d_opts){.channels = classes * factor * factor,
                                   .kernel = {3, 3},
                                   .padding = {1, 1},
                                   .init = {.kind = AT_INIT_ICNR, .factor = factor}});
    x = at_pixel_shuffle(g, "shuffle", x, factor);
    at_graph_pop(g);
    return x;
}
