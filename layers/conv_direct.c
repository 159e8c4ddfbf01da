/* SPDX-License-Identifier: MIT */
/* Direct convolution: the destination is cut into tiles of conv_mr pixels of a row by conv_nr
 * channels, each one call of the conv_tile kernel with the list of taps that lie inside the image.
 * There is no padded copy and no im2col: a row is cut where the set of valid taps changes, and taps
 * outside are skipped, which for large dilations is most of them.
 *
 * Packed weights: for each group, for each panel of conv_nr destination channels,
 * [kh][kw][source channels][conv_nr], zeros behind the last channel; then the bias of every panel.
 * With bf16 products dot_mr and dot_nr take the place of conv_mr and conv_nr, and weights are bf16
 * in pairs of source channels. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "layers/conv.h"
#include "nn/kernels/kernels.h"

enum {
    ROW_BLOCK_BYTES = 256 << 10,    /* of source, to stay in L2 while panels of weights pass by */
    WEIGHT_BLOCK_BYTES = 512 << 10, /* of weights, to stay there while tiles pass by */
    FETCH_LEAST = 16, /* channels from which on a tile's worth of source is fetched ahead */
};

/* Sizes of one pass that everything here needs. */
typedef struct geometry {
    at_shape src, dst;
    int k, n;     /* source and destination channels of one group */
    int panels;   /* of one group */
    int taps;     /* kh * kw */
    int mr, nr;   /* of a tile */
    size_t panel; /* floats of one panel */
    bool depthwise, dot;
} geometry;

static geometry geometry_of(const at_conv *c, at_conv_pass pass, bool dot) {
    bool forward = pass == AT_CONV_FORWARD;
    const at_kernels *kernels = at_kernels_get();
    geometry g = {.src = forward ? c->x : c->y, .dst = forward ? c->y : c->x, .dot = dot};
    g.mr = dot ? kernels->dot_mr : kernels->conv_mr;
    g.nr = dot ? kernels->dot_nr : kernels->conv_nr;
    g.k = g.src.c / c->groups;
    g.n = g.dst.c / c->groups;
    g.panels = (g.n + g.nr - 1) / g.nr;
    g.taps = c->kernel.h * c->kernel.w;
    g.panel = (size_t)g.taps * (size_t)g.k * (size_t)g.nr / (dot ? 2 : 1);
    g.depthwise = at_conv_is_depthwise(c);
    return g;
}

bool at_conv_dot_fits(const at_conv *c, at_conv_pass pass) {
    geometry g = geometry_of(c, pass, true);
    return at_kernels_get()->dot_gain > 1 && !g.depthwise && at_dot_step(g.k) != 0;
}

/* Share of a row's tiles that pixels fill. */
static double fill(int width) {
    int mr = at_kernels_get()->conv_mr;
    return (double)width / ((width + mr - 1) / mr * mr);
}

void at_conv_flatten(at_conv *c) {
    enum { MOST = 224 };
    int64_t pixels = at_shape_pixels(c->x);
    int best = c->x.w;
    if (c->kernel.h * c->kernel.w != 1 || c->stride.h * c->stride.w != 1 ||
        c->padding.h + c->padding.w != 0 || pixels > INT32_MAX)
        return;
    for (int w = 1; w <= MOST; w++)
        if (pixels % w == 0 && fill(w) >= fill(best)) best = w;
    c->x = (at_shape){1, (int)(pixels / best), best, c->x.c};
    c->y = (at_shape){1, (int)(pixels / best), best, c->y.c};
}

/* ---- packing ---- */

size_t at_conv_packed_count(const at_conv *c, at_conv_pass pass, bool dot) {
    geometry g = geometry_of(c, pass, dot);
    if (g.depthwise) return (size_t)(g.taps + 1) * (size_t)g.dst.c;
    size_t panels = (size_t)c->groups * (size_t)g.panels;
    return panels * (g.panel + (size_t)g.nr);
}

typedef struct packing {
    const at_conv *conv;
    at_conv_pass pass;
    geometry g;
    const float *weight, *scale, *bias;
    float *packed;
} packing;

/* Columns behind the n-th become zero, the others are scaled. */
static void finish_rows(const packing *p, float *out, int first, int n, int nr) {
    const float *scale = p->scale != NULL ? p->scale + first : NULL;
    for (int l = 0; l < p->g.k && (scale != NULL || n < nr); l++, out += nr) {
        for (int j = 0; j < n && scale != NULL; j++) out[j] *= scale[j];
        memset(out + n, 0, (size_t)(nr - n) * sizeof *out);
    }
}

