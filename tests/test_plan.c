/* SPDX-License-Identifier: MIT */
/* What a plan does to save memory changes no bit: values that are freed and brought back, gradients
 * that share a place, nodes without a step, segments that are computed twice. A plan that keeps
 * everything is the yardstick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/models.h"

enum { CLASSES = 3, HEIGHT = 37, WIDTH = 50 };

static void fill(at_plan *p, at_graph *g) {
    at_rng rng = at_rng_make(5, AT_RNG_TEST, 0, 0);
    at_tensor image = at_plan_value(p, at_graph_find(g, "image"));
    at_tensor target = at_plan_value(p, at_graph_find(g, "target"));
    for (int64_t i = 0; i < at_shape_count(image.shape); i++)
        at_f32(image)[i] = at_rng_range(&rng, -1, 1);
    for (int64_t i = 0; i < at_shape_pixels(target.shape); i++)
        ((uint8_t *)target.data)[i] = (uint8_t)at_rng_below(&rng, CLASSES);
}

static at_plan_opts training(at_node *loss) {
    return (at_plan_opts){
        .batch = 2, .height = HEIGHT, .width = WIDTH, .mode = AT_TRAIN, .output = loss};
}

/* Two steps forward and backward; the gradients, then all values (running statistics are among
 * them), which are malloc'ed. */
static float *gradients(at_graph *g, at_plan_opts opts, size_t *bytes) {
    size_t size = (size_t)at_graph_flat_count(g) * sizeof(float);
    float *out = malloc(2 * size);
    at_plan *p;
    assert_non_null(out);
    assert_int_equal(at_graph_init(g, 3, NULL), AT_OK); /* running statistics too */
    assert_int_equal(at_plan_new(&p, g, opts, NULL), AT_OK);
    memset(at_graph_grads(g), 0, size);
    for (int i = 0; i < 2; i++) {
        fill(p, g);
        at_plan_set_iteration(p, 4, (uint64_t)i);
        at_plan_forward(p);
        at_plan_backward(p);
    }
    memcpy(out, at_graph_grads(g), size);
    memcpy(out + at_graph_flat_count(g), at_graph_values(g), size);
    *bytes = at_plan_bytes(p);
    at_plan_free(p);
    return out;
}

static at_node *loss_of(at_graph *g, at_node *logits) {
    return at_softmax_cross_entropy(g, "loss", logits, at_target(g, "target"), (at_loss_opts){0});
}

/* The graph is freed. */
static void check_graph(at_graph *g, at_node *loss) {
    at_plan_opts opts = training(loss), keep = opts, twice = opts;
    size_t kept_bytes, bytes, twice_bytes, all = 2 * (size_t)at_graph_flat_count(g) * sizeof(float);
    keep.keep = true;
    twice.recompute = true;
    float *kept = gradients(g, keep, &kept_bytes), *got = gradients(g, opts, &bytes);
    float *redone = gradients(g, twice, &twice_bytes);
    assert_memory_equal(got, kept, all);
    assert_memory_equal(redone, kept, all);
    assert_true(twice_bytes < bytes && bytes < kept_bytes);
    free(kept), free(got), free(redone);
    opts.precision = twice.precision = AT_BF16_MIXED;
    got = gradients(g, opts, &bytes), redone = gradients(g, twice, &twice_bytes);
    assert_memory_equal(redone, got, all);
    assert_true(twice_bytes <= bytes);
    free(got), free(redone);
    at_graph_free(g);
}

static void check(const char *name, at_model_opts opts) {
    at_graph *g;
    opts.classes = CLASSES;
    opts.width = 0.125;
    assert_int_equal(at_model_new(&g, at_model_find(name), opts, NULL), AT_OK);
    check_graph(g, loss_of(g, at_graph_output(g)));
}

static void test_same_bits(void **state) {
    (void)state;
    check("segnet-basic", (at_model_opts){0});
    check("unet", (at_model_opts){0});
    check("unet", (at_model_opts){.upsample = AT_UP_BILINEAR, .norm = AT_NORM_GROUP});
    check("deeplabv3", (at_model_opts){0});
    check("hdc", (at_model_opts){0});
    check("fcn8s", (at_model_opts){.norm = AT_NORM_NONE});
}

/* What draws random numbers draws the same ones again; what is pooled has the same winners; what a
 * later segment reads stays. */
enum { LINKS = 10 };

