/* SPDX-License-Identifier: MIT */
/* Winograd convolution in three stages, each a parallel loop over a slab of tiles: all input
 * transforms, then plane by plane one large matrix product, then all output transforms. What
 * winograd.c keeps in L2 passes through L3 here, but weights are read once a slab instead of once a
 * few tiles, and nothing is transformed twice: better where the weights themselves don't fit L2.
 *
 * Tiles of all phases of a dilated convolution stand side by side: an image is tiles.h x tiles.w of
 * them, and a slab is some of these rows, counted through all images. */
#include <assert.h>
#include <string.h>

#include "layers/winograd.h"
#include "nn/kernels/kernels.h"

enum {
    SLAB_BYTES = 16 << 20, /* of what is transformed and what comes out */
    TILES = 4,             /* of a unit of transforms */
    GROUPS = 2,            /* a plane's product is cut into so many units */
};

typedef struct slabs {
    at_winograd w;
    at_pair tiles;
    int rows, all_rows; /* of tiles: of a slab at most, and of all images */
    ptrdiff_t src_ld, dst_ld, src_plane, dst_plane;
} slabs;

bool at_staged_fits(const at_conv *c) {
    return at_winograd_fits(c) && c->kernel.h == 3 && c->kernel.w == 3;
}

/* The tile at `index` along an axis, all phases after each other: its first destination position;
 * size if there are fewer tiles. */
static int axis_place(int size, int dilation, int m, int index) {
    for (int phase = 0; phase < dilation && phase < size; phase++) {
        int tiles = at_ceil_div(at_ceil_div(size - phase, dilation), m);
        if (index < tiles) return phase + dilation * m * index;
        index -= tiles;
    }
    return size;
}

static int axis_tiles(int size, int dilation, int m) {
    int sum = 0;
    for (int phase = 0; phase < dilation && phase < size; phase++)
        sum += at_ceil_div(at_ceil_div(size - phase, dilation), m);
    return sum;
}

static slabs slabs_of(const at_conv *c, at_conv_pass pass) {
    slabs s = {.w = at_winograd_make(c, pass)};
    const at_winograd *w = &s.w;
    int nr = at_kernels_get()->conv_nr;
    s.tiles.h = axis_tiles(w->dst.h, w->dilation.h, w->m);
    s.tiles.w = axis_tiles(w->dst.w, w->dilation.w, w->m);
    s.all_rows = w->dst.n * s.tiles.h;
    s.src_ld = at_odd_lines(w->src.c);
    s.dst_ld = at_odd_lines((w->dst.c + nr - 1) / nr * nr);
    assert(s.tiles.w > 0 && s.all_rows > 0);
    int64_t row = (s.src_ld + s.dst_ld) * w->planes * s.tiles.w * (int64_t)sizeof(float);
    int most = SLAB_BYTES / row < 1 ? 1 : (int)(SLAB_BYTES / row);
    s.rows = at_ceil_div(s.all_rows, at_ceil_div(s.all_rows, most));
    s.src_plane = at_odd_lines((ptrdiff_t)s.rows * s.tiles.w * s.src_ld);
    s.dst_plane = at_odd_lines((ptrdiff_t)s.rows * s.tiles.w * s.dst_ld);
    return s;
}

/* Tile t of the slab that begins at row first. */
static at_tile_place place_of(const slabs *s, int first, int t) {
    const at_winograd *w = &s->w;
    int row = first + t / s->tiles.w;
    return (at_tile_place){row / s->tiles.h,
                           axis_place(w->dst.h, w->dilation.h, w->m, row % s->tiles.h),
                           axis_place(w->dst.w, w->dilation.w, w->m, t % s->tiles.w)};
}

static int panels_of(const at_winograd *w) {
    return at_ceil_div(w->dst.c, at_kernels_get()->conv_nr);
}

static int at_most(int v, int most) {
    return v < most ? v : most;
}

/* ---- forward and data ---- */

typedef struct staged {
    slabs s;
    const at_conv_call *call;
    float *v, *m;
    int first, tiles; /* of the slab at work: row, and count */
} staged;