/* Columns of one tap of one panel, forward: rows of w are already destination channels. */
static void pack_forward(const packing *p, const float *w, float *out, int first, int n, int nr) {
    at_rows from = {(float *)(uintptr_t)(w + first), p->conv->y.c}, to = {out, nr};
    at_kernels_get()->copy(to, from, p->g.k, n, false);
    finish_rows(p, out, first, n, nr);
}

/* The same for data: a transposition. */
static void pack_data(const packing *p, const float *w, float *out, int group, int first, int n,
                      int nr) {
    ptrdiff_t ld = p->conv->y.c;
    at_kernels_get()->transpose(out, nr, w + first * ld + (ptrdiff_t)group * p->g.k, ld, n, p->g.k);
    finish_rows(p, out, group * p->g.n + first, n, nr);
}

/* Either, in bf16. */
static void pack_pairs(const packing *p, const float *w, uint16_t *out, int group, int first,
                       int n) {
    const geometry *g = &p->g;
    ptrdiff_t ld = p->conv->y.c;
    const float *scale = p->scale != NULL ? p->scale + group * g->n + first : NULL;
    bool forward = p->pass == AT_CONV_FORWARD;
    w += forward ? group * g->n + first : first * ld + (ptrdiff_t)group * g->k;
    at_kernels_get()->pack_pairs(out, g->nr, w, forward ? ld : 1, forward ? 1 : ld, scale, g->k, n);
}

static void pack_tap(const packing *p, int group, int panel, int tap, float *out) {
    const geometry *g = &p->g;
    int nr = g->nr, first = panel * nr;
    int n = g->n - first < nr ? g->n - first : nr;
    const float *w = p->weight + (ptrdiff_t)tap * (p->conv->x.c / p->conv->groups) * p->conv->y.c;
    if (g->dot)
        pack_pairs(p, w, (uint16_t *)(void *)out, group, first, n);
    else if (p->pass == AT_CONV_FORWARD)
        pack_forward(p, w, out, group * g->n + first, n, nr);
    else
        pack_data(p, w, out, group, first, n, nr);
}

void at_conv_pack_tap(const at_conv *c, at_conv_pass pass, const float *weight, const float *scale,
                      int panel, int tap, float *out) {
    packing p = {c, pass, geometry_of(c, pass, false), weight, scale, NULL, NULL};
    pack_tap(&p, 0, panel, tap, out);
}

/* One (group, panel, tap). */
static void pack_body(void *arg, int64_t index, int worker) {
    const packing *p = arg;
    const geometry *g = &p->g;
    int tap = (int)(index % g->taps), panel = (int)(index / g->taps % g->panels);
    int group = (int)(index / g->taps / g->panels);
    (void)worker;
    pack_tap(p, group, panel, tap,
             p->packed + (size_t)(group * g->panels + panel) * g->panel +
                 g->panel / (size_t)g->taps * (size_t)tap);
}

static void pack_bias(const packing *p) {
    const geometry *g = &p->g;
    int nr = g->nr;
    float *out = p->packed + (size_t)(p->conv->groups * g->panels) * g->panel;
    for (int group = 0; group < p->conv->groups; group++)
        for (int j = 0; j < g->panels * nr; j++)
            *out++ = p->bias != NULL && j < g->n ? p->bias[group * g->n + j] : 0;
}

static void pack_depthwise(const packing *p) {
    int channels = p->g.dst.c;
    for (int i = 0; i < p->g.taps * channels; i++)
        p->packed[i] = p->weight[i] * (p->scale != NULL ? p->scale[i % channels] : 1);
    float *bias = p->packed + p->g.taps * channels;
    for (int j = 0; j < channels; j++) bias[j] = p->bias != NULL ? p->bias[j] : 0;
}

void at_conv_pack(const at_conv *c, at_conv_pass pass, bool dot, const float *weight,
                  const float *scale, const float *bias, float *packed) {
    packing p = {c, pass, geometry_of(c, pass, dot), weight, scale, bias, packed};
    if (p.g.depthwise) {
        pack_depthwise(&p);
        return;
    }
    at_parallel_for((int64_t)c->groups * p.g.panels * p.g.taps, pack_body, &p);
    pack_bias(&p);
}

/* ---- running ---- */

/* A cut of the work into units: (group, panel chunk, row block, phase). Phases of one block of rows
 * follow each other, for they read the same source. */
typedef struct cut {
    const at_conv_call *call;
    geometry g;
    at_pair phases;
    int rows; /* destination rows of all images, of the largest phase */
    int row_block, row_blocks;
    int panel_chunk, panel_chunks;
} cut;

size_t at_conv_scratch_bytes(const at_conv *c) {
    return 2 * (size_t)c->kernel.h * (size_t)c->kernel.w * sizeof(ptrdiff_t);
}

static int at_most(int64_t v, int most) {
    return v < 1 ? 1 : v > most ? most : (int)v;
}

