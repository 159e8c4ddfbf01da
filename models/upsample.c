/* SPDX-License-Identifier: MIT */
/* The one block that every decoder grows with, so that architectures compare operators and nothing
 * else. blocks.h says what each operator means. */
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

static at_node *grow_resize(grow *w, at_node *x, at_interp_mode mode) {
    const at_grow_opts *o = w->o;
    at_interpolate_opts r = {.mode = mode, .size = o->like};
    if (o->like == NULL) r.factor = (at_pair){o->factor, o->factor};
    return project(w, at_interpolate(w->g, last(w, "resize"), x, r));
}

static at_node *grow_nearest(grow *w, at_node *x) {
    return grow_resize(w, x, AT_NEAREST);
}
static at_node *grow_bilinear(grow *w, at_node *x) {
    return grow_resize(w, x, AT_BILINEAR);
}
static at_node *grow_bicubic(grow *w, at_node *x) {
    return grow_resize(w, x, AT_BICUBIC);
}

static at_node *grow_transposed(grow *w, at_node *x) {
    const at_grow_opts *o = w->o;
    int k = o->kernel ? o->kernel : 2 * o->factor, padding = (k - o->factor) / 2;
    bool bilinear = o->channels == x->channels && k == 2 * o->factor;
    at_conv_transpose2d_opts t = {.channels = o->channels,
                                  .kernel = {k, k},
                                  .stride = {o->factor, o->factor},
                                  .padding = {padding, padding},
                                  .no_bias = bilinear || o->no_bias};
    if (bilinear) t.init.kind = AT_INIT_BILINEAR;
    return fit(w, at_conv_transpose2d(w->g, part(w, "transposed"), x, t));
}

static at_node *grow_unpool(grow *w, at_node *x) {
    return at_max_unpool2d(w->g, last(w, "unpool"), project(w, x), w->o->pool, w->o->like);
}

static at_node *grow_pixelshuffle(grow *w, at_node *x) {
    int f = w->o->factor;
    at_init icnr = {.kind = AT_INIT_ICNR, .factor = f};
    x = conv3x3(w, "expand", x, w->o->channels * f * f, icnr);
    return fit(w, at_pixel_shuffle(w->g, part(w, "shuffle"), x, f));
}

static at_node *(*const ways[AT_UP_COUNT])(grow *w, at_node *x) = {
    [AT_UP_NEAREST] = grow_nearest, [AT_UP_BILINEAR] = grow_bilinear,
    [AT_UP_BICUBIC] = grow_bicubic, [AT_UP_TRANSPOSED] = grow_transposed,
    [AT_UP_UNPOOL] = grow_unpool,   [AT_UP_PIXELSHUFFLE] = grow_pixelshuffle,
};

at_node *at_grow(at_graph *g, const char *name, at_node *x, at_grow_opts o) {
    if (x == NULL) return NULL;
    assert(o.op > AT_UP_DEFAULT && o.op < AT_UP_COUNT && o.factor % 2 == 0);
    if (o.channels == 0) o.channels = x->channels;
    grow w = {.g = g, .name = name, .o = &o};
    return ways[o.op](&w, x);
}
