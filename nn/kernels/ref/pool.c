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

static float *large(const at_pool *p, int y, int x) {
    return p->large + ((ptrdiff_t)y * p->w + x) * p->large_ld;
}

static float *small(const at_pool *p, int y, int x) {
    return p->small + ((ptrdiff_t)y * p->out_w + x) * p->small_ld;
}

static uint8_t *code(const at_pool *p, int y, int x) {
    return p->code + ((ptrdiff_t)y * p->out_w + x) * p->code_ld;
}

static void put(const at_pool *p, float *place, float value) {
    *place = p->add ? *place + value : value;
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
                    float v = large(p, y, x)[c];
                    if (at >= 0 && !(v > best) && !isnan(v)) continue;
                    best = v;
                    at = i * p->kernel_w + j;
                }
            small(p, row, o)[c] = best;
            if (p->code != NULL) code(p, row, o)[c] = (uint8_t)at;
        }
}

/* The place that window (oy, ox) took in channel c. */
static bool taken(const at_pool *p, int oy, int ox, int c, int *y, int *x) {
    int at = code(p, oy, ox)[c];
    return tap(p, oy, ox, at / p->kernel_w, at % p->kernel_w, y, x);
}

void at_max_scatter_ref(const at_pool *p, int y0, int y1, bool sum) {
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < p->w; x++)
            for (int c = 0; c < p->c; c++) {
                float total = 0;
                for (int oy = 0; oy < p->out_h; oy++)
                    for (int ox = 0; ox < p->out_w; ox++) {
                        int ty, tx;
                        if (!taken(p, oy, ox, c, &ty, &tx) || ty != y || tx != x) continue;
                        total = (sum ? total : 0) + small(p, oy, ox)[c];
                    }
                put(p, &large(p, y, x)[c], total);
            }
}

void at_max_gather_ref(const at_pool *p, int row) {
    for (int o = 0; o < p->out_w; o++)
        for (int c = 0; c < p->c; c++) {
            int y, x, ty, tx;
            bool mine = taken(p, row, o, c, &y, &x);
            for (int later = row * p->out_w + o + 1; later < p->out_h * p->out_w; later++)
                if (taken(p, later / p->out_w, later % p->out_w, c, &ty, &tx) && ty == y && tx == x)
                    mine = false;
            put(p, &small(p, row, o)[c], mine ? large(p, y, x)[c] : 0);
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
                    if (tap(p, row, o, i, j, &y, &x)) sum += large(p, y, x)[c];
            put(p, &small(p, row, o)[c], (float)(sum / divisor(p, row, o)));
        }
}

void at_davg_pool_ref(const at_pool *p, int y) {
    int ty, tx;
    for (int x = 0; x < p->w; x++)
        for (int c = 0; c < p->c; c++) {
            double sum = 0;
            for (int o = 0; o < p->out_h * p->out_w; o++)
                for (int i = 0; i < p->kernel_h * p->kernel_w; i++) {
                    int oy = o / p->out_w, ox = o % p->out_w;
                    bool inside = tap(p, oy, ox, i / p->kernel_w, i % p->kernel_w, &ty, &tx);
                    if (inside && ty == y && tx == x)
                        sum += (double)small(p, oy, ox)[c] / divisor(p, oy, ox);
                }
            put(p, &large(p, y, x)[c], (float)sum);
        }
}
