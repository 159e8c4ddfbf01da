/* SPDX-License-Identifier: MIT */
/* Pictures in: JPEG with EXIF, BMP and PNM written out by hand, conversions, cut files, resizing.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/data_files.h"

/* A grey JPEG, 24 x 16, of six flat blocks, behind an EXIF segment with this orientation. */
static const uint8_t blocks[2][3] = {{16, 64, 112}, {160, 200, 240}};
static const uint8_t jpeg_rest[] = {
    0xff, 0xc0, 0x00, 0x0b, 0x08, 0x00, 0x10, 0x00, 0x18, 0x01, 0x01, 0x11, 0x00, 0xff, 0xc4, 0x00,
    0x15, 0x00, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x09, 0x0a, 0xff, 0xc4, 0x00, 0x14, 0x10, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xda, 0x00, 0x08, 0x01, 0x01,
    0x00, 0x00, 0x3f, 0x00, 0x87, 0xf3, 0x00, 0x60, 0x0c, 0x01, 0x40, 0x28, 0x0f, 0xff, 0xd9};

static size_t make_jpeg(uint8_t out[256], int orientation, bool little) {
    static const uint8_t big[] = {'M',  'M', 0, 42, 0, 0, 0, 8, 0, 1, 1,
                                  0x12, 0,   3, 0,  0, 0, 1, 0, 0, 0, 0};
    static const uint8_t small[] = {'I', 'I', 42, 0, 8, 0, 0, 0, 1, 0, 0x12,
                                    1,   3,   0,  1, 0, 0, 0, 0, 0, 0, 0};
    static const uint8_t start[] = {0xff, 0xd8, 0xff, 0xe1, 0, 30, 'E', 'x', 'i', 'f', 0, 0};
    size_t n = sizeof start;
    memcpy(out, start, n);
    memcpy(out + n, little ? small : big, sizeof big);
    out[n + (little ? 18 : 19)] = (uint8_t)orientation;
    n += sizeof big;
    static const uint8_t table[] = {0xff, 0xdb, 0, 67, 0};
    memcpy(out + n, table, sizeof table);
    memset(out + n + sizeof table, 1, 64);
    n += sizeof table + 64;
    memcpy(out + n, jpeg_rest, sizeof jpeg_rest);
    return n + sizeof jpeg_rest;
}

/* EXIF's own words: which visual side the 0th row and the 0th column are. */
static void exif_turns_all_eight_ways(void **state) {
    (void)state;
    static const char *const sides[9] = {"", "TL", "TR", "BR", "BL", "LT", "RT", "RB", "LB"};
    files_begin();
    for (int o = 1; o <= 8; o++) {
        uint8_t bytes[256];
        size_t size = make_jpeg(bytes, o, o % 2);
        files_bytes("x.jpg", bytes, size);
        at_image image;
        at_error err = {0};
        if (at_image_load(files_path("x.jpg"), 1, &image, &err)) fail_msg("%s", err.text);
        int W = o < 5 ? 24 : 16, H = o < 5 ? 16 : 24, w, h;
        assert_int_equal(at_image_size(files_path("x.jpg"), &w, &h, &err), AT_OK);
        assert_true(image.width == W && image.height == H && w == W && h == H);
        for (int r = 0; r < 16; r++)
            for (int c = 0; c < 24; c++) {
                int x = 0, y = 0, at[2] = {r, c};
                for (int i = 0; i < 2; i++) switch (sides[o][i]) {
                    case 'T':
                        y = at[i];
                        break;
                    case 'B':
                        y = H - 1 - at[i];
                        break;
                    case 'L':
                        x = at[i];
                        break;
                    default:
                        x = W - 1 - at[i];
                    }
                assert_in_range(image.data[y * W + x] + 1, blocks[r / 8][c / 8],
                                blocks[r / 8][c / 8] + 2);
            }
        at_image_free(&image);
    }
    files_end();
}

static void put32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> 8 * i);
}

/* 3 x 2, 24 bits, bottom row first, each row filled up to 12 bytes. */
static size_t make_bmp(uint8_t out[78]) {
    memset(out, 0, 78);
    memcpy(out, "BM", 2);
    put32(out + 2, 78);
    put32(out + 10, 54);
    put32(out + 14, 40);
    put32(out + 18, 3);
    put32(out + 22, 2);
    out[26] = 1;
    out[28] = 24;
    for (int i = 0; i < 9; i++) {
        out[54 + i] = (uint8_t)(100 + i); /* lower row, BGR */
        out[66 + i] = (uint8_t)(10 + i);  /* upper row */
    }
    return 78;
}

