/* SPDX-License-Identifier: MIT */
/* Weight gradients with bf16 products. For one tap, dw = X^T dY over all pixels: a matrix product
 * whose long side is the pixels, which conv_dot sums as "channels" in pairs, row of the image by
 * row. For that each row of x is transposed to [channel][pixel], with zeros where it is outside,
 * and a row of dy stands as [pairs of pixels][channel]. Along a row taps are shifts of one
 * transposed row; where there is a stride each tap has a row of its own.
 *
 * A unit owns a range of source channels, one of destination channels and a share of the rows, with
 * sums of its own, which are added in order at the end. */
#include <string.h>

#include "layers/conv.h"
#include "nn/kernels/kernels.h"

enum {
    SUM_BYTES = 1 << 20,   /* of a unit's sums */
    BLOCK_BYTES = 3 << 18, /* of transposed rows at a time */
    MOST_ROWS = 32,        /* in a block */
    UNITS = 8,             /* at least */
};

typedef struct dot_dw {
    const at_conv *conv;
    at_tensor x, dy;
    float *dw, *sums;
    char *scratch;
    size_t scratch_bytes;
    int nr;
    int pixels; /* of a row of dy, rounded up for conv_dot */
    int shifts; /* transposed rows of one row of x: 1, or one a tap */
    int pitch;  /* elements of a transposed row */
    int ic, oc; /* channels of a range at most; oc is whole panels */
    int ic_ranges, oc_ranges, shares;
    int rows;   /* of dy in a block */
    size_t sum; /* floats of a unit's sums, [tap][ic][oc] */
} dot_dw;

static int ceil_div(int a, int b) {
    return (a + b - 1) / b;
}

static int smaller(int a, int b) {
    return a < b ? a : b;
}

/* Halves the longer range until the sums fit. */
static void choose_ranges(dot_dw *d) {
    int taps = d->conv->kernel.h * d->conv->kernel.w;
    d->ic = d->conv->x.c;
    d->oc = ceil_div(d->conv->y.c, d->nr) * d->nr;
    while ((int64_t)taps * d->ic * d->oc * 4 > SUM_BYTES && (d->ic > d->nr || d->oc > d->nr)) {
        if (d->oc > d->ic)
            d->oc = ceil_div(d->oc / d->nr, 2) * d->nr;
        else
            d->ic = ceil_div(d->ic, 2);
    }
    d->ic_ranges = ceil_div(d->conv->x.c, d->ic);
    d->oc_ranges = ceil_div(d->conv->y.c, d->oc);
    int ranges = d->ic_ranges * d->oc_ranges;
    d->shares = smaller(ranges >= UNITS ? 1 : ceil_div(UNITS, ranges), d->conv->y.n * d->conv->y.h);
    d->sum = (size_t)taps * (size_t)d->ic * (size_t)d->oc;
}

static dot_dw setup(const at_conv *c) {
    dot_dw d = {.conv = c, .nr = at_kernels_get()->dot_nr};
    int pieces = ceil_div(c->y.w, 32);
    d.pixels = ceil_div(c->y.w, 2 * pieces) * 2 * pieces;
    bool shift = c->stride.w == 1;
    d.shifts = shift ? 1 : c->kernel.w;
    d.pitch = d.pixels + (shift ? (c->kernel.w - 1) * c->dilation.w : 0);
    d.pitch = ceil_div(d.pitch, 32) * 32;
    choose_ranges(&d);
    int64_t row = 2 * ((int64_t)d.shifts * d.ic * d.pitch + (int64_t)d.pixels * d.oc);
    d.rows = BLOCK_BYTES / row < 1 ? 1 : smaller((int)(BLOCK_BYTES / row), MOST_ROWS);
    return d;
}

bool at_dot_dw_fits(const at_conv *c) {
    return at_kernels_get()->dot_gain > 1 && c->groups == 1 && c->dilation.w <= c->x.w;
}

size_t at_dot_dw_work_bytes(const at_conv *c) {
    dot_dw d = setup(c);
    return (size_t)(d.ic_ranges * d.oc_ranges * d.shares) * d.sum * sizeof(float);
}

