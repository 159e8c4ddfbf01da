/* SPDX-License-Identifier: MIT */
/* Boundary F1 and boundary IoU worked out by hand, and of a large picture by scipy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

/* One row of 200 pixels: its diagonal is 200.0025, so a boundary may be off by 1.5 pixels. */
enum { W = 200 };
static uint8_t truth[W], guess[W];

static void paint(uint8_t *row, int first, int end, uint8_t id) {
    memset(row + first, id, (size_t)(end - first));
}

/* 0 up to pixel 99, then 1: both have one boundary pixel, 99. */
static void two_halves(void) {
    paint(truth, 0, 100, 0);
    paint(truth, 100, W, 1);
    memcpy(guess, truth, W);
}

typedef struct wanted {
    double nearest, nearest_any, matched, matched_any;
} wanted;

static void check(int classes, wanted want) {
    at_boundary b;
    at_boundary_score score;
    assert_int_equal(at_boundary_init(&b, classes, NULL), AT_OK);
    assert_int_equal(at_boundary_add(&b, truth, guess, 1, W, &score, NULL), AT_OK);
    assert_near(score.f1, want.nearest, 1e-12);
    assert_near(at_boundary_f1(&b, AT_F1_NEAREST, false), want.nearest, 1e-12);
    assert_near(at_boundary_f1(&b, AT_F1_NEAREST, true), want.nearest_any, 1e-12);
    assert_near(at_boundary_f1(&b, AT_F1_MATCHED, false), want.matched, 1e-12);
    assert_near(at_boundary_f1(&b, AT_F1_MATCHED, true), want.matched_any, 1e-12);
    at_boundary_free(&b);
}

static void tolerance(void **state) {
    (void)state;
    two_halves();
    check(2, (wanted){1, 1, 1, 1});
    paint(guess, 100, 101, 0); /* off by 1 */
    check(2, (wanted){1, 1, 1, 1});
    paint(guess, 101, 102, 0); /* off by 2 */
    check(2, (wanted){0, 0, 0, 0});
}

/* Predicted boundary pixels 98, 99 and 100: all are near the true one, but it has only itself to
 * give, so precision is 1 / 3. */
static void one_to_one(void **state) {
    (void)state;
    two_halves();
    guess[99] = 1, guess[100] = 0;
    check(2, (wanted){1, 1, 0.5, 0.5});
}

/* Class 2 is only predicted, at pixel 150: class 1 has a precision of 1 / 3, class 2 an F1 of 0
 * that counts if predicted classes do. Class 3 is nowhere. */
static void only_predicted(void **state) {
    (void)state;
    two_halves();
    guess[150] = 2;
    check(4, (wanted){0.75, 0.5, 0.75, 0.5});
}

/* Where the truth is ignored, nearest looks away; SegNet's rule holds the ends of the ignored part,
 * 139 and 160, against the prediction, which has boundaries at 149 and 150. */
static void ignored(void **state) {
    (void)state;
    two_halves();
    paint(truth, 140, 161, 255);
    guess[150] = 2;
    check(3, (wanted){1, 1, (1 + 1 / 3.0) / 2, (1 + 1 / 3.0 + 0) / 3});
}

/* No boundary anywhere: no F1, and the whole picture is band. One pixel. */
static void nothing_to_see(void **state) {
    (void)state;
    at_boundary b;
    at_boundary_score score;
    const uint8_t one = 1, none = 255;
    assert_int_equal(at_boundary_init(&b, 2, NULL), AT_OK);
    assert_int_equal(at_boundary_add(&b, &none, &one, 1, 1, &score, NULL), AT_OK);
    assert_true(isnan(score.f1) && isnan(score.iou) && isnan(at_boundary_iou(&b)));
    assert_int_equal(at_boundary_add(&b, &one, &one, 1, 1, &score, NULL), AT_OK);
    assert_true(isnan(score.f1) && isnan(at_boundary_f1(&b, AT_F1_MATCHED, true)));
    assert_near(score.iou, 1, 0);
    assert_true(isnan(at_boundary_class_iou(&b, 0)));
    assert_near(at_boundary_class_iou(&b, 1), 1, 0);
    assert_int_equal(at_boundary_add(&b, &one, &one, 1 << 16, 1 << 16, &score, NULL), AT_ERR_INPUT);
    at_boundary_free(&b);
}

/* 36x48: a diagonal of 60, bands of round(1.2) pixels. A square of 10x10 and the same one pixel to
 * the right: perimeters of 36 pixels share 18. The ground's band is the border, 164 pixels, and a
 * ring of 44 round the square of which 22 are shared. */
