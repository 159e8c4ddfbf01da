/* SPDX-License-Identifier: MIT */
/* Class weights against numbers worked out by hand from small counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

/* Two images of 100 pixels: class 0 fills 90 and 60, class 1 has 10 in the first alone, class 2 has
 * 40 in the second alone; class 3 never occurs. */
static const at_class_stats stats = {
    .pixels = {150, 10, 40}, .image_pixels = {200, 100, 100}, .images = {2, 1, 1}};

static void expect(at_class_weighting kind, const double *want) {
    float w[4];
    at_class_weights(kind, &stats, 4, w);
    for (int c = 0; c < 4; c++) assert_near(w[c], want[c], 1e-5 * want[c]);
}

static void formulas(void **state) {
    (void)state;
    /* f = 0.75, 0.1, 0.4; the median is 0.4 */
    expect(AT_CLASS_WEIGHTS_MEDIAN, (double[]){0.5333333, 4, 1, 1});
    /* p = 0.75, 0.05, 0.2, 0 */
    expect(AT_CLASS_WEIGHTS_ENET, (double[]){1.7513762, 14.7800765, 5.0288946, 50.4983498});
    expect(AT_CLASS_WEIGHTS_INVERSE, (double[]){0.4444444, 6.6666667, 1.6666667, 1});
    expect(AT_CLASS_WEIGHTS_NONE, (double[]){1, 1, 1, 1});
}

static void even_median(void **state) {
    (void)state;
    const at_class_stats s = {.pixels = {60, 20}, .image_pixels = {80, 80}};
    float w[2];
    at_class_weights(AT_CLASS_WEIGHTS_MEDIAN, &s, 2, w); /* f = 0.75, 0.25; median 0.5 */
    assert_near(w[0], 0.5 / 0.75, 1e-6);
    assert_near(w[1], 2, 1e-6);
}

static void refused(const char *text, const char *word) {
    at_error err = {0};
    at_class_weighting kind;
    float w[3];
    assert_int_equal(at_class_weights_parse(text, 3, &kind, w, &err), AT_ERR_USAGE);
    assert_non_null(strstr(err.text, word));
}

static void parsing(void **state) {
    (void)state;
    at_class_weighting kind;
    float w[3] = {7, 7, 7};
    assert_int_equal(at_class_weights_parse("enet", 3, &kind, w, NULL), AT_OK);
    assert_int_equal(kind, AT_CLASS_WEIGHTS_ENET);
    assert_int_equal(at_class_weights_parse("1,0.5,0", 3, &kind, w, NULL), AT_OK);
    assert_int_equal(kind, AT_CLASS_WEIGHTS_LIST);
    assert_true(w[0] == 1 && w[1] == 0.5f && w[2] == 0);
    refused("1,2", "3 classes");
    refused("1,2,3,4", "4 numbers");
    refused("medium", "median");
    refused("1,,2", "median");
    refused("1;2;3", "median");
    refused("1,-1,1", "-1");
    refused("1,nan,1", "nan");
    refused("0,0,0", "all are 0");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(formulas), cmocka_unit_test(even_median),
                                       cmocka_unit_test(parsing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