/* Transposed rows of x, rows of dy in pairs, and one row of x in pairs. */
static size_t x_bytes(const dot_dw *d) {
    return 2 * (size_t)d->rows * (size_t)d->shifts * (size_t)d->ic * (size_t)d->pitch;
}
static size_t dy_bytes(const dot_dw *d) {
    return 2 * (size_t)d->rows * (size_t)d->pixels * (size_t)d->oc;
}
size_t at_dot_dw_scratch_bytes(const at_conv *c) {
    dot_dw d = setup(c);
    return x_bytes(&d) + dy_bytes(&d) + 2 * (size_t)d.pitch * (size_t)d.ic;
}

/* ---- one unit ---- */

typedef struct unit {
    int i0, ic, o0, oc; /* its channels */
    uint16_t *x, *dy;
    uint32_t *pairs;
    float *sum;
} unit;

/* Pixels first, first + step, ... of a row of x stand from column `at` of the transposed row on, as
 * many as are inside; the rest is zero. */
static void transpose_row(const dot_dw *d, const unit *u, int64_t row, int first, int count,
                          uint16_t *out) {
    const at_kernels *k = at_kernels_get();
    int step = d->conv->stride.w, size = d->conv->x.w;
    int skip = first < 0 ? ceil_div(-first, step) : 0;
    int end = first >= size ? 0 : smaller(count, ceil_div(size - first, step));
    int odd = skip & 1, pairs = end > skip ? ceil_div(end - skip + odd, 2) : 0;
    memset(out, 0, 2 * (size_t)u->ic * (size_t)d->pitch);
    if (pairs == 0) return;
    const uint16_t *x = at_element(d->x, (row * size + first + skip * step) * d->x.ld + u->i0);
    ptrdiff_t ld = step * d->x.ld;
    if (odd) { /* the first one is the second of its pair */
        for (int j = 0; j < u->ic; j++) u->pairs[j] = (uint32_t)x[j] << 16;
        k->pair_rows(u->pairs + u->ic, u->ic, x + ld, ld, end - skip - 1, u->ic);
    } else {
        k->pair_rows(u->pairs, u->ic, x, ld, end - skip, u->ic);
    }
    k->transpose((float *)(void *)(out + skip - odd), d->pitch / 2, (float *)(void *)u->pairs,
                 u->ic, pairs, u->ic);
}

static void pack_x(const dot_dw *d, const unit *u, int64_t row, int slot) {
    const at_conv *c = d->conv;
    uint16_t *out = u->x + (ptrdiff_t)slot * d->shifts * d->ic * d->pitch;
    for (int s = 0; s < d->shifts; s++, out += d->ic * d->pitch)
        transpose_row(d, u, row, s * c->dilation.w - c->padding.w,
                      d->shifts > 1 ? c->y.w : c->y.w + (c->kernel.w - 1) * c->dilation.w, out);
}

/* [panel][pairs of pixels][nr] */
static void pack_dy(const dot_dw *d, const unit *u, int64_t row, int slot) {
    const at_conv *c = d->conv;
    for (int o = 0; o < u->oc; o += d->nr) {
        uint16_t *out = u->dy + ((ptrdiff_t)slot * d->oc + o) * d->pixels;
        const uint16_t *dy = at_element(d->dy, row * c->y.w * d->dy.ld + u->o0 + o);
        memset(out, 0, 2 * (size_t)d->pixels * (size_t)d->nr);
        at_kernels_get()->pair_rows((uint32_t *)(void *)out, d->nr, dy, d->dy.ld, c->y.w,
                                    smaller(d->nr, u->oc - o));
    }
}

/* Rows of a block that a tap's row of the kernel meets: where they lie. */
typedef struct block {
    ptrdiff_t x[MOST_ROWS], dy[MOST_ROWS];
    int count;
} block;

/* One tap. */
static void accumulate(const dot_dw *d, const unit *u, const block *b, int ky, int kx) {
    const at_kernels *k = at_kernels_get();
    int mr = k->dot_mr, calls = ceil_div(u->ic, mr);
    float *sum = u->sum + (ptrdiff_t)(ky * d->conv->kernel.w + kx) * d->ic * d->oc;
    ptrdiff_t shift = d->shifts > 1 ? (ptrdiff_t)kx * d->ic * d->pitch : kx * d->conv->dilation.w;
    at_conv_tile t = {.out_ld = d->oc,
                      .a_ld = d->pitch,
                      .tap_a = b->x,
                      .tap_w = b->dy,
                      .taps = b->count,
                      .k = d->pixels,
                      .n = d->nr,
                      .add = true};
    for (int i = 0; i < calls; i++) {
        int from = u->ic * i / calls;
        t.m = u->ic * (i + 1) / calls - from;
        t.a = u->x + shift + (ptrdiff_t)from * d->pitch;
        for (int o = 0; o < u->oc; o += d->nr) {
            t.w = u->dy + (ptrdiff_t)o * d->pixels;
            t.out = sum + (ptrdiff_t)from * d->oc + o;
            k->conv_dot(&t);
        }
    }
}

