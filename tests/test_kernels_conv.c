/* SPDX-License-Identifier: MIT */
/* Convolution kernels of every level against the naive twins: every tile height, whole and partial
 * panels, several taps, strides between pixels, adding, ReLU; with guards round what is written. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"
#include "nn/nn.h"
#include "tests/near.h"

enum { OUT = 2048, IN = 8192, TAPS = 3, CHANNELS = 7, GUARD = 11 };

typedef struct arrays {
    float out[OUT], a[IN], w[IN], bias[64];
} arrays;

static void fill(arrays *s) {
    at_rng r = at_rng_make(5, AT_RNG_TEST, 0, 0);
    for (int i = 0; i < OUT; i++) s->out[i] = at_rng_normal(&r);
    for (int i = 0; i < IN; i++) s->a[i] = at_rng_normal(&r), s->w[i] = at_rng_normal(&r);
    for (int i = 0; i < 64; i++) s->bias[i] = at_rng_normal(&r);
}

static void compare(const float *got, const float *want) {
    for (int i = 0; i < OUT; i++) assert_near(got[i], want[i], 2e-5);
}

typedef void each_level(const at_kernels *k, const at_kernels *ref);

static void on_levels(each_level *body) {
    for (int i = 1; at_kernels_level(i) != NULL; i++) {
        printf("level %s\n", at_kernels_level(i)->level);
        body(at_kernels_level(i), at_kernels_level(0));
    }
}

/* ref's panels are narrower than the level's: run it on pieces of the tile, with weights repacked.
 */
static void ref_tile(const at_kernels *ref, const at_conv_tile *t, int nr) {
    float w[IN], bias[64] = {0};
    ptrdiff_t tap_w[TAPS];
    int small = ref->conv_nr;
    for (int j0 = 0; j0 < t->n; j0 += small)
        for (int i0 = 0; i0 < t->m; i0 += ref->conv_mr) {
            at_conv_tile p = *t;
            p.n = t->n - j0 < small ? t->n - j0 : small;
            p.m = t->m - i0 < ref->conv_mr ? t->m - i0 : ref->conv_mr;
            for (int s = 0; s < t->taps; s++) {
                tap_w[s] = (ptrdiff_t)s * t->k * small;
                for (int l = 0; l < t->k; l++)
                    for (int j = 0; j < p.n; j++)
                        w[tap_w[s] + l * small + j] =
                            ((const float *)t->w)[t->tap_w[s] + l * nr + j0 + j];
            }
            for (int j = 0; j < p.n && t->bias; j++) bias[j] = t->bias[j0 + j];
            p.w = w, p.tap_w = tap_w, p.bias = t->bias ? bias : NULL;
            p.a = (const float *)t->a + i0 * t->a_ld, p.out = (float *)t->out + i0 * t->out_ld + j0;
            ref->conv_tile(&p);
        }
}

static void tile_case(const at_kernels *k, const at_kernels *ref, int m, int n, int variant) {
    static arrays got, want;
    static const ptrdiff_t tap_a[TAPS] = {0, 13, 5};
    ptrdiff_t tap_w[TAPS];
    for (int s = 0; s < TAPS; s++) tap_w[s] = (ptrdiff_t)(TAPS - 1 - s) * CHANNELS * k->conv_nr;
    fill(&got), fill(&want);
    at_conv_tile t = {.out_ld = n + 3,
                      .a_ld = 9,
                      .tap_a = tap_a,
                      .tap_w = tap_w,
                      .taps = TAPS,
                      .k = CHANNELS,
                      .m = m,
                      .n = n,
                      .add = variant & 1,
                      .relu = (variant & 2) != 0};
    t.out = got.out + GUARD, t.a = got.a + 1, t.w = got.w + 1,
    t.bias = variant & 4 ? got.bias : NULL;
    k->conv_tile(&t);
    t.out = want.out + GUARD, t.a = want.a + 1, t.w = want.w + 1,
    t.bias = variant & 4 ? want.bias : NULL;
    ref_tile(ref, &t, k->conv_nr);
    compare(got.out, want.out);
}

static void tile_level(const at_kernels *k, const at_kernels *ref) {
    int widths[] = {1, k->conv_nr / 2, k->conv_nr / 2 + 1, k->conv_nr - 1, k->conv_nr};
    for (int m = 1; m <= k->conv_mr; m++)
        for (int w = 0; w < 5; w++)
            for (int v = 0; v < 8; v++) tile_case(k, ref, m, widths[w], v);
}

static void test_conv_tile(void **state) {
    (void)state;
    on_levels(tile_level);
}

/* The same in bfloat16, against sums in double over the numbers as rounded. */
static double dot_truth(const at_conv_tile *t, int nr, int i, int j, double before) {
    const at_kernels *ref = at_kernels_level(0);
    double sum = t->bias ? t->bias[j] : 0;
    for (int s = 0; s < t->taps; s++)
        for (int l = 0; l < t->k; l++) {
            float a, w;
            ref->widen(&a, (const uint16_t *)t->a + t->tap_a[s] + i * t->a_ld + l, 1, 1, 1);
            ref->widen(&w, (const uint16_t *)t->w + t->tap_w[s] + (l / 2 * nr + j) * 2 + l % 2, 1,
                       1, 1);
            sum += (double)a * w;
        }
    if (t->add) sum += before;
    return t->relu && sum < 0 ? 0 : sum;
}

