/* SPDX-License-Identifier: MIT */
/* A PNG writer: 8-bit grey, RGB, RGBA, and ids with a palette. Rows of colour are filtered by the
 * smallest sum of absolute differences (PNG specification, 12.8); indices, whose numbers mean
 * nothing, are not. One IDAT chunk. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "data/decode.h"

enum { FILTERS = 5 };

/* zlib's levels: beyond these, twice the time makes files some per cent smaller. What filters leave
 * of a photograph repeats nothing but runs: to look for more takes twice as long, and spoils the
 * Huffman codes. Areas of one colour have borders that repeat. */
enum { LEVEL_COLOR = 2, LEVEL_INDICES = 4 };

typedef struct writer {
    uint8_t *out;
    size_t used, capacity;
} writer;

typedef struct picture {
    int width, height, color, channels;
    const uint8_t *data;
    const at_rgb *palette;
    int palette_count;
} picture;

static void put32(uint8_t *p, uint32_t v) {
    for (int i = 0; i < 4; i++) p[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Length, type and CRC round a body that already stands at out + used + 8. */
static void close_chunk(writer *w, const char *type, size_t length) {
    uint8_t *p = w->out + w->used;
    assert(w->capacity - w->used >= length + 12);
    put32(p, (uint32_t)length);
    memcpy(p + 4, type, 4);
    put32(p + 8 + length, (uint32_t)crc32(0, p + 4, (uInt)(length + 4)));
    w->used += length + 12;
}

static void put_header(writer *w, const picture *pic) {
    uint8_t *p = w->out + w->used + 8;
    put32(p, (uint32_t)pic->width);
    put32(p + 4, (uint32_t)pic->height);
    p[8] = 8;
    p[9] = (uint8_t)pic->color;
    p[10] = p[11] = p[12] = 0;
    close_chunk(w, "IHDR", 13);
}

static void put_palette(writer *w, const picture *pic) {
    uint8_t *p = w->out + w->used + 8;
    for (int i = 0; i < pic->palette_count; i++, p += 3) {
        p[0] = pic->palette[i].r;
        p[1] = pic->palette[i].g;
        p[2] = pic->palette[i].b;
    }
    close_chunk(w, "PLTE", 3 * (size_t)pic->palette_count);
}

static inline uint8_t predict(int filter, int left, int up, int corner) {
    switch (filter) {
    case 1:
        return (uint8_t)left;
    case 2:
        return (uint8_t)up;
    case 3:
        return (uint8_t)((left + up) / 2);
    case 4: {
        int p = left + up - corner;
        int a = abs(p - left), b = abs(p - up), c = abs(p - corner);
        return (uint8_t)(a <= b && a <= c ? left : b <= c ? up : corner);
    }
    default:
        return 0;
    }
}

/* How far from zero the bytes are, read as signed. */
static uint64_t distance(const uint8_t *v, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n;) {
        uint32_t part = 0;
        for (size_t end = n - i < 4096 ? n : i + 4096; i < end; i++)
            part += v[i] < 128 ? v[i] : 256u - v[i];
        sum += part;
    }
    return sum;
}

/* out[0] is the filter's number, the row follows. Returns the sum of absolute differences. Inlined
 * for each filter, so that the compiler makes vector code of it. */
static inline uint64_t filter_with(int filter, const uint8_t *restrict row,
                                   const uint8_t *restrict up, size_t n, size_t bpp,
                                   uint8_t *restrict out) {
    *out++ = (uint8_t)filter;
    for (size_t i = 0; i < bpp && i < n; i++)
        out[i] = (uint8_t)(row[i] - predict(filter, 0, up[i], 0));
    for (size_t i = bpp; i < n; i++)
        out[i] = (uint8_t)(row[i] - predict(filter, row[i - bpp], up[i], up[i - bpp]));
    return distance(out, n);
}

static uint64_t filter_row(int filter, const uint8_t *row, const uint8_t *up, size_t n, size_t bpp,
                           uint8_t *out) {
    switch (filter) {
    case 1:
        return filter_with(1, row, up, n, bpp, out);
    case 2:
        return filter_with(2, row, up, n, bpp, out);
    case 3:
        return filter_with(3, row, up, n, bpp, out);
    case 4:
        return filter_with(4, row, up, n, bpp, out);
    default:
        return filter_with(0, row, up, n, bpp, out);
    }
}

/* The row, filtered in the way that promises to compress best; one of the buffers in `tries`. */
static const uint8_t *best_row(const picture *pic, const uint8_t *row, const uint8_t *up, size_t n,
                               uint8_t *tries) {
    uint64_t least = UINT64_MAX;
    const uint8_t *best = tries;
    int count = pic->color == 3 ? 1 : FILTERS;
    for (int f = 0; f < count; f++) {
        uint8_t *out = tries + (size_t)f * (n + 1);
        uint64_t sum = filter_row(f, row, up, n, (size_t)pic->channels, out);
        if (sum < least) {
            least = sum;
            best = out;
        }
    }
    return best;
}

static void put_rows(writer *w, const picture *pic, z_stream *z, uint8_t *rows) {
    size_t n = (size_t)pic->width * (size_t)pic->channels;
    const uint8_t *up = rows; /* zeros above the first row */
    z->next_out = w->out + w->used + 8;
    z->avail_out = (uInt)(w->capacity - w->used - 8);
    for (int y = 0; y < pic->height; y++) {
        const uint8_t *row = pic->data + (size_t)y * n;
        /* zlib doesn't write through next_in, but wants it without const. */
        z->next_in = (Bytef *)(uintptr_t)best_row(pic, row, up, n, rows + n);
        z->avail_in = (uInt)(n + 1);
        int code = deflate(z, y + 1 < pic->height ? Z_NO_FLUSH : Z_FINISH);
        assert(code ==
               (y + 1 < pic->height ? Z_OK : Z_STREAM_END)); /* out has deflateBound bytes */
        (void)code;
        up = row;
    }
    close_chunk(w, "IDAT", z->total_out);
}

static at_status put_all(writer *w, const picture *pic, z_stream *z, at_error *err) {
    enum { FRAME = 8 + 25 + 12 + 3 * 256 + 12 + 12 }; /* signature and the other chunks */
    size_t n = (size_t)pic->width * (size_t)pic->channels;
    w->capacity = deflateBound(z, (n + 1) * (size_t)pic->height) + FRAME;
    w->out = malloc(w->capacity);
    uint8_t *rows = calloc(1, n + FILTERS * (n + 1));
    if (!w->out || !rows) {
        free(rows);
        return at_fail_memory(err, "a PNG", w->capacity);
    }
    memcpy(w->out, "\x89PNG\r\n\x1a\n", 8);
    w->used = 8;
    put_header(w, pic);
    if (pic->color == 3) put_palette(w, pic);
    put_rows(w, pic, z, rows);
    close_chunk(w, "IEND", 0);
    free(rows);
    return AT_OK;
}

/* Is most of the picture like its left neighbour? */
static bool is_flat(const picture *pic) {
    const size_t bpp = (size_t)pic->channels, n = (size_t)pic->width * bpp;
    size_t same = 0;
    for (int y = 0; y < pic->height; y++) {
        const uint8_t *row = pic->data + (size_t)y * n;
        uint32_t count = 0;
        for (size_t i = bpp; i < n; i++) count += row[i] == row[i - bpp];
        same += count;
    }
    return same > n * (size_t)pic->height / 2;
}

static int start(z_stream *z, const picture *pic) {
    if (pic->color == 3) return deflateInit(z, LEVEL_INDICES);
    const int strategy = is_flat(pic) ? Z_DEFAULT_STRATEGY : Z_RLE;
    return deflateInit2(z, LEVEL_COLOR, Z_DEFLATED, MAX_WBITS, 8, strategy);
}

static at_status encode(const picture *pic, uint8_t **data, size_t *size, at_error *err) {
    writer w = {0};
    z_stream z = {0};
    AT_TRY(at_check_pixels("a PNG to write", pic->width < 0 ? 0 : (uint64_t)pic->width,
                           pic->height < 0 ? 0 : (uint64_t)pic->height, err));
    if (start(&z, pic) != Z_OK) return at_fail_memory(err, "a PNG", 1 << 18);
    at_status status = put_all(&w, pic, &z, err);
    deflateEnd(&z);
    if (status) {
        free(w.out);
        return status;
    }
    *data = w.out;
    *size = w.used;
    return AT_OK;
}

static picture from_image(const at_image *image) {
    int channels = image->channels;
    assert(channels == 1 || channels == 3 || channels == 4);
    return (picture){.width = image->width,
                     .height = image->height,
                     .color = channels == 1   ? 0
                              : channels == 3 ? 2
                                              : 6,
                     .channels = channels,
                     .data = image->data};
}

at_status at_image_encode_png(const at_image *image, uint8_t **data, size_t *size, at_error *err) {
    picture pic = from_image(image);
    return encode(&pic, data, size, err);
}

static at_status save(const char *path, const picture *pic, at_error *err) {
    uint8_t *data;
    size_t size;
    AT_TRY(encode(pic, &data, &size, err));
    at_status status = at_file_write_quick(path, data, size, err);
    free(data);
    return status;
}

at_status at_image_save_png(const char *path, const at_image *image, at_error *err) {
    picture pic = from_image(image);
    return save(path, &pic, err);
}

at_status at_mask_save_png(const char *path, const uint8_t *ids, int width, int height,
                           const at_rgb *palette, int palette_count, at_error *err) {
    assert(palette_count >= 1 && palette_count <= 256);
    picture pic = {.width = width,
                   .height = height,
                   .color = 3,
                   .channels = 1,
                   .data = ids,
                   .palette = palette,
                   .palette_count = palette_count};
    return save(path, &pic, err);
}
