/* SPDX-License-Identifier: MIT */
/* A row is a long number whose bit x is pixel x; neighbours come from shifts of it. A disk is the
 * union of rows of differing width, a square that of log2 many doublings. */
#include "train/bits.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

at_status at_bits_new(at_bits *bits, int count, int height, int width, at_error *err) {
    const size_t words = ((size_t)width + 63) / 64, rows = (size_t)height * (size_t)count;
    uint64_t *block = calloc(rows, words * sizeof *block);
    if (!block) return at_fail_memory(err, "sets of pixels", rows * words * sizeof *block);
    for (int i = 0; i < count; i++)
        bits[i] = (at_bits){height, width, words, block + (size_t)i * (size_t)height * words};
    return AT_OK;
}

int at_root(int64_t v) {
    int64_t r = (int64_t)sqrt((double)v);
    while (r * r > v) r--;
    while ((r + 1) * (r + 1) <= v) r++;
    return (int)r;
}

/* Bit i: is byte i of the eight equal to the pattern's? */
static uint64_t equal_bytes(const uint8_t *ids, uint64_t pattern) {
    const uint64_t low7 = 0x7f7f7f7f7f7f7f7f;
    uint64_t v;
    memcpy(&v, ids, sizeof v);
    v = le64toh(v) ^ pattern;
    const uint64_t zero = ~(((v & low7) + low7) | v | low7); /* 0x80 in bytes that are 0 */
    return (zero >> 7) * 0x0102040810204080 >> 56;           /* brings the eight bits together */
}

void at_bits_id(at_bits *out, const uint8_t *ids, uint8_t id) {
    const uint64_t pattern = id * UINT64_C(0x0101010101010101);
    uint8_t rest[64];
    for (int y = 0; y < out->height; y++)
        for (size_t j = 0; j < out->words; j++) {
            const int x = (int)j * 64, count = out->width - x;
            const uint8_t *from = ids + (size_t)y * (size_t)out->width + (size_t)x;
            uint64_t word = 0;
            if (count < 64) {
                memset(rest, ~id, sizeof rest);
                from = memcpy(rest, from, (size_t)count);
            }
            for (int i = 0; i < 64; i += 8) word |= equal_bytes(from + i, pattern) << i;
            at_bits_row(out, y)[j] = word;
        }
}

void at_bits_at_least(at_bits *out, const uint8_t *ids, int low) {
    memset(out->rows, 0, at_bits_words(out) * sizeof *out->rows);
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            at_bits_row(out, y)[x / 64] |= (uint64_t)(*ids++ >= low) << x % 64;
}

/* ---- shifts ---- */

/* The bits of the last word that are pixels. */
static uint64_t last_word(const at_bits *b) {
    return ~0ull >> (63 - (b->width - 1) % 64);
}

/* Word j of the row moved n pixels to the left: bit x is the row's bit x + n. */
static uint64_t from_right(const uint64_t *row, size_t words, size_t j, int n) {
    const size_t at = j + (size_t)n / 64;
    const int bits = n % 64;
    const uint64_t low = at < words ? row[at] >> bits : 0;
    return low | (bits && at + 1 < words ? row[at + 1] << (64 - bits) : 0);
}

/* Moved to the right: bit x is the row's bit x - n; bits may go beyond the width. */
static uint64_t from_left(const uint64_t *row, size_t j, int n) {
    const size_t skip = (size_t)n / 64;
    const int bits = n % 64;
    if (j < skip) return 0;
    const uint64_t high = row[j - skip] << bits;
    return high | (bits && j > skip ? row[j - skip - 1] >> (64 - bits) : 0);
}

/* ---- boundaries ---- */

void at_bits_boundary(at_bits *out, const at_bits *set) {
    const uint64_t last = 1ull << (set->width - 1) % 64;
    for (int y = 0; y < set->height; y++) {
        const uint64_t *row = at_bits_row(set, y),
                       *next = at_bits_row(set, y + 1 < set->height ? y + 1 : y);
        for (size_t j = 0; j < set->words; j++) {
            uint64_t east = from_right(row, set->words, j, 1),
                     south_east = from_right(next, set->words, j, 1);
            if (j == set->words - 1) east |= row[j] & last, south_east |= next[j] & last;
            at_bits_row(out, y)[j] = (row[j] ^ east) | (row[j] ^ next[j]) | (row[j] ^ south_east);
        }
    }
}