size_t at_staged_bytes(const at_conv *c, at_conv_pass pass) {
    slabs s = slabs_of(c, pass);
    return (size_t)s.w.planes * (size_t)(s.src_plane + s.dst_plane) * sizeof(float);
}

static void input_body(void *arg, int64_t index, int worker) {
    const staged *u = arg;
    int begin = (int)index * TILES, end = at_most(begin + TILES, u->tiles);
    (void)worker;
    for (int t = begin; t < end; t++)
        at_tile_input(&u->s.w, place_of(&u->s, u->first, t), u->call->src, 0, u->s.w.src.c,
                      u->v + t * u->s.src_ld, u->s.src_plane);
}

static void product_body(void *arg, int64_t index, int worker) {
    static const ptrdiff_t none[1] = {0};
    const staged *u = arg;
    const slabs *s = &u->s;
    const at_kernels *kernels = at_kernels_get();
    int plane = (int)(index / GROUPS), group = (int)(index % GROUPS), panels = panels_of(&s->w);
    int calls = at_ceil_div(u->tiles, kernels->conv_mr);
    at_conv_tile t = {.out_ld = s->dst_ld,
                      .a_ld = s->src_ld,
                      .tap_a = none,
                      .tap_w = none,
                      .taps = 1,
                      .k = s->w.src.c,
                      .n = kernels->conv_nr};
    (void)worker;
    for (int p = panels * group / GROUPS; p < panels * (group + 1) / GROUPS; p++) {
        t.w = u->call->packed + (size_t)plane * at_wino_weight_plane(&s->w) +
              (size_t)p * at_wino_panel(&s->w);
        for (int i = 0; i < calls; i++) {
            ptrdiff_t from = (ptrdiff_t)u->tiles * i / calls;
            t.m = (int)((ptrdiff_t)u->tiles * (i + 1) / calls - from);
            t.a = u->v + plane * s->src_plane + from * s->src_ld;
            t.out = u->m + plane * s->dst_plane + from * s->dst_ld + p * kernels->conv_nr;
            t.next = at_wino_next(&s->w, t.w, i);
            kernels->conv_tile(&t);
        }
    }
}

static void output_body(void *arg, int64_t index, int worker) {
    const staged *u = arg;
    const float *bias = u->call->packed + at_wino_weights(&u->s.w);
    int begin = (int)index * TILES, end = at_most(begin + TILES, u->tiles);
    (void)worker;
    for (int t = begin; t < end; t++)
        at_tile_output(&u->s.w, place_of(&u->s, u->first, t), u->call, 0, u->s.w.dst.c,
                       u->m + t * u->s.dst_ld, u->s.dst_plane, bias);
}

void at_staged_run(const at_conv_call *call) {
    staged u = {.s = slabs_of(&call->conv, call->pass), .call = call, .v = call->work};
    u.m = u.v + u.s.w.planes * u.s.src_plane;
    for (; u.first < u.s.all_rows; u.first += u.s.rows) {
        u.tiles = at_most(u.s.rows, u.s.all_rows - u.first) * u.s.tiles.w;
        at_parallel_for(at_ceil_div(u.tiles, TILES), input_body, &u);
        at_parallel_for((int64_t)u.s.w.planes * GROUPS, product_body, &u);
        at_parallel_for(at_ceil_div(u.tiles, TILES), output_body, &u);
    }
}

/* ---- weight gradient: dU = V^T Z plane by plane, summed over slabs, then dw = G^T dU G ---- */

typedef struct staged_dw {
    slabs s;
    const at_conv *conv;
    at_tensor x, dy;
    ptrdiff_t sum_plane; /* sums: [plane][source channel][dst_ld] */
    float *dw, *v, *z, *sum;
    int first, tiles;
} staged_dw;

static ptrdiff_t sum_plane(const slabs *s) {
    return at_odd_lines(s->w.src.c * s->dst_ld);
}

size_t at_staged_dw_bytes(const at_conv *c) {
    slabs s = slabs_of(c, AT_CONV_FORWARD);
    return (size_t)s.w.planes * (size_t)(s.src_plane + s.dst_plane + sum_plane(&s)) * sizeof(float);
}

