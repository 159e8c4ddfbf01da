/* SPDX-License-Identifier: MIT */
/* Tiles of a Winograd convolution: which scheme, where tiles lie, what they cost.
 *
 * Left out on purpose, measured on unet and fcn8s at AVX-512 on the same generator of transforms:
 * F(2x2, 3x3) is slower than F(4x4, 3x3) on almost every layer, maps of 16 x 16 included; F(6x6, 3x3)
 * saves 1 to 19 % of a layer of 32 to 32 channels at 256 x 256, in all about one per cent of a step,
 * and is mostly slower elsewhere. */
#include <assert.h>

#include "layers/winograd.h"
#include "nn/kernels/kernels.h"

bool at_winograd_fits(const at_conv *c) {
    at_pair k = c->kernel;
    return c->groups == 1 && c->stride.h == 1 && c->stride.w == 1 && k.h >= 3 && k.w >= 3 &&
           k.h <= 8 && k.w <= 8;
}

static void set_scheme(at_winograd *w, at_pair kernel) {
    const at_kernels *k = at_kernels_get();
    bool small = kernel.h == 3 && kernel.w == 3;
    w->m = 4;
    w->r = small ? 3 : 4;
    w->alpha = w->m + w->r - 1;
    w->planes = w->alpha * w->alpha;
    w->blocks = (at_pair){at_ceil_div(kernel.h, w->r), at_ceil_div(kernel.w, w->r)};
    w->input = small ? k->wino43_input : k->wino44_input;
    w->weight = small ? k->wino43_weight : k->wino44_weight;
    w->dy = small ? k->wino43_dy : k->wino44_dy;
    w->output = small ? k->wino43_output : k->wino44_output;
    w->dw = small ? k->wino43_dw : k->wino44_dw;
}

at_winograd at_winograd_make(const at_conv *c, at_conv_pass pass) {
    bool forward = pass == AT_CONV_FORWARD;
    at_winograd w = {
        .src = forward ? c->x : c->y, .dst = forward ? c->y : c->x, .dilation = c->dilation};
    set_scheme(&w, c->kernel);
    w.pad = c->padding;
    if (!forward) { /* the flipped kernel's */
        w.pad.h = (c->kernel.h - 1) * c->dilation.h - c->padding.h;
        w.pad.w = (c->kernel.w - 1) * c->dilation.w - c->padding.w;
    }
    w.tiles.h = at_ceil_div(at_ceil_div(w.dst.h, w.dilation.h), w.m);
    w.tiles.w = at_ceil_div(at_ceil_div(w.dst.w, w.dilation.w), w.m);
    return w;
}

static int blocks_of(int tiles, int limit) {
    return at_ceil_div(tiles, limit);
}

int64_t at_tile_block_count(const at_winograd *w, at_pair limit) {
    return (int64_t)w->src.n * w->dilation.h * w->dilation.w * blocks_of(w->tiles.h, limit.h) *
           blocks_of(w->tiles.w, limit.w);
}

/* Tiles of a phase along an axis, of which there may be fewer than in the largest phase. */
static int phase_tiles(int size, int dilation, int phase, int m) {
    return phase >= size ? 0 : at_ceil_div(at_ceil_div(size - phase, dilation), m);
}

static void axis_block(int tiles, int all, int limit, int index, int *first, int *count) {
    int blocks = blocks_of(all, limit), end = (int)((int64_t)all * (index + 1) / blocks);
    *first = (int)((int64_t)all * index / blocks);
    *count = (end < tiles ? end : tiles) - *first;
    if (*count < 0) *count = 0;
}

at_tile_block at_tile_block_at(const at_winograd *w, at_pair limit, int64_t index) {
    int bw = blocks_of(w->tiles.w, limit.w), bh = blocks_of(w->tiles.h, limit.h);
    int x = (int)(index % bw), y = (int)(index / bw % bh);
    index /= (int64_t)bw * bh;
    at_tile_block b = {.phase.w = (int)(index % w->dilation.w)};
    index /= w->dilation.w;
    b.phase.h = (int)(index % w->dilation.h);
    b.image = (int)(index / w->dilation.h);
    axis_block(phase_tiles(w->dst.h, w->dilation.h, b.phase.h, w->m), w->tiles.h, limit.h, y,
               &b.first.h, &b.count.h);
    axis_block(phase_tiles(w->dst.w, w->dilation.w, b.phase.w, w->m), w->tiles.w, limit.w, x,
               &b.first.w, &b.count.w);
    return b;
}

/* Which of the alpha positions origin + j * step lie inside 0 .. size - 1. */
static void inside(int origin, int step, int size, int *begin, int *end) {
    *begin = origin < 0 ? at_ceil_div(-origin, step) : 0;
    *end = origin >= size ? 0 : at_ceil_div(size - origin, step);
}

at_tile_place at_tile_in_block(const at_winograd *w, const at_tile_block *b, int ty, int tx) {
    return (at_tile_place){b->image, b->phase.h + w->dilation.h * w->m * (b->first.h + ty),
                           b->phase.w + w->dilation.w * w->m * (b->first.w + tx)};
}

void at_tile_input(const at_winograd *w, at_tile_place p, at_tensor src, int first, int c, float *v,
                   ptrdiff_t v_plane) {
    int y = p.y - w->pad.h, x = p.x - w->pad.w;
    at_wino_in t = {.v = v, .v_plane = v_plane, .c = c, .bf16 = src.dtype == AT_BF16};
    t.x_row = (ptrdiff_t)w->dilation.h * w->src.w * src.ld;
    t.x_col = (ptrdiff_t)w->dilation.w * src.ld;
    t.x = at_element(src, (((ptrdiff_t)p.image * w->src.h + y) * w->src.w + x) * src.ld + first);
    inside(y, w->dilation.h, w->src.h, &t.row_begin, &t.row_end);
    inside(x, w->dilation.w, w->src.w, &t.col_begin, &t.col_end);
    w->input(&t);
}

