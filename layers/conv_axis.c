/* SPDX-License-Identifier: MIT */
/* Which source positions a destination position meets, along one axis, in either direction of a
 * convolution (Dumoulin & Visin, chapters 2 and 4; "fractionally strided" falls out of the phases).
 */
#include "layers/conv.h"

static int floor_div(int a, int b) {
    return a / b - (a % b != 0 && (a < 0) != (b < 0));
}
static int ceil_div(int a, int b) {
    return -floor_div(-a, b);
}

int at_conv_phases(at_conv_pass pass, int stride) {
    return pass == AT_CONV_FORWARD ? 1 : stride;
}

static void add_tap(at_conv_axis *a, int k, int offset) {
    a->k[a->taps] = (int16_t)k;
    a->offset[a->taps++] = offset;
}

/* y[r] reads x[r s - p + k d]. */
static at_conv_axis forward_axis(int x_size, int y_size, at_window w) {
    at_conv_axis a = {.step = 1, .count = y_size, .in_step = w.stride, .in_size = x_size};
    for (int k = 0; k < w.kernel; k++) add_tap(&a, k, k * w.dilation - w.padding);
    return a;
}

/* x[phase + r s] is read by y[o] where o s - p + k d = phase + r s: those k for which s divides
 * phase + p - k d. Descending k gives ascending offsets. */
static at_conv_axis data_axis(int phase, int x_size, int y_size, at_window w) {
    at_conv_axis a = {.first = phase, .step = w.stride, .in_step = 1, .in_size = y_size};
    a.count = phase < x_size ? (x_size - phase - 1) / w.stride + 1 : 0;
    for (int k = w.kernel - 1; k >= 0; k--) {
        int from = phase + w.padding - k * w.dilation;
        if (from % w.stride == 0) add_tap(&a, k, from / w.stride);
    }
    return a;
}

at_conv_axis at_conv_axis_make(at_conv_pass pass, int phase, int x_size, int y_size, at_window w) {
    return pass == AT_CONV_FORWARD ? forward_axis(x_size, y_size, w)
                                   : data_axis(phase, x_size, y_size, w);
}

static int clamp(int v, int most) {
    return v < 0 ? 0 : v > most ? most : v;
}

void at_conv_axis_valid(const at_conv_axis *a, int t, int *begin, int *end) {
    *begin = clamp(ceil_div(-a->offset[t], a->in_step), a->count);
    *end = clamp(ceil_div(a->in_size - a->offset[t], a->in_step), a->count);
    if (*end < *begin) *end = *begin;
}

int at_conv_axis_run(const at_conv_axis *a, int r) {
    int next = a->count;
    for (int t = 0; t < a->taps; t++) {
        int begin, end;
        at_conv_axis_valid(a, t, &begin, &end);
        if (begin > r && begin < next) next = begin;
        if (end > r && end < next) next = end;
    }
    return next;
}
