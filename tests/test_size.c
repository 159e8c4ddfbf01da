/* SPDX-License-Identifier: MIT */
/* Against the relations of Dumoulin & Visin (numbers in comments are theirs), against counting the
 * places of a window one by one, and against sizes that PyTorch gave. */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nn/size.h"

static int conv(int i, int k, int s, int p, int d) {
    int o = -1;
    assert_int_equal(at_conv_size(i, (at_window){k, s, p, d}, &o, NULL), AT_OK);
    return o;
}

static int transposed(int i, int k, int s, int p, int d, int extra) {
    int o = -1;
    assert_int_equal(at_conv_transpose_size(i, (at_window){k, s, p, d}, extra, &o, NULL), AT_OK);
    return o;
}

static int pool(int i, int k, int s, int p, int d, bool ceil_mode) {
    int o = -1;
    assert_int_equal(at_pool_size(i, (at_window){k, s, p, d}, ceil_mode, &o, NULL), AT_OK);
    return o;
}

static void convolution_relations(void **state) {
    (void)state;
    for (int i = 1; i < 20; i++)
        for (int k = 1; k <= i; k++) {
            assert_int_equal(conv(i, k, 1, 0, 1), i - k + 1); /* 1 */
            for (int p = 0; p < 4; p++)
                assert_int_equal(conv(i, k, 1, p, 1), i - k + 2 * p + 1); /* 2 */
            if (k % 2) assert_int_equal(conv(i, k, 1, k / 2, 1), i);      /* 3, half padding */
            assert_int_equal(conv(i, k, 1, k - 1, 1), i + (k - 1));       /* 4, full padding */
            for (int s = 1; s < 5; s++) {
                assert_int_equal(conv(i, k, s, 0, 1), (i - k) / s + 1);        /* 5 */
                assert_int_equal(conv(i, k, s, 2, 1), (i + 4 - k) / s + 1);    /* 6 */
                assert_int_equal(pool(i, k, s, 0, 1, false), (i - k) / s + 1); /* 7 */
            }
        }
    assert_int_equal(conv(5, 3, 2, 1, 1), 3); /* the examples of chapter 2 and 5 */
    assert_int_equal(conv(6, 3, 2, 1, 1), 3);
    assert_int_equal(conv(7, 3, 1, 0, 2), 3);
}

static void transposed_relations(void **state) {
    (void)state;
    for (int i = 1; i < 12; i++)
        for (int k = 1; k < 6; k++) {
            assert_int_equal(transposed(i, k, 1, 0, 1, 0), i + (k - 1)); /* 8 */
            if (k > 1)
                assert_int_equal(transposed(i + 2, k, 1, 1, 1, 0), i + 2 + (k - 1) - 2); /* 9 */
            if (k % 2) assert_int_equal(transposed(i, k, 1, k / 2, 1, 0), i);            /* 10 */
            if (i >= k) assert_int_equal(transposed(i, k, 1, k - 1, 1, 0), i - (k - 1)); /* 11 */
            for (int s = 1; s < 5; s++)
                assert_int_equal(transposed(i, k, s, 0, 1, 0), s * (i - 1) + k); /* 12 */
        }
    assert_int_equal(transposed(3, 3, 2, 1, 1, 0), 5); /* 13 */
    assert_int_equal(transposed(3, 3, 2, 1, 1, 1), 6); /* 14, a = 1 */
}

/* 13 and 14: with a = (i + 2p - k^) mod s the transposed convolution restores the size i, and 15:
 * the dilated kernel counts as d (k - 1) + 1; by walking the window over the input. */
static void all_small_cases(void **state) {
    (void)state;
    for (int i = 1; i < 14; i++)
        for (int k = 1; k < 5; k++)
            for (int s = 1; s < 4; s++)
                for (int p = 0; p < 3; p++)
                    for (int d = 1; d < 4; d++) {
                        int extent = d * (k - 1) + 1, places = 0;
                        for (int at = -p; at + extent <= i + p; at += s) places++;
                        if (!places) continue;
                        assert_int_equal(conv(i, k, s, p, d), places);
                        assert_int_equal(at_window_extent((at_window){k, s, p, d}), extent);
                        int a = (i + 2 * p - extent) % s;
                        assert_int_equal(transposed(places, k, s, p, d, a), i);
                    }
}