static void check_cut(const uint8_t *bytes, size_t size) {
    at_image image;
    assert_int_equal(at_image_decode(bytes, size, "whole", 3, &image, NULL), AT_OK);
    at_image_free(&image);
    for (size_t n = 0; n < size; n++) {
        uint8_t *copy = malloc(n + 1); /* its own block: reading beyond it is seen */
        memcpy(copy, bytes, n);
        copy = realloc(copy, n ? n : 1);
        at_error err = {0};
        assert_int_not_equal(at_image_decode(copy, n, "part", 3, &image, &err), AT_OK);
        assert_non_null(strstr(err.text, "part"));
        if (n > 14) assert_non_null(strstr(err.text, "cut short"));
        assert_null(image.data);
        free(copy);
    }
}

static void cut_files_are_errors(void **state) {
    (void)state;
    uint8_t bytes[256];
    check_cut(bytes, make_jpeg(bytes, 6, false));
    check_cut(bytes, make_bmp(bytes));
    static const char pgm[] = "P5 # a comment\n4 3\n255\nABCDEFGHIJKL";
    check_cut((const uint8_t *)pgm, sizeof pgm - 1);
    static const char ppm[] = "P3\n1 2 255\n1 2 3 4 5 6";
    at_image image;
    assert_int_equal(at_image_decode(ppm, sizeof ppm - 3, "p", 3, &image, NULL), AT_ERR_INPUT);
}

static void check_pixels(const char *bytes, size_t size, int channels, int n, const uint8_t *want) {
    at_image image;
    at_error err = {0};
    assert_int_equal(at_image_decode(bytes, size, "t", channels, &image, &err), AT_OK);
    assert_int_equal(image.width * image.height * channels, n);
    assert_memory_equal(image.data, want, (size_t)n);
    at_image_free(&image);
}
#define PIXELS(text, channels, ...)                                                                \
    check_pixels(text, sizeof text - 1, channels, (int)sizeof((uint8_t[]){__VA_ARGS__}),           \
                 (uint8_t[]){__VA_ARGS__})

static void simple_formats_by_hand(void **state) {
    (void)state;
    PIXELS("P1\n3 2\n101\n0 1 0", 1, 0, 255, 0, 255, 0, 255);
    PIXELS("P4 9 1\n\xa0\x80", 1, 0, 255, 0, 255, 255, 255, 255, 255, 0);
    PIXELS("P2 3 1 10\n0 5 10", 1, 0, 128, 255);
    PIXELS("P5\n2 1\n65535\n\x12\x34\xff\x01", 1, 0x12, 0xff);
    PIXELS("P3 1 1 255 250 0 10", 3, 250, 0, 10);
    PIXELS("P3 1 1 255 250 0 10", 4, 250, 0, 10, 255);
    PIXELS("P3 1 1 255 250 0 10", 1, 76); /* 0.299 * 250 + 0.114 * 10 = 75.89 */
    PIXELS("P5 1 1 255 \x07", 3, 7, 7, 7);
    uint8_t bmp[78];
    make_bmp(bmp);
    static const uint8_t want[] = {12,  11,  10,  15,  14,  13,  18,  17,  16,
                                   102, 101, 100, 105, 104, 103, 108, 107, 106};
    check_pixels((const char *)bmp, 78, 3, 18, want);
    put32(bmp + 22, (uint32_t)-2); /* a negative height: top row first */
    check_pixels((const char *)bmp, 78, 3, 9 + 9,
                 (uint8_t[]){102, 101, 100, 105, 104, 103, 108, 107, 106, 12, 11, 10, 15, 14, 13,
                             18, 17, 16});
}