static void both_inputs_body(void *arg, int64_t index, int worker) {
    const staged_dw *d = arg;
    const at_winograd *w = &d->s.w;
    int begin = (int)index * TILES, end = at_most(begin + TILES, d->tiles), c = w->dst.c;
    int behind = panels_of(w) * at_kernels_get()->conv_nr - c;
    (void)worker;
    for (int t = begin; t < end; t++) {
        at_tile_place p = place_of(&d->s, d->first, t);
        float *z = d->z + t * d->s.dst_ld;
        at_tile_input(w, p, d->x, 0, w->src.c, d->v + t * d->s.src_ld, d->s.src_plane);
        at_tile_dy(w, p, d->dy, 0, c, z, d->s.dst_plane);
        for (int plane = 0; plane < w->planes && behind; plane++)
            memset(z + plane * d->s.dst_plane + c, 0, (size_t)behind * sizeof *z);
    }
}

static void sum_body(void *arg, int64_t index, int worker) {
    const staged_dw *d = arg;
    const at_kernels *kernels = at_kernels_get();
    const slabs *s = &d->s;
    int plane = (int)(index / GROUPS), group = (int)(index % GROUPS), panels = panels_of(&s->w);
    int begin = s->w.src.c * group / GROUPS, end = s->w.src.c * (group + 1) / GROUPS;
    int calls = at_ceil_div(end - begin, kernels->conv_mr);
    float *sum = d->sum + plane * d->sum_plane;
    at_conv_dw_tile t = {.dw_ld = s->dst_ld,
                         .x_ld = s->src_ld,
                         .dy_ld = s->dst_ld,
                         .rows = 1,
                         .pixels = d->tiles,
                         .n = kernels->conv_nr};
    (void)worker;
    if (d->first == 0)
        memset(sum + begin * s->dst_ld, 0, (size_t)((end - begin) * s->dst_ld) * sizeof *sum);
    for (int p = 0; p < panels; p++)
        for (int i = 0; i < calls; i++) {
            int from = begin + (end - begin) * i / calls;
            t.m = begin + (end - begin) * (i + 1) / calls - from;
            t.x = d->v + plane * s->src_plane + from;
            t.dy = d->z + plane * s->dst_plane + p * kernels->conv_nr;
            t.dw = sum + from * s->dst_ld + p * kernels->conv_nr;
            kernels->conv_dw_tile(&t);
        }
}

/* One source channel. */
static void weights_body(void *arg, int64_t index, int worker) {
    const staged_dw *d = arg;
    const at_winograd *w = &d->s.w;
    ptrdiff_t tap = (ptrdiff_t)w->src.c * w->dst.c;
    at_wino_out t = {.y = d->dw + index * w->dst.c,
                     .y_row = w->r * tap,
                     .y_col = tap,
                     .v = d->sum + index * d->s.dst_ld,
                     .v_plane = d->sum_plane,
                     .rows = w->r,
                     .cols = w->r,
                     .c = w->dst.c,
                     .add = true};
    (void)worker;
    w->dw(&t);
}

void at_staged_dw(const at_conv *c, at_tensor x, at_tensor dy, float *dw, void *work) {
    staged_dw d = {.s = slabs_of(c, AT_CONV_FORWARD), .conv = c, .x = x, .dy = dy};
    d.dw = dw;
    d.v = work;
    d.z = d.v + d.s.w.planes * d.s.src_plane;
    d.sum = d.z + d.s.w.planes * d.s.dst_plane;
    d.sum_plane = sum_plane(&d.s);
    for (; d.first < d.s.all_rows; d.first += d.s.rows) {
        d.tiles = at_most(d.s.rows, d.s.all_rows - d.first) * d.s.tiles.w;
        at_parallel_for(at_ceil_div(d.tiles, TILES), both_inputs_body, &d);
        at_parallel_for((int64_t)d.s.w.planes * GROUPS, sum_body, &d);
    }
    at_parallel_for(d.s.w.src.c, weights_body, &d);
}
