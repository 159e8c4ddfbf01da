/* SPDX-License-Identifier: MIT */
/* A walk over a JPEG's segments: size, orientation, and whether the file is whole.
 *
 * The decoder behind us (stb_image) fills what a cut file lacks with grey and says nothing; the
 * walk finds out by looking for the end marker, segment by segment, so that an embedded thumbnail's
 * end isn't taken for the picture's. It also refuses what the decoder doesn't guard itself against:
 * oversized Huffman tables, tables that are used but never defined, a second frame header.
 *
 * JPEG: ITU-T T.81, annex B. EXIF orientation: CIPA DC-008, tag 0x0112 of the first directory. */
#include <string.h>

#include "data/decode.h"

static unsigned be16(const uint8_t *p) {
    return (unsigned)(p[0] << 8 | p[1]);
}

typedef struct tiff {
    const uint8_t *bytes;
    size_t size;
    bool little;
} tiff;

static uint32_t tiff_get(const tiff *t, size_t at, int n) {
    uint32_t v = 0;
    for (int i = 0; i < n; i++)
        v |= (uint32_t)t->bytes[at + (size_t)i] << 8 * (t->little ? i : n - 1 - i);
    return v;
}

int at_exif_orientation(const uint8_t *bytes, size_t size) {
    if (size < 8) return 1;
    tiff t = {bytes, size, bytes[0] == 'I'};
    if (memcmp(bytes, t.little ? "II" : "MM", 2) != 0 || tiff_get(&t, 2, 2) != 42) return 1;
    size_t at = tiff_get(&t, 4, 4);
    if (at > size || size - at < 2) return 1;
    size_t entries = tiff_get(&t, at, 2);
    for (at += 2; entries > 0 && size - at >= 12; entries--, at += 12) {
        if (tiff_get(&t, at, 2) != 0x0112) continue;
        uint32_t value = tiff_get(&t, at + 8, 2);
        bool is_short = tiff_get(&t, at + 2, 2) == 3;
        return is_short && value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

typedef struct walk {
    const uint8_t *bytes;
    size_t size, at;
    const char *where;
    at_jpeg_info *info;
    bool has_orientation;
    bool progressive;
    bool tables[2][4]; /* Huffman tables defined so far: of DC, of AC values */
    at_error *err;
} walk;

static at_status fail(const walk *w, const char *what) {
    return at_fail(w->err, AT_ERR_INPUT, "%s: damaged JPEG: %s; make or copy the file anew",
                   w->where, what);
}

/* Start of frame: 0xC0 .. 0xCF without DHT, JPG and DAC. */
static bool is_frame(int marker) {
    return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

static at_status read_frame(walk *w, int marker, const uint8_t *p, size_t n) {
    if (w->info->has_size) return fail(w, "two frame headers");
    if (n < 6) return fail(w, "its frame header is too short");
    if (marker > 0xc2 || p[0] != 8)
        return at_fail(
            w->err, AT_ERR_INPUT,
            "%s: a kind of JPEG that is not supported (lossless, arithmetic coding or 12 "
            "bits); save it as PNG or as an ordinary JPEG",
            w->where);
    w->info->height = (int)be16(p + 1);
    w->info->width = (int)be16(p + 3);
    w->info->has_size = true;
    w->progressive = marker == 0xc2;
    return at_check_pixels(w->where, be16(p + 3), be16(p + 1), w->err);
}

/* Each table: class and slot, 16 counts of codes by length, then as many values. */
static at_status read_huffman(walk *w, const uint8_t *p, size_t n) {
    while (n > 0) {
        if (n < 17) return fail(w, "a Huffman table is too short");
        size_t values = 0;
        for (int i = 0; i < 16; i++) values += p[1 + i];
        if (values > 256 || values > n - 17) return fail(w, "a Huffman table is too long");
        if (p[0] >> 4 > 1 || (p[0] & 15) > 3) return fail(w, "a Huffman table has no place");
        w->tables[p[0] >> 4][p[0] & 15] = true;
        p += 17 + values;
        n -= 17 + values;
    }
    return AT_OK;
}

/* Components with the tables they use, then the band of coefficients and the bits of it. */
static at_status check_scan(const walk *w, const uint8_t *p, size_t n) {
    if (!w->info->has_size) return fail(w, "a scan before the frame header");
    size_t components = n ? p[0] : 0;
    if (components < 1 || components > 4 || n != 4 + 2 * components)
        return fail(w, "a scan's header is broken");
    const uint8_t *band = p + 1 + 2 * components;
    bool needs_dc = !w->progressive || (band[0] == 0 && band[2] >> 4 == 0);
    bool needs_ac = !w->progressive || band[0] > 0;
    for (size_t i = 0; i < components; i++) {
        int dc = p[2 + 2 * i] >> 4, ac = p[2 + 2 * i] & 15;
        if (dc > 3 || ac > 3 || (needs_dc && !w->tables[0][dc]) || (needs_ac && !w->tables[1][ac]))
            return fail(w, "a scan uses a Huffman table that isn't there");
    }
    return AT_OK;
}

static at_status read_segment(walk *w, int marker, const uint8_t *p, size_t n) {
    if (is_frame(marker)) return read_frame(w, marker, p, n);
    if (marker == 0xda) return check_scan(w, p, n);
    if (marker == 0xc4) return read_huffman(w, p, n);
    if (marker == 0xe1 && !w->has_orientation && n > 6 && memcmp(p, "Exif\0\0", 6) == 0) {
        w->info->orientation = at_exif_orientation(p + 6, n - 6);
        w->has_orientation = true;
    }
    return AT_OK;
}

/* The next marker from w->at on, or -1 where the bytes end. Entropy-coded data (stuffed zeros,
 * restart markers) and fill bytes are stepped over. */
static int next_marker(walk *w) {
    while (w->size - w->at >= 2) {
        const uint8_t *ff = memchr(w->bytes + w->at, 0xff, w->size - w->at - 1);
        if (!ff) break;
        w->at = (size_t)(ff - w->bytes) + 1;
        int m = w->bytes[w->at];
        if (m == 0xff) continue;
        w->at++;
        if (m != 0 && m != 1 && (m < 0xd0 || m > 0xd8)) return m;
    }
    w->at = w->size;
    return -1;
}

at_status at_jpeg_scan(const void *bytes, size_t size, const char *where, at_jpeg_info *out,
                       at_error *err) {
    *out = (at_jpeg_info){.orientation = 1};
    walk w = {.bytes = bytes, .size = size, .at = 2, .where = where, .info = out, .err = err};
    for (int marker; (marker = next_marker(&w)) >= 0;) {
        if (marker == 0xd9) {
            out->complete = true;
            break;
        }
        if (size - w.at < 2) break;
        size_t length = be16(w.bytes + w.at);
        if (length < 2) return fail(&w, "a segment has an impossible length");
        if (length > size - w.at) break;
        AT_TRY(read_segment(&w, marker, w.bytes + w.at + 2, length - 2));
        w.at += length;
    }
    return AT_OK;
}