void at_tile_dy(const at_winograd *w, at_tile_place p, at_tensor dy, int first, int c, float *z,
                ptrdiff_t z_plane) {
    ptrdiff_t pixel = ((ptrdiff_t)p.image * w->dst.h + p.y) * w->dst.w + p.x;
    at_wino_in t = {.v = z,
                    .v_plane = z_plane,
                    .x = at_element(dy, pixel * dy.ld + first),
                    .bf16 = dy.dtype == AT_BF16,
                    .x_row = (ptrdiff_t)w->dilation.h * w->dst.w * dy.ld,
                    .x_col = (ptrdiff_t)w->dilation.w * dy.ld,
                    .row_end = at_ceil_div(w->dst.h - p.y, w->dilation.h),
                    .col_end = at_ceil_div(w->dst.w - p.x, w->dilation.w),
                    .c = c};
    w->dy(&t);
}

static int at_most(int v, int most) {
    return v < most ? v : most;
}

void at_tile_output(const at_winograd *w, at_tile_place p, const at_conv_call *call, int first,
                    int c, const float *m, ptrdiff_t m_plane, const float *bias) {
    ptrdiff_t ld = call->dst.ld, pixel = ((ptrdiff_t)p.image * w->dst.h + p.y) * w->dst.w + p.x;
    at_wino_out t = {.y = at_element(call->dst, pixel * ld + first),
                     .bf16 = call->dst.dtype == AT_BF16,
                     .y_row = (ptrdiff_t)w->dilation.h * w->dst.w * ld,
                     .y_col = (ptrdiff_t)w->dilation.w * ld,
                     .v = m,
                     .v_plane = m_plane,
                     .bias = bias,
                     .rows = at_most(at_ceil_div(w->dst.h - p.y, w->dilation.h), w->m),
                     .cols = at_most(at_ceil_div(w->dst.w - p.x, w->dilation.w), w->m),
                     .c = c,
                     .add = call->add,
                     .relu = call->relu};
    w->output(&t);
}

/* ---- cost: multiply-adds at the rates measured for each part (docs/benchmarks.md) ---- */

static double rounded(int n, int to) {
    return (double)at_ceil_div(n, to) * to;
}

/* Taps that lie inside, summed over destination positions. */
static double axis_meetings(at_conv_pass pass, int x, int y, at_window w) {
    double sum = 0;
    for (int phase = 0; phase < at_conv_phases(pass, w.stride); phase++) {
        at_conv_axis a = at_conv_axis_make(pass, phase, x, y, w);
        for (int t = 0; t < a.taps; t++) {
            int begin, end;
            at_conv_axis_valid(&a, t, &begin, &end);
            sum += end - begin;
        }
    }
    return sum;
}

double at_direct_cost(const at_conv *c, at_conv_pass pass, bool dot) {
    const at_kernels *kernels = at_kernels_get();
    bool forward = pass == AT_CONV_FORWARD;
    double k = (forward ? c->x.c : c->y.c) / c->groups, n = (forward ? c->y.c : c->x.c) / c->groups;
    at_window wy = {c->kernel.h, c->stride.h, c->padding.h, c->dilation.h};
    at_window wx = {c->kernel.w, c->stride.w, c->padding.w, c->dilation.w};
    double meetings =
        axis_meetings(pass, c->x.h, c->y.h, wy) * axis_meetings(pass, c->x.w, c->y.w, wx);
    double columns = rounded((int)n, kernels->conv_nr / 2);
    return c->x.n * meetings * k * columns * c->groups / (dot ? kernels->dot_gain : 1);
}

static double tile_count(const at_winograd *w) {
    double tiles = 0;
    for (int p = 0; p < w->dilation.h; p++)
        for (int q = 0; q < w->dilation.w; q++)
            tiles += (double)phase_tiles(w->dst.h, w->dilation.h, p, w->m) *
                     phase_tiles(w->dst.w, w->dilation.w, q, w->m);
    return tiles * w->src.n;
}

/* Weights that don't fit the cache are read once for each block of tiles. */
static double weight_traffic(const at_winograd *w, double weights) {
    enum { CACHED = 1 << 18, READ = 16 }; /* values; multiply-adds in the time of reading one */
    at_pair limit = at_winograd_block_limit(w);
    return weights > CACHED ? READ * weights * (double)at_tile_block_count(w, limit) : 0;
}

/* Values of a plane cost as many multiply-adds: transformed within a cache, transformed through
 * memory, and weights made. */
enum { TRANSFORM = 6, THROUGH_MEMORY = 36, WEIGHTS = 24 };

static double cost(const at_winograd *w, double transform, double traffic_share) {
    int lanes = at_kernels_get()->conv_nr / 2;
    double taps = w->blocks.h * w->blocks.w, k = w->src.c, n = rounded(w->dst.c, lanes);
    double weights = taps * w->planes * k * n, vectors = rounded(w->src.c, lanes) + n;
    return 1.1 * tile_count(w) * w->planes * (taps * k * n + transform * vectors) +
           WEIGHTS * weights + traffic_share * weight_traffic(w, weights);
}

double at_winograd_cost(const at_conv *c, at_conv_pass pass) {
    at_winograd w = at_winograd_make(c, pass);
    return cost(&w, TRANSFORM, 1);
}

double at_staged_cost(const at_conv *c, at_conv_pass pass) {
    at_winograd w = at_winograd_make(c, pass);
    return cost(&w, THROUGH_MEMORY, 0);
}
