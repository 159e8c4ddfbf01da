/* SPDX-License-Identifier: MIT */
/* The relations of the paper and when each holds. */
#include "nn/arith.h"

/* Padding that keeps the size ("half") and that counts every partial overlap ("full"). */
static bool is_half(at_window w) {
    return w.kernel % 2 == 1 && w.padding == (w.kernel - 1) / 2;
}
static bool is_full(at_window w) {
    return w.padding == w.kernel - 1;
}

int at_conv_relation(at_window w) {
    if (w.dilation > 1) return 15;
    if (w.stride > 1) return w.padding ? 6 : 5;
    if (w.padding == 0) return 1;
    return is_half(w) ? 3 : is_full(w) ? 4 : 2;
}

int at_conv_transpose_relation(at_window w, int output_padding) {
    if (w.dilation > 1) return 0;
    if (w.stride > 1 || output_padding) return output_padding ? 14 : w.padding ? 13 : 12;
    if (w.padding == 0) return 8;
    return is_half(w) ? 10 : is_full(w) ? 11 : 9;
}

int at_pool_relation(at_window w) {
    return w.dilation > 1 ? 15 : w.padding ? 6 : 7;
}

const char *at_relation_text(int relation) {
    static const char *const texts[] = {
        "o = s (i - 1) + a + d (k - 1) + 1 - 2p",
        "o = (i - k) + 1",
        "o = (i - k) + 2p + 1",
        "o = i",
        "o = i + (k - 1)",
        "o = floor((i - k) / s) + 1",
        "o = floor((i + 2p - k) / s) + 1",
        "o = floor((i - k) / s) + 1",
        "o = i + (k - 1)",
        "o = i + (k - 1) - 2p",
        "o = i",
        "o = i - (k - 1)",
        "o = s (i - 1) + k",
        "o = s (i - 1) + k - 2p",
        "o = s (i - 1) + a + k - 2p",
        "o = floor((i + 2p - k - (k - 1)(d - 1)) / s) + 1",
    };
    return texts[relation];
}

int at_conv_remainder(int in, at_window w) {
    return (in + 2 * w.padding - at_window_extent(w)) % w.stride;
}

at_equivalent at_conv_transpose_equivalent(at_window w, int output_padding) {
    const int pad = at_window_extent(w) - 1 - w.padding;
    return (at_equivalent){w.stride - 1, pad, pad + output_padding, w.kernel, w.dilation};
}

int at_conv_tap(int o, int i, at_window w) {
    const int offset = i + w.padding - o * w.stride;
    if (offset < 0 || offset % w.dilation) return -1;
    return offset / w.dilation < w.kernel ? offset / w.dilation : -1;
}
