/* SPDX-License-Identifier: MIT */
/* Pictures from files: bytes in, 8-bit pixels with the wanted channels and the right way up out. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "data/decode.h"

void at_image_free(at_image *image) {
    free(image->data);
    *image = (at_image){0};
}

at_status at_image_alloc(int width, int height, int channels, at_image *out, at_error *err) {
    size_t bytes = (size_t)width * (size_t)height * (size_t)channels;
    *out = (at_image){width, height, channels, malloc(bytes)};
    return out->data ? AT_OK : at_fail_memory(err, "a picture", bytes);
}

/* Rec. 601 luma. */
static uint8_t luma(const uint8_t *rgb) {
    return (uint8_t)((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
}

static void convert_pixel(const uint8_t *from, int has, uint8_t *to, int wants) {
    if (wants == 1) {
        to[0] = has == 1 ? from[0] : luma(from);
        return;
    }
    for (int c = 0; c < 3; c++) to[c] = from[has == 1 ? 0 : c];
    if (wants == 4) to[3] = has == 4 ? from[3] : 255;
}

at_status at_image_convert(at_image *image, int channels, at_error *err) {
    if (image->channels == channels) return AT_OK;
    at_image made;
    at_status status = at_image_alloc(image->width, image->height, channels, &made, err);
    if (!status) {
        size_t pixels = (size_t)image->width * (size_t)image->height;
        const uint8_t *from = image->data;
        uint8_t *to = made.data;
        for (size_t p = 0; p < pixels; p++, from += image->channels, to += channels)
            convert_pixel(from, image->channels, to, channels);
    }
    at_image_free(image);
    if (!status) *image = made;
    return status;
}

/* EXIF's eight ways to hold a camera: 5 .. 8 swap the axes; then mirrored in x and in y. */
at_status at_image_orient(at_image *image, int orientation, at_error *err) {
    static const bool flip_x[9] = {false, false, true, true, false, false, true, true, false};
    static const bool flip_y[9] = {false, false, false, true, true, false, false, true, true};
    if (orientation <= 1 || orientation > 8) return AT_OK;
    bool swap = orientation >= 5;
    int width = swap ? image->height : image->width, height = swap ? image->width : image->height;
    at_image made;
    AT_TRY(at_image_alloc(width, height, image->channels, &made, err));
    size_t n = (size_t)image->channels;
    uint8_t *to = made.data;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, to += n) {
            int u = flip_x[orientation] ? width - 1 - x : x,
                v = flip_y[orientation] ? height - 1 - y : y;
            size_t at = swap ? (size_t)u * (size_t)image->width + (size_t)v
                             : (size_t)v * (size_t)image->width + (size_t)u;
            memcpy(to, image->data + at * n, n);
        }
    at_image_free(image);
    *image = made;
    return AT_OK;
}

static at_status decode_jpeg(const void *bytes, size_t size, const char *where, int channels,
                             at_image *out, at_error *err) {
    at_jpeg_info info;
    AT_TRY(at_jpeg_scan(bytes, size, where, &info, err));
    if (!info.complete)
        return at_fail(err, AT_ERR_INPUT,
                       "%s: the JPEG is cut short after %zu bytes; make or copy the file anew",
                       where, size);
    AT_TRY(at_jpeg_decode(bytes, size, where, out, err));
    at_status status = at_image_orient(out, info.orientation, err);
    if (!status) status = at_image_convert(out, channels, err);
    if (status) at_image_free(out);
    return status;
}

at_status at_image_decode(const void *bytes, size_t size, const char *where, int channels,
                          at_image *out, at_error *err) {
    *out = (at_image){0};
    if (channels != 1 && channels != 3 && channels != 4)
        return at_fail(err, AT_ERR_USAGE, "a picture can be read with 1, 3 or 4 channels, not %d",
                       channels);
    if (at_kind_of(bytes, size) == AT_KIND_JPEG)
        return decode_jpeg(bytes, size, where, channels, out, err);
    at_raster raster;
    AT_TRY(at_raster_decode(bytes, size, where, &raster, err));
    at_status status = at_raster_to_image(&raster, where, channels, out, err);
    at_raster_free(&raster);
    if (status) at_image_free(out);
    return status;
}

at_status at_image_load(const char *path, int channels, at_image *out, at_error *err) {
    char *bytes;
    size_t size;
    *out = (at_image){0};
    AT_TRY(at_file_read(path, 0, &bytes, &size, err));
    at_status status = at_image_decode(bytes, size, path, channels, out, err);
    free(bytes);
    return status;
}

/* ---- size only ---- */

/* *known: false if the header reaches beyond the bytes. */
static at_status header_size(const void *bytes, size_t size, const char *where, bool *known,
                             at_pair *out, at_error *err) {
    at_raster r = {0};
    at_jpeg_info info;
    at_kind kind = at_kind_of(bytes, size);
    *known = true;
    if (kind == AT_KIND_JPEG) {
        AT_TRY(at_jpeg_scan(bytes, size, where, &info, err));
        *known = info.has_size;
        *out = info.orientation >= 5 ? (at_pair){info.width, info.height}
                                     : (at_pair){info.height, info.width};
        return AT_OK;
    }
    if (kind == AT_KIND_PNG)
        AT_TRY(at_png_decode(bytes, size, where, true, &r, err));
    else if (kind == AT_KIND_BMP)
        AT_TRY(at_bmp_decode(bytes, size, where, true, &r, err));
    else if (kind == AT_KIND_PNM)
        AT_TRY(at_pnm_decode(bytes, size, where, true, &r, err));
    else
        return at_fail_kind(bytes, size, where, err);
    *out = (at_pair){r.height, r.width};
    return AT_OK;
}

/* The file's first bytes, fewer if it has fewer. */
static at_status read_start(const char *path, uint8_t *bytes, size_t limit, size_t *size,
                            at_error *err) {
    FILE *f = fopen(path, "rb");
    if (!f) return at_fail(err, AT_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    *size = fread(bytes, 1, limit, f);
    at_status status = AT_OK;
    if (ferror(f)) status = at_fail(err, AT_ERR_IO, "cannot read '%s': %s", path, strerror(errno));
    fclose(f);
    return status;
}

at_status at_image_size(const char *path, int *width, int *height, at_error *err) {
    enum { START = 16384 };
    uint8_t start[START];
    size_t size;
    bool known;
    at_pair found;
    AT_TRY(read_start(path, start, START, &size, err));
    AT_TRY(header_size(start, size, path, &known, &found, err));
    if (!known) { /* a JPEG with much before its frame header: profiles, thumbnails */
        char *bytes;
        AT_TRY(at_file_read(path, 0, &bytes, &size, err));
        at_status status = header_size(bytes, size, path, &known, &found, err);
        free(bytes);
        if (status) return status;
    }
    if (!known)
        return at_fail(err, AT_ERR_INPUT, "%s: the JPEG is cut short: it has no size", path);
    *width = found.w;
    *height = found.h;
    return AT_OK;
}
