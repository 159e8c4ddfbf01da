/* SPDX-License-Identifier: MIT */
/* The composites: what they are made of, under which names, for which sizes; that gradients pass.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/naive_conv.h"

/* "name:op name:op ..." of all nodes but the input. */
static void expect_nodes(const at_graph *g, const char *want) {
    char got[2048] = "";
    for (int i = 1; i < at_graph_node_count(g); i++) {
        const at_node *n = at_graph_node(g, i);
        size_t at = strlen(got);
        snprintf(got + at, sizeof got - at, "%s%s:%s", i > 1 ? " " : "", n->name, n->op->name);
    }
    assert_string_equal(got, want);
}

static void expect_size(at_graph *g, at_node *y, int h, int w, int to_h, int to_w, int to_c) {
    at_plan *plan;
    at_error err = {0};
    at_plan_opts o = {.batch = 2, .height = h, .width = w, .output = y};
    if (at_plan_new(&plan, g, o, &err) != AT_OK) fail_msg("%s", err.text);
    at_shape s = at_plan_shape(plan, y);
    assert_true(s.n == 2 && s.h == to_h && s.w == to_w && s.c == to_c);
    at_plan_free(plan);
}

static void test_norm(void **state) {
    (void)state;
    static const int cases[][2] = {{256, 32}, {64, 16}, {48, 12}, {37, 1}, {1, 1}};
    at_graph *g = at_graph_new();
    for (int i = 0; i < 5; i++) {
        at_graph_push(g, "%d", i);
        at_node *x = at_input(g, "x", cases[i][0]), *y = at_norm(g, x, AT_NORM_GROUP);
        assert_int_equal(((const at_group_norm_opts *)y->attrs)->groups, cases[i][1]);
        assert_ptr_equal(at_norm(g, x, AT_NORM_NONE), x);
        at_graph_pop(g);
    }
    assert_null(at_norm(g, NULL, AT_NORM_NONE));
    at_graph_free(g);
}

static void test_conv_block(void **state) {
    (void)state;
    at_conv2d_opts conv = {.channels = 4, .kernel = {3, 3}, .padding = {1, 1}};
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", 3);
    x = at_conv_block(g, "a", x, (at_conv_block_opts){.conv = conv});
    at_conv_block(g, "b", x,
                  (at_conv_block_opts){.conv = conv, .norm = AT_NORM_NONE, .linear = true});
    expect_nodes(g, "a.conv:conv2d a.norm:batch_norm a.relu:relu b.conv:conv2d");
    assert_null(at_graph_find_param(g, "a.conv.bias"));
    assert_non_null(at_graph_find_param(g, "b.conv.bias"));
    at_graph_free(g);
}

static void test_aspp(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", 6);
    at_node *y = at_aspp(g, "aspp", x, (at_aspp_opts){.channels = 8, .dropout = 0.5f});
    expect_nodes(g, "aspp.branch0.conv:conv2d aspp.branch0.norm:batch_norm aspp.branch0.relu:relu "
                    "aspp.branch1.conv:conv2d aspp.branch1.norm:batch_norm aspp.branch1.relu:relu "
                    "aspp.branch2.conv:conv2d aspp.branch2.norm:batch_norm aspp.branch2.relu:relu "
                    "aspp.branch3.conv:conv2d aspp.branch3.norm:batch_norm aspp.branch3.relu:relu "
                    "aspp.pool.mean:adaptive_avg_pool2d aspp.pool.block.conv:conv2d "
                    "aspp.pool.block.norm:batch_norm aspp.pool.block.relu:relu "
                    "aspp.pool.spread:interpolate aspp.cat:cat aspp.project.conv:conv2d "
                    "aspp.project.norm:batch_norm aspp.project.relu:relu aspp.dropout:dropout");
    assert_int_equal(at_graph_find(g, "aspp.cat")->channels, 5 * 8);
    expect_size(g, y, 9, 5, 9, 5, 8);
    at_graph_free(g);
}

static void test_residual_blocks(void **state) {
    (void)state;
    static const int rates[] = {1, 2, 5};
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", 4);
    at_node *y =
        at_residual_block(g, "b", x, (at_residual_opts){.channels = 4, .norm = AT_NORM_NONE});
    expect_nodes(g,
                 "b.conv1.conv:conv2d b.conv1.relu:relu b.conv2.conv:conv2d b.add:add b.relu:relu");
    at_hdc_opts h = {
        .channels = 8, .blocks = 2, .stride = 2, .rates = rates, .rate_count = 3, .first = 1};
    y = at_hdc_group(g, "g", y, h);
    assert_non_null(at_graph_find(g, "g.0.shortcut.norm"));
    assert_null(at_graph_find(g, "g.1.shortcut.norm"));
    /* rates 2, 5, then 1, 2 */
    assert_int_equal(
        ((const at_conv2d_opts *)at_graph_find(g, "g.0.conv1.conv")->attrs)->dilation.h, 2);
    assert_int_equal(
        ((const at_conv2d_opts *)at_graph_find(g, "g.0.conv2.conv")->attrs)->dilation.w, 5);
    assert_int_equal(
        ((const at_conv2d_opts *)at_graph_find(g, "g.1.conv1.conv")->attrs)->dilation.h, 1);
    assert_int_equal(
        ((const at_conv2d_opts *)at_graph_find(g, "g.1.conv2.conv")->attrs)->dilation.w, 2);
    y = at_duc(g, "head", y, 3, 2);
    expect_size(g, y, 11, 6, 12, 6, 3);
    assert_null(at_hdc_group(g, "none", y, (at_hdc_opts){.channels = 8, .blocks = 1}));
    at_graph_free(g);
}

