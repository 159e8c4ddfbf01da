/* SPDX-License-Identifier: MIT */
/* Pooling kernels of every level against the naive ones: windows that overlap, dilate, hang over
 * the edge or leave places out; channel counts around the vector's; slices of wider, unaligned
 * arrays, whose other elements must stay as they are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"

enum { H = 9, W = 7, MAX_C = 37, LD = MAX_C + 11, PLANE = (H + 1) * (W + 1) * LD };

typedef struct planes {
    _Alignas(64) float large[PLANE];
    float small[PLANE];
    uint8_t code[PLANE];
} planes;

/* kernel, stride, padding, dilation (height, width), ceil mode */
typedef struct geometry {
    int k[2], s[2], p[2], d[2], ceil;
} geometry;

static const geometry geometries[] = {
    {{2, 2}, {2, 2}, {0, 0}, {1, 1}, 0}, {{2, 2}, {2, 2}, {0, 0}, {1, 1}, 1},
    {{3, 2}, {3, 2}, {0, 0}, {1, 1}, 1}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, 0},
    {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 0}, {{3, 2}, {1, 2}, {1, 1}, {1, 1}, 1},
    {{2, 3}, {3, 4}, {0, 1}, {1, 1}, 0}, {{3, 2}, {2, 1}, {1, 0}, {2, 3}, 0},
    {{4, 1}, {2, 1}, {2, 0}, {1, 1}, 1}, {{9, 7}, {9, 7}, {0, 0}, {1, 1}, 0},
};

static int size(const geometry *g, int axis, int in) {
    int room = in + 2 * g->p[axis] - g->d[axis] * (g->k[axis] - 1) - 1;
    int out = (room + (g->ceil ? g->s[axis] - 1 : 0)) / g->s[axis] + 1;
    return (out - 1) * g->s[axis] >= in + g->p[axis] ? out - 1 : out;
}

static at_pool pool_of(const geometry *g, planes *m, int c) {
    return (at_pool){.large = m->large + 1,
                     .small = m->small + 3,
                     .code = m->code + 1,
                     .large_ld = LD,
                     .small_ld = LD - 1,
                     .code_ld = LD - 2,
                     .h = H,
                     .w = W,
                     .out_h = size(g, 0, H),
                     .out_w = size(g, 1, W),
                     .c = c,
                     .kernel_h = g->k[0],
                     .kernel_w = g->k[1],
                     .stride_h = g->s[0],
                     .stride_w = g->s[1],
                     .pad_h = g->p[0],
                     .pad_w = g->p[1],
                     .dilation_h = g->d[0],
                     .dilation_w = g->d[1]};
}

/* Few values, so that equal ones are common; now and then one that is not a number. */
static void fill(planes *m, bool nan) {
    srand(7);
    for (int i = 0; i < PLANE; i++) {
        m->large[i] = nan && rand() % 50 == 0 ? NAN : (float)(rand() % 7 - 3);
        m->small[i] = (float)(rand() % 1000) / 64 - 5;
        m->code[i] = 255;
    }
}

static void assert_same(const float *a, const float *b, double tolerance) {
    for (int i = 0; i < PLANE; i++) {
        if (isnan(a[i]) && isnan(b[i])) continue;
        if (!(fabs((double)a[i] - b[i]) <= tolerance)) fail_msg("[%d]: %g, not %g", i, a[i], b[i]);
    }
}

static void assert_planes(const planes *a, const planes *b, double tolerance) {
    assert_same(a->large, b->large, tolerance);
    assert_same(a->small, b->small, tolerance);
    assert_memory_equal(a->code, b->code, PLANE);
}

/* The small integers and sums of a few that the planes hold are exact in bfloat16, but for those of
 * `small`, which only move. */
static void narrow(at_pool *p, planes *m, uint16_t *large, uint16_t *small) {
    at_kernels_level(0)->narrow(large, PLANE, m->large, 1, PLANE);
    at_kernels_level(0)->narrow(small, PLANE, m->small, 1, PLANE);
    p->large = large + 1, p->small = small + 3, p->bf16 = true;
}

static void widen(planes *m, const uint16_t *large, const uint16_t *small) {
    at_kernels_level(0)->widen(m->large, large, PLANE, 1, PLANE);
    at_kernels_level(0)->widen(m->small, small, PLANE, 1, PLANE);
}

static void run_max_bf16(const at_kernels *k, const geometry *g, planes *m, int c, bool add) {
    static uint16_t large[PLANE], small[PLANE];
    at_pool p = pool_of(g, m, c);
    int half = H / 2 / p.kernel_h * p.kernel_h;
    fill(m, !add);
    narrow(&p, m, large, small);
    for (int row = 0; row < p.out_h; row++) k->max_pool(&p, row);
    p.add = add && at_pool_tiled(&p); /* elsewhere sums are rounded in another order */
    k->max_scatter(&p, half, H, p.add);
    k->max_scatter(&p, 0, half, p.add);
    p.add = add;
    for (int row = 0; row < p.out_h; row++) k->max_gather(&p, row);
    widen(m, large, small);
}

/* All kernels of a table, one after the other: the codes of max_pool feed the rest. */
static void run_max(const at_kernels *k, const geometry *g, planes *m, int c, bool add) {
    at_pool p = pool_of(g, m, c);
    int half = H / 2 / p.kernel_h * p.kernel_h;
    fill(m, !add);
    if (!add) p.large = m->large; /* aligned, as what is written past the caches must be */
    for (int row = 0; row < p.out_h; row++) k->max_pool(&p, row);
    p.add = add;
    p.stream = true;
    for (int i = 0; i < PLANE; i++) m->large[i] = add ? (float)(i % 11) : NAN;
    k->max_scatter(&p, half, H, true);
    k->max_scatter(&p, 0, half, add);
    for (int row = 0; row < p.out_h; row++) k->max_gather(&p, row);
    p.code = NULL;
    k->max_pool(&p, p.out_h - 1);
}

static void run_avg(const at_kernels *k, const geometry *g, planes *m, int c, bool add) {
    at_pool p = pool_of(g, m, c);
    fill(m, false);
    p.add = add;
    p.exclude_pad = c % 2;
    for (int row = 0; row < p.out_h; row++) k->avg_pool(&p, row);
    for (int y = 0; y < H; y++) k->davg_pool(&p, y);
}

static void compare(void (*run)(const at_kernels *, const geometry *, planes *, int, bool),
                    double tolerance, bool dilated) {
    static const int channels[] = {1, 3, 4, 11, 16, 35, MAX_C};
    static planes want, got;
    for (size_t i = 0; i < sizeof geometries / sizeof *geometries; i++)
        for (size_t j = 0; j < 2 * sizeof channels / sizeof *channels; j++) {
            if (!dilated && geometries[i].d[0] > 1) continue;
            run(at_kernels_level(0), &geometries[i], &want, channels[j / 2], j % 2);
            for (int l = 1; at_kernels_level(l) != NULL; l++) {
                run(at_kernels_level(l), &geometries[i], &got, channels[j / 2], j % 2);
                assert_planes(&got, &want, tolerance);
            }
        }
}

static void test_max(void **state) {
    (void)state;
    compare(run_max, 0, true);
    compare(run_max_bf16, 0, true);
}

static void test_avg(void **state) {
    (void)state;
    compare(run_avg, 1e-4, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_max), cmocka_unit_test(test_avg)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