static void dot_case(const at_kernels *k, int m, int n, int channels, int variant) {
    static arrays s;
    static uint16_t a[IN], w[IN], narrow_out[OUT];
    static float before[OUT];
    static const ptrdiff_t tap_a[TAPS] = {0, 13, 5};
    ptrdiff_t tap_w[TAPS];
    const at_kernels *ref = at_kernels_level(0);
    for (int i = 0; i < TAPS; i++) tap_w[i] = (ptrdiff_t)(TAPS - 1 - i) * channels * k->dot_nr;
    fill(&s);
    ref->narrow(a, IN, s.a, 1, IN), ref->narrow(w, IN, s.w, 1, IN);
    ref->narrow(narrow_out, OUT, s.out, 1, OUT), ref->widen(before, narrow_out, OUT, 1, OUT);
    at_conv_tile t = {.out_ld = n + 3,
                      .a = a + 1,
                      .a_ld = channels + 2,
                      .tap_a = tap_a,
                      .tap_w = tap_w,
                      .w = w,
                      .bias = variant & 4 ? s.bias : NULL,
                      .taps = TAPS,
                      .k = channels,
                      .m = m,
                      .n = n,
                      .bf16 = (variant & 8) != 0,
                      .add = variant & 1,
                      .relu = (variant & 2) != 0};
    memcpy(s.out, before, sizeof before);
    t.out = t.bf16 ? (void *)(narrow_out + GUARD) : (void *)(s.out + GUARD);
    k->conv_dot(&t);
    if (t.bf16) ref->widen(s.out, narrow_out, OUT, 1, OUT);
    for (int at = 0; at < OUT; at++) {
        int i = (at - GUARD) / (n + 3), j = (at - GUARD) % (n + 3);
        double want =
            at >= GUARD && i < m && j < n ? dot_truth(&t, k->dot_nr, i, j, before[at]) : before[at];
        assert_near(s.out[at], want, t.bf16 ? 0.01 * (1 + fabs(want)) : 1e-4);
    }
}

static void test_conv_dot(void **state) {
    static const int channels[] = {2, 6, 32, 36};
    (void)state;
    for (int l = 0; at_kernels_level(l) != NULL; l++) {
        const at_kernels *k = at_kernels_level(l);
        int widths[] = {1, k->dot_nr / 2, k->dot_nr / 2 + 1, k->dot_nr};
        for (int m = 1; m <= k->dot_mr; m++)
            for (int i = 0; i < 16; i++) dot_case(k, m, widths[i % 4], channels[(i + m) % 4], i);
    }
}

static void dw_case(const at_kernels *k, const at_kernels *ref, int m, int n) {
    static arrays got, want;
    fill(&got), fill(&want);
    at_conv_dw_tile t = {.dw_ld = n + 2,
                         .x = got.a + 1,
                         .dy = got.w + 3,
                         .x_row = 301,
                         .x_ld = 17,
                         .dy_row = 290,
                         .dy_ld = 37,
                         .rows = 3,
                         .pixels = 7,
                         .m = m,
                         .n = n};
    t.dw = got.out + GUARD;
    k->conv_dw_tile(&t);
    t.dw = want.out + GUARD;
    ref->conv_dw_tile(&t);
    compare(got.out, want.out);
}

static void dw_level(const at_kernels *k, const at_kernels *ref) {
    int widths[] = {1, k->conv_nr / 2, k->conv_nr / 2 + 1, k->conv_nr - 1, k->conv_nr};
    for (int m = 1; m <= k->conv_mr; m++)
        for (int w = 0; w < 5; w++) dw_case(k, ref, m, widths[w]);
}

static void test_conv_dw_tile(void **state) {
    (void)state;
    on_levels(dw_level);
}

static void depthwise_level(const at_kernels *k, const at_kernels *ref) {
    static arrays got, want;
    static const ptrdiff_t tap_a[TAPS] = {0, 40, 7};
    for (int c = 1; c < 40; c += 3)
        for (int v = 0; v < 4; v++) {
            ptrdiff_t tap_w[TAPS] = {2 * c, 0, c};
            fill(&got), fill(&want);
            at_depthwise t = {.out = got.out + GUARD,
                              .out_ld = c + 5,
                              .a = got.a + 1,
                              .a_ld = 41,
                              .tap_a = tap_a,
                              .tap_w = tap_w,
                              .w = got.w + 1,
                              .bias = got.bias + 1,
                              .taps = TAPS,
                              .pixels = 6,
                              .c = c,
                              .add = v & 1,
                              .relu = (v & 2) != 0};
            k->depthwise(&t);
            t.out = want.out + GUARD;
            ref->depthwise(&t);
            compare(got.out, want.out);
            at_depthwise_dw d = {.dw = got.out + GUARD,
                                 .x = got.a,
                                 .dy = got.w + 1,
                                 .x_row = 300,
                                 .x_ld = 41,
                                 .dy_row = 250,
                                 .dy_ld = 40,
                                 .rows = 2,
                                 .pixels = 5,
                                 .c = c};
            k->depthwise_dw(&d);
            d.dw = want.out + GUARD;
            ref->depthwise_dw(&d);
            compare(got.out, want.out);
        }
}

static void test_depthwise(void **state) {
    (void)state;
    on_levels(depthwise_level);
}

static void sum_level(const at_kernels *k, const at_kernels *ref) {
    static arrays got, want;
    for (int c = 1; c < 70; c += 4)
        for (int pixels = 0; pixels < 10; pixels += 3) {
            fill(&got), fill(&want);
            k->pixel_sum(got.out + GUARD, got.a + 1, c + 2, pixels, c);
            ref->pixel_sum(want.out + GUARD, got.a + 1, c + 2, pixels, c);
            compare(got.out, want.out);
        }
}

static void test_pixel_sum(void **state) {
    (void)state;
    on_levels(sum_level);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conv_tile), cmocka_unit_test(test_conv_dot),
        cmocka_unit_test(test_conv_dw_tile), cmocka_unit_test(test_depthwise),
        cmocka_unit_test(test_pixel_sum)};
    return cmocka_run_group_tests_name("conv kernels", tests, NULL, NULL);
}
