/* SPDX-License-Identifier: MIT */
#include "tests/data_files.h"

#include <ftw.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char root[256];

const char *files_begin(void) {
    const char *tmp = getenv("TMPDIR");
    snprintf(root, sizeof root, "%s/atrous-test-XXXXXX", tmp && *tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(root));
    return root;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at) {
    (void)s;
    (void)kind;
    (void)at;
    return remove(path);
}

void files_remove(const char *path) {
    nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

void files_end(void) {
    files_remove(root);
    root[0] = '\0';
}

const char *files_path(const char *format, ...) {
    static char ring[32][512];
    static int turn;
    char *out = ring[turn++ % 32];
    va_list args;
    va_start(args, format);
    int n = snprintf(out, sizeof ring[0], "%s/", root);
    vsnprintf(out + n, sizeof ring[0] - (size_t)n, format, args);
    va_end(args);
    return out;
}

void files_bytes(const char *name, const void *bytes, size_t size) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", root, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_int_equal(at_make_dirs(path, NULL), AT_OK);
    *slash = '/';
    assert_int_equal(at_file_write(path, bytes, size, NULL), AT_OK);
}

void files_text(const char *name, const char *text) {
    files_bytes(name, text, strlen(text));
}

at_rgb files_color(int i) {
    return (at_rgb){(uint8_t)(i * 37 + 5), (uint8_t)(i * 101 + 9), (uint8_t)(i * 11 + 3)};
}

typedef struct sink {
    uint8_t *bytes;
    size_t size;
} sink;

static void take(png_structp p, png_bytep data, size_t n) {
    sink *s = png_get_io_ptr(p);
    s->bytes = realloc(s->bytes, s->size + n);
    memcpy(s->bytes + s->size, data, n);
    s->size += n;
}

static void flush(png_structp p) {
    (void)p;
}

static void complain(png_structp p, png_const_charp text) {
    (void)p;
    fail_msg("libpng: %s", text);
    abort();
}

static int channels_of(int color) {
    return color == 2 ? 3 : color == 6 ? 4 : color == 4 ? 2 : 1;
}

/* Samples to libpng's packed rows, big endian. */
static uint8_t *pack(const files_png *f, size_t *stride) {
    int n = f->width * channels_of(f->color);
    *stride = ((size_t)n * (size_t)f->depth + 7) / 8;
    uint8_t *out = calloc(*stride, (size_t)f->height);
    for (int y = 0; y < f->height; y++)
        for (int i = 0; i < n; i++) {
            unsigned v = f->samples[y * n + i], bit = (unsigned)(i * f->depth);
            uint8_t *p = out + *stride * (size_t)y + bit / 8;
            if (f->depth == 16) {
                p[0] = (uint8_t)(v >> 8);
                p[1] = (uint8_t)v;
            } else {
                *p = (uint8_t)(*p | v << (8 - (unsigned)f->depth - bit % 8));
            }
        }
    return out;
}

uint8_t *files_encode(const files_png *f, size_t *size) {
    sink s = {0};
    size_t stride;
    uint8_t *packed = pack(f, &stride);
    png_bytep *rows = calloc((size_t)f->height, sizeof *rows);
    for (int y = 0; y < f->height; y++) rows[y] = packed + stride * (size_t)y;
    png_structp p = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, complain, NULL);
    png_infop info = png_create_info_struct(p);
    png_set_write_fn(p, &s, take, flush);
    png_set_filter(p, 0, PNG_ALL_FILTERS);
    png_set_IHDR(p, info, (png_uint_32)f->width, (png_uint_32)f->height, f->depth, f->color,
                 f->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    png_color palette[256];
    for (int i = 0; i < f->palette_count; i++) {
        at_rgb c = files_color(i);
        palette[i] = (png_color){c.r, c.g, c.b};
    }
    if (f->color == 3) png_set_PLTE(p, info, palette, f->palette_count);
    png_set_rows(p, info, rows);
    png_write_png(p, info, PNG_TRANSFORM_IDENTITY, NULL);
    png_destroy_write_struct(&p, &info);
    free(rows);
    free(packed);
    *size = s.size;
    return s.bytes;
}

void files_write_png(const char *name, const files_png *png) {
    size_t size;
    uint8_t *bytes = files_encode(png, &size);
    files_bytes(name, bytes, size);
    free(bytes);
}

void files_mask(const char *name, int width, int height, int id, const uint8_t *ids) {
    int n = width * height;
    uint16_t *samples = malloc((size_t)n * sizeof *samples);
    for (int i = 0; i < n; i++) samples[i] = (uint16_t)(ids ? ids[i] : id);
    files_write_png(name, &(files_png){width, height, 0, 8, false, samples, 0});
    free(samples);
}

void files_image(const char *name, int width, int height, uint64_t seed) {
    at_rng rng = at_rng_make(seed, AT_RNG_TEST, 0, 0);
    int n = width * height * 3;
    uint16_t *samples = malloc((size_t)n * sizeof *samples);
    for (int i = 0; i < n; i++) samples[i] = (uint16_t)at_rng_below(&rng, 256);
    files_write_png(name, &(files_png){width, height, 2, 8, false, samples, 0});
    free(samples);
}
