/* SPDX-License-Identifier: MIT */
/* Concatenated values and their gradients lie in the wide tensor, wherever else they are read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/check_op.h"

enum { C = 3 }; /* channels of both inputs */

static double leaky(double x, double slope) {
    return x > 0 ? x : slope * x;
}

static at_node *left(at_graph *g, at_node *const *x) {
    return at_leaky_relu(g, "left", x[0], 0.5f);
}

static at_node *right(at_graph *g, at_node *const *x) {
    return at_leaky_relu(g, "right", x[1], 0.25f);
}

static at_node *pair(at_graph *g, const char *name, at_node *a, at_node *b) {
    return at_cat(g, name, (at_node *[]){a, b}, 2);
}

/* One way of concatenating; the naive one is told which channel of [left, right, first input]
 * (0 .. 3C - 1) each channel of the output is, and what it is multiplied by. */
typedef struct variant {
    at_node *(*build)(at_graph *g, at_node *a, at_node *b, at_node *x0);
    int terms;      /* summed */
    int parts;      /* of C channels each */
    int from[2][4]; /* [term][part]: 0 left, 1 right, 2 the first input */
    double slope;   /* of a leaky ReLU behind it all; 1: none */
} variant;

static at_node *plain(at_graph *g, at_node *a, at_node *b, at_node *x0) {
    (void)x0;
    return pair(g, "cat", a, b);
}

static at_node *two_cats(at_graph *g, at_node *a, at_node *b, at_node *x0) {
    (void)x0;
    at_node *first = pair(g, "cat", a, b);
    return at_add(g, "add", first, pair(g, "other", b, a));
}

static at_node *twice(at_graph *g, at_node *a, at_node *b, at_node *x0) {
    (void)x0, (void)b;
    return pair(g, "cat", a, a);
}

static at_node *source(at_graph *g, at_node *a, at_node *b, at_node *x0) {
    return at_cat(g, "cat", (at_node *[]){x0, b, a}, 3);
}

static at_node *nested(at_graph *g, at_node *a, at_node *b, at_node *x0) {
    (void)x0;
    return at_cat(g, "outer", (at_node *[]){pair(g, "cat", a, b), b, a}, 3);
}

/* The gradient of the wide tensor is written where that of the ReLU behind it is. */
static at_node *followed(at_graph *g, at_node *a, at_node *b, at_node *x0) {
    (void)x0;
    return at_leaky_relu(g, "after", pair(g, "cat", b, a), 0.75f);
}

/* A crop to the size that is there gets no step: what it hands on is concatenated all the same. */
static at_node *cropped(at_graph *g, at_node *a, at_node *b, at_node *x0) {
    return pair(g, "cat", at_crop(g, "crop", a, x0, (at_pair){0, 0}), b);
}

static const variant variants[] = {
    {plain, 1, 2, {{0, 1}}, 1},        {two_cats, 2, 2, {{0, 1}, {1, 0}}, 1},
    {twice, 1, 2, {{0, 0}}, 1},        {source, 1, 3, {{2, 1, 0}}, 1},
    {nested, 1, 4, {{0, 1, 1, 0}}, 1}, {followed, 1, 2, {{1, 0}}, 0.75},
    {cropped, 1, 2, {{0, 1}}, 1},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    const variant *v = arg;
    at_node *a = left(g, x), *b = right(g, x);
    return v->build(g, a, b, x[0]);
}

static double value(const check_data *d, int which, int64_t pixel, int c) {
    double x0 = d->in[0][pixel * C + c], x1 = d->in[1][pixel * C + c];
    return which == 0 ? leaky(x0, 0.5) : which == 1 ? leaky(x1, 0.25) : x0;
}

static void naive(const check_data *d, double *out) {
    const variant *v = d->arg;
    for (int64_t i = 0; i < at_shape_pixels(d->out_shape); i++)
        for (int j = 0; j < v->parts * C; j++) {
            double sum = 0;
            for (int t = 0; t < v->terms; t++) sum += value(d, v->from[t][j / C], i, j % C);
            out[i * v->parts * C + j] = leaky(sum, v->slope);
        }
}

static void test_variants(void **state) {
    (void)state;
    for (int i = 0; i < VARIANTS; i++) {
        check_case c = {.channels = {C, C}, .arg = &variants[i], .build = build, .naive = naive};
        check_op(&c);
    }
}

/* Returns the two branches' channels in the wide tensor, -1 where a branch lies elsewhere; of
 * values or of gradients. */
static void places(const variant *v, bool gradient, int64_t channel[2]) {
    at_graph *g = at_graph_new();
    at_node *x[] = {at_input(g, "a", C), at_input(g, "b", C)};
    at_graph_set_output(g, at_relu(g, "end", build(g, x, v)));
    at_plan *p;
    at_plan_opts o = {.height = 4, .width = 5, .mode = AT_TRAIN, .keep = true, .input_grad = true};
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(at_plan_new(&p, g, o, NULL), AT_OK);
    for (int i = 0; i < 2; i++) {
        const at_node *part = at_graph_find(g, i ? "right" : "left"),
                      *cat = at_graph_find(g, "cat");
        at_tensor n = gradient ? at_plan_grad(p, part) : at_plan_value(p, part);
        at_tensor wide = gradient ? at_plan_grad(p, cat) : at_plan_value(p, cat);
        channel[i] = -1;
        if (n.data != NULL && n.ld == wide.ld) channel[i] = at_f32(n) - at_f32(wide);
    }
    at_plan_free(p);
    at_graph_free(g);
}

static void check_places(const variant *v, bool gradient, int first, int second) {
    int64_t channel[2];
    places(v, gradient, channel);
    assert_int_equal(channel[0], first);
    assert_int_equal(channel[1], second);
}

static void test_places(void **state) {
    (void)state;
    for (int gradient = 0; gradient < 2; gradient++) {
        check_places(&variants[0], gradient, 0, C);
        check_places(&variants[3], gradient, 2 * C, C);
        check_places(&variants[5], gradient, C, 0);
        check_places(&variants[6], gradient, 0, C);
    }
    check_places(&variants[1], false, 0, C);
    check_places(&variants[1], true, -1, -1); /* the other concatenation writes it first */
    check_places(&variants[4], false, 0, C);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_variants),
                                       cmocka_unit_test(test_places)};
    return cmocka_run_group_tests_name("slices", tests, NULL, NULL);
}
