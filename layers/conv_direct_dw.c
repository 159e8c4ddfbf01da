/* SPDX-License-Identifier: MIT */
/* Weight gradients: for each tap an outer product summed over the pixels at which the tap lies
 * inside the image, in tiles of conv_mr source by conv_nr destination channels held in registers.
 *
 * Small weights: rows are cut into at most CHUNKS chunks, each with weights of its own, added up in
 * order at the end. Large weights (whose maps are small): each unit owns some of the weights'
 * channels and passes over all rows. Which one depends on shapes only. */
#include <assert.h>
#include <string.h>

#include "layers/conv.h"
#include "nn/kernels/kernels.h"

enum {
    CHUNKS = 8,
    PRIVATE_BYTES = 1 << 20,     /* weights up to here are kept once a chunk */
    ROW_BLOCK_BYTES = 192 << 10, /* of x and dy, to stay in L2 while taps pass by */
    MOST_BLOCKS = 5,             /* that a unit that owns its weights takes at once */
    SOURCE_CHANNELS = 112,       /* of a unit that owns its weights */
};

typedef struct dw_call {
    const at_conv *conv;
    const float *x, *dy;
    ptrdiff_t x_ld, dy_ld;
    float *dw, *parts;
    at_conv_axis ay, ax;
    int ic, oc; /* channels of one group */
    int row_block;
    int chunks;         /* with weights of their own; 0: units own channels */
    int panels, splits; /* destination panels of a group, source splits of a group */
    int64_t count;      /* of weights */
} dw_call;

static int at_least_1(int64_t v) {
    return v < 1 ? 1 : (int)v;
}

static int64_t weight_count(const at_conv *c) {
    return (int64_t)c->kernel.h * c->kernel.w * (c->x.c / c->groups) * c->y.c;
}

static int chunk_count(const at_conv *c) {
    int rows = c->y.n * c->y.h;
    if (weight_count(c) * (int64_t)sizeof(float) > PRIVATE_BYTES) return 0;
    return rows < CHUNKS ? rows : CHUNKS;
}

size_t at_conv_dw_work_bytes(const at_conv *c) {
    return (size_t)chunk_count(c) * (size_t)weight_count(c) * sizeof(float);
}

static dw_call dw_setup(const at_conv *c) {
    dw_call d = {.conv = c, .ic = c->x.c / c->groups, .oc = c->y.c / c->groups};
    int nr = at_kernels_get()->conv_nr;
    at_window wy = {c->kernel.h, c->stride.h, c->padding.h, c->dilation.h};
    at_window wx = {c->kernel.w, c->stride.w, c->padding.w, c->dilation.w};
    d.ay = at_conv_axis_make(AT_CONV_FORWARD, 0, c->x.h, c->y.h, wy);
    d.ax = at_conv_axis_make(AT_CONV_FORWARD, 0, c->x.w, c->y.w, wx);
    int64_t row_bytes = 4 * ((int64_t)c->stride.h * c->x.w * d.ic + (int64_t)c->y.w * d.oc);
    d.row_block = at_least_1(ROW_BLOCK_BYTES / row_bytes);
    d.panels = (d.oc + nr - 1) / nr;
    d.splits = (d.ic + SOURCE_CHANNELS - 1) / SOURCE_CHANNELS;
    d.chunks = chunk_count(c);
    d.count = weight_count(c);
    return d;
}

typedef struct range {
    int begin, end;
} range;

/* Rows of one image at one tap: where in x and dy they are. */
typedef struct span {
    const float *x, *dy;
    int rows, pixels;
} span;

/* Rows y0 .. y1 - 1 and columns x0 .. x1 - 1 of dy, as far as the tap lies inside the image. */
static span tap_span(const dw_call *d, int image, range y, range x, int ty, int tx) {
    const at_conv *c = d->conv;
    int r0, r1, c0, c1;
    at_conv_axis_valid(&d->ay, ty, &r0, &r1);
    at_conv_axis_valid(&d->ax, tx, &c0, &c1);
    if (r0 < y.begin) r0 = y.begin;
    if (r1 > y.end) r1 = y.end;
    if (c0 < x.begin) c0 = x.begin;
    if (c1 > x.end) c1 = x.end;
    if (r1 <= r0 || c1 <= c0) return (span){0};
    int64_t iy = (int64_t)image * c->x.h + r0 * c->stride.h + d->ay.offset[ty];
    int64_t ix = c0 * c->stride.w + d->ax.offset[tx];
    int64_t oy = (int64_t)image * c->y.h + r0;
    return (span){d->x + (iy * c->x.w + ix) * d->x_ld, d->dy + (oy * c->y.w + c0) * d->dy_ld,
                  r1 - r0, c1 - c0};
}

