/* SPDX-License-Identifier: MIT */
/* The bricks of pages: text that can do no harm, axes, charts, pictures, windows, edges. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/markup.h"
#include "tests/near.h"
#include "train/chart.h"
#include "train/figures.h"
#include "train/html.h"
#include "train/window.h"

static char *text;
static size_t size;

static FILE *begin(void) {
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    return f;
}

static void expect(FILE *f, const char *want) {
    fclose(f);
    assert_string_equal(text, want);
    free(text);
}

static void expect_text(const char *in, const char *want) {
    FILE *f = begin();
    at_html_text(f, in);
    expect(f, want);
}

static void text_is_escaped(void **state) {
    (void)state;
    expect_text("<script>alert(\"1\" && '2')</script>",
                "&lt;script&gt;alert(&quot;1&quot; &amp;&amp; &#39;2&#39;)&lt;/script&gt;");
    expect_text("a\tb\x01"
                "c\x7f\n",
                "a b c \n");
    expect_text("\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xbc \xe2\x82\xac \xf0\x9f\x98\x80");
    /* A lone byte, a cut one, an overlong <, a surrogate, beyond the last, U+FFFF. */
    expect_text("\xff", "\xef\xbf\xbd");
    expect_text("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
    expect_text("\xc0\xbc", "\xef\xbf\xbd\xef\xbf\xbd");
    expect_text("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_text("\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    expect_text("\xef\xbf\xbf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

/* 2 x 1 pixels; the PNG in the address must come back from base64. */
static void pictures_are_inside(void **state) {
    (void)state;
    uint8_t pixels[6] = {255, 0, 0, 0, 0, 255}, png[256];
    const at_image image = {2, 1, 3, pixels};
    const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    FILE *f = begin();
    assert_int_equal(at_html_picture(f, &image, "\"<", NULL), AT_OK);
    fclose(f);
    assert_non_null(strstr(text, "alt=\"&quot;&lt;\""));
    const char *p = strstr(text, "base64,") + 7;
    size_t bytes = 0;
    for (; *p != '"'; p += 4) {
        unsigned v = 0;
        for (int i = 0; i < 4; i++)
            v = v << 6 | (p[i] == '=' ? 0 : (unsigned)(strchr(digits, p[i]) - digits));
        assert_true(bytes + 3 <= sizeof png);
        for (int i = 0; i < 3; i++) png[bytes++] = (uint8_t)(v >> (16 - 8 * i));
        bytes -= (p[2] == '=') + (p[3] == '=');
    }
    at_image back;
    assert_int_equal(at_image_decode(png, bytes, "the page", 3, &back, NULL), AT_OK);
    assert_int_equal(back.width, 2);
    assert_memory_equal(back.data, pixels, 6);
    at_image_free(&back);
    free(text);
}

static void axes(void **state) {
    (void)state;
    at_axis a = at_axis_nice(0.13, 0.87, 4);
    assert_near(a.low, 0, 1e-12);
    assert_near(a.high, 1, 1e-12);
    assert_near(a.step, 0.2, 1e-12);
    assert_near(at_axis_place(a, 0.25, 100, 200), 125, 1e-9);
    assert_near(at_axis_place(a, 0.25, 200, 100), 175, 1e-9);
    a = at_axis_nice(3, 3, 4);
    assert_true(a.low <= 3 && a.high > 3);
    a = at_axis_for_costs(1e6, 1e9);
    assert_true(a.logarithmic && a.low < 1e6 && a.high > 1e9);
    assert_near(at_axis_place(a, sqrt(a.low * a.high), 0, 1), 0.5, 1e-9);
    a = at_axis_for_costs(5, 5);
    assert_true(!a.logarithmic && a.low < 5 && a.high > 5);
}

/* Values that do not exist, labels in one place, a hostile title. */
static void charts(void **state) {
    (void)state;
    static at_chart c;
    const at_chart_point p[] = {{1, 0.5, 0.4, 0.6}, {2, NAN, NAN, NAN}, {3, 0.7, 0.6, 0.8}},
                         none[] = {{1, NAN, NAN, NAN}}, lone[] = {{3, 0.7, NAN, NAN}};
    FILE *f = begin();
    fputs("<!DOCTYPE html>\n", f);
    c = (at_chart){.f = f,
                   .label = "<&\"",
                   .x_title = "x",
                   .x = {1, 3, 1, false},
                   .y = at_axis_nice(0.4, 0.8, 4)};
    at_chart_begin(&c);
    at_chart_line(&c, (at_chart_look){1, 0, 0}, p, 3);
    at_chart_line(&c, (at_chart_look){2, 9, 5}, none, 1);
    at_chart_line(&c, (at_chart_look){3, 2, 1}, lone, 1);
    at_chart_mark(&c, (at_chart_look){4, 3, 1}, p[0], "</svg><script>");
    at_chart_end(&c);
    fclose(f);
    check_markup(text);
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "<script"));
    assert_int_equal(count_of(text, "class=\"band\""), 1);
    assert_int_equal(count_of(text, "<polyline"), 2);
    assert_int_equal(count_of(text, "class=\"end"), 2);
    /* Both ends at 0.7, their numbers a letter apart. */
    const char *first = strstr(text, "class=\"end"), *second = strstr(first + 1, "class=\"end");
    const double a = strtod(strstr(first, " y=\"") + 4, NULL),
                 b = strtod(strstr(second, " y=\"") + 4, NULL);
    assert_true(fabs(a - b) >= 11.9);
    free(text);
}

/* Held to the sum of every window, for a map of random weights. */
static void windows(void **state) {
    (void)state;
    enum { H = 13, W = 17, SIDE = 5 };
    int32_t weights[H * W];
    at_rng rng = at_rng_make(5, AT_RNG_TEST, 0, 0);
    for (int i = 0; i < H * W; i++) weights[i] = (int32_t)at_rng_below(&rng, 1000);
    int y, x, best = -1, best_y = 0, best_x = 0;
    for (int i = 0; i + SIDE <= H; i++)
        for (int j = 0; j + SIDE <= W; j++) {
            int sum = 0;
            for (int k = 0; k < SIDE * SIDE; k++) sum += weights[(i + k / SIDE) * W + j + k % SIDE];
            if (sum > best) best = sum, best_y = i, best_x = j;
        }
    assert_int_equal(at_window_best(weights, H, W, SIDE, &y, &x, NULL), AT_OK);
    assert_int_equal(y, best_y);
    assert_int_equal(x, best_x);
}

static void expect_edges(const char *rows, int height, int width, const char *want) {
    char *path = at_window_edges((const uint8_t *)rows, height, width);
    assert_string_equal(path, want);
    free(path);
}

static void edges(void **state) {
    (void)state;
    expect_edges("aaaa", 2, 2, "");
    expect_edges("aabb", 2, 2, "M0 1h2");
    expect_edges("abab", 2, 2, "M1 0v2");
    /* a b b / a a b: under the first b a step; after the first column above, the second below. */
    expect_edges("abbaab", 2, 3, "M1 1h1M1 0v1M2 1v1");
}

static void figures(void **state) {
    (void)state;
    char t[AT_FIGURE];
    assert_string_equal(at_figure_number(t, 999), "999");
    assert_string_equal(at_figure_number(t, 1416064), "1.42 M");
    assert_string_equal(at_figure_bytes(t, 102980160), "98.2 MiB");
    assert_string_equal(at_figure_duration(t, 245), "4 min 5 s");
    assert_string_equal(at_figure_duration(t, NAN), "-");
    assert_string_equal(at_figure_share(t, NAN), "-");
    assert_string_equal(at_figure_spread(t, (at_study_summary){3, 0.5, 0.01}), "0.5000 ± 0.0100");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(text_is_escaped),
                                       cmocka_unit_test(pictures_are_inside),
                                       cmocka_unit_test(axes),
                                       cmocka_unit_test(charts),
                                       cmocka_unit_test(windows),
                                       cmocka_unit_test(edges),
                                       cmocka_unit_test(figures)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
