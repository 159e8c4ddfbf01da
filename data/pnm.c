/* SPDX-License-Identifier: MIT */
/* PBM, PGM and PPM, plain (P1 P2 P3) and raw (P4 P5 P6), 8 and 16 bit: netpbm's formats, kept as
 * stored so that a PGM can be a mask of ids. Left out on purpose: PAM, and more than one picture in
 * a file. */
#include "data/decode.h"

typedef struct reader {
    const uint8_t *at, *end;
    const char *where;
    at_error *err;
} reader;

static at_status fail(const reader *r, const char *what) {
    return at_fail(r->err, AT_ERR_INPUT, "%s: damaged PNM: %s; make or copy the file anew",
                   r->where, what);
}

static bool is_space(int c) {
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Steps over blanks and comments. */
static void skip_space(reader *r) {
    for (; r->at < r->end; r->at++) {
        if (*r->at == '#')
            while (r->at < r->end && *r->at != '\n') r->at++;
        if (r->at == r->end || !is_space(*r->at)) return;
    }
}

/* The next number, or -1: none, or above 2^24. */
static int read_number(reader *r) {
    skip_space(r);
    int v = -1;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++) {
        v = (v < 0 ? 0 : v) * 10 + (*r->at - '0');
        if (v > 1 << 24) return -1;
    }
    return v;
}

static void put(at_raster *raster, size_t i, int v) {
    if (raster->depth == 16)
        ((uint16_t *)raster->data)[i] = (uint16_t)v;
    else
        ((uint8_t *)raster->data)[i] = (uint8_t)v;
}

static at_status read_plain(reader *r, int kind, at_raster *raster, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int v;
        if (kind == 1) { /* the digits of P1 need no blanks between them */
            skip_space(r);
            v = r->at < r->end ? *r->at++ - '0' : -1;
        } else {
            v = read_number(r);
        }
        if (v < 0) return fail(r, "it is cut short or holds no number");
        if (v > raster->maxval) return fail(r, "a sample is above its largest value");
        put(raster, i, kind == 1 ? 1 - v : v);
    }
    return AT_OK;
}

static at_status read_raw(reader *r, at_raster *raster, size_t count) {
    for (size_t i = 0; i < count; i++) {
        int v = raster->depth == 16 ? r->at[2 * i] << 8 | r->at[2 * i + 1] : r->at[i];
        if (v > raster->maxval) return fail(r, "a sample is above its largest value");
        put(raster, i, v);
    }
    return AT_OK;
}

/* P4: rows of bits, filled up to whole bytes; 1 is black. */
static void read_bits(reader *r, at_raster *raster) {
    size_t stride = ((size_t)raster->width + 7) / 8;
    for (int y = 0; y < raster->height; y++, r->at += stride)
        for (int x = 0; x < raster->width; x++)
            put(raster, (size_t)y * (size_t)raster->width + (size_t)x,
                !(r->at[x / 8] >> (7 - x % 8) & 1));
}

/* Bytes the samples take at least, so that a short file is found out before memory is asked for. */
static size_t least_bytes(int kind, const at_raster *raster, size_t count) {
    if (kind == 4) return ((size_t)raster->width + 7) / 8 * (size_t)raster->height;
    return kind >= 5 ? count * (raster->depth == 16 ? 2 : 1) : count;
}

static at_status read_header(reader *r, int kind, at_raster *out) {
    int width = read_number(r), height = read_number(r);
    int maxval = kind == 1 || kind == 4 ? 1 : read_number(r);
    if (r->at == r->end) return fail(r, "it is cut short or holds no number");
    if (width < 0 || height < 0) return fail(r, "no size");
    if (maxval < 1 || maxval > 65535) return fail(r, "no largest value");
    bool color = kind == 3 || kind == 6;
    out->width = width;
    out->height = height;
    out->color = color ? 2 : 0;
    out->channels = color ? 3 : 1;
    out->depth = maxval > 255 ? 16 : 8;
    out->maxval = maxval;
    return at_check_pixels(r->where, (uint64_t)width, (uint64_t)height, r->err);
}

at_status at_pnm_decode(const void *bytes, size_t size, const char *where, bool header_only,
                        at_raster *out, at_error *err) {
    *out = (at_raster){0};
    reader r = {.at = bytes, .end = (const uint8_t *)bytes + size, .where = where, .err = err};
    int kind = r.at[1] - '0';
    r.at += 2;
    AT_TRY(read_header(&r, kind, out));
    if (header_only) return AT_OK;
    if (kind >= 4 && r.at < r.end) r.at++; /* the one blank before raw samples */
    size_t count = (size_t)out->width * (size_t)out->height * (size_t)out->channels;
    if ((size_t)(r.end - r.at) < least_bytes(kind, out, count)) return fail(&r, "it is cut short");
    AT_TRY(at_raster_alloc(out, where, err));
    at_status status = AT_OK;
    if (kind == 4)
        read_bits(&r, out);
    else if (kind < 4)
        status = read_plain(&r, kind, out, count);
    else
        status = read_raw(&r, out, count);
    if (status) at_raster_free(out);
    return status;
}