/* The spans of one tap. */
typedef struct spans {
    span s[MOST_BLOCKS];
    int count;
} spans;

/* Source channels ic0 .. ic1 - 1 of a group by the channels of one destination panel, one tap. */
static void dw_tiles(const dw_call *d, const spans *all, float *dw, int group, int ic0, int ic1,
                     int panel) {
    const at_kernels *kernels = at_kernels_get();
    const at_conv *c = d->conv;
    int nr = kernels->conv_nr, mr = kernels->conv_mr, o = panel * nr,
        tiles = (ic1 - ic0 + mr - 1) / mr;
    at_conv_dw_tile t = {.dw_ld = c->y.c,
                         .x_row = (ptrdiff_t)c->stride.h * c->x.w * d->x_ld,
                         .x_ld = c->stride.w * d->x_ld,
                         .dy_row = c->y.w * d->dy_ld,
                         .dy_ld = d->dy_ld,
                         .n = d->oc - o < nr ? d->oc - o : nr};
    for (int i = 0; i < tiles; i++) {
        int from = ic0 + (ic1 - ic0) * i / tiles, to = ic0 + (ic1 - ic0) * (i + 1) / tiles;
        t.m = to - from;
        t.dw = dw + (ptrdiff_t)from * c->y.c + group * d->oc + o;
        for (const span *s = all->s; s < all->s + all->count; s++) {
            t.x = s->x + group * d->ic + from;
            t.dy = s->dy + group * d->oc + o;
            t.rows = s->rows;
            t.pixels = s->pixels;
            kernels->conv_dw_tile(&t);
        }
    }
}

static void dw_depthwise(const dw_call *d, const span *s, float *dw) {
    const at_conv *c = d->conv;
    at_depthwise_dw t = {.dw = dw,
                         .x = s->x,
                         .dy = s->dy,
                         .x_row = (ptrdiff_t)c->stride.h * c->x.w * d->x_ld,
                         .x_ld = c->stride.w * d->x_ld,
                         .dy_row = c->y.w * d->dy_ld,
                         .dy_ld = d->dy_ld,
                         .rows = s->rows,
                         .pixels = s->pixels,
                         .c = c->y.c};
    at_kernels_get()->depthwise_dw(&t);
}

/* Some rows of one image. */
typedef struct block {
    int image;
    range rows;
} block;

typedef struct blocks {
    block b[MOST_BLOCKS];
    int count;
} blocks;

/* Columns x of these blocks at one tap. */
static spans tap_spans(const dw_call *d, const blocks *b, range x, int ty, int tx) {
    spans all = {.count = 0};
    for (int i = 0; i < b->count; i++) {
        span s = tap_span(d, b->b[i].image, b->b[i].rows, x, ty, tx);
        if (s.rows > 0) all.s[all.count++] = s;
    }
    return all;
}

/* All taps of some rows, for some channels. */
typedef struct share {
    float *dw;
    int group_begin, group_end, panel_begin, panel_end, ic0, ic1;
} share;

static float *tap_weights(const dw_call *d, const share *w, int ty, int tx) {
    const at_conv *c = d->conv;
    return w->dw + ((ptrdiff_t)d->ay.k[ty] * c->kernel.w + d->ax.k[tx]) * d->ic * c->y.c;
}

static void dw_tap(const dw_call *d, const share *w, const blocks *b, range cols, int ty, int tx) {
    spans all = tap_spans(d, b, cols, ty, tx);
    float *dw = tap_weights(d, w, ty, tx);
    if (at_conv_is_depthwise(d->conv)) {
        for (int i = 0; i < all.count; i++) dw_depthwise(d, &all.s[i], dw);
        return;
    }
    for (int g = w->group_begin; g < w->group_end && all.count > 0; g++)
        for (int p = w->panel_begin; p < w->panel_end; p++)
            dw_tiles(d, &all, dw, g, w->ic0, w->ic1, p);
}

/* The columns at which all taps of a kernel's row lie inside, if those taps are side by side in x
 * and too narrow to fill a tile alone: there they are taken as one tap with more channels. */
