/* SPDX-License-Identifier: MIT */
/* A PNG reader that keeps what is stored: indices stay indices, samples keep their depth.
 *
 * Two passes over the bytes: the first walks the chunks (order, lengths, CRC), the second inflates
 * the IDAT chunks row by row, so that no more than two rows are held besides the result. Memory is
 * asked for only after the header's claim was found possible: deflate can't shrink data by more
 * than a factor of 1032, so few bytes can't promise many pixels.
 *
 * Specification: PNG, second edition (ISO/IEC 15948). Left out on purpose: gamma, colour profiles,
 * text, animation. What follows IEND is not looked at. */
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/decode.h"

enum { SIGNATURE = 8, CHUNK_OVERHEAD = 12, DEFLATE_RATIO = 1032 };

typedef struct reader {
    const uint8_t *bytes;
    size_t size;
    const char *where;
    at_raster *png;
    bool interlaced;
    size_t idat; /* offset of the first IDAT chunk */
    uint64_t idat_bytes;
    at_error *err;

    z_stream z;
    size_t next; /* offset of the next IDAT chunk to feed */
} reader;

static uint32_t be32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint16_t be16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static at_status fail(const reader *r, const char *what) {
    return at_fail(r->err, AT_ERR_INPUT, "%s: damaged PNG: %s; make or copy the file anew",
                   r->where, what);
}

static at_status fail_short(const reader *r) {
    return at_fail(r->err, AT_ERR_INPUT,
                   "%s: the PNG is cut short after %zu bytes; make or copy the file anew", r->where,
                   r->size);
}

/* ---- chunks ---- */

static at_status read_header(reader *r, const uint8_t *p) {
    static const uint8_t channels[7] = {1, 0, 3, 1, 2, 0, 4};
    uint32_t width = be32(p), height = be32(p + 4);
    int depth = p[8], color = p[9];
    AT_TRY(at_check_pixels(r->where, width, height, r->err));
    if (color > 6 || channels[color] == 0) return fail(r, "unknown colour type");
    bool power = depth == 1 || depth == 2 || depth == 4 || depth == 8 || depth == 16;
    bool fits = color == 0 || (color == 3 ? depth <= 8 : depth >= 8);
    if (!power || !fits) return fail(r, "this colour type can't have this bit depth");
    if (p[10] != 0 || p[11] != 0) return fail(r, "unknown compression or filter method");
    if (p[12] > 1) return fail(r, "unknown interlace method");
    at_raster *png = r->png;
    png->width = (int)width;
    png->height = (int)height;
    png->depth = depth;
    png->color = color;
    png->channels = channels[color];
    png->maxval = (1 << depth) - 1;
    r->interlaced = p[12] == 1;
    memset(png->palette_alpha, 255, sizeof png->palette_alpha);
    return AT_OK;
}

static at_status read_palette(reader *r, const uint8_t *p, uint32_t length) {
    at_raster *png = r->png;
    uint32_t most = png->color == 3 ? 1u << png->depth : 256;
    if (length % 3 || length == 0 || length / 3 > most) return fail(r, "PLTE has a wrong length");
    if (png->palette_count) return fail(r, "two PLTE chunks");
    png->palette_count = (int)(length / 3);
    for (int i = 0; i < png->palette_count; i++)
        png->palette[i] = (at_rgb){p[3 * i], p[3 * i + 1], p[3 * i + 2]};
    return AT_OK;
}

static at_status read_transparency(reader *r, const uint8_t *p, uint32_t length) {
    at_raster *png = r->png;
    if (png->color == 3) {
        if (length > (uint32_t)png->palette_count)
            return fail(r, "tRNS is longer than the palette");
        memcpy(png->palette_alpha, p, length);
        return AT_OK;
    }
    if (png->color > 3 || length != 2u * (uint32_t)png->channels)
        return fail(r, "tRNS doesn't suit the colour type");
    for (int i = 0; i < png->channels; i++) png->key[i] = be16(p + 2 * i);
    png->has_key = true;
    return AT_OK;
}

/* Checks that a whole chunk lies at `at` and that its CRC is right. */
static at_status check_chunk(const reader *r, size_t at, uint32_t *length) {
    if (r->size - at < CHUNK_OVERHEAD) return fail_short(r);
    *length = be32(r->bytes + at);
    if (*length > INT32_MAX) return fail(r, "a chunk has an impossible length");
    if (*length > r->size - at - CHUNK_OVERHEAD) return fail_short(r);
    const uint8_t *type = r->bytes + at + 4;
    if ((uint32_t)crc32(0, type, *length + 4) != be32(type + 4 + *length))
        return fail(r, "a checksum (CRC) is wrong");
    return AT_OK;
}

static bool is(const uint8_t *type, const char *name) {
    return memcmp(type, name, 4) == 0;
}

