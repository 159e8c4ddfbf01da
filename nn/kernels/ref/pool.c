/* SPDX-License-Identifier: MIT */
/* What the pooling kernels compute, as plainly as it can be said. */
#include <math.h>

#include "nn/kernels/ref/ref.h"

/* Row and column of a tap; whether it lies inside. */
static bool tap(const at_pool *p, int oy, int ox, int i, int j, int *y, int *x) {
    *y = oy * p->stride_h - p->pad_h + i * p->dilation_h;
    *x = ox * p->stride_w - p->pad_w + j * p->dilation_w;
    return *y >= 0 && *y < p->h && *x >= 0 && *x < p->w;
}

/* Element (y, x, c) of the planes. */
static ptrdiff_t large(const at_pool *p, int y, int x, int c) {
    return ((ptrdiff_t)y * p->w + x) * p->large_ld + c;
}

static ptrdiff_t small(const at_pool *p, int y, int x, int c) {
    return ((ptrdiff_t)y * p->out_w + x) * p->small_ld + c;
}

static uint8_t *code(const at_pool *p, int y, int x) {
    return p->code + ((ptrdiff_t)y * p->out_w + x) * p->code_ld;
}

static float get(const at_pool *p, const void *plane, ptrdiff_t at) {
    return at_ref_load(plane, at, p->bf16);
}

static void put(const at_pool *p, void *plane, ptrdiff_t at, float value, bool add) {
    at_ref_store(plane, at, add ? get(p, plane, at) + value : value, p->bf16);
}

void at_max_pool_ref(const at_pool *p, int row) {
    int y, x;
    for (int o = 0; o < p->out_w; o++)
        for (int c = 0; c < p->c; c++) {
            float best = 0;
            int at = -1;
            for (int i = 0; i < p->kernel_h; i++)
                for (int j = 0; j < p->kernel_w; j++) {
                    if (!tap(p, row, o, i, j, &y, &x)) continue;
                    float v = get(p, p->large, large(p, y, x, c));
                    if (at >= 0 && !(v > best) && !isnan(v)) continue;
                    best = v;
                    at = i * p->kernel_w + j;
                }
            put(p, p->small, small(p, row, o, c), best, false);
            if (p->code != NULL) code(p, row, o)[c] = (uint8_t)at;
        }
}

/* The place that window (oy, ox) took in channel c. */
static bool taken(const at_pool *p, int oy, int ox, int c, int *y, int *x) {
    int at = code(p, oy, ox)[c];
    return tap(p, oy, ox, at / p->kernel_w, at % p->kernel_w, y, x);
}

void at_max_scatter_ref(const at_pool *p, int y0, int y1, bool sum) {
    int y, x;
    for (int i = y0 * p->w; i < y1 * p->w && !p->add; i++)
        for (int c = 0; c < p->c; c++) put(p, p->large, large(p, i / p->w, i % p->w, c), 0, false);
    for (int o = 0; o < p->out_h * p->out_w; o++)
        for (int c = 0; c < p->c; c++) {
            int oy = o / p->out_w, ox = o % p->out_w;
            if (!taken(p, oy, ox, c, &y, &x) || y < y0 || y >= y1) continue;
            float v = get(p, p->small, small(p, oy, ox, c));
            put(p, p->large, large(p, y, x, c), v, sum);
        }
}

/* Did a window after the o-th take this place too? */
static bool taken_later(const at_pool *p, int o, int c, int y, int x) {
    int ty, tx;
    for (int later = o + 1; later < p->out_h * p->out_w; later++) {
        int oy = later / p->out_w;
        if (oy * p->stride_h - p->pad_h > y) break; /* begins below */
        if (taken(p, oy, later % p->out_w, c, &ty, &tx) && ty == y && tx == x) return true;
    }
    return false;
}

void at_max_gather_ref(const at_pool *p, int row) {
    for (int o = 0; o < p->out_w; o++)
        for (int c = 0; c < p->c; c++) {
            int y, x;
            bool mine = taken(p, row, o, c, &y, &x) && !taken_later(p, row * p->out_w + o, c, y, x);
            float v = mine ? get(p, p->large, large(p, y, x, c)) : 0;
            put(p, p->small, small(p, row, o, c), v, p->add);
        }
}

/* What a window divides by: its taps inside, or its part of the padded plane. */
static int divisor(const at_pool *p, int oy, int ox) {
    int count = 0;
    for (int i = 0; i < p->kernel_h; i++)
        for (int j = 0; j < p->kernel_w; j++) {
            int y, x;
            bool inside = tap(p, oy, ox, i, j, &y, &x);
            count += p->exclude_pad ? inside : y < p->h + p->pad_h && x < p->w + p->pad_w;
        }
    return count;
}

void at_avg_pool_ref(const at_pool *p, int row) {
    int y, x;
    for (int o = 0; o < p->out_w; o++)
        for (int c = 0; c < p->c; c++) {
            double sum = 0;
            for (int i = 0; i < p->kernel_h; i++)
                for (int j = 0; j < p->kernel_w; j++)
                    if (tap(p, row, o, i, j, &y, &x)) sum += get(p, p->large, large(p, y, x, c));
            put(p, p->small, small(p, row, o, c), (float)(sum / divisor(p, row, o)), p->add);
        }
}

void at_davg_pool_ref(const at_pool *p, int y) {
    for (int x = 0; x < p->w; x++) {
        for (int c = 0; c < p->c && !p->add; c++) put(p, p->large, large(p, y, x, c), 0, false);
        for (int o = 0; o < p->out_h * p->out_w; o++) {
            int i = y - (o / p->out_w * p->stride_h - p->pad_h);
            int j = x - (o % p->out_w * p->stride_w - p->pad_w);
            if (i < 0 || i >= p->kernel_h || j < 0 || j >= p->kernel_w) continue;
            int count = divisor(p, o / p->out_w, o % p->out_w);
            for (int c = 0; c < p->c; c++) {
                float v = get(p, p->small, small(p, o / p->out_w, o % p->out_w, c));
                put(p, p->large, large(p, y, x, c), v / (float)count, true);
            }
        }
    }
}