static cut cut_work(const at_conv_call *call) {
    const at_conv *c = &call->conv;
    cut u = {.call = call, .g = geometry_of(c, call->pass, call->dot)};
    u.phases.h = at_conv_phases(call->pass, c->stride.h);
    u.phases.w = at_conv_phases(call->pass, c->stride.w);
    u.rows = u.g.dst.n * ((u.g.dst.h + u.phases.h - 1) / u.phases.h);
    int64_t row_bytes = (int64_t)u.g.src.w * u.g.k * 4;
    u.row_block = at_most(ROW_BLOCK_BYTES / row_bytes, (u.rows + 7) / 8);
    u.row_blocks = (u.rows + u.row_block - 1) / u.row_block;
    u.panel_chunk = at_most((int64_t)(WEIGHT_BLOCK_BYTES / (u.g.panel * 4)), u.g.panels);
    u.panel_chunks = u.g.depthwise ? 1 : (u.g.panels + u.panel_chunk - 1) / u.panel_chunk;
    return u;
}

/* What a tile needs of where it is. */
typedef struct place {
    const at_conv_axis *y, *x;
    ptrdiff_t src; /* row origin, an element: source pixel (r * in_step, 0) of the image */
    ptrdiff_t dst; /* element of destination pixel (first + r * step, 0) */
    int r;         /* row within the phase */
    int group, panel;
    ptrdiff_t *tap_a, *tap_w;
} place;

/* The taps of a tile; each sums k products. */
typedef struct tap_list {
    int count, k;
} tap_list;

/* Where the taps of a kernel's row that are inside lie side by side in memory, with their weights,
 * they are one tap with more channels: a first layer has but three. */
static bool taps_adjoin(const cut *u, const place *p, int valid) {
    const at_conv *c = &u->call->conv;
    return valid > 1 && !u->g.depthwise && !u->g.dot && c->groups == 1 &&
           u->call->src.ld == u->g.k && p->x->offset[1] - p->x->offset[0] == 1 &&
           p->x->k[1] - p->x->k[0] == 1;
}

/* Lists the taps inside the image at row p->r and columns from `column` on. */
static tap_list list_taps(const cut *u, const place *p, int column, int k_rows, int nr) {
    const at_conv *c = &u->call->conv;
    int begin, end, first = -1, valid = 0;
    tap_list list = {0, u->g.k};
    for (int j = 0; j < p->x->taps; j++) {
        at_conv_axis_valid(p->x, j, &begin, &end);
        if (column < begin || column >= end) continue;
        if (first < 0) first = j;
        valid++;
    }
    bool adjoin = taps_adjoin(u, p, valid);
    if (adjoin) list.k *= valid;
    for (int i = 0; i < p->y->taps; i++) {
        at_conv_axis_valid(p->y, i, &begin, &end);
        if (p->r < begin || p->r >= end) continue;
        for (int j = first; j < first + (adjoin ? 1 : valid); j++) {
            p->tap_a[list.count] =
                ((ptrdiff_t)p->y->offset[i] * u->g.src.w + p->x->offset[j]) * u->call->src.ld;
            p->tap_w[list.count++] =
                ((ptrdiff_t)p->y->k[i] * c->kernel.w + p->x->k[j]) * k_rows * nr;
        }
    }
    return list;
}

/* Columns begin .. end - 1, which meet the same taps, in tiles of about equal length. */
static void run_tiles(const cut *u, const place *p, int begin, int end, tap_list taps) {
    const at_kernels *kernels = at_kernels_get();
    const at_conv_call *call = u->call;
    const geometry *g = &u->g;
    int nr = g->nr, first = p->panel * nr, all_panels = call->conv.groups * g->panels;
    int panel = p->group * g->panels + p->panel, tiles = (end - begin + g->mr - 1) / g->mr;
    at_conv_tile t = {.out_ld = p->x->step * call->dst.ld,
                      .a_ld = p->x->in_step * call->src.ld,
                      .tap_a = p->tap_a,
                      .tap_w = p->tap_w,
                      .taps = taps.count,
                      .k = taps.k,
                      .n = g->n - first < nr ? g->n - first : nr,
                      .bf16 = call->dst.dtype == AT_BF16,
                      .add = call->add,
                      .relu = call->relu};
    t.w = call->packed + (size_t)panel * g->panel;
    t.bias = call->packed + (size_t)all_panels * g->panel + (size_t)panel * (size_t)nr;
    /* With one tap and one panel the source is read once, and faster than its streams are foreseen:
     * the next tile's pixels, a row of floats, are fetched meanwhile. */
    bool fetch =
        !g->dot && taps.count == 1 && g->panels == 1 && t.a_ld == t.k && t.k >= FETCH_LEAST;
    for (int i = 0; i < tiles; i++) {
        int from = begin + (int)((int64_t)(end - begin) * i / tiles);
        t.m = begin + (int)((int64_t)(end - begin) * (i + 1) / tiles) - from;
        t.a = at_element(call->src, p->src + from * t.a_ld + p->group * g->k);
        t.out = at_element(call->dst, p->dst + (p->x->first + from * p->x->step) * call->dst.ld +
                                          p->group * g->n + first);
        if (fetch) t.next = (const float *)t.a + t.m * t.a_ld - p->tap_w[0];
        (g->dot ? kernels->conv_dot : kernels->conv_tile)(&t);
    }
}