/* Rows y0 .. y1 - 1 of one image. */
static void do_block(const dot_dw *d, const unit *u, int image, int y0, int y1) {
    const at_conv *c = d->conv;
    for (int y = y0; y < y1; y++) pack_dy(d, u, (int64_t)image * c->y.h + y, y - y0);
    for (int ky = 0; ky < c->kernel.h; ky++) {
        block b = {.count = 0};
        for (int y = y0; y < y1; y++) {
            int row = y * c->stride.h + ky * c->dilation.h - c->padding.h;
            if (row < 0 || row >= c->x.h) continue;
            pack_x(d, u, (int64_t)image * c->x.h + row, b.count);
            b.x[b.count] = (ptrdiff_t)b.count * d->shifts * d->ic * d->pitch;
            b.dy[b.count++] = (ptrdiff_t)(y - y0) * d->oc * d->pixels;
        }
        for (int kx = 0; kx < c->kernel.w && b.count > 0; kx++) accumulate(d, u, &b, ky, kx);
    }
}

static void unit_body(void *arg, int64_t index, int worker) {
    const dot_dw *d = arg;
    const at_conv *c = d->conv;
    int share = (int)(index % d->shares), range = (int)(index / d->shares);
    unit u = {.i0 = range % d->ic_ranges * d->ic, .o0 = range / d->ic_ranges * d->oc};
    u.ic = smaller(d->ic, c->x.c - u.i0);
    u.oc = smaller(d->oc, c->y.c - u.o0);
    u.x = (uint16_t *)(void *)(d->scratch + d->scratch_bytes * (size_t)worker);
    u.dy = u.x + x_bytes(d) / 2;
    u.pairs = (uint32_t *)(void *)(u.dy + dy_bytes(d) / 2);
    u.sum = d->sums + (size_t)index * d->sum;
    memset(u.sum, 0, d->sum * sizeof *u.sum);
    int64_t all = (int64_t)c->y.n * c->y.h;
    int64_t row = all * share / d->shares, end = all * (share + 1) / d->shares;
    while (row < end) {
        int y0 = (int)(row % c->y.h), y1 = smaller(y0 + d->rows, c->y.h);
        if (y1 - y0 > end - row) y1 = y0 + (int)(end - row);
        do_block(d, &u, (int)(row / c->y.h), y0, y1);
        row += y1 - y0;
    }
}

/* ---- the end: one source channel of one tap, shares added ---- */

static void finish_body(void *arg, int64_t index, int worker) {
    const dot_dw *d = arg;
    const at_conv *c = d->conv;
    int i = (int)(index % c->x.c), tap = (int)(index / c->x.c);
    float *dw = d->dw + index * c->y.c;
    (void)worker;
    for (int r = 0; r < d->oc_ranges; r++) {
        int o0 = r * d->oc, count = smaller(d->oc, c->y.c - o0);
        int range = r * d->ic_ranges + i / d->ic;
        for (int s = 0; s < d->shares; s++) {
            const float *sum = d->sums + (size_t)(range * d->shares + s) * d->sum +
                               ((ptrdiff_t)tap * d->ic + i % d->ic) * d->oc;
            for (int o = 0; o < count; o++) dw[o0 + o] += sum[o];
        }
    }
}

void at_dot_dw(const at_conv *c, at_tensor x, at_tensor dy, float *dw, void *work, char *scratch,
               size_t scratch_bytes) {
    dot_dw d = setup(c);
    d.x = x;
    d.dy = dy;
    d.dw = dw;
    d.sums = work;
    d.scratch = scratch;
    d.scratch_bytes = scratch_bytes;
    at_parallel_for((int64_t)d.ic_ranges * d.oc_ranges * d.shares, unit_body, &d);
    at_parallel_for((int64_t)c->kernel.h * c->kernel.w * c->x.c, finish_body, &d);
}
