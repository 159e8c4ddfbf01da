/* SPDX-License-Identifier: MIT */
/* The explanations of sizes: numbers of relations as in the paper's figures, and every transposed
 * convolution computed twice, by the columns of C and as the direct convolution it is said to be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nn/arith.h"

enum { MOST = 64 };

/* Arguments: kernel, stride, padding, dilation. Figures 2.1 to 2.7 and 5.1. */
static void figures_of_convolution(void **state) {
    (void)state;
    assert_int_equal(at_conv_relation((at_window){3, 1, 0, 1}), 1);
    assert_int_equal(at_conv_relation((at_window){4, 1, 2, 1}), 2);
    assert_int_equal(at_conv_relation((at_window){3, 1, 1, 1}), 3);
    assert_int_equal(at_conv_relation((at_window){3, 1, 2, 1}), 4);
    assert_int_equal(at_conv_relation((at_window){3, 2, 0, 1}), 5);
    assert_int_equal(at_conv_relation((at_window){3, 2, 1, 1}), 6);
    assert_int_equal(at_pool_relation((at_window){3, 1, 0, 1}), 7);
    assert_int_equal(at_conv_relation((at_window){3, 1, 0, 2}), 15);
}

/* Figures 4.1 to 4.7. */
static void figures_of_transposed_convolution(void **state) {
    (void)state;
    assert_int_equal(at_conv_transpose_relation((at_window){3, 1, 0, 1}, 0), 8);
    assert_int_equal(at_conv_transpose_relation((at_window){4, 1, 2, 1}, 0), 9);
    assert_int_equal(at_conv_transpose_relation((at_window){3, 1, 1, 1}, 0), 10);
    assert_int_equal(at_conv_transpose_relation((at_window){3, 1, 2, 1}, 0), 11);
    assert_int_equal(at_conv_transpose_relation((at_window){3, 2, 0, 1}, 0), 12);
    assert_int_equal(at_conv_transpose_relation((at_window){3, 2, 1, 1}, 0), 13);
    assert_int_equal(at_conv_transpose_relation((at_window){3, 2, 1, 1}, 1), 14);
    /* figures 4.6 and 4.7: 5 and 6 both give 3; a tells them apart */
    assert_int_equal(at_conv_remainder(5, (at_window){3, 2, 1, 1}), 0);
    assert_int_equal(at_conv_remainder(6, (at_window){3, 2, 1, 1}), 1);
    const at_equivalent e = at_conv_transpose_equivalent((at_window){3, 2, 1, 1}, 1);
    assert_int_equal(e.zeros, 1);
    assert_int_equal(e.before, 1);
    assert_int_equal(e.after, 2);
}

/* Section 4.1: a row of C for i = 4, k = 3, s = 1, p = 0, in one dimension. */
static void rows_of_the_matrix(void **state) {
    (void)state;
    const int first[4] = {0, 1, 2, -1}, second[4] = {-1, 0, 1, 2};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(at_conv_tap(0, i, (at_window){3, 1, 0, 1}), first[i]);
        assert_int_equal(at_conv_tap(1, i, (at_window){3, 1, 0, 1}), second[i]);
    }
    /* dilation 2, padding 1: output 0 reads inputs -1, 1, 3 */
    const int dilated[4] = {-1, 1, -1, 2};
    for (int i = 0; i < 4; i++)
        assert_int_equal(at_conv_tap(0, i, (at_window){3, 1, 1, 2}), dilated[i]);
}

static void by_columns_of_c(const int *x, int in, const int *taps, at_window w, int *y, int out) {
    memset(y, 0, sizeof(int) * (size_t)out);
    for (int o = 0; o < in; o++)
        for (int i = 0; i < out; i++) {
            const int tap = at_conv_tap(o, i, w);
            if (tap >= 0) y[i] += taps[tap] * x[o];
        }
}

/* Stretch, pad, and slide the turned kernel in steps of one. */
static void by_equivalent(const int *x, int in, const int *taps, at_equivalent e, int *y, int out) {
    const int stretched = (in - 1) * (e.zeros + 1) + 1;
    for (int o = 0; o < out; o++) {
        y[o] = 0;
        for (int t = 0; t < e.kernel; t++) {
            const int at = o + t * e.dilation - e.before;
            if (at >= 0 && at < stretched && at % (e.zeros + 1) == 0)
                y[o] += taps[e.kernel - 1 - t] * x[at / (e.zeros + 1)];
        }
    }
    /* and the padded input is just long enough */
    assert_int_equal(stretched + e.before + e.after - e.dilation * (e.kernel - 1), out);
}

static void check(int in, at_window w, int extra) {
    const int taps[5] = {1, 10, 100, 1000, 10000};
    int x[8], a[MOST], b[MOST], out;
    for (int i = 0; i < in; i++) x[i] = i + 1;
    if (at_conv_transpose_size(in, w, extra, &out, NULL) != AT_OK) return;
    assert_true(out <= MOST);
    by_columns_of_c(x, in, taps, w, a, out);
    by_equivalent(x, in, taps, at_conv_transpose_equivalent(w, extra), b, out);
    assert_memory_equal(a, b, sizeof(int) * (size_t)out);
    if (extra < w.stride) assert_int_equal(at_conv_remainder(out, w), extra);
}

static void equivalents_compute_the_same(void **state) {
    (void)state;
    for (int in = 1; in <= 6; in++)
        for (int k = 1; k <= 5; k++)
            for (int s = 1; s <= 3; s++)
                for (int p = 0; p <= 3; p++)
                    for (int d = 1; d <= 3; d++)
                        for (int extra = 0; extra < (s > d ? s : d); extra++)
                            check(in, (at_window){k, s, p, d}, extra);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_of_convolution),
        cmocka_unit_test(figures_of_transposed_convolution),
        cmocka_unit_test(rows_of_the_matrix),
        cmocka_unit_test(equivalents_compute_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
