/* SPDX-License-Identifier: MIT */
/* The one block that every decoder grows with, so that architectures compare operators and nothing
 * else. blocks.h says what each operator means. All are made of PyTorch's operators, so that any
 * network can be rebuilt there; what is fixed in them is a frozen parameter. */
#include <assert.h>
#include <stdio.h>

#include "models/blocks.h"

typedef struct grow {
    at_graph *g;
    const char *name;
    const at_grow_opts *o;
    char text[96];
} grow;

static const char *part(grow *w, const char *what) {
    snprintf(w->text, sizeof w->text, "%s.%s", w->name, what);
    return w->text;
}

static const char *last(grow *w, const char *what) {
    return w->o->last != NULL ? w->o->last : part(w, what);
}

static at_node *conv3x3(grow *w, const char *what, at_node *x, int channels, at_init init) {
    return at_conv2d(w->g, part(w, what), x,
                     (at_conv2d_opts){.channels = channels,
                                      .kernel = {3, 3},
                                      .padding = {1, 1},
                                      .no_bias = w->o->no_bias,
                                      .init = init});
}

static at_node *project(grow *w, at_node *x) {
    if (x == NULL || x->channels == w->o->channels) return x;
    return conv3x3(w, "project", x, w->o->channels, (at_init){0});
}

static at_node *fit(grow *w, at_node *x) {
    if (w->o->like == NULL) return x;
    return at_crop(w->g, last(w, "crop"), x, w->o->like, (at_pair){0, 0});
}

/* ---- interpolation ---- */

static at_node *resize(grow *w, at_node *x, at_interp_mode mode, bool corners) {
    const at_grow_opts *o = w->o;
    at_interpolate_opts r = {.mode = mode, .align_corners = corners, .size = o->like};
    if (o->like == NULL) r.factor = (at_pair){o->factor, o->factor};
    return at_interpolate(w->g, last(w, "resize"), x, r);
}

static at_node *grow_nearest(grow *w, at_node *x) {
    return project(w, resize(w, x, AT_NEAREST, false));
}
static at_node *grow_bilinear(grow *w, at_node *x) {
    return project(w, resize(w, x, AT_BILINEAR, false));
}
static at_node *grow_bilinear_corners(grow *w, at_node *x) {
    return project(w, resize(w, x, AT_BILINEAR, true));
}
static at_node *grow_bicubic(grow *w, at_node *x) {
    return project(w, resize(w, x, AT_BICUBIC, false));
}

/* Sums of channels and interpolation of each channel can change places: summed first, only a
 * quarter is interpolated. */
static at_node *grow_additive(grow *w, at_node *x) {
    int sums = x->channels / 4;
    x = at_conv2d(w->g, part(w, "sum"), x,
                  (at_conv2d_opts){.channels = sums,
                                   .kernel = {1, 1},
                                   .groups = sums,
                                   .no_bias = true,
                                   .frozen = true,
                                   .init = {.kind = AT_INIT_CONSTANT, .value = 1}});
    x = resize(w, x, AT_BILINEAR, false);
    return w->o->conv_follows ? x : project(w, x);
}

/* ---- transposed convolution ---- */

static at_node *transposed(grow *w, at_node *x, int kernel, bool depthwise, at_init init) {
    int f = w->o->factor, padding = (kernel - f + 1) / 2, more = 2 * padding - (kernel - f);
    bool bilinear = init.kind == AT_INIT_BILINEAR;
    at_conv_transpose2d_opts t = {.channels = depthwise ? x->channels : w->o->channels,
                                  .kernel = {kernel, kernel},
                                  .stride = {f, f},
                                  .padding = {padding, padding},
                                  .output_padding = {more, more},
                                  .groups = depthwise ? x->channels : 1,
                                  .no_bias = bilinear || w->o->no_bias,
                                  .frozen = depthwise,
                                  .init = init};
    return fit(w, at_conv_transpose2d(w->g, part(w, "transposed"), x, t));
}

/* Of a kernel with more taps than interpolation needs, the taps that meet in one place still add up
 * to 1. */
static at_init bilinear(const grow *w, int kernel) {
    float share = 2 * (float)w->o->factor / (float)kernel;
    return (at_init){.kind = AT_INIT_BILINEAR, .value = share * share};
}

static at_node *grow_transposed(grow *w, at_node *x) {
    int kernel = w->o->kernel ? w->o->kernel : 2 * w->o->factor;
    bool interpolates = w->o->channels == x->channels && kernel >= 2 * w->o->factor;
    return transposed(w, x, kernel, false, interpolates ? bilinear(w, kernel) : (at_init){0});
}

