/* SPDX-License-Identifier: MIT */
/* Our PNG reader and writer against libpng, and against files that lie. */
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

#include "tests/data_files.h"

static uint16_t *noise(int n, int depth, int below) {
    at_rng rng = at_rng_make((uint64_t)n, AT_RNG_TEST, (uint64_t)depth, 0);
    uint16_t *s = malloc((size_t)n * sizeof *s);
    unsigned most = below ? (unsigned)below : 1u << depth;
    for (int i = 0; i < n; i++) s[i] = (uint16_t)at_rng_below(&rng, most);
    return s;
}

static void check_read(int color, int depth, bool interlaced, int width, int height) {
    int channels = color == 2 ? 3 : color == 6 ? 4 : color == 4 ? 2 : 1;
    int colors = color == 3 ? (1 << depth) - (depth > 1) : 0;
    int n = width * height * channels;
    files_png f = {width, height, color, depth, interlaced, noise(n, depth, colors), colors};
    size_t size;
    uint8_t *bytes = files_encode(&f, &size);
    at_raster r;
    at_error err = {0};
    assert_int_equal(at_raster_decode(bytes, size, "noise.png", &r, &err), AT_OK);
    assert_true(r.width == width && r.height == height && r.color == color && r.depth == depth);
    assert_true(r.channels == channels && r.palette_count == colors);
    for (int i = 0; i < n; i++) {
        int v = depth == 16 ? ((uint16_t *)r.data)[i] : ((uint8_t *)r.data)[i];
        assert_int_equal(v, f.samples[i]);
    }
    for (int i = 0; i < colors; i++) {
        at_rgb c = files_color(i);
        assert_memory_equal(&c, &r.palette[i], sizeof c);
    }
    at_raster_free(&r);
    free(bytes);
    free((void *)(uintptr_t)f.samples);
}

static void reads_what_libpng_writes(void **state) {
    (void)state;
    static const int kinds[][2] = {{0, 1}, {0, 2}, {0, 4}, {0, 8}, {0, 16}, {2, 8}, {2, 16}, {3, 1},
                                   {3, 2}, {3, 4}, {3, 8}, {4, 8}, {4, 16}, {6, 8}, {6, 16}};
    static const int sizes[][2] = {{1, 1}, {5, 3}, {9, 17}, {64, 2}, {3, 40}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int interlaced = 0; interlaced < 2; interlaced++)
                check_read(kinds[k][0], kinds[k][1], interlaced, sizes[s][0], sizes[s][1]);
}

/* libpng's simplified reader, to 8-bit RGBA. */
static uint8_t *read_by_libpng(const char *path, int *width, int *height) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_file(&image, path));
    image.format = PNG_FORMAT_RGBA;
    uint8_t *out = malloc(PNG_IMAGE_SIZE(image));
    assert_true(png_image_finish_read(&image, NULL, out, 0, NULL));
    *width = (int)image.width;
    *height = (int)image.height;
    return out;
}

static void libpng_reads_what_we_write(void **state) {
    (void)state;
    files_begin();
    for (int channels = 1; channels <= 4; channels++) {
        if (channels == 2) continue;
        int w, h, n = 37 * 23 * channels;
        uint16_t *s = noise(n, 8, 0);
        at_image image = {37, 23, channels, malloc((size_t)n)};
        /* Smooth in one half and noise in the other: every filter gets its turn. */
        for (int i = 0; i < n; i++)
            image.data[i] = (uint8_t)(i < n / 2 ? i / channels * (i % channels + 1) : s[i]);
        const char *path = files_path("out.png");
        assert_int_equal(at_image_save_png(path, &image, NULL), AT_OK);
        uint8_t *rgba = read_by_libpng(path, &w, &h);
        assert_true(w == 37 && h == 23);
        for (int p = 0; p < w * h; p++)
            for (int c = 0; c < 4; c++) {
                int want = c == 3 && channels < 4
                               ? 255
                               : image.data[p * channels + (channels == 1 ? 0 : c)];
                assert_int_equal(rgba[4 * p + c], want);
            }
        free(rgba);
        free(s);
        at_image_free(&image);
    }
    files_end();
}

