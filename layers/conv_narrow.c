/* SPDX-License-Identifier: MIT */
/* Direct convolution on maps so small beside the kernel (fully connected layers made convolutions:
 * 7 x 7 on 8 x 8) that in a row no two pixels meet the same taps. Here taps are the outer loop: each
 * is packed into scratch when its turn comes, so that weights, which are most of the traffic, are
 * read once and never written; then its products are added for every row of every image. */
#include <string.h>

#include "layers/conv.h"
#include "nn/kernels/kernels.h"

enum { MOST_PIXELS = 4096, LEAST_PANELS = 8 };

typedef struct narrow {
    const at_conv_call *call;
    at_shape src, dst;
    at_conv_axis y, x;
    const float *scale, *bias; /* [panels * nr], as packed */
    const float *weight;
    int pixels;
} narrow;

static int panels_of(int channels) {
    int nr = at_kernels_get()->conv_nr;
    return (channels + nr - 1) / nr;
}

static at_conv_axis axis_of(const at_conv *c, at_conv_pass pass, bool vertical) {
    at_window h = {c->kernel.h, c->stride.h, c->padding.h, c->dilation.h};
    at_window w = {c->kernel.w, c->stride.w, c->padding.w, c->dilation.w};
    return vertical ? at_conv_axis_make(pass, 0, c->x.h, c->y.h, h)
                    : at_conv_axis_make(pass, 0, c->x.w, c->y.w, w);
}

bool at_narrow_fits(const at_conv *c, at_conv_pass pass) {
    at_shape dst = pass == AT_CONV_FORWARD ? c->y : c->x;
    int runs = 0;
    if (c->groups > 1 || c->stride.h > 1 || c->stride.w > 1 || c->kernel.w < 3 ||
        at_shape_pixels(dst) > MOST_PIXELS || panels_of(dst.c) < LEAST_PANELS)
        return false;
    at_conv_axis x = axis_of(c, pass, false);
    for (int r = 0; r < x.count; r = at_conv_axis_run(&x, r)) runs++;
    return dst.w < 4 * runs;
}

size_t at_narrow_packed_count(const at_conv *c, at_conv_pass pass) {
    int channels = pass == AT_CONV_FORWARD ? c->y.c : c->x.c;
    return 2 * (size_t)panels_of(channels) * (size_t)at_kernels_get()->conv_nr;
}

size_t at_narrow_scratch_bytes(const at_conv *c) {
    int most = c->x.c > c->y.c ? c->x.c : c->y.c;
    return (size_t)most * (size_t)at_kernels_get()->conv_nr * sizeof(float);
}

void at_narrow_pack(const at_conv *c, at_conv_pass pass, const float *scale, const float *bias,
                    float *packed) {
    int channels = pass == AT_CONV_FORWARD ? c->y.c : c->x.c;
    int all = panels_of(channels) * at_kernels_get()->conv_nr;
    for (int j = 0; j < all; j++) {
        packed[j] = scale != NULL && j < channels ? scale[j] : 1;
        packed[all + j] = bias != NULL && j < channels ? bias[j] : 0;
    }
}

/* A tile of no taps: begins the sums with the bias, or ends them with the ReLU. */
static void touch_all(const narrow *u, at_conv_tile t) {
    const at_kernels *kernels = at_kernels_get();
    float *out = t.out;
    t.taps = 0;
    t.out_ld = u->call->dst.ld;
    for (int p = 0; p < u->pixels; p += t.m) {
        t.m = u->pixels - p < kernels->conv_mr ? u->pixels - p : kernels->conv_mr;
        t.out = out + p * t.out_ld;
        kernels->conv_tile(&t);
    }
}

/* Row r of an image at tap (i, j), columns begin .. end - 1. */
static void add_row(const narrow *u, at_conv_tile t, int image, int r, int i, int j) {
    const at_kernels *kernels = at_kernels_get();
    const at_conv_call *call = u->call;
    float *out = t.out;
    int begin, end;
    at_conv_axis_valid(&u->x, j, &begin, &end);
    ptrdiff_t row = ((ptrdiff_t)image * u->src.h + r + u->y.offset[i]) * u->src.w + u->x.offset[j];
    ptrdiff_t out_row = ((ptrdiff_t)image * u->dst.h + r) * u->dst.w;
    for (int from = begin; from < end; from += t.m) {
        t.m = end - from < kernels->conv_mr ? end - from : kernels->conv_mr;
        t.a = at_f32(call->src) + (row + from) * call->src.ld;
        t.out = out + (out_row + from) * call->dst.ld;
        kernels->conv_tile(&t);
    }
}

static int tap_at(const narrow *u, int i, int j) {
    return u->y.k[i] * u->call->conv.kernel.w + u->x.k[j];
}

static void add_tap(const narrow *u, const at_conv_tile *t, int i, int j) {
    int begin, end;
    at_conv_axis_valid(&u->y, i, &begin, &end);
    for (int image = 0; image < u->dst.n; image++)
        for (int r = begin; r < end; r++) add_row(u, *t, image, r, i, j);
}

/* One panel of destination channels. */
static void panel_body(void *arg, int64_t index, int worker) {
    static const ptrdiff_t none[1] = {0};
    const narrow *u = arg;
    const at_conv_call *call = u->call;
    int nr = at_kernels_get()->conv_nr, panel = (int)index, first = panel * nr;
    float *w = (float *)(void *)(call->scratch + call->scratch_bytes * (size_t)worker);
    at_conv_tile t = {.out = at_f32(call->dst) + first,
                      .out_ld = call->dst.ld,
                      .a_ld = call->src.ld,
                      .tap_a = none,
                      .tap_w = none,
                      .w = w,
                      .bias = u->bias + first,
                      .k = u->src.c,
                      .n = u->dst.c - first < nr ? u->dst.c - first : nr,
                      .add = call->add};
    touch_all(u, t);
    t.add = true;
    t.bias = NULL;
    t.taps = 1;
    for (int i = 0; i < u->y.taps; i++)
        for (int j = 0; j < u->x.taps; j++) {
            at_conv_pack_tap(&call->conv, call->pass, u->weight, u->scale, panel, tap_at(u, i, j),
                             w);
            add_tap(u, &t, i, j);
        }
    t.relu = call->relu;
    if (t.relu) touch_all(u, t);
}

void at_narrow_run(const at_conv_call *call, const float *weight) {
    bool forward = call->pass == AT_CONV_FORWARD;
    narrow u = {.call = call,
                .src = forward ? call->conv.x : call->conv.y,
                .dst = forward ? call->conv.y : call->conv.x,
                .y = axis_of(&call->conv, call->pass, true),
                .x = axis_of(&call->conv, call->pass, false),
                .scale = call->packed,
                .weight = weight};
    u.bias = u.scale + panels_of(u.dst.c) * at_kernels_get()->conv_nr;
    u.pixels = (int)at_shape_pixels(u.dst);
    at_parallel_for(panels_of(u.dst.c), panel_body, &u);
}
