/* SPDX-License-Identifier: MIT */
/* Sizes along one axis. All arithmetic is in 64 bits: arguments are below 2^31, so that no product
 * or sum of a few of them can overflow before the result is compared with INT_MAX. */
#include "nn/size.h"

#include <assert.h>
#include <limits.h>
#include <stdint.h>

static int64_t extent(at_window w) {
    return (int64_t)w.dilation * (w.kernel - 1) + 1;
}

int at_window_extent(at_window w) {
    int64_t e = extent(w);
    assert(e <= INT_MAX);
    return (int)e;
}

static at_status check(int in, at_window w, at_error *err) {
    if (in < 1) return at_fail(err, AT_ERR_INPUT, "input size is %d; it must be at least 1", in);
    if (w.kernel < 1 || w.stride < 1 || w.dilation < 1 || w.padding < 0)
        return at_fail(err, AT_ERR_INPUT,
                       "kernel %d, stride %d, dilation %d must be at least 1 and padding %d at "
                       "least 0",
                       w.kernel, w.stride, w.dilation, w.padding);
    if (extent(w) > INT_MAX)
        return at_fail(err, AT_ERR_INPUT, "kernel %d with dilation %d is too large", w.kernel,
                       w.dilation);
    return AT_OK;
}

static at_status finish(int64_t size, int in, at_window w, int *out, at_error *err) {
    if (size < 1 || size > INT_MAX)
        return at_fail(err, AT_ERR_INPUT,
                       "size %d with kernel %d, stride %d, padding %d, dilation %d gives size "
                       "%lld; use a larger input, a smaller kernel or more padding",
                       in, w.kernel, w.stride, w.padding, w.dilation, (long long)size);
    *out = (int)size;
    return AT_OK;
}

/* Rounds towards minus infinity; b > 0. */
static int64_t floor_div(int64_t a, int64_t b) {
    return a / b - (a % b < 0);
}

at_status at_conv_size(int in, at_window w, int *out, at_error *err) {
    AT_TRY(check(in, w, err));
    return finish(floor_div(in + 2 * (int64_t)w.padding - extent(w), w.stride) + 1, in, w, out,
                  err);
}

at_status at_conv_transpose_size(int in, at_window w, int output_padding, int *out, at_error *err) {
    AT_TRY(check(in, w, err));
    int limit = w.stride > w.dilation ? w.stride : w.dilation;
    if (output_padding < 0 || output_padding >= limit)
        return at_fail(err, AT_ERR_INPUT,
                       "output padding %d must be from 0 to %d: below the larger of stride %d and "
                       "dilation %d",
                       output_padding, limit - 1, w.stride, w.dilation);
    int64_t size = (in - (int64_t)1) * w.stride - 2 * (int64_t)w.padding + extent(w);
    return finish(size + output_padding, in, w, out, err);
}

at_status at_pool_size(int in, at_window w, bool ceil_mode, int *out, at_error *err) {
    AT_TRY(check(in, w, err));
    if (w.padding > w.kernel / 2)
        return at_fail(err, AT_ERR_INPUT,
                       "pooling with padding %d and kernel %d: padding must be at most half the "
                       "kernel",
                       w.padding, w.kernel);
    int64_t room = in + 2 * (int64_t)w.padding - extent(w);
    int64_t size = floor_div(room + (ceil_mode ? w.stride - 1 : 0), w.stride) + 1;
    if (ceil_mode && (size - 1) * w.stride >= in + (int64_t)w.padding) size--;
    return finish(size, in, w, out, err);
}