static at_graph *chain(at_node **loss) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "image", 3), *early = NULL;
    for (int i = 0; i < LINKS; i++) {
        char name[6][16];
        for (int k = 0; k < 6; k++) snprintf(name[k], sizeof name[k], "%c%d", "cndpar"[k], i);
        x = at_conv2d(g, name[0], x,
                      (at_conv2d_opts){.channels = 12, .kernel = {3, 3}, .padding = {1, 1}});
        if (i % 3 == 0) x = at_relu(g, name[5], x);
        if (i % 3 == 1) x = at_batch_norm(g, name[1], x, (at_batch_norm_opts){0});
        x = at_dropout(g, name[2], x, 0.3f);
        if (i == 2) early = x;
        if (i % 4 == 3)
            x = at_max_pool2d(
                g, name[3], x,
                (at_pool2d_opts){.kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}});
        if (i == 7) x = at_add(g, name[4], x, early);
    }
    x = at_conv2d(g, "score", x, (at_conv2d_opts){.channels = CLASSES, .kernel = {1, 1}});
    *loss = loss_of(g, x);
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    return g;
}

static void test_computed_twice(void **state) {
    at_node *loss;
    at_graph *g = chain(&loss);
    (void)state;
    check_graph(g, loss);
}

/* Within a limit no more is computed twice than must be; below all that can be, the error tells what
 * would fit. */
static void test_limit(void **state) {
    at_node *loss;
    at_graph *g = chain(&loss);
    at_plan_opts opts = training(loss), twice = opts;
    size_t plain, least, between;
    at_error err = {0};
    at_plan *p;
    (void)state;
    twice.recompute = true;
    assert_int_equal(at_plan_measure(g, opts, &plain, NULL), AT_OK);
    assert_int_equal(at_plan_measure(g, twice, &least, NULL), AT_OK);
    twice.max_bytes = opts.max_bytes = (plain + least) / 2;
    assert_int_equal(at_plan_measure(g, twice, &between, NULL), AT_OK);
    assert_true(between > least && between <= twice.max_bytes);
    assert_int_equal(at_plan_new(&p, g, opts, &err), AT_ERR_MEMORY);
    assert_non_null(strstr(err.text, "batch 1 or --recompute, in more time, would fit"));
    twice.max_bytes = plain;
    assert_int_equal(at_plan_measure(g, twice, &between, NULL), AT_OK);
    assert_int_equal(between, plain);
    opts.max_bytes = least / 8;
    assert_int_equal(at_plan_new(&p, g, opts, &err), AT_ERR_MEMORY);
    assert_null(strstr(err.text, "recompute"));
    at_graph_free(g);
}

/* Inference that runs once keeps no packed weights, folded norms or not, and gives the same. */
static void test_once(void **state) {
    at_graph *g;
    at_plan *p[2];
    (void)state;
    at_model_opts net = {.classes = CLASSES, .width = 0.125};
    assert_int_equal(at_model_new(&g, at_model_find("unet"), net, NULL), AT_OK);
    assert_int_equal(at_graph_init(g, 3, NULL), AT_OK);
    for (int i = 0; i < 2; i++) {
        at_plan_opts opts = {.height = HEIGHT, .width = WIDTH, .once = i == 1};
        assert_int_equal(at_plan_new(&p[i], g, opts, NULL), AT_OK);
        at_rng rng = at_rng_make(6, AT_RNG_TEST, 0, 0);
        at_tensor image = at_plan_value(p[i], at_graph_find(g, "image"));
        for (int64_t k = 0; k < at_shape_count(image.shape); k++)
            at_f32(image)[k] = at_rng_range(&rng, -1, 1);
        at_plan_forward(p[i]);
    }
    at_tensor a = at_plan_value(p[0], at_graph_output(g)),
              b = at_plan_value(p[1], at_graph_output(g));
    assert_memory_equal(a.data, b.data, (size_t)at_shape_count(a.shape) * sizeof(float));
    assert_true(at_plan_bytes(p[1]) < at_plan_bytes(p[0]));
    at_plan_free(p[0]), at_plan_free(p[1]);
    at_graph_free(g);
}

/* A crop to the size that is there gets no step, whether it ends the graph or not. */
static void test_nothing_to_do(void **state) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "image", 2);
    at_node *relu = at_relu(g, "relu", x), *crop = at_crop(g, "crop", relu, x, (at_pair){0, 0});
    at_plan *p;
    (void)state;
    at_graph_set_output(g, at_crop(g, "again", crop, x, (at_pair){0, 0}));
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(at_plan_new(&p, g, (at_plan_opts){.height = 3, .width = 4}, NULL), AT_OK);
    assert_int_equal(at_plan_step_count(p), 2);
    at_tensor in = at_plan_value(p, x), out = at_plan_value(p, at_graph_output(g));
    for (int i = 0; i < 24; i++) at_f32(in)[i] = (float)(i - 9);
    at_plan_forward(p);
    for (int i = 0; i < 24; i++) assert_true(at_f32(out)[i] == (i > 9 ? (float)(i - 9) : 0));
    at_plan_free(p);
    at_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits),
                                       cmocka_unit_test(test_computed_twice),
                                       cmocka_unit_test(test_limit), cmocka_unit_test(test_once),
                                       cmocka_unit_test(test_nothing_to_do)};
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
