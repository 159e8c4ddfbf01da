/* SPDX-License-Identifier: MIT */
/* Resampling kernels of every level against the naive ones: tables with any number of taps, none
 * included; channel counts around the vector's; slices of wider, unaligned arrays, whose other
 * elements must stay as they are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"

enum { IN = 13, OUT = 9, ROWS = 7, MAX_C = 70, LD = MAX_C + 3, SIZE = (IN + 1) * LD };

static const int32_t begin[OUT + 1] = {0, 2, 3, 5, 9, 9, 11, 15, 27, 28};
static const int32_t index_[28] = {0, 1, 3, 2, 4, 0, 1, 2, 3, 4, 5,  9,  8,  7,
                                   6, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12};
static float weight[28], x[ROWS * SIZE];

static float number(void) {
    return (float)(rand() % 2001 - 1000) / 500;
}

static void fill(float *p, int count) {
    for (int i = 0; i < count; i++) p[i] = number();
}

/* Rounded to bf16, two numbers that are all but equal may become neighbours. */
static void assert_close(const float *a, const float *b, int count, bool bf16) {
    for (int i = 0; i < count; i++)
        if (!(fabsf(a[i] - b[i]) <= (bf16 ? 0x1p-7f * (1 + fabsf(b[i])) : 2e-5f)))
            fail_msg("[%d]: %g, not %g", i, a[i], b[i]);
}

static void rows_of(const at_kernels *k, float *out, int taps, ptrdiff_t ld, int c, bool bf16) {
    at_taps t = {index_ + 7, weight, taps}; /* rows 2, 3, 4, 5 and on */
    static uint16_t narrow[ROWS * SIZE];
    at_kernels_level(0)->narrow(narrow, 1, x, ROWS * SIZE, 1);
    fill(out, SIZE);
    k->blend_rows(out + 1, bf16 ? (void *)(narrow + 1) : (void *)(x + 1), bf16, SIZE / 2, ld, t,
                  IN - 1, c);
}

static void pixels_of(const at_kernels *k, float *out, int c, bool add, bool bf16) {
    at_resample r = {OUT, begin, index_, weight};
    static uint16_t narrow[SIZE];
    fill(out, SIZE);
    if (bf16) at_kernels_level(0)->narrow(narrow, 1, out, SIZE, 1);
    k->mix_pixels(bf16 ? (void *)(narrow + 3) : (void *)(out + 3), bf16, LD - 1, x + 1, LD, &r, c,
                  add);
    if (bf16) at_kernels_level(0)->widen(out, narrow, 1, SIZE, 1);
}

static void compare(int c, int variant, bool bf16) {
    static float want[SIZE], got[SIZE];
    static const int taps[] = {0, 1, 2, 4};
    for (int l = 1; at_kernels_level(l) != NULL; l++) {
        for (int i = 0; i < 2; i++) {
            const at_kernels *k = at_kernels_level(i ? l : 0);
            srand(3);
            rows_of(k, i ? got : want, taps[variant], variant % 2 ? LD : c, c, bf16);
        }
        assert_close(got, want, SIZE, false);
        for (int i = 0; i < 2; i++) {
            srand(4);
            pixels_of(at_kernels_level(i ? l : 0), i ? got : want, c, variant % 2, bf16);
        }
        assert_close(got, want, SIZE, bf16);
    }
}

static void test_levels(void **state) {
    static const int channels[] = {1, 3, 4, 11, 16, 35, MAX_C};
    (void)state;
    fill(weight, 28);
    fill(x, ROWS * SIZE);
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (int variant = 0; variant < 8; variant++)
            compare(channels[i], variant / 2, variant % 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