/* ---- dilation by a disk ---- */

/* Each row wider by one pixel at both ends of its runs. */
static void widen(at_bits *b) {
    for (int y = 0; y < b->height; y++) {
        uint64_t *row = at_bits_row(b, y), before = 0;
        for (size_t j = 0; j < b->words; j++) {
            const uint64_t now = row[j], after = j + 1 < b->words ? row[j + 1] : 0;
            row[j] = now | now << 1 | before >> 63 | now >> 1 | after << 63;
            before = now;
        }
        row[b->words - 1] &= last_word(b);
    }
}

/* out's row y |= b's row y + dy. */
static void unite_rows(at_bits *out, const at_bits *b, int dy) {
    const int first = dy < 0 ? -dy : 0, end = dy > 0 ? b->height - dy : b->height;
    for (int y = first; y < end; y++) {
        const uint64_t *from = at_bits_row(b, y + dy);
        uint64_t *to = at_bits_row(out, y);
        for (size_t j = 0; j < b->words; j++) to[j] |= from[j];
    }
}

void at_bits_dilate(at_bits *out, at_bits *work, const at_bits *set, int64_t squared) {
    memcpy(work->rows, set->rows, at_bits_words(set) * sizeof *work->rows);
    memset(out->rows, 0, at_bits_words(set) * sizeof *out->rows);
    const int radius = at_root(squared);
    for (int dy = radius, width = 0; dy >= 0; dy--) {
        const int wanted = at_root(squared - (int64_t)dy * dy);
        for (; width < wanted; width++) widen(work);
        unite_rows(out, work, dy);
        if (dy) unite_rows(out, work, -dy);
    }
}

/* ---- erosion by a square ---- */

/* Pixel x stays if x .. x + n - 1 are all in the row, by doubling; then all move `side` to the
 * right. */
static void erode_row(uint64_t *row, size_t words, int n, int side) {
    int have = 1;
    while (have < n) {
        const int more = have < n - have ? have : n - have;
        for (size_t j = 0; j < words; j++) row[j] &= from_right(row, words, j, more);
        have += more;
    }
    for (size_t j = words; j-- > 0;) row[j] = from_left(row, j, side);
}

static void erode_columns(at_bits *b, int n, int side) {
    const size_t bytes = b->words * sizeof *b->rows;
    int have = 1;
    while (have < n) {
        const int more = have < n - have ? have : n - have;
        for (int y = 0; y < b->height; y++) {
            if (y + more >= b->height) {
                memset(at_bits_row(b, y), 0, bytes);
                continue;
            }
            for (size_t j = 0; j < b->words; j++)
                at_bits_row(b, y)[j] &= at_bits_row(b, y + more)[j];
        }
        have += more;
    }
    for (int y = b->height - 1; y >= 0; y--)
        if (y >= side)
            memcpy(at_bits_row(b, y), at_bits_row(b, y - side), bytes);
        else
            memset(at_bits_row(b, y), 0, bytes);
}

void at_bits_erode(at_bits *out, const at_bits *set, int side) {
    memcpy(out->rows, set->rows, at_bits_words(set) * sizeof *out->rows);
    if (side == 0) return;
    for (int y = 0; y < out->height; y++)
        erode_row(at_bits_row(out, y), out->words, 2 * side + 1, side);
    erode_columns(out, 2 * side + 1, side);
}

/* ---- counting ---- */

void at_bits_subtract(at_bits *set, const at_bits *other) {
    for (size_t i = 0; i < at_bits_words(set); i++) set->rows[i] &= ~other->rows[i];
}

int64_t at_bits_count(const at_bits *set) {
    return at_bits_count_both(set, set);
}

int64_t at_bits_count_both(const at_bits *a, const at_bits *b) {
    int64_t count = 0;
    for (size_t i = 0; i < at_bits_words(a); i++)
        count += __builtin_popcountll(a->rows[i] & b->rows[i]);
    return count;
}

int64_t at_bits_count_either(const at_bits *a, const at_bits *b) {
    int64_t count = 0;
    for (size_t i = 0; i < at_bits_words(a); i++)
        count += __builtin_popcountll(a->rows[i] | b->rows[i]);
    return count;
}
