/* SPDX-License-Identifier: MIT */
#include "tests/naive_conv.h"

static int64_t at(at_shape s, int n, int y, int x, int c) {
    return (((int64_t)n * s.h + y) * s.w + x) * s.c + c;
}

/* Calls once for each (output pixel, input channel, output channel, tap) that meets the input. */
typedef void meet(int64_t x, int64_t y, int64_t w, void *arg);

static void each_meeting(const naive_conv *c, at_shape xs, at_shape ys, meet *body, void *arg) {
    int xg = xs.c / c->groups, yg = ys.c / c->groups;
    for (int n = 0; n < ys.n; n++)
        for (int oy = 0; oy < ys.h; oy++)
            for (int ox = 0; ox < ys.w; ox++)
                for (int o = 0; o < ys.c; o++)
                    for (int i = 0; i < xg; i++)
                        for (int ky = 0; ky < c->kernel.h; ky++)
                            for (int kx = 0; kx < c->kernel.w; kx++) {
                                int iy = oy * c->stride.h - c->padding.h + ky * c->dilation.h;
                                int ix = ox * c->stride.w - c->padding.w + kx * c->dilation.w;
                                if (iy < 0 || ix < 0 || iy >= xs.h || ix >= xs.w) continue;
                                int64_t w =
                                    (((int64_t)o * xg + i) * c->kernel.h + ky) * c->kernel.w + kx;
                                body(at(xs, n, iy, ix, o / yg * xg + i), at(ys, n, oy, ox, o), w,
                                     arg);
                            }
}

typedef struct terms {
    const double *in, *weight;
    double *out;
} terms;

static void forward_term(int64_t x, int64_t y, int64_t w, void *arg) {
    terms *t = arg;
    t->out[y] += t->in[x] * t->weight[w];
}

static void transpose_term(int64_t x, int64_t y, int64_t w, void *arg) {
    terms *t = arg;
    t->out[x] += t->in[y] * t->weight[w];
}

static void begin(double *y, at_shape s, const double *bias) {
    for (int64_t i = 0; i < at_shape_count(s); i++) y[i] = bias != NULL ? bias[i % s.c] : 0;
}

void naive_conv2d(const naive_conv *c, const double *x, at_shape xs, const double *weight,
                  const double *bias, double *y, at_shape ys) {
    terms t = {x, weight, y};
    begin(y, ys, bias);
    each_meeting(c, xs, ys, forward_term, &t);
}

/* Transposed: input and output of the meeting change roles; its weight [in, out / groups] is the
 * other's [out, in / groups]. */
void naive_conv_transpose2d(const naive_conv *c, const double *x, at_shape xs, const double *weight,
                            const double *bias, double *y, at_shape ys) {
    terms t = {x, weight, y};
    begin(y, ys, bias);
    each_meeting(c, ys, xs, transpose_term, &t);
}