static void masks_keep_ids_and_palette(void **state) {
    (void)state;
    files_begin();
    uint8_t ids[7 * 5];
    for (int i = 0; i < 35; i++) ids[i] = (uint8_t)(i * 7 % 21);
    at_rgb palette[21];
    for (int i = 0; i < 21; i++) palette[i] = at_voc_color(i);
    assert_int_equal(at_mask_save_png(files_path("m.png"), ids, 7, 5, palette, 21, NULL), AT_OK);
    char *bytes;
    size_t size;
    assert_int_equal(at_file_read(files_path("m.png"), 0, &bytes, &size, NULL), AT_OK);
    at_raster r;
    assert_int_equal(at_raster_decode(bytes, size, "m.png", &r, NULL), AT_OK);
    assert_int_equal(r.color, 3);
    assert_memory_equal(r.data, ids, 35);
    assert_int_equal(r.palette_count, 21);
    assert_memory_equal(r.palette, palette, sizeof palette);
    int w, h;
    uint8_t *rgba = read_by_libpng(files_path("m.png"), &w, &h);
    for (int i = 0; i < 35; i++) assert_memory_equal(rgba + 4 * i, &palette[ids[i]], 3);
    free(rgba);
    free(bytes);
    at_raster_free(&r);
    files_end();
}

/* Cut anywhere, or with any bit wrong, the file is refused, and what is refused owns nothing. */
static void damage_is_found(void **state) {
    (void)state;
    uint16_t *s = noise(16 * 9 * 3, 8, 0);
    size_t size;
    uint8_t *bytes = files_encode(&(files_png){16, 9, 2, 8, true, s, 0}, &size);
    at_raster r;
    for (size_t n = 0; n < size; n++) {
        at_error err = {0};
        assert_int_not_equal(at_raster_decode(bytes, n, "cut.png", &r, &err), AT_OK);
        assert_non_null(strstr(err.text, "cut.png"));
        assert_null(r.data);
        if (n > 8) assert_non_null(strstr(err.text, "cut short"));
    }
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= (uint8_t)(1 << i % 8);
        assert_int_not_equal(at_raster_decode(bytes, size, "flip.png", &r, NULL), AT_OK);
        assert_null(r.data);
        bytes[i] ^= (uint8_t)(1 << i % 8);
    }
    free(bytes);
    free(s);
}

static void set_header(uint8_t *bytes, const uint8_t width[4], const uint8_t height[4]) {
    memcpy(bytes + 16, width, 4);
    memcpy(bytes + 20, height, 4);
    uint32_t crc = (uint32_t)crc32(0, bytes + 12, 17);
    for (int b = 0; b < 4; b++) bytes[29 + b] = (uint8_t)(crc >> (24 - 8 * b));
}

/* A header that promises 16384 x 16384 over the data of 4 x 4, with its CRC made good. */
static void a_header_cannot_ask_for_the_moon(void **state) {
    (void)state;
    uint16_t *s = noise(16, 8, 0);
    size_t size;
    uint8_t *bytes = files_encode(&(files_png){4, 4, 0, 8, false, s, 0}, &size);
    static const uint8_t sides[3][4] = {{0, 0, 0x40, 0}, {0x7f, 0xff, 0xff, 0xff}, {0, 0, 0, 0}};
    for (int i = 0; i < 3; i++) {
        set_header(bytes, sides[i], sides[i]);
        at_raster r;
        at_error err = {0};
        assert_int_equal(at_raster_decode(bytes, size, "big.png", &r, &err), AT_ERR_INPUT);
        assert_non_null(strstr(err.text, i == 0   ? "less data"
                                         : i == 1 ? "more than"
                                                  : "no pixels"));
    }
    static const uint8_t four[4] = {0, 0, 0, 4}, more[4] = {0, 0, 0, 5}, less[4] = {0, 0, 0, 3};
    for (int i = 0; i < 2; i++) { /* a row too many, a row too few */
        set_header(bytes, four, i ? more : less);
        at_raster r;
        at_error err = {0};
        assert_int_equal(at_raster_decode(bytes, size, "rows.png", &r, &err), AT_ERR_INPUT);
        assert_non_null(strstr(err.text, i ? "fewer rows" : "more rows"));
        assert_null(r.data);
    }
    free(bytes);
    free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_libpng_writes), cmocka_unit_test(libpng_reads_what_we_write),
        cmocka_unit_test(masks_keep_ids_and_palette), cmocka_unit_test(damage_is_found),
        cmocka_unit_test(a_header_cannot_ask_for_the_moon)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
