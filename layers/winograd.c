/* SPDX-License-Identifier: MIT */
/* Winograd convolution, forward and data. A unit of work is a rectangle of tiles: its input
 * transform for all channels, then for a few panels of destination channels the alpha^2 matrix
 * products (conv_tile with one tap a block of the nested kernel) and their output transform, all in
 * the unit's scratch.
 *
 * Packed: [block][plane][panel][source channels][conv_nr] transformed weights, then the bias; in
 * the data pass, behind that, room for the transposed weights. */
#include <string.h>

#include "layers/winograd.h"
#include "nn/kernels/kernels.h"

enum {
    INPUT_BYTES = 1 << 20, /* of transformed input, to stay in L2 with a panel of weights */
    MIN_TILES = 14,
    MAX_TILES = 56,
    CHUNK = 64, /* destination channels whose products wait for the output transform */
};

/* ---- sizes ---- */

static int panels_of(const at_winograd *w) {
    int nr = at_kernels_get()->conv_nr;
    return (w->dst.c + nr - 1) / nr;
}

static size_t panel_count(const at_winograd *w) {
    return (size_t)w->src.c * (size_t)at_kernels_get()->conv_nr;
}

/* Floats from one plane of weights to the next: an odd number of cache lines, because the 36
 * streams of the weight transform would otherwise meet in a few sets of the cache. */
static size_t weight_plane(const at_winograd *w) {
    return (size_t)panels_of(w) * panel_count(w) + 16;
}

static size_t weights_count(const at_winograd *w) {
    return (size_t)(w->blocks.h * w->blocks.w * w->planes) * weight_plane(w);
}

static size_t bias_count(const at_winograd *w) {
    return (size_t)panels_of(w) * (size_t)at_kernels_get()->conv_nr;
}

size_t at_winograd_packed_count(const at_conv *c, at_conv_pass pass) {
    at_winograd w = at_winograd_make(c, pass);
    size_t transposed = (size_t)c->kernel.h * (size_t)c->kernel.w * (size_t)c->x.c * (size_t)c->y.c;
    return weights_count(&w) + bias_count(&w) + (pass == AT_CONV_DATA ? transposed : 0);
}

at_pair at_winograd_block_limit(const at_winograd *w) {
    int64_t tiles = INPUT_BYTES / (4 * (int64_t)w->planes * w->src.c);
    int most = tiles < MIN_TILES ? MIN_TILES : tiles > MAX_TILES ? MAX_TILES : (int)tiles;
    if (w->tiles.w >= most) return (at_pair){w->blocks.h > 1 ? 2 : 1, most};
    int rows = most / w->tiles.w;
    return (at_pair){rows < 1 ? 1 : rows, w->tiles.w};
}

/* Floats from one plane to the next; odd lines of the cache, so that planes don't share sets. */
static ptrdiff_t plane_floats(ptrdiff_t values) {
    return (values + 15) / 16 * 16 + 16;
}

typedef struct layout {
    at_pair limit;
    int chunk;
    ptrdiff_t v_plane, m_plane;
} layout;

static layout layout_of(const at_winograd *w) {
    layout l = {.limit = at_winograd_block_limit(w)};
    int nr = at_kernels_get()->conv_nr, all = panels_of(w) * nr;
    l.chunk = CHUNK / nr * nr < nr ? nr : CHUNK / nr * nr;
    if (l.chunk > all) l.chunk = all;
    ptrdiff_t halo = (ptrdiff_t)(l.limit.h + w->blocks.h - 1) * (l.limit.w + w->blocks.w - 1);
    l.v_plane = plane_floats(halo * w->src.c);
    l.m_plane = plane_floats((ptrdiff_t)l.limit.h * l.limit.w * l.chunk);
    return l;
}

static size_t scratch_of(const at_winograd *w) {
    layout l = layout_of(w);
    return (size_t)w->planes * (size_t)(l.v_plane + l.m_plane) * sizeof(float);
}

size_t at_winograd_scratch_bytes(const at_conv *c) {
    at_winograd f = at_winograd_make(c, AT_CONV_FORWARD), d = at_winograd_make(c, AT_CONV_DATA);
    size_t a = scratch_of(&f), b = scratch_of(&d);
    return a > b ? a : b;
}

/* ---- weights ---- */

typedef struct packing {
    const at_conv *conv;
    at_winograd w;
    const float *weight; /* [kh][kw][k][n], k the source channels of the pass */
    const float *scale;
    float *out;
    bool flip;
} packing;

