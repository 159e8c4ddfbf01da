/* SPDX-License-Identifier: MIT */
/* Sets of pixels, a bit each: what boundaries are worked out with, 64 pixels at a time. */
#ifndef AT_TRAIN_BITS_H
#define AT_TRAIN_BITS_H

#include <stdint.h>

#include "nn/nn.h"

typedef struct at_bits {
    int height, width;
    size_t words;   /* a row */
    uint64_t *rows; /* [height][words]; bit x % 64 of word x / 64; bits from `width` on are 0 */
} at_bits;

/* `count` empty sets in one block: free(bits[0].rows). */
at_status at_bits_new(at_bits *bits, int count, int height, int width, at_error *err);
static inline uint64_t *at_bits_row(const at_bits *b, int y) {
    return b->rows + (size_t)y * b->words;
}
static inline size_t at_bits_words(const at_bits *b) {
    return (size_t)b->height * b->words;
}

/* Pixels of one id; pixels whose id is `low` or more. */
void at_bits_id(at_bits *out, const uint8_t *ids, uint8_t id);
void at_bits_at_least(at_bits *out, const uint8_t *ids, int low);
/* Pixels that are in the set while the one to the right, below, or below to the right is not, or
 * the other way round. The picture's border is no boundary. As the Berkeley benchmark's seg2bdry
 * does at the picture's size. */
void at_bits_boundary(at_bits *out, const at_bits *set);
/* Pixels within sqrt(squared) of one in the set; `work` is overwritten. */
void at_bits_dilate(at_bits *out, at_bits *work, const at_bits *set, int64_t squared);
/* Pixels of the set for which all within `side` in both directions are in it too; those outside the
 * picture are not. */
void at_bits_erode(at_bits *out, const at_bits *set, int side);

void at_bits_subtract(at_bits *set, const at_bits *other);
int64_t at_bits_count(const at_bits *set);
int64_t at_bits_count_both(const at_bits *a, const at_bits *b);
int64_t at_bits_count_either(const at_bits *a, const at_bits *b);

/* The largest number of pairs, one pixel of each set, at most sqrt(squared) apart, that have no
 * pixel in common (matching.c). */
at_status at_bits_match(const at_bits *a, const at_bits *b, int64_t squared, int64_t *pairs,
                        at_error *err);

/* floor(sqrt(v)), v >= 0. */
int at_root(int64_t v);

#endif