/* ---- forward and backward, without norms ---- */

enum { IN = 2, MID = 3, PIXELS = 2 * 61 * 83, MOST = PIXELS * 4 * MID };

static void relu(double *x, int64_t count) {
    for (int64_t i = 0; i < count; i++) x[i] = x[i] > 0 ? x[i] : 0;
}

/* The next convolution of a composite: square kernel, padding that keeps the size before striding.
 */
static void conv(const check_data *d, int *param, const double *x, at_shape xs, int kernel,
                 int stride, int rate, double *y, at_shape ys) {
    int pad = kernel / 2 * rate;
    naive_conv c = {{kernel, kernel}, {stride, stride}, {pad, pad}, {rate, rate}, 1};
    naive_conv2d(&c, x, xs, d->params[*param], d->params[*param + 1], y, ys);
    *param += 2;
}

static const int two_rates[] = {1, 3};

static at_node *build_aspp(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_aspp(
        g, "aspp", x[0],
        (at_aspp_opts){.channels = MID, .rates = two_rates, .rate_count = 2, .norm = AT_NORM_NONE});
}

static void naive_aspp(const check_data *d, double *out) {
    static double branch[4][PIXELS * MID], cat[MOST];
    at_shape s = d->in_shape[0], wide = d->out_shape, one = {s.n, 1, 1, IN}, all = d->out_shape;
    int param = 0, pixels = s.h * s.w;
    double mean[8 * IN] = {0}, pooled[8 * MID];
    conv(d, &param, d->in[0], s, 1, 1, 1, branch[0], wide);
    for (int i = 0; i < 2; i++)
        conv(d, &param, d->in[0], s, 3, 1, two_rates[i], branch[i + 1], wide);
    for (int64_t i = 0; i < at_shape_count(s); i++)
        mean[i / (pixels * IN) * IN + i % IN] += d->in[0][i] / pixels;
    conv(d, &param, mean, one, 1, 1, 1, pooled, (at_shape){s.n, 1, 1, MID});
    for (int64_t i = 0; i < at_shape_count(wide); i++)
        branch[3][i] = pooled[i / (pixels * MID) * MID + i % MID];
    all.c = 4 * MID;
    for (int64_t i = 0; i < at_shape_count(all); i++)
        cat[i] = branch[i % all.c / MID][i / all.c * MID + i % MID];
    relu(cat, at_shape_count(all));
    conv(d, &param, cat, all, 1, 1, 1, out, wide);
    relu(out, at_shape_count(wide));
}

static at_node *build_residual(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_residual_block(
        g, "block", x[0],
        (at_residual_opts){.channels = MID, .stride = 2, .dilation = {1, 2}, .norm = AT_NORM_NONE});
}

static void naive_residual(const check_data *d, double *out) {
    static double first[MOST], shortcut[MOST];
    int param = 0;
    int64_t count = at_shape_count(d->out_shape);
    conv(d, &param, d->in[0], d->in_shape[0], 3, 2, 1, first, d->out_shape);
    relu(first, count);
    conv(d, &param, first, d->out_shape, 3, 1, 2, out, d->out_shape);
    conv(d, &param, d->in[0], d->in_shape[0], 1, 2, 1, shortcut, d->out_shape);
    for (int64_t i = 0; i < count; i++) out[i] += shortcut[i];
    relu(out, count);
}

static at_node *build_duc(at_graph *g, at_node *const *x, const void *arg) {
    (void)arg;
    return at_duc(g, "head", x[0], MID, 2);
}

static void naive_duc(const check_data *d, double *out) {
    static double low[MOST];
    at_shape s = d->in_shape[0], t = d->out_shape, coarse = {s.n, s.h, s.w, 4 * MID};
    int param = 0;
    conv(d, &param, d->in[0], s, 3, 1, 1, low, coarse);
    for (int64_t i = 0; i < at_shape_count(t); i++) {
        int c = (int)(i % t.c), x = (int)(i / t.c % t.w), y = (int)(i / t.c / t.w % t.h);
        int n = (int)(i / t.c / t.w / t.h);
        out[i] = low[check_at(coarse, n, y / 2, x / 2, c * 4 + y % 2 * 2 + x % 2)];
    }
}

static void test_values(void **state) {
    (void)state;
    check_case c = {.batch = 2, .height = 5, .width = 4, .channels = {IN}};
    c.build = build_aspp, c.naive = naive_aspp;
    check_op(&c);
    c.build = build_residual, c.naive = naive_residual;
    check_op(&c);
    c.build = build_duc, c.naive = naive_duc;
    check_op(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_norm),   cmocka_unit_test(test_conv_block),
        cmocka_unit_test(test_aspp),   cmocka_unit_test(test_residual_blocks),
        cmocka_unit_test(test_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