static void transpose_body(void *arg, int64_t index, int worker) {
    const packing *p = arg;
    int k = p->w.src.c, n = p->w.dst.c; /* weight is [tap][n][k] */
    int tap = (int)(index / k), from = (int)(index % k);
    const float *in = p->weight + (ptrdiff_t)tap * k * n + from;
    float *out = p->out + (ptrdiff_t)tap * k * n + (ptrdiff_t)from * n;
    (void)worker;
    for (int j = 0; j < n; j++) out[j] = in[(ptrdiff_t)j * k];
}

/* One source channel of one block, all panels. */
static void pack_body(void *arg, int64_t index, int worker) {
    const packing *p = arg;
    const at_winograd *w = &p->w;
    int nr = at_kernels_get()->conv_nr, k = w->src.c, n = w->dst.c, panels = panels_of(w);
    int channel = (int)(index % k), block = (int)(index / k);
    int by = block / w->blocks.w * w->r, bx = block % w->blocks.w * w->r;
    at_pair kernel = p->conv->kernel;
    ptrdiff_t col = (ptrdiff_t)k * n, row = kernel.w * col;
    const float *first = p->weight + (ptrdiff_t)channel * n;
    first += p->flip ? (kernel.h - 1 - by) * row + (kernel.w - 1 - bx) * col : by * row + bx * col;
    (void)worker;
    for (int panel = 0; panel < panels; panel++) {
        int o = panel * nr, count = n - o < nr ? n - o : nr;
        at_wino_in t = {.v_plane = (ptrdiff_t)weight_plane(w),
                        .x = first + o,
                        .x_row = p->flip ? -row : row,
                        .x_col = p->flip ? -col : col,
                        .row_end = kernel.h - by,
                        .col_end = kernel.w - bx,
                        .c = count};
        t.v = p->out + (size_t)(block * w->planes) * weight_plane(w) +
              (size_t)panel * panel_count(w) + (ptrdiff_t)channel * nr;
        w->weight(&t);
        for (int i = 0; i < w->planes && (count < nr || p->scale != NULL); i++) {
            float *u = t.v + i * t.v_plane;
            for (int j = 0; j < nr; j++)
                u[j] = j < count ? u[j] * (p->scale != NULL ? p->scale[o + j] : 1) : 0;
        }
    }
}

void at_winograd_pack(const at_conv *c, at_conv_pass pass, const float *weight, const float *scale,
                      const float *bias, float *packed) {
    packing p = {
        .conv = c, .w = at_winograd_make(c, pass), .weight = weight, .flip = pass == AT_CONV_DATA};
    float *bias_out = packed + weights_count(&p.w);
    if (pass == AT_CONV_DATA) {
        p.out = bias_out + bias_count(&p.w);
        at_parallel_for((int64_t)c->kernel.h * c->kernel.w * p.w.src.c, transpose_body, &p);
        p.weight = p.out;
    }
    p.out = packed;
    p.scale = scale;
    at_parallel_for((int64_t)p.w.blocks.h * p.w.blocks.w * p.w.src.c, pack_body, &p);
    for (size_t j = 0; j < bias_count(&p.w); j++)
        bias_out[j] = bias != NULL && j < (size_t)p.w.dst.c ? bias[j] : 0;
}

/* ---- running ---- */

typedef struct run {
    const at_conv_call *call;
    at_winograd w;
    layout l;
} run;

static void transform_input(const run *u, const at_tile_block *b, float *v) {
    const at_winograd *w = &u->w;
    int rows = b->count.h + w->blocks.h - 1, cols = b->count.w + w->blocks.w - 1;
    for (int ty = 0; ty < rows; ty++)
        for (int tx = 0; tx < cols; tx++)
            at_tile_input(w, b, ty, tx, u->call->src, u->call->src_ld, w->src.c,
                          v + (ptrdiff_t)(ty * cols + tx) * w->src.c, u->l.v_plane);
}

