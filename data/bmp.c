/* SPDX-License-Identifier: MIT */
/* Uncompressed BMP: 1, 4 and 8 bits as indices with their palette (masks come as such), 24 and 32
 * bits as colour. Windows 3 headers and later, and OS/2's. Left out on purpose: run-length coding,
 * 16 bits, bit fields other than the usual order of bytes. */
#include <string.h>

#include "data/decode.h"

typedef struct reader {
    const uint8_t *bytes;
    size_t size, offset, stride; /* of the rows */
    int bits;
    bool bottom_up;
    const char *where;
    at_error *err;
} reader;

static uint32_t le32(const uint8_t *p) {
    return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static uint32_t le16(const uint8_t *p) {
    return (uint32_t)(p[1] << 8 | p[0]);
}

static at_status fail(const reader *r, const char *what) {
    return at_fail(r->err, AT_ERR_INPUT, "%s: BMP: %s; save it as PNG", r->where, what);
}

/* Entries of 4 bytes (3 in OS/2 files) behind the header. */
static at_status read_palette(const reader *r, size_t header, uint32_t stated, at_raster *out) {
    size_t entry = header == 12 ? 3 : 4;
    uint32_t most = 1u << r->bits, count = stated ? stated : most;
    if (count > most) return fail(r, "its palette is too large");
    if ((r->size - 14 - header) / entry < count) return fail(r, "it is cut short");
    const uint8_t *p = r->bytes + 14 + header;
    for (uint32_t i = 0; i < count; i++, p += entry) out->palette[i] = (at_rgb){p[2], p[1], p[0]};
    out->palette_count = (int)count;
    memset(out->palette_alpha, 255, sizeof out->palette_alpha);
    return AT_OK;
}

/* Bit fields are taken if they say what 32 bits without bit fields would mean. */
static at_status check_compression(const reader *r, size_t header) {
    uint32_t compression = le32(r->bytes + 30);
    if (compression == 0) return AT_OK;
    if (compression != 3 || r->bits != 32) return fail(r, "compressed files are not supported");
    if (header < 52 && r->size < 66) return fail(r, "it is cut short");
    const uint8_t *masks = r->bytes + 54;
    bool usual = le32(masks) == 0xff0000 && le32(masks + 4) == 0xff00 && le32(masks + 8) == 0xff;
    return usual ? AT_OK : fail(r, "this order of colour bits is not supported");
}

static at_status read_header(reader *r, at_raster *out) {
    const uint8_t *p = r->bytes;
    if (r->size < 26) return fail(r, "it is cut short");
    size_t header = le32(p + 14);
    bool os2 = header == 12;
    if (!os2 && (header < 40 || header > 256)) return fail(r, "an unknown header");
    if (r->size - 14 < header) return fail(r, "it is cut short");
    int64_t width = os2 ? (int32_t)le16(p + 18) : (int32_t)le32(p + 18);
    int64_t height = os2 ? (int32_t)le16(p + 20) : (int32_t)le32(p + 22);
    r->bits = (int)le16(p + (os2 ? 24 : 28));
    r->bottom_up = height > 0;
    if (height < 0) height = -height;
    AT_TRY(at_check_pixels(r->where, width < 0 ? 0 : (uint64_t)width, (uint64_t)height, r->err));
    if (r->bits != 1 && r->bits != 4 && r->bits != 8 && r->bits != 24 && r->bits != 32)
        return fail(r, "this number of bits a pixel is not supported");
    if (!os2) AT_TRY(check_compression(r, header));
    out->width = (int)width;
    out->height = (int)height;
    out->color = r->bits <= 8 ? 3 : 2;
    out->channels = r->bits <= 8 ? 1 : 3;
    out->depth = 8;
    out->maxval = 255;
    r->offset = le32(p + 10);
    r->stride = ((size_t)width * (size_t)r->bits + 31) / 32 * 4;
    return r->bits <= 8 ? read_palette(r, header, os2 ? 0 : le32(p + 46), out) : AT_OK;
}

static void read_row(const reader *r, const uint8_t *row, int width, uint8_t *out) {
    for (int x = 0; x < width; x++) {
        if (r->bits <= 8) {
            int shift = 8 - r->bits - x * r->bits % 8;
            out[x] = (uint8_t)(row[x * r->bits / 8] >> shift & ((1 << r->bits) - 1));
        } else {
            const uint8_t *bgr = row + (size_t)x * (size_t)(r->bits / 8);
            for (int c = 0; c < 3; c++) out[3 * x + c] = bgr[2 - c];
        }
    }
}

at_status at_bmp_decode(const void *bytes, size_t size, const char *where, bool header_only,
                        at_raster *out, at_error *err) {
    *out = (at_raster){0};
    reader r = {.bytes = bytes, .size = size, .where = where, .err = err};
    AT_TRY(read_header(&r, out));
    if (header_only) return AT_OK;
    size_t rows = (size_t)out->height;
    if (r.offset > size || (size - r.offset) / r.stride < rows) return fail(&r, "it is cut short");
    AT_TRY(at_raster_alloc(out, where, err));
    size_t row_out = (size_t)out->width * (size_t)out->channels;
    for (size_t y = 0; y < rows; y++) {
        size_t from = r.bottom_up ? rows - 1 - y : y;
        read_row(&r, r.bytes + r.offset + from * r.stride, out->width,
                 (uint8_t *)out->data + y * row_out);
    }
    return AT_OK;
}
