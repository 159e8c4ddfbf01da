/* SPDX-License-Identifier: MIT */
/* Distances against a search over all seeds; bands and errors of a row worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

static int32_t nearest(const uint8_t *seeds, int h, int w, int y, int x, int limit) {
    int32_t best = limit * limit;
    for (int v = 0; v < h; v++)
        for (int u = 0; u < w; u++) {
            const int32_t d = (y - v) * (y - v) + (x - u) * (x - u);
            if (seeds[v * w + u] && d < best) best = d;
        }
    return best;
}

static void distances(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 90}, {70, 1}, {33, 65}, {40, 150}};
    static uint8_t seeds[40 * 150];
    static int32_t got[40 * 150];
    at_rng r = at_rng_make(1, AT_RNG_TEST, 0, 0);
    for (int i = 0; i < 5; i++)
        for (int density = 0; density < 4; density++)
            for (int limit = 1; limit <= 64; limit *= 8) {
                const int h = sizes[i][0], w = sizes[i][1];
                for (int k = 0; k < h * w; k++)
                    seeds[k] = at_rng_below(&r, 1000) < (uint32_t)(int[]){0, 2, 50, 400}[density];
                assert_int_equal(at_distance_squared(seeds, h, w, limit, got, NULL), AT_OK);
                for (int k = 0; k < h * w; k++)
                    if (got[k] != nearest(seeds, h, w, k / w, k % w, limit))
                        fail_msg("%d x %d, limit %d, pixel %d: %d", h, w, limit, k, got[k]);
            }
    assert_int_equal(at_distance_squared(seeds, 0, 5, 4, got, NULL), AT_ERR_INPUT);
}

/* An edge between pixels 4 and 5: 2, 4, 6, 8 pixels in the bands of width 1 to 4, then all 10.
 * Pixels 4 and 0 are wrong. */
static void by_hand(void **state) {
    (void)state;
    const uint8_t truth[10] = {0, 0, 0, 0, 0, 1, 1, 1, 1, 1};
    const uint8_t guess[10] = {1, 0, 0, 0, 1, 1, 1, 1, 1, 1};
    const int64_t pixels[8] = {2, 4, 6, 8, 10, 10, 10, 10};
    const double right[8] = {1, 3, 5, 7, 8, 8, 8, 8};
    const double miou[8] = {(0 + 1 / 2.0) / 2, (1 / 2.0 + 2 / 3.0) / 2, (2 / 3.0 + 3 / 4.0) / 2,
                            (3 / 4.0 + 4 / 5.0) / 2, (3 / 5.0 + 5 / 7.0) / 2};
    at_trimap t;
    at_trimap_point curve[AT_TRIMAP_WIDTHS + 1];
    double boundary, interior;
    assert_int_equal(at_trimap_init(&t, 2, NULL), AT_OK);
    assert_int_equal(at_trimap_add(&t, truth, guess, 1, 10, NULL), AT_OK);
    assert_int_equal(at_trimap_curve(&t, curve, NULL), AT_OK);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(curve[i].width, i < 7 ? at_trimap_widths[i] : 0);
        assert_int_equal(curve[i].pixels, pixels[i]);
        assert_near(curve[i].pixel_accuracy, right[i] / (double)pixels[i], 1e-12);
        assert_near(curve[i].miou, miou[i < 4 ? i : 4], 1e-12);
    }
    at_trimap_errors(&t, &boundary, &interior);
    assert_near(boundary, 0.1, 1e-12);
    assert_near(interior, 0.1, 1e-12);
    at_trimap_free(&t);
}

/* Ignored pixels: their neighbours are edge pixels, they themselves count nowhere. Upright, so that
 * columns are tried too. */
static void ignored(void **state) {
    (void)state;
    const uint8_t truth[7] = {0, 0, 0, 255, 77, 1, 1};
    const uint8_t guess[7] = {0, 0, 1, 200, 1, 0, 1};
    at_trimap t;
    at_trimap_point curve[AT_TRIMAP_WIDTHS + 1];
    assert_int_equal(at_trimap_init(&t, 2, NULL), AT_OK);
    assert_int_equal(at_trimap_add(&t, truth, guess, 7, 1, NULL), AT_OK);
    assert_int_equal(at_trimap_curve(&t, curve, NULL), AT_OK);
    assert_int_equal(curve[0].pixels, 2);
    assert_near(curve[0].pixel_accuracy, 0, 0);
    assert_int_equal(curve[1].pixels, 4);
    assert_near(curve[1].pixel_accuracy, 0.5, 0);
    assert_int_equal(curve[7].pixels, 5);
    at_trimap_free(&t);
}

/* A picture without an edge is in no band; one without a counted pixel in nothing. */
static void no_edge(void **state) {
    (void)state;
    const uint8_t one[2] = {1, 1}, none[2] = {255, 255};
    at_trimap t;
    at_trimap_point curve[AT_TRIMAP_WIDTHS + 1];
    double boundary, interior;
    assert_int_equal(at_trimap_init(&t, 2, NULL), AT_OK);
    assert_int_equal(at_trimap_add(&t, none, one, 1, 2, NULL), AT_OK);
    at_trimap_errors(&t, &boundary, &interior);
    assert_true(isnan(boundary) && isnan(interior));
    assert_int_equal(at_trimap_add(&t, one, one, 1, 2, NULL), AT_OK);
    assert_int_equal(at_trimap_curve(&t, curve, NULL), AT_OK);
    assert_true(isnan(curve[6].miou) && isnan(curve[6].pixel_accuracy));
    assert_near(curve[7].miou, 1, 0);
    at_trimap_errors(&t, &boundary, &interior);
    assert_near(boundary + interior, 0, 0);
    at_trimap_free(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(distances), cmocka_unit_test(by_hand),
                                       cmocka_unit_test(ignored), cmocka_unit_test(no_edge)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
