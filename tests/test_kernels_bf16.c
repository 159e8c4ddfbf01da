/* SPDX-License-Identifier: MIT */
/* Conversions to and from bfloat16. The naive kernel against the definition, by searching the
 * nearest of the neighbours in exact arithmetic; every level against the naive one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"

static float from_bits(uint32_t bits) {
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static float value(uint16_t b) {
    return from_bits((uint32_t)b << 16);
}

static uint16_t narrow(const at_kernels *k, float x) {
    uint16_t b;
    k->narrow(&b, 1, &x, 1, 1);
    return b;
}

static void test_widen(void **state) {
    (void)state;
    for (int l = 0; at_kernels_level(l) != NULL; l++)
        for (uint32_t b = 0; b < 1u << 16; b++) {
            uint16_t x = (uint16_t)b;
            float got, want = value(x);
            at_kernels_level(l)->widen(&got, &x, 1, 1, 1);
            assert_memory_equal(&got, &want, sizeof got);
        }
}

/* Magnitudes between two neighbours: below the middle down, above it up, in the middle to the even
 * one. The last step of finite numbers leads to infinity. */
static void test_rounding(void **state) {
    static const uint16_t at[] = {0x0000, 0x0001, 0x007f, 0x0080, 0x3f80, 0x3f81, 0x4049, 0x7f7f};
    (void)state;
    for (int l = 0; at_kernels_level(l) != NULL; l++) {
        const at_kernels *k = at_kernels_level(l);
        for (int i = 0; i < 8; i++)
            for (uint32_t sign = 0; sign < 2; sign++) {
                uint32_t low = (uint32_t)at[i] << 16 | sign << 31, b = low >> 16;
                uint32_t even = b & 1u ? b + 1 : b;
                assert_int_equal(narrow(k, from_bits(low)), b);
                assert_int_equal(narrow(k, from_bits(low + 0x0001)), b);
                assert_int_equal(narrow(k, from_bits(low + 0x7fff)), b);
                assert_int_equal(narrow(k, from_bits(low + 0x8000)), even);
                assert_int_equal(narrow(k, from_bits(low + 0x8001)), b + 1);
                assert_int_equal(narrow(k, from_bits(low + 0xffff)), b + 1);
            }
        assert_int_equal(narrow(k, INFINITY), 0x7f80);
        assert_int_equal(narrow(k, -INFINITY), 0xff80);
        assert_true(isnan(value(narrow(k, NAN))));
        assert_true(
            isnan(value(narrow(k, from_bits(0x7f800001))))); /* its upper half is infinity */
    }
}

/* Rows of every length around the vectors', apart from each other; what lies between stays. */
static void test_rows(void **state) {
    enum { ROWS = 3, MOST = 70, GAP = 5 };
    float x[ROWS * MOST], back[ROWS * MOST];
    (void)state;
    for (int i = 0; i < ROWS * MOST; i++) x[i] = sinf((float)i) * expf((float)(i % 40 - 20));
    for (int l = 0; at_kernels_level(l) != NULL; l++)
        for (int cols = 1; cols <= MOST; cols++)
            for (int gap = 0; gap <= GAP; gap += GAP) {
                uint16_t out[ROWS * (MOST + GAP)];
                int ld = cols + gap;
                memset(out, 0xab, sizeof out);
                at_kernels_level(l)->narrow(out, ld, x, ROWS, cols);
                at_kernels_level(l)->widen(back, out, ld, ROWS, cols);
                for (int i = 0; i < ROWS * cols; i++) {
                    assert_true(fabsf(back[i] - x[i]) <= ldexpf(fabsf(x[i]), -8));
                    assert_true(back[i] == value(out[i / cols * ld + i % cols]));
                }
                for (int i = 0; i < ROWS * ld; i++)
                    if (i % ld >= cols) assert_int_equal(out[i], 0xabab);
            }
}

/* Weights in pairs, from rows and from columns, fewer of them than a panel has. */
static void test_pairs(void **state) {
    enum { NR = 32, K = 6, LD = 40 };
    float x[LD * LD], scale[NR];
    uint16_t want[K * NR], got[K * NR];
    (void)state;
    for (int i = 0; i < LD * LD; i++) x[i] = sinf((float)i);
    for (int j = 0; j < NR; j++) scale[j] = 1 + (float)j / 7;
    for (int variant = 0; variant < 4; variant++)
        for (int n = 1; n <= NR; n += 10) {
            ptrdiff_t row = variant & 1 ? 1 : LD, col = variant & 1 ? LD : 1;
            const float *by = variant & 2 ? scale : NULL;
            at_kernels_level(0)->pack_pairs(want, NR, x + 3, row, col, by, K, n);
            assert_int_equal(want[(2 * NR + n - 1) * 2 + 1],
                             narrow(at_kernels_level(0),
                                    x[3 + 5 * row + (n - 1) * col] * (by ? scale[n - 1] : 1)));
            for (int l = 1; at_kernels_level(l) != NULL; l++) {
                at_kernels_level(l)->pack_pairs(got, NR, x + 3, row, col, by, K, n);
                assert_memory_equal(got, want, sizeof got);
            }
        }
}

/* Rows of pixels in pairs, and through the transposition of floats columns of pixels. */
static void test_pair_rows(void **state) {
    enum { ROWS = 7, COLS = 37, LD = COLS + 2, PAIRS = (ROWS + 1) / 2 };
    uint16_t x[ROWS * LD], columns[COLS][2 * PAIRS];
    uint32_t out[PAIRS * LD];
    (void)state;
    for (int i = 0; i < ROWS * LD; i++) x[i] = (uint16_t)(i * 2711 + 77);
    for (int l = 0; at_kernels_level(l) != NULL; l++) {
        memset(out, 0xab, sizeof out);
        at_kernels_level(l)->pair_rows(out, LD, x, LD, ROWS, COLS);
        assert_int_equal(out[COLS], 0xabababab);
        at_kernels_level(l)->transpose((float *)(void *)columns, PAIRS, (float *)(void *)out, LD,
                                       PAIRS, COLS);
        for (int j = 0; j < COLS; j++)
            for (int i = 0; i < 2 * PAIRS; i++)
                assert_int_equal(columns[j][i], i < ROWS ? x[i * LD + j] : 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_widen), cmocka_unit_test(test_rounding), cmocka_unit_test(test_rows),
        cmocka_unit_test(test_pairs), cmocka_unit_test(test_pair_rows)};
    return cmocka_run_group_tests_name("kernels_bf16", tests, NULL, NULL);
}
