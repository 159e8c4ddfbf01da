/* SPDX-License-Identifier: MIT */
/* Pictures as stored: which format it is, which decoder reads it, and the way from samples of any
 * depth to an 8-bit picture. */
#include <stdlib.h>
#include <string.h>

#include "data/decode.h"

static bool begins(const uint8_t *p, size_t size, const char *with, size_t n) {
    return size >= n && memcmp(p, with, n) == 0;
}

at_kind at_kind_of(const void *bytes, size_t size) {
    const uint8_t *p = bytes;
    if (begins(p, size, "\x89PNG\r\n\x1a\n", 8)) return AT_KIND_PNG;
    if (begins(p, size, "\xff\xd8\xff", 3)) return AT_KIND_JPEG;
    if (begins(p, size, "BM", 2) && size >= 14) return AT_KIND_BMP;
    if (size >= 3 && p[0] == 'P' && p[1] >= '1' && p[1] <= '6' && (p[2] <= ' ' || p[2] == '#'))
        return AT_KIND_PNM;
    return AT_KIND_UNKNOWN;
}

at_status at_fail_kind(const void *bytes, size_t size, const char *where, at_error *err) {
    const uint8_t *p = bytes;
    const char *what = "not a picture";
    if (size == 0) return at_fail(err, AT_ERR_INPUT, "%s: the file is empty", where);
    if (begins(p, size, "II*\0", 4) || begins(p, size, "MM\0*", 4)) what = "a TIFF picture";
    if (begins(p, size, "GIF8", 4)) what = "a GIF picture";
    if (size >= 12 && begins(p, 4, "RIFF", 4) && begins(p + 8, 4, "WEBP", 4))
        what = "a WebP picture";
    return at_fail(err, AT_ERR_INPUT,
                   "%s: %s; PNG, JPEG, BMP and PNM can be read: convert it to PNG", where, what);
}

at_status at_check_pixels(const char *where, uint64_t width, uint64_t height, at_error *err) {
    if (width == 0 || height == 0)
        return at_fail(err, AT_ERR_INPUT, "%s: the picture has no pixels (its header says %lux%lu)",
                       where, (unsigned long)width, (unsigned long)height);
    if (width > AT_MAX_PIXELS || height > AT_MAX_PIXELS || width * height > AT_MAX_PIXELS)
        return at_fail(err, AT_ERR_INPUT,
                       "%s: its header says %lux%lu, more than the %d pixels a picture may have",
                       where, (unsigned long)width, (unsigned long)height, AT_MAX_PIXELS);
    return AT_OK;
}

at_status at_raster_alloc(at_raster *r, const char *where, at_error *err) {
    size_t bytes = (size_t)r->width * (size_t)r->height * (size_t)r->channels;
    if (r->depth == 16) bytes *= 2;
    r->data = malloc(bytes);
    return r->data ? AT_OK : at_fail_memory(err, where, bytes);
}

void at_raster_free(at_raster *r) {
    free(r->data);
    *r = (at_raster){0};
}

at_status at_raster_decode(const void *bytes, size_t size, const char *where, at_raster *out,
                           at_error *err) {
    *out = (at_raster){0};
    switch (at_kind_of(bytes, size)) {
    case AT_KIND_PNG:
        return at_png_decode(bytes, size, where, false, out, err);
    case AT_KIND_BMP:
        return at_bmp_decode(bytes, size, where, false, out, err);
    case AT_KIND_PNM:
        return at_pnm_decode(bytes, size, where, false, out, err);
    case AT_KIND_JPEG:
        return at_fail(err, AT_ERR_INPUT, "%s: a JPEG keeps no exact values; save it as PNG",
                       where);
    default:
        return at_fail_kind(bytes, size, where, err);
    }
}

/* ---- to 8 bits ---- */

static int sample(const at_raster *r, size_t i) {
    return r->depth == 16 ? ((const uint16_t *)r->data)[i] : ((const uint8_t *)r->data)[i];
}

/* 16 bits are cut, fewer are spread so that maxval becomes 255. */
static uint8_t to_8bit(const at_raster *r, int v) {
    if (r->maxval == 255) return (uint8_t)v;
    if (r->maxval == 65535) return (uint8_t)(v >> 8);
    return (uint8_t)((v * 255 + r->maxval / 2) / r->maxval);
}

static bool is_key(const at_raster *r, size_t i) {
    if (!r->has_key) return false;
    for (int c = 0; c < r->channels; c++)
        if (sample(r, i + (size_t)c) != r->key[c]) return false;
    return true;
}

/* One pixel as RGBA. The index of an indexed picture was checked. */
static void pixel(const at_raster *r, size_t p, uint8_t rgba[4]) {
    size_t i = p * (size_t)r->channels;
    int first = sample(r, i);
    rgba[3] = is_key(r, i) ? 0 : 255;
    if (r->color == 3) {
        at_rgb c = r->palette[first];
        rgba[0] = c.r;
        rgba[1] = c.g;
        rgba[2] = c.b;
        rgba[3] = r->palette_alpha[first];
    } else if (r->color == 0 || r->color == 4) {
        rgba[0] = rgba[1] = rgba[2] = to_8bit(r, first);
        if (r->color == 4) rgba[3] = to_8bit(r, sample(r, i + 1));
    } else {
        for (int c = 0; c < r->channels; c++) rgba[c] = to_8bit(r, sample(r, i + (size_t)c));
    }
}

static at_status check_indices(const at_raster *r, const char *where, at_error *err) {
    const uint8_t *index = r->data;
    if (r->color != 3) return AT_OK;
    for (int y = 0; y < r->height; y++)
        for (int x = 0; x < r->width; x++, index++)
            if (*index >= r->palette_count)
                return at_fail(err, AT_ERR_INPUT,
                               "%s: pixel (%d,%d) has colour %d of a palette of %d; save it anew",
                               where, x, y, *index, r->palette_count);
    return AT_OK;
}

at_status at_raster_to_image(at_raster *r, const char *where, int channels, at_image *out,
                             at_error *err) {
    *out = (at_image){0};
    AT_TRY(check_indices(r, where, err));
    bool grey = r->color == 0 || r->color == 4;
    if (r->depth == 8 && r->maxval == 255 && (r->color == 0 || r->color == 2) && channels < 4) {
        *out = (at_image){r->width, r->height, r->channels, r->data};
        r->data = NULL;
    } else {
        int stored = channels == 4 ? 4 : grey ? 1 : 3;
        AT_TRY(at_image_alloc(r->width, r->height, stored, out, err));
        size_t pixels = (size_t)r->width * (size_t)r->height;
        uint8_t rgba[4], *to = out->data;
        for (size_t p = 0; p < pixels; p++, to += stored) {
            pixel(r, p, rgba);
            memcpy(to, rgba, (size_t)stored);
        }
    }
    return at_image_convert(out, channels, err);
}
