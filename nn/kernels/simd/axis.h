/* SPDX-License-Identifier: MIT */
/* Which taps of a pooling window lie inside the plane, and which windows meet a place: one axis at
 * a time. The common case, a window wholly inside, costs no division. */
#ifndef AT_NN_KERNELS_SIMD_AXIS_H
#define AT_NN_KERNELS_SIMD_AXIS_H

#include "nn/kernels/list.h"

typedef struct pool_axis {
    int kernel, stride, pad, dilation, size, out;
} pool_axis;

typedef struct span {
    int first, last; /* first .. last - 1 */
} span;

static inline pool_axis axis_h(const at_pool *p) {
    return (pool_axis){p->kernel_h, p->stride_h, p->pad_h, p->dilation_h, p->h, p->out_h};
}

static inline pool_axis axis_w(const at_pool *p) {
    return (pool_axis){p->kernel_w, p->stride_w, p->pad_w, p->dilation_w, p->w, p->out_w};
}

/* Place of the first tap of window o. */
static inline int axis_start(pool_axis a, int o) {
    return o * a.stride - a.pad;
}

static inline span axis_taps(pool_axis a, int o) {
    int start = axis_start(a, o);
    span s = {0, a.kernel};
    if (start < 0) s.first = (a.dilation - 1 - start) / a.dilation;
    if (start + (a.kernel - 1) * a.dilation >= a.size)
        s.last = (a.size - start + a.dilation - 1) / a.dilation;
    return s;
}

/* Windows that may have a tap at place `at`. */
static inline span axis_windows(pool_axis a, int at) {
    int low = at + a.pad - (a.kernel - 1) * a.dilation, high = (at + a.pad) / a.stride + 1;
    return (span){low > 0 ? (low + a.stride - 1) / a.stride : 0, high < a.out ? high : a.out};
}

/* The tap of window o that lies at place `at`; -1 if none does. o is one of axis_windows. */
static inline int axis_tap(pool_axis a, int o, int at) {
    int t = at - axis_start(a, o);
    if (a.dilation == 1) return t;
    return t % a.dilation == 0 ? t / a.dilation : -1;
}

#endif
