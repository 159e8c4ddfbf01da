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

/* One row or one resampled row, from floats or bf16, to floats or bf16, as floats. */
typedef struct variant {
    int taps;
    bool dense, add, in_bf16, out_bf16, stream;
} variant;

static at_line line(const float *p, uint16_t *narrow, int from, ptrdiff_t ld, bool bf16) {
    if (bf16) at_kernels_level(0)->narrow(narrow, 1, p, SIZE, 1);
    return (at_line){
        .data = bf16 ? (const void *)(narrow + from) : p + from, .ld = ld, .bf16 = bf16};
}

static void rows_of(const at_kernels *k, float *out, int c, variant v) {
    static uint16_t narrow[ROWS * SIZE], narrow_out[SIZE];
    const at_taps t = {index_ + 7, weight, v.taps}; /* rows 2, 3, 4, 5 and on */
    const ptrdiff_t ld = v.dense ? c : LD;
    at_kernels_level(0)->narrow(narrow, 1, x, ROWS * SIZE, 1);
    fill(out, SIZE);
    const at_line from = {
        .data = v.in_bf16 ? (const void *)(narrow + 1) : x + 1, .ld = ld, .bf16 = v.in_bf16};
    at_line to = line(out, narrow_out, 1, v.dense ? c : LD - 2, v.out_bf16);
    to.stream = v.stream;
    k->blend_rows(to, from, SIZE / 2, t, IN - 1, c, v.add);
    if (v.out_bf16) at_kernels_level(0)->widen(out, narrow_out, 1, SIZE, 1);
}

static void pixels_of(const at_kernels *k, float *out, int c, variant v) {
    static uint16_t narrow[SIZE], narrow_out[SIZE];
    const at_resample r = {OUT, begin, index_, weight};
    fill(out, SIZE);
    const at_line from = line(x, narrow, 1, LD, v.in_bf16);
    const at_line to = line(out, narrow_out, 3, LD - 1, v.out_bf16);
    k->mix_pixels(to, from, &r, c, v.add);
    if (v.out_bf16) at_kernels_level(0)->widen(out, narrow_out, 1, SIZE, 1);
}

static void compare(int c, variant v) {
    static float want[SIZE], got[SIZE];
    for (int l = 1; at_kernels_level(l) != NULL; l++) {
        for (int i = 0; i < 2; i++) {
            srand(3);
            rows_of(at_kernels_level(i ? l : 0), i ? got : want, c, v);
        }
        assert_close(got, want, SIZE, v.out_bf16);
        for (int i = 0; i < 2; i++) {
            srand(4);
            pixels_of(at_kernels_level(i ? l : 0), i ? got : want, c, v);
        }
        assert_close(got, want, SIZE, v.out_bf16);
    }
}

static void test_levels(void **state) {
    static const int channels[] = {1, 3, 4, 11, 16, 35, MAX_C}, taps[] = {0, 1, 2, 4};
    (void)state;
    fill(weight, 28);
    fill(x, ROWS * SIZE);
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (int j = 0; j < 128; j++)
            compare(channels[i], (variant){.taps = taps[j / 32],
                                           .dense = j % 2,
                                           .add = j / 2 % 2,
                                           .in_bf16 = j / 4 % 2,
                                           .out_bf16 = j / 8 % 2,
                                           .stream = j / 16 % 2});
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