static void strangers_are_named(void **state) {
    (void)state;
    at_image image;
    at_error a = {0}, b = {0}, c = {0}, d = {0};
    assert_int_equal(at_image_decode("GIF89a", 6, "x.gif", 3, &image, &a), AT_ERR_INPUT);
    assert_non_null(strstr(a.text, "GIF"));
    assert_int_equal(at_image_decode("", 0, "e.png", 3, &image, &b), AT_ERR_INPUT);
    assert_non_null(strstr(b.text, "empty"));
    assert_int_equal(at_image_load("/nonexistent/x.png", 3, &image, &c), AT_ERR_IO);
    assert_non_null(strstr(c.text, "/nonexistent/x.png"));
    assert_int_equal(at_image_decode("P5 99999 99999 255\n", 19, "p", 3, &image, &d), AT_ERR_INPUT);
    uint8_t huge[256];
    size_t size = make_jpeg(huge, 1, false);
    huge[size - sizeof jpeg_rest + 5] = 0x7f; /* 24 x 32528 pixels in 200 bytes */
    at_error e = {0};
    assert_int_equal(at_image_decode(huge, size, "huge.jpg", 3, &image, &e), AT_ERR_INPUT);
    assert_non_null(strstr(e.text, "too few bytes"));
}

/* The definition, in two dimensions at once: a tent of radius max(1, in / out), normalised. */
static double naive(const at_image *in, int width, int height, int x, int y, int c) {
    double sx = (double)in->width / width, sy = (double)in->height / height, sum = 0, weights = 0;
    double cx = (x + 0.5) * sx, cy = (y + 0.5) * sy;
    for (int j = 0; j < in->height; j++)
        for (int i = 0; i < in->width; i++) {
            double u = 1 - fabs(i + 0.5 - cx) / fmax(sx, 1),
                   v = 1 - fabs(j + 0.5 - cy) / fmax(sy, 1);
            if (u <= 0 || v <= 0) continue;
            sum += u * v * in->data[(j * in->width + i) * in->channels + c];
            weights += u * v;
        }
    return sum / weights;
}

static void resizing_is_its_definition(void **state) {
    (void)state;
    static const int cases[][5] = {{7, 5, 13, 9, 3}, {13, 9, 4, 5, 1}, {31, 8, 31, 3, 4},
                                   {5, 40, 9, 3, 3}, {1, 1, 4, 6, 3},  {6, 6, 1, 1, 1}};
    at_rng rng = at_rng_make(1, AT_RNG_TEST, 0, 0);
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        const int *t = cases[k];
        size_t n = (size_t)(t[0] * t[1] * t[4]);
        at_image in = {t[0], t[1], t[4], malloc(n)}, out;
        for (size_t i = 0; i < n; i++) in.data[i] = (uint8_t)at_rng_below(&rng, 256);
        assert_int_equal(at_image_resize(&in, t[2], t[3], &out, NULL), AT_OK);
        assert_true(out.width == t[2] && out.height == t[3] && out.channels == t[4]);
        for (int y = 0; y < t[3]; y++)
            for (int x = 0; x < t[2]; x++)
                for (int c = 0; c < t[4]; c++) {
                    double want = naive(&in, t[2], t[3], x, y, c);
                    assert_true(fabs(out.data[(y * t[2] + x) * t[4] + c] - want) < 0.51);
                }
        at_image_free(&in);
        at_image_free(&out);
    }
}

static void masks_take_the_nearest(void **state) {
    (void)state;
    static const uint8_t in[6] = {1, 2, 3, 4, 5, 6}; /* 3 x 2 */
    static const uint8_t wide[5 * 3] = {1, 1, 2, 3, 3, 4, 4, 5, 6, 6, 4, 4, 5, 6, 6};
    uint8_t out[15], back[6];
    /* Columns 0.3 0.9 1.5 2.1 2.7, rows 0.33 1 1.67: their floors. */
    assert_int_equal(at_mask_resize(in, 3, 2, out, 5, 3), AT_OK);
    assert_memory_equal(out, wide, 15);
    assert_int_equal(at_mask_resize(out, 5, 3, back, 3, 2), AT_OK);
    assert_memory_equal(back, in, 6);
    assert_int_equal(at_mask_resize(in, 3, 2, out, 0, 3), AT_ERR_INPUT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exif_turns_all_eight_ways),  cmocka_unit_test(cut_files_are_errors),
        cmocka_unit_test(simple_formats_by_hand),     cmocka_unit_test(strangers_are_named),
        cmocka_unit_test(resizing_is_its_definition), cmocka_unit_test(masks_take_the_nearest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
