/* SPDX-License-Identifier: MIT */
/* Objects of a small picture counted by hand, and of noise against a flood. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

/* Class 1: a diagonal of three (corners touch) and a U of five whose arms meet in the last row;
 * class 2: one pixel; the rest is class 0, but for an ignored pixel. */
static const char truth_rows[4][9] = {
    "1....1.1",
    ".1...1.1",
    "..1..111",
    ".2.....?",
};
/* Of the diagonal 2 of 3 are found, of the U 3 of 7, the pixel of class 2 is not. */
static const char guess_rows[4][9] = {
    "1....1.1",
    ".1......",
    ".....1..",
    ".......1",
};

static void read_rows(const char rows[4][9], uint8_t ids[32]) {
    for (int i = 0; i < 32; i++) {
        const char c = rows[i / 8][i % 8];
        ids[i] = c == '.' ? 0 : c == '?' ? 255 : (uint8_t)(c - '0');
    }
}

static void by_hand(void **state) {
    (void)state;
    uint8_t truth[32], guess[32];
    at_objects o;
    read_rows(truth_rows, truth);
    read_rows(guess_rows, guess);
    assert_int_equal(at_objects_init(&o, 4, NULL), AT_OK);
    assert_int_equal(at_objects_add(&o, truth, guess, 4, 8, NULL), AT_OK);
    const at_object_bin *one = &o.of[1][0], *two = &o.of[2][0], *ground = &o.of[0][0];
    assert_int_equal(one->objects, 2);
    assert_int_equal(one->found, 1);
    assert_int_equal(one->pixels, 10);
    assert_int_equal(one->hits, 5);
    assert_near(at_object_recall(one), 0.5, 0);
    assert_near(at_object_share(one), (2 / 3.0 + 3 / 7.0) / 2, 1e-9);
    assert_int_equal(two->objects, 1);
    assert_int_equal(two->found, 0);
    assert_int_equal(ground->objects, 2); /* one inside the U */
    assert_int_equal(ground->pixels, 20);
    assert_int_equal(ground->hits, 20);
    assert_int_equal(o.of[3][0].objects, 0);
    assert_true(isnan(at_object_recall(&o.of[3][0])) && isnan(at_object_share(&o.of[3][0])));
    at_objects_merge(&o, &o);
    const at_object_bin all = at_objects_sum(&o, 0, AT_OBJECT_BINS - 1);
    assert_int_equal(all.objects, 10);
    assert_int_equal(all.pixels, 62);
    at_objects_free(&o);
}

/* Squares of side 7, 8, 15, 16, 31, 32, 63 and 64, one a picture; half found exactly is found. */
static void sizes(void **state) {
    (void)state;
    static uint8_t truth[64 * 64], guess[64 * 64];
    const int sides[] = {7, 8, 15, 16, 31, 32, 63, 64};
    at_objects o;
    assert_int_equal(at_objects_init(&o, 1, NULL), AT_OK);
    for (int i = 0; i < 8; i++) {
        const size_t pixels = (size_t)sides[i] * (size_t)sides[i];
        memset(guess, 1, sizeof guess);
        memset(guess, 0, pixels / 2);
        assert_int_equal(at_objects_add(&o, truth, guess, sides[i], sides[i], NULL), AT_OK);
    }
    for (int i = 0; i < AT_OBJECT_BINS; i++) {
        assert_int_equal(o.of[0][i].objects, i == 0 || i == 4 ? 1 : 2);
        assert_int_equal(o.of[0][i].found, i != 0); /* even sides */
    }
    at_objects_free(&o);
}

/* ---- against a flood ---- */

enum { H = 37, W = 53 };
static uint8_t noise[H][W];
static bool seen[H][W];

static int flood(int y, int x, int class) {
    if (y < 0 || y >= H || x < 0 || x >= W || seen[y][x] || noise[y][x] != class) return 0;
    int count = 1;
    seen[y][x] = true;
    for (int v = -1; v <= 1; v++)
        for (int u = -1; u <= 1; u++) count += flood(y + v, x + u, class);
    return count;
}

static void flooded(void **state) {
    (void)state;
    at_rng r = at_rng_make(3, AT_RNG_TEST, 0, 0);
    for (uint32_t classes = 2; classes < 8; classes++) {
        at_objects o;
        int64_t objects = 0, large = 0;
        memset(seen, 0, sizeof seen);
        for (int i = 0; i < H * W; i++) noise[i / W][i % W] = (uint8_t)at_rng_below(&r, classes);
        for (int i = 0; i < H * W; i++) {
            const int count = flood(i / W, i % W, noise[i / W][i % W]);
            objects += count > 0;
            large += count >= 64;
        }
        assert_int_equal(at_objects_init(&o, (int)classes, NULL), AT_OK);
        assert_int_equal(at_objects_add(&o, noise[0], noise[0], H, W, NULL), AT_OK);
        assert_int_equal(at_objects_sum(&o, 0, 4).objects, objects);
        assert_int_equal(at_objects_sum(&o, 1, 4).objects, large);
        assert_int_equal(at_objects_sum(&o, 0, 4).pixels, H * W);
        assert_int_equal(at_objects_sum(&o, 0, 4).found, objects);
        at_objects_free(&o);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand), cmocka_unit_test(sizes),
                                       cmocka_unit_test(flooded)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