/* torch.nn.functional.max_pool2d(ceil_mode=True), PyTorch 2. */
static void ceil_mode(void **state) {
    (void)state;
    static const int cases[][6] = {
        /* in, kernel, stride, padding, dilation, out */
        {360, 2, 2, 0, 1, 180}, {45, 2, 2, 0, 1, 23}, {23, 2, 2, 0, 1, 12}, {5, 2, 2, 0, 1, 3},
        {5, 3, 2, 0, 1, 2},     {6, 3, 2, 1, 1, 4},   {7, 3, 2, 1, 1, 4},   {8, 3, 2, 1, 1, 5},
        {4, 2, 3, 1, 1, 2},     {5, 2, 3, 1, 1, 2},   {1, 2, 2, 1, 1, 1},   {2, 3, 3, 1, 1, 1},
        {3, 2, 3, 0, 1, 1},     {4, 2, 3, 0, 1, 2},   {6, 2, 4, 1, 1, 2},   {7, 2, 5, 1, 1, 2},
        {9, 3, 2, 1, 2, 4},     {10, 3, 3, 1, 2, 4},  {11, 2, 2, 1, 3, 6},  {5, 4, 2, 2, 1, 4},
        {6, 5, 3, 2, 1, 3},     {1, 1, 1, 0, 1, 1},   {1, 3, 2, 1, 1, 1},   {13, 3, 4, 1, 2, 4},
    };
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        const int *v = cases[c];
        assert_int_equal(pool(v[0], v[1], v[2], v[3], v[4], true), v[5]);
    }
}

static void refuses(at_status status, const at_error *err, const char *text) {
    assert_int_equal(status, AT_ERR_INPUT);
    if (!strstr(err->text, text)) fail_msg("'%s' is not in '%s'", text, err->text);
}

static void bad_arguments(void **state) {
    (void)state;
    at_error err = {0};
    int o = 77;
    refuses(at_conv_size(2, (at_window){5, 1, 1, 1}, &o, &err), &err, "kernel 5");
    refuses(at_conv_size(2, (at_window){4, 3, 0, 1}, &o, &err), &err, "size 0"); /* -2 / 3 is -1 */
    refuses(at_conv_size(0, (at_window){1, 1, 0, 1}, &o, &err), &err, "size is 0");
    refuses(at_conv_size(5, (at_window){0, 1, 0, 1}, &o, &err), &err, "kernel 0");
    refuses(at_conv_size(5, (at_window){1, 0, 0, 1}, &o, &err), &err, "stride 0");
    refuses(at_conv_size(5, (at_window){1, 1, -1, 1}, &o, &err), &err, "padding -1");
    refuses(at_conv_size(5, (at_window){1, 1, 0, 0}, &o, &err), &err, "dilation 0");
    refuses(at_conv_transpose_size(5, (at_window){3, 2, 1, 1}, 2, &o, &err), &err,
            "output padding 2");
    refuses(at_conv_transpose_size(5, (at_window){3, 2, 1, 1}, -1, &o, &err), &err,
            "output padding -1");
    refuses(at_conv_transpose_size(1, (at_window){3, 1, 2, 1}, 0, &o, &err), &err, "padding 2");
    refuses(at_pool_size(5, (at_window){3, 2, 2, 1}, false, &o, &err), &err, "half the kernel");
    assert_int_equal(o, 77);
    assert_int_equal(transposed(5, 3, 1, 1, 3, 2),
                     11); /* output padding below the dilation is fine */
}

static void nothing_overflows(void **state) {
    (void)state;
    at_error err = {0};
    int o = 77;
    refuses(at_conv_size(5, (at_window){INT_MAX, 1, 0, INT_MAX}, &o, &err), &err, "too large");
    refuses(at_conv_transpose_size(INT_MAX, (at_window){1, INT_MAX, 0, 1}, 0, &o, &err), &err,
            "size");
    refuses(at_conv_size(INT_MAX, (at_window){1, 1, INT_MAX, 1}, &o, &err), &err, "size");
    assert_int_equal(conv(INT_MAX, INT_MAX, 1, 0, 1), 1);
    assert_int_equal(pool(INT_MAX, 2, 2, 0, 1, true), INT_MAX / 2 + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(convolution_relations), cmocka_unit_test(transposed_relations),
        cmocka_unit_test(all_small_cases),       cmocka_unit_test(ceil_mode),
        cmocka_unit_test(bad_arguments),         cmocka_unit_test(nothing_overflows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
