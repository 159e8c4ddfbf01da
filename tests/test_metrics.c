/* SPDX-License-Identifier: MIT */
/* Measures against fractions worked out by hand, absent classes included, and the JSON's shape. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

/* Four classes. Class 2 is predicted but never true; class 3 is absent from both. */
static const uint8_t truth[12] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 255, 0, 77};
static const uint8_t guess[12] = {0, 0, 0, 0, 1, 2, 1, 1, 0, 0, 0, 1};

static void near(double got, double want) {
    assert_near(got, want, 1e-12);
}

static void by_hand(void **state) {
    (void)state;
    at_confusion c;
    at_metrics m;
    assert_int_equal(at_confusion_init(&c, 4, NULL), AT_OK);
    at_confusion_add(&c, truth, guess, 5); /* in two pieces */
    at_confusion_add(&c, truth + 5, guess + 5, 7);
    const int64_t want[16] = {5, 1, 1, 0, 1, 2, 0, 0};
    assert_memory_equal(c.counts, want, sizeof want);
    at_metrics_from(&c, &m);
    assert_int_equal(m.pixels, 10);
    near(m.pixel_accuracy, 0.7);
    near(m.of[0].iou, 5 / 8.0);
    near(m.of[1].iou, 2 / 4.0);
    near(m.of[2].iou, 0);
    assert_true(isnan(m.of[3].iou) && isnan(m.of[3].dice) && isnan(m.of[2].accuracy));
    near(m.miou, (5 / 8.0 + 0.5 + 0) / 3);
    near(m.mean_accuracy, (5 / 7.0 + 2 / 3.0) / 2);
    near(m.mean_dice, (10 / 13.0 + 4 / 6.0 + 0) / 3);
    near(m.fwiou, 0.7 * 5 / 8 + 0.3 * 0.5);
    near(m.majority_accuracy, 0.7);
    near(m.majority_miou, 0.35);
    assert_int_equal(m.top_class, 0);
    near(m.top_share, 0.6);
    near(m.others_found, 2 / 3.0);
    at_confusion_free(&c);
}

static void nothing_counted(void **state) {
    (void)state;
    at_confusion c;
    at_metrics m;
    assert_int_equal(at_confusion_init(&c, 2, NULL), AT_OK);
    at_confusion_add(&c, &truth[9], &guess[9], 1);
    at_metrics_from(&c, &m);
    near(m.miou + m.pixel_accuracy + m.fwiou + m.mean_dice + m.majority_miou + m.top_share, 0);
    at_confusion_free(&c);
}

static void merged(void **state) {
    (void)state;
    at_confusion a, b;
    assert_int_equal(at_confusion_init(&a, 4, NULL), AT_OK);
    assert_int_equal(at_confusion_init(&b, 4, NULL), AT_OK);
    at_confusion_add(&a, truth, guess, 6);
    at_confusion_add(&b, truth + 6, guess + 6, 6);
    at_confusion_merge(&a, &b);
    at_confusion_clear(&b);
    at_confusion_add(&b, truth, guess, 12);
    assert_memory_equal(a.counts, b.counts, 16 * sizeof(int64_t));
    at_confusion_free(&a);
    at_confusion_free(&b);
}

static void as_json(void **state) {
    (void)state;
    at_class items[4] = {{.name = (char[]){"sky"}},
                         {.name = (char[]){"road"}},
                         {.name = (char[]){"car"}},
                         {.name = (char[]){"bus"}}};
    const at_classes classes = {4, items};
    at_confusion c;
    at_metrics m;
    assert_int_equal(at_confusion_init(&c, 4, NULL), AT_OK);
    at_confusion_add(&c, truth, guess, 12);
    at_metrics_from(&c, &m);
    json_t *j = at_metrics_to_json(&m, &c, &classes, "val", 3);
    assert_non_null(j);
    const char *keys[] = {"split",          "images",  "pixels",   "pixel_accuracy",
                          "mean_accuracy",  "miou",    "fwiou",    "mean_dice",
                          "absent_classes", "classes", "confusion"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(j, keys[i]));
    const json_t *road = json_array_get(json_object_get(j, "classes"), 1);
    assert_string_equal(json_string_value(json_object_get(road, "name")), "road");
    assert_int_equal(json_integer_value(json_object_get(road, "pixels")), 3);
    near(json_real_value(json_object_get(road, "iou")), 0.5);
    const json_t *bus = json_array_get(json_object_get(j, "classes"), 3);
    assert_true(json_is_null(json_object_get(bus, "dice")));
    const json_t *row = json_array_get(json_object_get(j, "confusion"), 1);
    assert_int_equal(json_integer_value(json_array_get(row, 0)), 1);
    json_decref(j);
    at_confusion_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(by_hand), cmocka_unit_test(nothing_counted),
                                       cmocka_unit_test(merged), cmocka_unit_test(as_json)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