/* `rows` consecutive tiles beginning at v by one panel, for one plane. */
static void multiply(const run *u, const float *v, int v_cols, const float *weights, float *m,
                     int rows, int n) {
    const at_kernels *kernels = at_kernels_get();
    const at_winograd *w = &u->w;
    ptrdiff_t tap_a[4], tap_w[4];
    int taps = w->blocks.h * w->blocks.w, calls = (rows + kernels->conv_mr - 1) / kernels->conv_mr;
    for (int s = 0; s < taps; s++) {
        tap_a[s] = (ptrdiff_t)(s / w->blocks.w * v_cols + s % w->blocks.w) * w->src.c;
        tap_w[s] = (ptrdiff_t)s * w->planes * (ptrdiff_t)weight_plane(w);
    }
    at_conv_tile t = {.out_ld = u->l.chunk,
                      .a_ld = w->src.c,
                      .tap_a = tap_a,
                      .tap_w = tap_w,
                      .w = weights,
                      .taps = taps,
                      .k = w->src.c,
                      .n = n};
    for (int i = 0; i < calls; i++) {
        int from = (int)((int64_t)rows * i / calls);
        t.m = (int)((int64_t)rows * (i + 1) / calls) - from;
        t.a = v + (ptrdiff_t)from * w->src.c;
        t.out = m + (ptrdiff_t)from * u->l.chunk;
        kernels->conv_tile(&t);
    }
}

/* Products of all tiles of the block with panels first .. first + chunk: where kernels are not
 * nested the block's tiles are one run, else each row of tiles is. */
static void multiply_chunk(const run *u, const at_tile_block *b, const float *v, float *m,
                           int first) {
    const at_winograd *w = &u->w;
    int nr = at_kernels_get()->conv_nr, v_cols = b->count.w + w->blocks.w - 1;
    bool nested = w->blocks.h * w->blocks.w > 1;
    int runs = nested ? b->count.h : 1, rows = nested ? b->count.w : b->count.h * b->count.w;
    for (int plane = 0; plane < w->planes; plane++)
        for (int o = 0; o < u->l.chunk && first + o < w->dst.c; o += nr) {
            const float *weights = u->call->packed + (size_t)plane * weight_plane(w) +
                                   (size_t)((first + o) / nr) * panel_count(w);
            for (int r = 0; r < runs; r++)
                multiply(u, v + plane * u->l.v_plane + (ptrdiff_t)r * v_cols * w->src.c, v_cols,
                         weights, m + plane * u->l.m_plane + (ptrdiff_t)r * rows * u->l.chunk + o,
                         rows, nr);
        }
}

static int at_most(int v, int most) {
    return v < most ? v : most;
}

static void transform_output(const run *u, const at_tile_block *b, const float *m, int first) {
    const at_winograd *w = &u->w;
    const at_conv_call *call = u->call;
    const float *bias = call->packed + weights_count(w);
    at_wino_out t = {.y_row = (ptrdiff_t)w->dilation.h * w->dst.w * call->dst_ld,
                     .y_col = (ptrdiff_t)w->dilation.w * call->dst_ld,
                     .v_plane = u->l.m_plane,
                     .bias = bias + first,
                     .c = at_most(w->dst.c - first, u->l.chunk),
                     .add = call->add,
                     .relu = call->relu};
    for (int ty = 0; ty < b->count.h; ty++)
        for (int tx = 0; tx < b->count.w; tx++) {
            int y = b->phase.h + w->dilation.h * w->m * (b->first.h + ty);
            int x = b->phase.w + w->dilation.w * w->m * (b->first.w + tx);
            t.rows = at_most((w->dst.h - y + w->dilation.h - 1) / w->dilation.h, w->m);
            t.cols = at_most((w->dst.w - x + w->dilation.w - 1) / w->dilation.w, w->m);
            t.y = call->dst + (((ptrdiff_t)b->image * w->dst.h + y) * w->dst.w + x) * call->dst_ld +
                  first;
            t.v = m + (ptrdiff_t)(ty * b->count.w + tx) * u->l.chunk;
            w->output(&t);
        }
}

static void run_unit(void *arg, int64_t index, int worker) {
    const run *u = arg;
    at_tile_block b = at_tile_block_at(&u->w, u->l.limit, index);
    float *v = (float *)(void *)(u->call->scratch + u->call->scratch_bytes * (size_t)worker);
    float *m = v + u->w.planes * u->l.v_plane;
    if (b.count.h == 0 || b.count.w == 0) return;
    transform_input(u, &b, v);
    for (int first = 0; first < u->w.dst.c; first += u->l.chunk) {
        multiply_chunk(u, &b, v, m, first);
        transform_output(u, &b, m, first);
    }
}

void at_winograd_run(const at_conv_call *call) {
    run u = {.call = call, .w = at_winograd_make(&call->conv, call->pass)};
    u.l = layout_of(&u.w);
    at_parallel_for(at_tile_block_count(&u.w, u.l.limit), run_unit, &u);
}
