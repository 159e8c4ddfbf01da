/* SPDX-License-Identifier: MIT */
/* pad and crop against their definitions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/check_op.h"

/* ---- pad ---- */

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return at_pad(g, NULL, x[0], *(const at_pad_opts *)arg);
}

/* Walks from the place back into the image, one mirror or edge at a time. */
static int place(int i, int n, at_pad_mode mode) {
    if (mode == AT_PAD_CONSTANT) return i >= 0 && i < n ? i : -1;
    if (mode == AT_PAD_REPLICATE) return i < 0 ? 0 : i >= n ? n - 1 : i;
    int at = 0, step = 1;
    for (int k = 0; k < (i < 0 ? -i : i); k++) {
        if (at + step < 0 || at + step >= n) step = -step;
        at += step;
    }
    return at;
}

static void naive(const check_data *d, double *out) {
    const at_pad_opts *o = d->arg;
    at_shape s = d->in_shape[0], t = d->out_shape;
    int top = o->multiple ? 0 : o->top, left = o->multiple ? 0 : o->left;
    for (int n = 0; n < t.n; n++)
        for (int y = 0; y < t.h; y++)
            for (int x = 0; x < t.w; x++)
                for (int c = 0; c < t.c; c++) {
                    int from_y = place(y - top, s.h, o->mode),
                        from_x = place(x - left, s.w, o->mode);
                    out[check_at(t, n, y, x, c)] =
                        from_y < 0 || from_x < 0 ? 0 : d->in[0][check_at(s, n, from_y, from_x, c)];
                }
}

static void test_modes(void **state) {
    (void)state;
    for (int mode = AT_PAD_CONSTANT; mode <= AT_PAD_REPLICATE; mode++) {
        at_pad_opts o = {.left = 3, .right = 1, .top = 2, .bottom = 4, .mode = mode};
        check_op(&(check_case){.build = build, .naive = naive, .arg = &o});
        o = (at_pad_opts){.multiple = 8, .mode = mode};
        check_op(&(check_case){.build = build, .naive = naive, .arg = &o});
    }
}

/* The far side of a mirror may be reached from both ends. */
static void test_deep_reflection(void **state) {
    (void)state;
    at_pad_opts o = {.left = 2, .right = 2, .top = 3, .bottom = 3, .mode = AT_PAD_REFLECT};
    check_op(&(check_case){.batch = 2,
                           .height = 4,
                           .width = 3,
                           .channels = {2},
                           .build = build,
                           .naive = naive,
                           .arg = &o});
    o.bottom = 4;
    check_op_refuses(&(check_case){.height = 4, .width = 3, .build = build, .arg = &o},
                     "reflection needs less");
    o.left = -1;
    check_op_refuses(&(check_case){.build = build, .arg = &o}, "left -1");
}

static void test_multiple_that_fits(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    at_plan *plan;
    at_node *y = at_pad(g, NULL, at_input(g, "x", 2), (at_pad_opts){.multiple = 4});
    at_plan_opts opts = {.batch = 1, .height = 8, .width = 9, .output = y};
    assert_int_equal(at_plan_new(&plan, g, opts, NULL), AT_OK);
    assert_int_equal(at_plan_shape(plan, y).h, 8);
    assert_int_equal(at_plan_shape(plan, y).w, 12);
    at_plan_free(plan);
    at_graph_free(g);
}

/* What the graph's JSON says: PyTorch's list of amounts, worked out for this size. */
static void test_description(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    at_node *y =
        at_pad(g, NULL, at_input(g, "x", 2), (at_pad_opts){.multiple = 4, .mode = AT_PAD_REFLECT});
    json_t *j = json_object(),
           *want = json_pack("{s:[iiii], s:s}", "pad", 0, 3, 0, 1, "mode", "reflect");
    y->op->describe(y, &(at_shape){1, 7, 5, 2}, (at_shape){1, 8, 8, 2}, j);
    assert_true(json_equal(j, want));
    json_decref(j);
    json_decref(want);
    at_graph_free(g);
}

/* ---- crop ---- */

/* Takes a window as large as x out of a larger image made of x: zeros around it. */
static at_node *build_crop(at_graph *g, at_node *const *x, const void *arg) {
    at_node *large =
        at_pad(g, "large", x[0], (at_pad_opts){.left = 3, .right = 2, .top = 1, .bottom = 4});
    return at_crop(g, NULL, large, x[0], *(const at_pair *)arg);
}
static void naive_crop(const check_data *d, double *out) {
    const at_pair *o = d->arg;
    at_shape s = d->in_shape[0];
    for (int64_t i = 0; i < at_shape_count(s); i++) {
        int c = (int)(i % s.c), x = (int)(i / s.c % s.w), y = (int)(i / s.c / s.w % s.h);
        int n = (int)(i / s.c / s.w / s.h), from_y = y + o->h - 1, from_x = x + o->w - 3;
        bool inside = from_y >= 0 && from_y < s.h && from_x >= 0 && from_x < s.w;
        out[i] = inside ? d->in[0][check_at(s, n, from_y, from_x, c)] : 0;
    }
}

/* The same size on both sides: a node whose inputs are both sources, so it runs as slices too. */
static at_node *build_whole(at_graph *g, at_node *const *x, const void *arg) {
    return at_crop(g, NULL, x[0], x[1], *(const at_pair *)arg);
}
static void naive_whole(const check_data *d, double *out) {
    for (int64_t i = 0; i < at_shape_count(d->out_shape); i++) out[i] = d->in[0][i];
}

static void test_crop(void **state) {
    (void)state;
    at_pair offsets[] = {{0, 0}, {2, 1}, {5, 5}}, outside = {6, 0}, negative = {0, -1};
    for (int i = 0; i < 3; i++)
        check_op(&(check_case){.build = build_crop, .naive = naive_crop, .arg = &offsets[i]});
    check_op(&(check_case){
        .channels = {5, 2}, .build = build_whole, .naive = naive_whole, .arg = &offsets[0]});
    check_op_refuses(&(check_case){.build = build_crop, .arg = &outside},
                     "the window leaves the image");
    check_op_refuses(&(check_case){.build = build_crop, .arg = &negative}, "negative");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_deep_reflection),
        cmocka_unit_test(test_multiple_that_fits),
        cmocka_unit_test(test_description),
        cmocka_unit_test(test_crop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