static void run_depthwise(const cut *u, const place *p, int begin, int end, int taps) {
    const at_conv_call *call = u->call;
    at_depthwise t = {.out_ld = p->x->step * call->dst.ld,
                      .a_ld = p->x->in_step * call->src.ld,
                      .tap_a = p->tap_a,
                      .tap_w = p->tap_w,
                      .taps = taps,
                      .w = call->packed,
                      .pixels = end - begin,
                      .c = u->g.dst.c,
                      .add = call->add,
                      .relu = call->relu};
    t.bias = call->packed + (ptrdiff_t)u->g.taps * u->g.dst.c;
    t.a = at_f32(call->src) + p->src + begin * t.a_ld;
    t.out = at_f32(call->dst) + p->dst + (p->x->first + begin * p->x->step) * call->dst.ld;
    at_kernels_get()->depthwise(&t);
}

static void run_row(const cut *u, place *p) {
    int k_rows = u->g.depthwise ? 1 : u->g.k, nr = u->g.depthwise ? u->g.dst.c : u->g.nr;
    for (int begin = 0, end; begin < p->x->count; begin = end) {
        end = at_conv_axis_run(p->x, begin);
        tap_list taps = list_taps(u, p, begin, k_rows, nr);
        if (u->g.depthwise)
            run_depthwise(u, p, begin, end, taps.count);
        else
            run_tiles(u, p, begin, end, taps);
    }
}

static void run_panel(const cut *u, place *p, int row_begin, int row_end) {
    const at_conv_call *call = u->call;
    for (int row = row_begin; row < row_end; row++) {
        int image = row / p->y->count;
        p->r = row % p->y->count;
        p->src = ((ptrdiff_t)image * u->g.src.h + p->r * p->y->in_step) * u->g.src.w * call->src.ld;
        p->dst = ((ptrdiff_t)image * u->g.dst.h + p->y->first + p->r * p->y->step) * u->g.dst.w *
                 call->dst.ld;
        run_row(u, p);
    }
}

static at_window window(const at_conv *c, bool vertical) {
    return vertical ? (at_window){c->kernel.h, c->stride.h, c->padding.h, c->dilation.h}
                    : (at_window){c->kernel.w, c->stride.w, c->padding.w, c->dilation.w};
}

static void run_unit(void *arg, int64_t index, int worker) {
    const cut *u = arg;
    const at_conv *c = &u->call->conv;
    int phases = u->phases.h * u->phases.w, phase = (int)(index % phases);
    index /= phases;
    int block = (int)(index % u->row_blocks);
    index /= u->row_blocks;
    int chunk = (int)(index % u->panel_chunks);
    place p = {.group = (int)(index / u->panel_chunks)};
    at_conv_axis y =
        at_conv_axis_make(u->call->pass, phase / u->phases.w, c->x.h, c->y.h, window(c, true));
    at_conv_axis x =
        at_conv_axis_make(u->call->pass, phase % u->phases.w, c->x.w, c->y.w, window(c, false));
    p.y = &y;
    p.x = &x;
    p.tap_a = (ptrdiff_t *)(void *)(u->call->scratch + u->call->scratch_bytes * (size_t)worker);
    p.tap_w = p.tap_a + u->g.taps;
    int rows = u->g.dst.n * y.count, begin = block * u->row_block;
    int end = begin + u->row_block < rows ? begin + u->row_block : rows;
    int panel_end =
        (chunk + 1) * u->panel_chunk < u->g.panels ? (chunk + 1) * u->panel_chunk : u->g.panels;
    if (u->g.depthwise) panel_end = 1;
    for (p.panel = chunk * u->panel_chunk; p.panel < panel_end; p.panel++)
        run_panel(u, &p, begin, end);
}

void at_conv_run(const at_conv_call *call) {
    cut u = cut_work(call);
    int64_t groups = u.g.depthwise ? 1 : call->conv.groups;
    at_parallel_for((int64_t)u.phases.h * u.phases.w * groups * u.panel_chunks * u.row_blocks,
                    run_unit, &u);
}
