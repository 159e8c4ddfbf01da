/* SPDX-License-Identifier: MIT */
/* Where a pooling window finds its maximum: the definition, for the tests of max_pool2d and
 * max_unpool2d. */
#ifndef AT_TESTS_NAIVE_POOL_H
#define AT_TESTS_NAIVE_POOL_H

#include "tests/check_op.h"

typedef struct naive_max {
    int i, j; /* the tap that won */
    double value;
} naive_max;

/* Window (oy, ox) of image n, channel c. o has no zeros. */
static inline naive_max naive_max_at(const at_pool2d_opts *o, const double *x, at_shape s, int n,
                                     int oy, int ox, int c) {
    naive_max best = {-1, -1, 0};
    for (int i = 0; i < o->kernel.h; i++)
        for (int j = 0; j < o->kernel.w; j++) {
            int yy = oy * o->stride.h - o->padding.h + i * o->dilation.h;
            int xx = ox * o->stride.w - o->padding.w + j * o->dilation.w;
            if (yy < 0 || yy >= s.h || xx < 0 || xx >= s.w) continue;
            double v = x[check_at(s, n, yy, xx, c)];
            if (best.i < 0 || v > best.value) best = (naive_max){i, j, v};
        }
    return best;
}

#endif