static void shifted_square(void **state) {
    (void)state;
    uint8_t t[36 * 48] = {0}, p[36 * 48] = {0};
    at_boundary b;
    for (int y = 10; y < 20; y++) {
        memset(t + y * 48 + 10, 1, 10);
        memset(p + y * 48 + 11, 1, 10);
    }
    assert_int_equal(at_boundary_init(&b, 2, NULL), AT_OK);
    assert_int_equal(at_boundary_add(&b, t, p, 36, 48, NULL, NULL), AT_OK);
    assert_near(at_boundary_class_iou(&b, 1), 18 / 54.0, 1e-12);
    assert_near(at_boundary_class_iou(&b, 0), 186 / 230.0, 1e-12);
    assert_near(at_boundary_iou(&b), (18 / 54.0 + 186 / 230.0) / 2, 1e-12);
    at_boundary_free(&b);
}

/* The numbers are scipy's, of masks t == k and p == k (p = 255 where t is, but for `matched`):
 *   b = lambda m: bool array, true where m differs from m moved by (0, 1), (1, 0) or (1, 1)
 *   nearest: P = (distance_transform_edt(~b(T))[b(P)] <= 1.5).mean(), R likewise
 *   matched: maximum_bipartite_matching of cKDTree(argwhere(b(T))).sparse_distance_matrix(
 *            cKDTree(argwhere(b(P))), 1.5)
 *   IoU:     T & ~binary_erosion(T, ones((3, 3)), iterations=4), P likewise */
static void against_scipy(void **state) {
    (void)state;
    static uint8_t t[120 * 160], p[120 * 160];
    for (int y = 0, i = 0; y < 120; y++)
        for (int x = 0; x < 160; x++, i++) {
            t[i] = (uint8_t)((x * x / 50 + y * 3) / 17 % 3);
            p[i] = (uint8_t)((x * x / 50 + y * 3 + x * y % 5 * 2) / 17 % 3);
            if ((x / 9 + y / 7) % 11 == 0) t[i] = 255;
        }
    at_boundary b;
    assert_int_equal(at_boundary_init(&b, 4, NULL), AT_OK);
    assert_int_equal(at_boundary_add(&b, t, p, 120, 160, NULL, NULL), AT_OK);
    assert_near(at_boundary_f1(&b, AT_F1_NEAREST, false), 0.9634651334564898, 1e-12);
    assert_near(at_boundary_f1(&b, AT_F1_MATCHED, true), 0.8321712508270155, 1e-12);
    assert_near(at_boundary_iou(&b), 0.6819964284061966, 1e-12);
    assert_true(isnan(at_boundary_class_f1(&b, AT_F1_NEAREST, 3)));
    at_boundary_free(&b);
}

/* Two halves of a split give what the whole gives, and threads change no bit. */
static void merged(void **state) {
    (void)state;
    at_boundary whole, half[2];
    assert_int_equal(at_boundary_init(&whole, 2, NULL), AT_OK);
    two_halves();
    guess[150] = 0;
    for (int i = 0; i < 2; i++, guess[99] = 1) {
        assert_int_equal(at_threads_set(1 + 2 * i, NULL), AT_OK);
        assert_int_equal(at_boundary_init(&half[i], 2, NULL), AT_OK);
        assert_int_equal(at_boundary_add(&half[i], truth, guess, 1, W, NULL, NULL), AT_OK);
        assert_int_equal(at_boundary_add(&whole, truth, guess, 1, W, NULL, NULL), AT_OK);
    }
    at_boundary_merge(&half[0], &half[1]);
    assert_memory_equal(half[0].of, whole.of, 2 * sizeof *whole.of);
    assert_memory_equal(half[0].truth_sum, whole.truth_sum, sizeof whole.truth_sum);
    assert_memory_equal(half[0].any_pictures, whole.any_pictures, sizeof whole.any_pictures);
    assert_int_equal(whole.of[1].pictures, 2);
    for (int i = 0; i < 2; i++) at_boundary_free(&half[i]);
    at_boundary_free(&whole);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tolerance),      cmocka_unit_test(one_to_one),
        cmocka_unit_test(only_predicted), cmocka_unit_test(ignored),
        cmocka_unit_test(nothing_to_see), cmocka_unit_test(shifted_square),
        cmocka_unit_test(against_scipy),  cmocka_unit_test(merged)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
