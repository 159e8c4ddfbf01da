/* SPDX-License-Identifier: MIT */
/* Sets of pixels against loops over pixels, at widths round those of a word; the largest one-to-one
 * matching against one found by trying a path from each pixel in turn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "train/bits.h"

enum { MAX_H = 24, MAX_W = 130 };

static const int sizes[][2] = {{1, 1}, {1, 64}, {7, 1}, {24, 63}, {13, 65}, {20, 130}};

typedef struct map {
    int h, w;
    uint8_t at[MAX_H][MAX_W];
} map;

static uint64_t noise = 1;

/* `chance` of 256. */
static void fill(map *m, const int size[2], unsigned chance) {
    *m = (map){.h = size[0], .w = size[1]};
    for (int y = 0; y < m->h; y++)
        for (int x = 0; x < m->w; x++) {
            noise = noise * 6364136223846793005u + 1442695040888963407u;
            m->at[y][x] = (noise >> 56) < chance;
        }
}

static void to_bits(at_bits *b, const map *m) {
    static const uint8_t others[] = {0, 4, 6, 133, 255, 127, 128};
    uint8_t *ids = malloc((size_t)m->h * (size_t)m->w); /* exactly: nothing may be read beyond */
    assert_non_null(ids);
    for (int i = 0; i < m->h * m->w; i++) ids[i] = m->at[i / m->w][i % m->w] ? 5 : others[i % 7];
    at_bits_id(b, ids, 5);
    free(ids);
}

static void same(const at_bits *b, const map *m) {
    int64_t count = 0;
    for (int y = 0; y < m->h; y++)
        for (int x = 0; x < m->w; x++) {
            count += m->at[y][x];
            if ((at_bits_row(b, y)[x / 64] >> (x % 64) & 1) != m->at[y][x])
                fail_msg("%d x %d: pixel %d, %d", m->h, m->w, y, x);
        }
    assert_int_equal(at_bits_count(b), count); /* none beyond the width */
}

static bool in(const map *m, int y, int x) {
    return y >= 0 && y < m->h && x >= 0 && x < m->w && m->at[y][x];
}

static void naive_boundary(const map *m, map *out) {
    *out = (map){.h = m->h, .w = m->w};
    for (int y = 0; y < m->h; y++)
        for (int x = 0; x < m->w; x++)
            for (int k = 1; k < 4; k++) {
                const int v = y + k / 2, u = x + k % 2;
                if (v < m->h && u < m->w && m->at[v][u] != m->at[y][x]) out->at[y][x] = 1;
            }
}

static void naive_dilate(const map *m, map *out, int squared) {
    *out = (map){.h = m->h, .w = m->w};
    for (int y = 0; y < m->h; y++)
        for (int x = 0; x < m->w; x++)
            for (int v = 0; v < m->h; v++)
                for (int u = 0; u < m->w; u++)
                    if (m->at[v][u] && (y - v) * (y - v) + (x - u) * (x - u) <= squared)
                        out->at[y][x] = 1;
}

static void naive_erode(const map *m, map *out, int side) {
    *out = *m;
    for (int y = 0; y < m->h; y++)
        for (int x = 0; x < m->w; x++)
            for (int v = -side; v <= side; v++)
                for (int u = -side; u <= side; u++)
                    if (!in(m, y + v, x + u)) out->at[y][x] = 0;
}

static void against_loops(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        at_bits b[3];
        map m, want;
        assert_int_equal(at_bits_new(b, 3, sizes[i][0], sizes[i][1], NULL), AT_OK);
        fill(&m, sizes[i], 128);
        to_bits(&b[0], &m);
        same(&b[0], &m);
        naive_boundary(&m, &want);
        at_bits_boundary(&b[1], &b[0]);
        same(&b[1], &want);
        fill(&m, sizes[i], 3);
        to_bits(&b[0], &m);
        for (int squared = 0; squared < 70; squared += 1 + squared / 3) {
            naive_dilate(&m, &want, squared);
            at_bits_dilate(&b[1], &b[2], &b[0], squared);
            same(&b[1], &want);
        }
        fill(&m, sizes[i], 253);
        to_bits(&b[0], &m);
        for (int side = 0; side < 9; side++) {
            naive_erode(&m, &want, side);
            at_bits_erode(&b[1], &b[0], side);
            same(&b[1], &want);
        }
        free(b[0].rows);
    }
}

/* ---- matching ---- */

static int mate_y[MAX_H][MAX_W], mate_x[MAX_H][MAX_W]; /* of b's pixels; -1: free */
static bool seen[MAX_H][MAX_W];

static bool find_mate(const map *b, int y, int x, int squared) {
    for (int v = 0; v < b->h; v++)
        for (int u = 0; u < b->w; u++) {
            if (!b->at[v][u] || seen[v][u] || (y - v) * (y - v) + (x - u) * (x - u) > squared)
                continue;
            seen[v][u] = true;
            if (mate_y[v][u] >= 0 && !find_mate(b, mate_y[v][u], mate_x[v][u], squared)) continue;
            mate_y[v][u] = y, mate_x[v][u] = x;
            return true;
        }
    return false;
}

static int64_t naive_match(const map *a, const map *b, int squared) {
    int64_t pairs = 0;
    memset(mate_y, -1, sizeof mate_y);
    for (int y = 0; y < a->h; y++)
        for (int x = 0; x < a->w; x++) {
            memset(seen, 0, sizeof seen);
            pairs += a->at[y][x] && find_mate(b, y, x, squared);
        }
    return pairs;
}

static void one_to_one(void **state) {
    (void)state;
    const unsigned chances[] = {20, 60, 200};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int k = 0; k < 9; k++) {
            at_bits b[2];
            map m, n;
            int64_t pairs;
            const int squared = (int[]){0, 2, 20}[k % 3];
            assert_int_equal(at_bits_new(b, 2, sizes[i][0], sizes[i][1], NULL), AT_OK);
            fill(&m, sizes[i], chances[k / 3]);
            fill(&n, sizes[i], chances[(k + i) % 3] / 2);
            to_bits(&b[0], &m);
            to_bits(&b[1], &n);
            assert_int_equal(at_bits_match(&b[0], &b[1], squared, &pairs, NULL), AT_OK);
            assert_int_equal(pairs, naive_match(&m, &n, squared));
            free(b[0].rows);
        }
}

static void ids(void **state) {
    (void)state;
    at_bits b;
    const uint8_t some[2][3] = {{0, 254, 255}, {3, 2, 4}};
    assert_int_equal(at_bits_new(&b, 1, 2, 3, NULL), AT_OK);
    at_bits_at_least(&b, &some[0][0], 3);
    assert_int_equal(b.rows[0], 6);
    assert_int_equal(b.rows[1], 5);
    for (int id = 0; id < 256; id++) {
        at_bits_id(&b, &some[0][0], (uint8_t)id);
        assert_int_equal(b.rows[0], id == 0 ? 1 : id == 254 ? 2 : id == 255 ? 4 : 0);
        assert_int_equal(b.rows[1], id == 3 ? 1 : id == 2 ? 2 : id == 4 ? 4 : 0);
    }
    free(b.rows);
}

static void roots(void **state) {
    (void)state;
    assert_int_equal(at_root(0), 0);
    assert_int_equal(at_root(24), 4);
    assert_int_equal(at_root(25), 5);
    assert_int_equal(at_root((1LL << 62) - 1), INT32_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(against_loops), cmocka_unit_test(ids),
                                       cmocka_unit_test(one_to_one), cmocka_unit_test(roots)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
