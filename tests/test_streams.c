/* SPDX-License-Identifier: MIT */
/* Results so large that they are written past the caches have the same bits as the same images one
 * by one, whose results are not: unpooling, a norm with its ReLU, interpolation of few channels,
 * with one thread and with several. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers/chunks.h"
#include "layers/layers.h"

enum { H = 92, W = 124, C = 32, FEW = 11, BATCH = 6 };

static at_graph *make(void) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", C);
    at_node *small = at_max_pool2d(g, "pool", x, (at_pool2d_opts){.kernel = {2, 2}});
    at_node *y = at_max_unpool2d(g, "unpool", small, small, x);
    y = at_relu(g, "relu", at_batch_norm(g, "norm", y, (at_batch_norm_opts){0}));
    y = at_conv2d(g, "conv", y, (at_conv2d_opts){.channels = FEW, .kernel = {1, 1}});
    y = at_interpolate(g, "up", y, (at_interpolate_opts){.mode = AT_BILINEAR, .factor = {2, 2}});
    at_graph_set_output(g, y);
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(at_graph_init(g, 1, NULL), AT_OK);
    return g;
}

static at_plan *run(at_graph *g, const float *x, int batch) {
    at_plan *plan;
    at_plan_opts o = {.batch = batch, .height = H, .width = W, .mode = AT_INFER, .keep = true};
    assert_int_equal(at_plan_new(&plan, g, o, NULL), AT_OK);
    memcpy(at_plan_value(plan, at_graph_find(g, "x")).data, x,
           (size_t)batch * H * W * C * sizeof *x);
    at_plan_forward(plan);
    return plan;
}

/* Image i of the large plan is the only one of the small. */
static void same(const at_plan *large, const at_plan *small, at_graph *g, const char *name, int i) {
    const at_tensor a = at_plan_value(large, at_graph_find(g, name)),
                    b = at_plan_value(small, at_graph_find(g, name));
    const size_t floats = (size_t)at_shape_count(b.shape);
    assert_true(at_streams(a));
    assert_false(at_streams(b));
    assert_int_equal(a.ld, a.shape.c);
    assert_memory_equal(at_f32(a) + (size_t)i * floats, at_f32(b), floats * sizeof(float));
}

static void compare(int threads) {
    static const char *const names[] = {"unpool", "relu", "up"};
    float *x = malloc((size_t)BATCH * H * W * C * sizeof *x);
    at_graph *g = make();
    assert_int_equal(at_threads_set(threads, NULL), AT_OK);
    at_rng rng = at_rng_make(1, AT_RNG_TEST, 0, 0);
    for (int i = 0; i < BATCH * H * W * C; i++) x[i] = at_rng_range(&rng, -1, 1);
    at_plan *large = run(g, x, BATCH);
    for (int i = 0; i < BATCH; i++) {
        at_plan *small = run(g, x + (size_t)i * H * W * C, 1);
        for (int k = 0; k < 3; k++) same(large, small, g, names[k], i);
        at_plan_free(small);
    }
    at_plan_free(large);
    at_graph_free(g);
    free(x);
}

static void test_one_thread(void **state) {
    (void)state;
    compare(1);
}

static void test_threads(void **state) {
    (void)state;
    compare(3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_thread),
                                       cmocka_unit_test(test_threads)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
