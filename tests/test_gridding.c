/* SPDX-License-Identifier: MIT */
/* What dilated convolutions reach: the numbers of stacks of 3x3 convolutions (Wang et al., WACV
 * 2018, section 3.2), the groups of hdc, where stretches begin and end, and any network's map
 * against the gradient that really arrives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/models.h"
#include "tests/alloc_fail.h"

static at_node *conv(at_graph *g, const char *name, at_node *x, int channels, int stride,
                     int dilation) {
    return at_conv2d(g, name, x,
                     (at_conv2d_opts){.channels = channels,
                                      .kernel = {3, 3},
                                      .stride = {stride, stride},
                                      .padding = {dilation, dilation},
                                      .dilation = {dilation, dilation}});
}

static void new_gridding(at_gridding *out, const at_graph *g) {
    at_error err = {0};
    if (at_gridding_new(out, g, &err) != AT_OK) fail_msg("%s", err.text);
}

static void expect_row(const at_gridding *g, int i, const char *node, const char *input, int side,
                       int reached) {
    assert_true(i < g->count);
    const at_gridding_row *r = &g->rows[i];
    assert_string_equal(r->node->name, node);
    assert_string_equal(r->input->name, input);
    assert_true(r->cover.h == side && r->cover.w == side && !r->cover.global);
    assert_int_equal(r->cover.reached, reached);
}

/* Window, and distinct taps along an axis: 29.0 %, 70.6 % and 26.8 % of the windows, or all. */
static void test_stacks(void **state) {
    (void)state;
    static const struct {
        int rates[5], side, taps;
    } stacks[] = {{{2}, 5, 3},         {{2, 2}, 9, 5},        {{2, 2, 2}, 13, 7},
                  {{1, 2, 3}, 13, 13}, {{1, 2, 5}, 17, 17},   {{1, 2, 9}, 25, 21},
                  {{2, 4, 8}, 29, 15}, {{1, 2, 4, 8}, 31, 31}};
    for (size_t k = 0; k < sizeof stacks / sizeof *stacks; k++) {
        at_graph *g = at_graph_new();
        at_node *x = at_input(g, "x", 2);
        for (int i = 0; stacks[k].rates[i]; i++) {
            at_graph_push(g, "%d", i);
            x = at_relu(g, NULL, conv(g, "conv", x, 2, 1, stacks[k].rates[i]));
            at_graph_pop(g);
        }
        at_gridding gridding;
        new_gridding(&gridding, g);
        const at_gridding_row *last = &gridding.rows[gridding.count - 1];
        expect_row(&gridding, gridding.count - 1, last->node->name, "x", stacks[k].side,
                   stacks[k].taps * stacks[k].taps);
        at_gridding_free(&gridding);
        at_graph_free(g);
    }
}

static void check_hdc(const int rates[3], int share) {
    at_graph *g;
    at_gridding gridding;
    at_model_opts o = {.classes = 3, .width = 0.25, .depth = 34, .rate_count = 3};
    memcpy(o.rates, rates, 3 * sizeof *rates);
    assert_int_equal(at_model_new(&g, at_model_find("hdc"), o, NULL), AT_OK);
    new_gridding(&gridding, g);
    assert_int_equal(gridding.count, 12 + 6);
    /* after three convolutions, the input of the second block's sum included */
    expect_row(&gridding, 2, "encoder.2.1.conv1.conv", "encoder.1.3.relu", 13, share);
    expect_row(&gridding, 14, "encoder.3.1.conv1.conv", "encoder.2.5.relu", 13, share);
    assert_int_equal(gridding.rows[2].dilation.h, rates[2]);
    assert_int_equal(gridding.rows[11].cover.h, 49); /* the whole stage */
    assert_int_equal(gridding.rows[17].cover.w, 25);
    at_gridding_free(&gridding);
    at_graph_free(g);
}

/* Equal fields, 13 x 13 after a cycle of the rates: with 2, 2, 2 a pixel sees 49 of 169. */
static void test_hdc(void **state) {
    (void)state;
    check_hdc((const int[]){2, 2, 2}, 49);
    check_hdc((const int[]){1, 2, 3}, 169);
}

/* Stretches end where resolution or channels change, and where things are pooled; those without
 * dilation are not told of. */
static void test_stretches(void **state) {
    (void)state;
    at_gridding gridding;
    at_graph *g = at_graph_new();
    at_node *x = conv(g, "a", at_input(g, "x", 3), 2, 1, 1);
    new_gridding(&gridding, g);
    assert_int_equal(gridding.count, 0);
    at_gridding_free(&gridding);
    x = conv(g, "c", conv(g, "b", x, 4, 2, 1), 4, 1, 3);
    at_node *p = at_max_pool2d(g, "pool", x, (at_pool2d_opts){.kernel = {2, 2}});
    conv(g, "d", p, 4, 1, 1);
    conv(g, "e", conv(g, "f", x, 4, 1, 2), 5, 1, 2);
    new_gridding(&gridding, g);
    assert_int_equal(gridding.count, 4);
    expect_row(&gridding, 0, "b", "a", 3, 9);
    expect_row(&gridding, 1, "c", "a", 3 + 2 * 6, 81); /* three pixels from each of nine places */
    expect_row(&gridding, 2, "f", "a", 3 + 2 * 10, 21 * 21);
    expect_row(&gridding, 3, "e", "f", 5, 9);
    at_gridding_free(&gridding);
    at_graph_free(g);
}