static range joined_columns(const dw_call *d, const share *w) {
    const at_conv *c = d->conv;
    range all = {0, c->y.w};
    if (d->ax.taps < 2 || c->groups > 1 || c->dilation.w > 1 || d->x_ld != d->ic ||
        w->ic1 - w->ic0 != d->ic || d->ic > at_kernels_get()->conv_mr / 2)
        return (range){0, 0};
    for (int tx = 0; tx < d->ax.taps; tx++) {
        int begin, end;
        at_conv_axis_valid(&d->ax, tx, &begin, &end);
        if (begin > all.begin) all.begin = begin;
        if (end < all.end) all.end = end;
    }
    return all.end > all.begin ? all : (range){0, 0};
}

static void dw_blocks(const dw_call *d, const share *w, const blocks *b) {
    range joined = joined_columns(d, w);
    for (int ty = 0; ty < d->ay.taps; ty++) {
        for (int tx = 0; tx < d->ax.taps; tx++) {
            dw_tap(d, w, b, (range){0, joined.begin}, ty, tx);
            dw_tap(d, w, b, (range){joined.end, d->conv->y.w}, ty, tx);
        }
        spans all = tap_spans(d, b, joined, ty, 0);
        for (int p = w->panel_begin; p < w->panel_end && all.count > 0; p++)
            dw_tiles(d, &all, tap_weights(d, w, ty, 0), 0, 0, d->ax.taps * d->ic, p);
    }
}

/* Rows begin .. end - 1, counted through all images, in blocks that stay in one image, `most` of
 * them at once. */
static void dw_range(const dw_call *d, const share *w, int begin, int end, int most) {
    int h = d->conv->y.h;
    blocks b = {.count = 0};
    for (int row = begin, next; row < end; row = next) {
        range y = {row % h, row % h + d->row_block};
        if (y.end > h) y.end = h;
        if (y.end > y.begin + end - row) y.end = y.begin + end - row;
        next = row + y.end - y.begin;
        b.b[b.count++] = (block){row / h, y};
        if (b.count < most && next < end) continue;
        dw_blocks(d, w, &b);
        b.count = 0;
    }
}

static void chunk_body(void *arg, int64_t index, int worker) {
    const dw_call *d = arg;
    int64_t rows = (int64_t)d->conv->y.n * d->conv->y.h;
    float *part = d->parts + index * d->count;
    share w = {part, 0, d->conv->groups, 0, d->panels, 0, d->ic};
    (void)worker;
    memset(part, 0, (size_t)d->count * sizeof *part);
    dw_range(d, &w, (int)(rows * index / d->chunks), (int)(rows * (index + 1) / d->chunks), 1);
}

static void channel_body(void *arg, int64_t index, int worker) {
    const dw_call *d = arg;
    int split = (int)(index % d->splits), panel = (int)(index / d->splits % d->panels);
    int group = (int)(index / d->splits / d->panels);
    share w = {d->dw,
               group,
               group + 1,
               panel,
               panel + 1,
               d->ic * split / d->splits,
               d->ic * (split + 1) / d->splits};
    (void)worker;
    dw_range(d, &w, 0, d->conv->y.n * d->conv->y.h, MOST_BLOCKS);
}

enum { SLICE = 4096 };

static void add_parts(void *arg, int64_t index, int worker) {
    const dw_call *d = arg;
    int64_t begin = index * SLICE, end = begin + SLICE < d->count ? begin + SLICE : d->count;
    (void)worker;
    for (int p = 0; p < d->chunks; p++) {
        const float *part = d->parts + p * d->count;
        for (int64_t i = begin; i < end; i++) d->dw[i] += part[i];
    }
}

void at_conv_dw(const at_conv *c, const float *x, ptrdiff_t x_ld, const float *dy, ptrdiff_t dy_ld,
                float *dw, void *work) {
    dw_call d = dw_setup(c);
    d.x = x;
    d.dy = dy;
    d.x_ld = x_ld;
    d.dy_ld = dy_ld;
    d.dw = dw;
    d.parts = work;
    if (d.chunks == 0) {
        at_parallel_for((int64_t)c->groups * d.panels * d.splits, channel_body, &d);
        return;
    }
    at_parallel_for(d.chunks, chunk_body, &d);
    at_parallel_for((d.count + SLICE - 1) / SLICE, add_parts, &d);
}