/* One chunk after IHDR. *state: 0 before IDAT, 1 in IDAT, 2 behind it. */
static at_status read_chunk(reader *r, size_t at, uint32_t length, int *state) {
    const uint8_t *type = r->bytes + at + 4, *body = type + 4;
    if (is(type, "IDAT")) {
        if (*state == 2) return fail(r, "IDAT chunks are not in one row");
        if (*state == 0) r->idat = at;
        r->idat_bytes += length;
        *state = 1;
        return AT_OK;
    }
    if (*state == 1) *state = 2;
    if (is(type, "IHDR")) return fail(r, "two IHDR chunks");
    if (*state == 0 && is(type, "PLTE")) return read_palette(r, body, length);
    if (*state == 0 && is(type, "tRNS")) return read_transparency(r, body, length);
    if (!(type[0] & 0x20) && !is(type, "PLTE")) return fail(r, "an unknown critical chunk");
    return AT_OK;
}

static at_status read_first_chunk(reader *r) {
    uint32_t length;
    AT_TRY(check_chunk(r, SIGNATURE, &length));
    const uint8_t *type = r->bytes + SIGNATURE + 4;
    if (!is(type, "IHDR")) return fail(r, "it doesn't begin with IHDR");
    if (length != 13) return fail(r, "IHDR has a wrong length");
    return read_header(r, type + 4);
}

static at_status read_chunks(reader *r) {
    uint32_t length;
    int state = 0;
    AT_TRY(read_first_chunk(r));
    for (size_t at = SIGNATURE + 13 + CHUNK_OVERHEAD;; at += CHUNK_OVERHEAD + length) {
        AT_TRY(check_chunk(r, at, &length));
        if (is(r->bytes + at + 4, "IEND")) break;
        AT_TRY(read_chunk(r, at, length, &state));
    }
    if (state == 0) return fail(r, "no image data (IDAT)");
    if (r->png->color == 3 && r->png->palette_count == 0) return fail(r, "no palette (PLTE)");
    return AT_OK;
}

/* ---- rows ---- */

typedef struct pass {
    int x0, y0, dx, dy; /* its pixels lie at (x0 + i dx, y0 + j dy) */
    int width, height;
    size_t row_bytes; /* without the filter byte */
} pass;

static pass pass_make(const at_raster *png, int x0, int y0, int dx, int dy) {
    pass p = {x0, y0, dx, dy, 0, 0, 0};
    p.width = png->width > x0 ? (png->width - x0 + dx - 1) / dx : 0;
    p.height = png->height > y0 ? (png->height - y0 + dy - 1) / dy : 0;
    p.row_bytes = ((size_t)p.width * (size_t)(png->channels * png->depth) + 7) / 8;
    return p;
}

/* The passes that hold pixels: one, or up to the seven of Adam7. */
static int list_passes(const reader *r, pass out[7]) {
    static const int adam7[7][4] = {{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4},
                                    {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}};
    if (!r->interlaced) {
        out[0] = pass_make(r->png, 0, 0, 1, 1);
        return 1;
    }
    int count = 0;
    for (int i = 0; i < 7; i++) {
        const int *a = adam7[i];
        pass p = pass_make(r->png, a[0], a[1], a[2], a[3]);
        if (p.width && p.height) out[count++] = p;
    }
    return count;
}

/* Gives zlib the next IDAT chunk. */
static bool feed(reader *r) {
    if (!is(r->bytes + r->next + 4, "IDAT")) return false;
    uint32_t length = be32(r->bytes + r->next);
    /* zlib doesn't write through next_in, but wants it without const. */
    r->z.next_in = (Bytef *)(uintptr_t)(r->bytes + r->next + 8);
    r->z.avail_in = length;
    r->next += CHUNK_OVERHEAD + length;
    return true;
}

/* Inflates until `size` bytes stand in `out` (*got of them if the stream ends before). */
static at_status inflate_bytes(reader *r, uint8_t *out, size_t size, size_t *got) {
    r->z.next_out = out;
    r->z.avail_out = (uInt)size;
    *got = 0;
    for (;;) {
        int code = inflate(&r->z, Z_NO_FLUSH);
        *got = size - r->z.avail_out;
        if (code == Z_MEM_ERROR) return at_fail_memory(r->err, r->where, 1 << 16);
        if (code == Z_STREAM_END || (code == Z_OK && r->z.avail_out == 0)) return AT_OK;
        if (code != Z_OK && code != Z_BUF_ERROR) return fail(r, "its compressed data is broken");
        if (r->z.avail_in == 0 && !feed(r)) return fail(r, "its compressed data ends too early");
    }
}

static uint8_t paeth(int a, int b, int c) {
    int pa = abs(b - c), pb = abs(a - c), pc = abs(a + b - 2 * c);
    return (uint8_t)(pa <= pb && pa <= pc ? a : pb <= pc ? b : c);
}