/* ---- against gradients ---- */

/* Counts image pixels that a gradient arrives at from one output pixel, and holds the map to them;
 * (y0, x0) is where the map's window begins. */
static void check_gradient(at_graph *g, at_node *image, at_node *y, int row, int column, int y0,
                           int x0) {
    enum { H = 48, W = 56 };
    at_cover c;
    at_plan *p;
    at_error err = {0};
    assert_int_equal(at_graph_cover(&c, image, y, &err), AT_OK);
    assert_int_equal(at_graph_finish(g, &err), AT_OK);
    assert_int_equal(at_graph_init(g, 3, &err), AT_OK);
    at_plan_opts o = {.height = H, .width = W, .mode = AT_TRAIN, .output = y, .input_grad = true};
    if (at_plan_new(&p, g, o, &err) != AT_OK) fail_msg("%s", err.text);
    at_tensor d_out = at_plan_grad(p, y), d_in;
    memset(at_plan_value(p, image).data, 0, sizeof(float) * H * W);
    at_plan_forward(p);
    for (int64_t i = 0; i < at_shape_count(d_out.shape); i++) at_f32(d_out)[i] = 0;
    for (int k = 0; k < d_out.shape.c; k++)
        at_f32(d_out)[(row * d_out.shape.w + column) * d_out.ld + k] = 1;
    at_plan_backward(p);
    d_in = at_plan_grad(p, image);
    for (int i = 0; i < H; i++)
        for (int j = 0; j < W; j++) {
            bool inside = i >= y0 && j >= x0 && i < y0 + c.h && j < x0 + c.w;
            bool told = inside && c.map[(i - y0) * c.w + j - x0];
            if ((at_f32(d_in)[i * W + j] != 0) != told) fail_msg("pixel %d, %d", i, j);
        }
    at_cover_free(&c);
    at_plan_free(p);
}

/* Strides, dilation, a sum of paths, and two kinds of upsampling. */
static void test_gradients(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    at_node *image = at_input(g, "image", 1);
    at_node *x = conv(g, "a", image, 2, 2, 1), *far = conv(g, "b", x, 2, 1, 4);
    x = at_add(g, "sum", conv(g, "c", x, 2, 1, 2), far);
    check_gradient(g, image, x, 12, 14, 2 * 12 - 9, 2 * 14 - 9);
    at_graph_free(g);

    g = at_graph_new();
    image = at_input(g, "image", 1);
    x = conv(g, "b", conv(g, "a", image, 2, 2, 1), 2, 2, 1);
    x = at_conv_transpose2d(
        g, "up", x,
        (at_conv_transpose2d_opts){
            .channels = 2, .kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 1}});
    x = at_interpolate(g, "resize", conv(g, "c", x, 2, 1, 2),
                       (at_interpolate_opts){.mode = AT_NEAREST, .size = image});
    /* rows 24: 12 of c reads 10, 12, 14 of up; they read 4 .. 7 of b, and those 4 * 4 - 3 on */
    check_gradient(g, image, x, 24, 24, 13, 13);
    at_graph_free(g);
}

static void test_writing(void **state) {
    (void)state;
    at_survey s;
    at_graph *g = at_graph_new();
    conv(g, "b", conv(g, "a", at_input(g, "x", 3), 2, 1, 1), 2, 1, 2);
    assert_int_equal(at_survey_new(&s, g, (at_shape){1, 9, 9, 3}, NULL), AT_OK);
    char *table = at_survey_table(&s, 0, 0), *svg = at_survey_svg(&s);
    assert_non_null(
        strstr(table, "from x\n  a  rate  1    3 x 3         9 of 9 pixels, 100.0 %\n"));
    assert_non_null(strstr(svg, ">rate 2: 7 x 7</text>"));
    json_t *j = at_survey_json(&s, NULL), *rows = json_object_get(j, "coverage");
    json_t *want = json_pack("{ss ss s[ii] s[ii] si}", "node", "b", "input", "x", "dilation", 2, 2,
                             "window", 7, 7, "reached", 49);
    assert_true(json_array_size(rows) == 2 && json_equal(json_array_get(rows, 1), want));
    json_decref(want), json_decref(j);
    free(table), free(svg);
    at_survey_free(&s);
    at_graph_free(g);
}

static void test_refuses(void **state) {
    (void)state;
    at_cover c;
    at_error err = {0};
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", 1), *a = conv(g, "a", x, 2, 1, 1), *b = conv(g, "b", x, 2, 1, 1);
    assert_int_equal(at_graph_cover(&c, a, b, &err), AT_ERR_INPUT);
    assert_string_equal(err.text, "b does not depend on a");
    assert_null(c.map);
    at_graph_free(g);
}

static at_status all(void *arg, at_error *err) {
    at_gridding gridding;
    AT_TRY(at_gridding_new(&gridding, arg, err));
    at_gridding_free(&gridding);
    return AT_OK;
}

static void test_allocations(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    conv(g, "b", conv(g, "a", at_input(g, "x", 3), 2, 1, 1), 2, 1, 2);
    check_alloc_failures(all, g);
    at_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stacks),      cmocka_unit_test(test_hdc),
        cmocka_unit_test(test_stretches),   cmocka_unit_test(test_gradients),
        cmocka_unit_test(test_writing),     cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_allocations),
    };
    return cmocka_run_group_tests_name("gridding", tests, NULL, NULL);
}
