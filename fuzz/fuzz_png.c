/* SPDX-License-Identifier: MIT */
/* PNG as stored. Mutated bytes rarely keep a CRC right, so those of the chunks are made good first:
 * otherwise nothing behind the check would ever be reached. What is accepted must write and read
 * back as the same picture. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/data.h"
#include "fuzz/fuzz.h"

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void mend(uint8_t *p, size_t size) {
    for (size_t at = 8; size >= 20 && at <= size - 12;) {
        uint32_t length = be32(p + at);
        if (length > size - at - 12) return;
        uint32_t crc = (uint32_t)crc32(0, p + at + 4, length + 4);
        for (int i = 0; i < 4; i++) p[at + 8 + length + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += 12 + (size_t)length;
    }
}

static void write_again(const at_image *image) {
    uint8_t *bytes;
    size_t size;
    at_image again;
    if (at_image_encode_png(image, &bytes, &size, NULL)) abort();
    if (at_image_decode(bytes, size, "again", image->channels, &again, NULL)) abort();
    size_t n = (size_t)image->width * (size_t)image->height * (size_t)image->channels;
    if (again.width != image->width || memcmp(again.data, image->data, n) != 0) abort();
    at_image_free(&again);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const int channels[] = {1, 3, 4};
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) return 0;
    memcpy(copy, data, size);
    mend(copy, size);
    at_raster raster;
    at_error err = {0};
    if (at_raster_decode(copy, size, "fuzz", &raster, &err) == AT_OK) {
        at_raster_free(&raster);
        at_image image;
        if (at_image_decode(copy, size, "fuzz", channels[size % 3], &image, &err) == AT_OK) {
            write_again(&image);
            at_image_free(&image);
        }
    }
    free(copy);
    return 0;
}