/* Undoes the filter of a row in place; `up` is the row above (zeros above the first). */
static bool unfilter(int filter, uint8_t *row, const uint8_t *up, size_t n, size_t bpp) {
    switch (filter) {
    case 0:
        return true;
    case 1:
        for (size_t i = bpp; i < n; i++) row[i] = (uint8_t)(row[i] + row[i - bpp]);
        return true;
    case 2:
        for (size_t i = 0; i < n; i++) row[i] = (uint8_t)(row[i] + up[i]);
        return true;
    case 3:
        for (size_t i = 0; i < n; i++)
            row[i] = (uint8_t)(row[i] + (((i < bpp ? 0 : row[i - bpp]) + up[i]) >> 1));
        return true;
    case 4:
        for (size_t i = 0; i < n && i < bpp; i++) row[i] = (uint8_t)(row[i] + up[i]);
        for (size_t i = bpp; i < n; i++)
            row[i] = (uint8_t)(row[i] + paeth(row[i - bpp], up[i], up[i - bpp]));
        return true;
    default:
        return false;
    }
}

/* Spreads one row of a pass over the picture. */
static void store_row(at_raster *png, const pass *p, int j, const uint8_t *row) {
    int depth = png->depth, channels = png->channels;
    size_t y = (size_t)(p->y0 + j * p->dy);
    for (int i = 0; i < p->width; i++) {
        size_t at = (y * (size_t)png->width + (size_t)(p->x0 + i * p->dx)) * (size_t)channels;
        for (int c = 0; c < channels; c++) {
            size_t s = (size_t)i * (size_t)channels + (size_t)c;
            if (depth == 16) {
                ((uint16_t *)png->data)[at + (size_t)c] = be16(row + 2 * s);
            } else {
                int shift = 8 - depth - (int)(s * (size_t)depth % 8);
                uint8_t v = (uint8_t)(row[s * (size_t)depth / 8] >> shift & ((1 << depth) - 1));
                ((uint8_t *)png->data)[at + (size_t)c] = v;
            }
        }
    }
}

static at_status read_pass(reader *r, const pass *p, uint8_t *rows) {
    at_raster *png = r->png;
    size_t n = p->row_bytes, got;
    size_t bpp = (size_t)(png->channels * png->depth + 7) / 8;
    uint8_t *row = rows, *up = rows + n + 1; /* each with its filter byte in front */
    memset(up, 0, n + 1);
    bool plain = p->dx == 1 && p->dy == 1 && png->depth == 8;
    for (int j = 0; j < p->height; j++) {
        AT_TRY(inflate_bytes(r, row, n + 1, &got));
        if (got < n + 1) return fail(r, "it has fewer rows than its header says");
        if (!unfilter(row[0], row + 1, up + 1, n, bpp)) return fail(r, "an unknown row filter");
        if (plain)
            memcpy((uint8_t *)png->data + (size_t)j * n, row + 1, n);
        else
            store_row(png, p, j, row + 1);
        uint8_t *swap = row;
        row = up;
        up = swap;
    }
    return AT_OK;
}

static at_status read_passes(reader *r, const pass *passes, int count, uint8_t *rows) {
    r->next = r->idat;
    if (inflateInit(&r->z) != Z_OK) return at_fail_memory(r->err, r->where, 1 << 16);
    at_status status = AT_OK;
    for (int i = 0; i < count && !status; i++) status = read_pass(r, &passes[i], rows);
    uint8_t more;
    size_t got = 0;
    if (!status) status = inflate_bytes(r, &more, 1, &got); /* reaches the stream's checksum */
    if (!status && got) status = fail(r, "it has more rows than its header says");
    inflateEnd(&r->z);
    return status;
}

static at_status read_pixels(reader *r) {
    pass passes[7];
    int count = list_passes(r, passes);
    uint64_t raw = 0;
    size_t widest = 0;
    for (int i = 0; i < count; i++) {
        raw += (uint64_t)passes[i].height * (passes[i].row_bytes + 1);
        if (passes[i].row_bytes > widest) widest = passes[i].row_bytes;
    }
    if (raw > (r->idat_bytes + 1) * DEFLATE_RATIO)
        return fail(r, "it has less data than its header needs");
    at_raster *png = r->png;
    AT_TRY(at_raster_alloc(png, r->where, r->err));
    uint8_t *rows = malloc(2 * (widest + 1));
    if (!rows) return at_fail_memory(r->err, r->where, 2 * (widest + 1));
    at_status status = read_passes(r, passes, count, rows);
    free(rows);
    return status;
}

at_status at_png_decode(const void *bytes, size_t size, const char *where, bool header_only,
                        at_raster *out, at_error *err) {
    *out = (at_raster){0};
    reader r = {.bytes = bytes, .size = size, .where = where, .png = out, .err = err};
    at_status status = header_only ? read_first_chunk(&r) : read_chunks(&r);
    if (!status && !header_only) status = read_pixels(&r);
    if (status) at_raster_free(out);
    return status;
}
