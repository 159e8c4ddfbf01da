/* SPDX-License-Identifier: MIT */
/* For tests of the data room: a folder that goes away, and files in it. Pictures are written by
 * libpng, so that our own reader has an independent truth. Everything fails through cmocka. */
#ifndef AT_TESTS_DATA_FILES_H
#define AT_TESTS_DATA_FILES_H

#include "data/data.h"

/* A fresh folder under $TMPDIR or /tmp; one at a time. */
const char *files_begin(void);
/* A file, or a folder with all that is in it, if it is there. */
void files_remove(const char *path);
void files_end(void);

/* Path of `name` inside it; a few of them stay valid at a time. */
const char *files_path(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes a file, making its folders. */
void files_text(const char *name, const char *text);
void files_bytes(const char *name, const void *bytes, size_t size);

typedef struct files_png {
    int width, height, color, depth; /* PNG's colour type and bits */
    bool interlaced;
    const uint16_t *samples; /* [height, width, channels of the colour type] */
    int palette_count;       /* colour 3: this many colours, files_color(i) */
} files_png;

at_rgb files_color(int i);
/* The file's bytes (free()). */
uint8_t *files_encode(const files_png *png, size_t *size);
void files_write_png(const char *name, const files_png *png);

/* A grey 8-bit mask, all of one id, or with `ids` (width * height of them). */
void files_mask(const char *name, int width, int height, int id, const uint8_t *ids);
/* An RGB picture of noise from `seed`. */
void files_image(const char *name, int width, int height, uint64_t seed);

#endif