static at_node *grow_transposed2(grow *w, at_node *x) {
    return transposed(w, x, w->o->factor, false, (at_init){0});
}
static at_node *grow_transposed3(grow *w, at_node *x) {
    return transposed(w, x, 3 * w->o->factor / 2, false, (at_init){0});
}
static at_node *grow_transposed4(grow *w, at_node *x) {
    return transposed(w, x, 2 * w->o->factor, false, (at_init){0});
}

static at_node *grow_transposed_bilinear(grow *w, at_node *x) {
    return transposed(w, x, 2 * w->o->factor, false, bilinear(w, 2 * w->o->factor));
}
static at_node *grow_transposed_frozen(grow *w, at_node *x) {
    return project(w, transposed(w, x, 2 * w->o->factor, true, bilinear(w, 2 * w->o->factor)));
}

/* ---- unpooling ---- */

static at_node *grow_unpool(grow *w, at_node *x) {
    return at_max_unpool2d(w->g, last(w, "unpool"), project(w, x), w->o->pool, w->o->like);
}

/* A transposed convolution whose only tap is a one that stays: factor - 1 zeros between values. */
static at_node *grow_unpool_corner(grow *w, at_node *x) {
    int f = w->o->factor;
    x = project(w, x);
    if (x == NULL) return NULL;
    at_conv_transpose2d_opts t = {.channels = x->channels,
                                  .kernel = {1, 1},
                                  .stride = {f, f},
                                  .output_padding = {f - 1, f - 1},
                                  .groups = x->channels,
                                  .no_bias = true,
                                  .frozen = true,
                                  .init = {.kind = AT_INIT_CONSTANT, .value = 1}};
    return fit(w, at_conv_transpose2d(w->g, part(w, "corner"), x, t));
}

/* By the factor, not to a size: blocks, of which the last may be cut. */
static at_node *grow_replicate(grow *w, at_node *x) {
    at_interpolate_opts r = {.mode = AT_NEAREST, .factor = {w->o->factor, w->o->factor}};
    x = project(w, x);
    return fit(w, at_interpolate(w->g, part(w, "resize"), x, r));
}

/* ---- sub-pixel convolution ---- */

static at_node *shuffle(grow *w, at_node *x, at_init init) {
    int f = w->o->factor;
    x = conv3x3(w, "expand", x, w->o->channels * f * f, init);
    return fit(w, at_pixel_shuffle(w->g, part(w, "shuffle"), x, f));
}

static at_node *grow_pixelshuffle(grow *w, at_node *x) {
    return shuffle(w, x, (at_init){.kind = AT_INIT_ICNR, .factor = w->o->factor});
}
static at_node *grow_pixelshuffle_random(grow *w, at_node *x) {
    return shuffle(w, x, (at_init){0});
}

static at_node *(*const ways[AT_UP_COUNT])(grow *w, at_node *x) = {
    [AT_UP_NEAREST] = grow_nearest,
    [AT_UP_BILINEAR] = grow_bilinear,
    [AT_UP_BICUBIC] = grow_bicubic,
    [AT_UP_TRANSPOSED] = grow_transposed,
    [AT_UP_UNPOOL] = grow_unpool,
    [AT_UP_PIXELSHUFFLE] = grow_pixelshuffle,
    [AT_UP_BILINEAR_CORNERS] = grow_bilinear_corners,
    [AT_UP_TRANSPOSED2] = grow_transposed2,
    [AT_UP_TRANSPOSED3] = grow_transposed3,
    [AT_UP_TRANSPOSED4] = grow_transposed4,
    [AT_UP_TRANSPOSED_BILINEAR] = grow_transposed_bilinear,
    [AT_UP_TRANSPOSED_FROZEN] = grow_transposed_frozen,
    [AT_UP_UNPOOL_CORNER] = grow_unpool_corner,
    [AT_UP_REPLICATE] = grow_replicate,
    [AT_UP_PIXELSHUFFLE_RANDOM] = grow_pixelshuffle_random,
    [AT_UP_ADDITIVE] = grow_additive,
};

at_node *at_grow(at_graph *g, const char *name, at_node *x, at_grow_opts o) {
    if (x == NULL) return NULL;
    assert(o.op > AT_UP_DEFAULT && o.op < AT_UP_COUNT && ways[o.op] != NULL && o.factor % 2 == 0);
    if (o.channels == 0) o.channels = x->channels;
    grow w = {.g = g, .name = name, .o = &o};
    return ways[o.op](&w, x);
}
