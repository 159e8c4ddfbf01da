/* SPDX-License-Identifier: MIT */
/* What a plan does to save memory changes no bit: values that are freed and brought back, gradients
 * that share a place, nodes without a step. A plan that keeps everything is the yardstick. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
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

/* Two steps forward and backward; the gradients, which are malloc'ed. */
static float *gradients(at_graph *g, at_node *loss, bool keep, size_t *bytes) {
    size_t size = (size_t)at_graph_flat_count(g) * sizeof(float);
    float *out = malloc(size);
    at_plan *p;
    at_plan_opts opts = {.batch = 2, .height = HEIGHT, .width = WIDTH, .mode = AT_TRAIN};
    opts.output = loss;
    opts.keep = keep;
    assert_non_null(out);
    assert_int_equal(at_graph_init(g, 3, NULL), AT_OK); /* running statistics too */
    assert_int_equal(at_plan_new(&p, g, opts, NULL), AT_OK);
    memset(at_graph_grads(g), 0, size);
    for (int i = 0; i < 2; i++) {
        fill(p, g);
        at_plan_forward(p);
        at_plan_backward(p);
    }
    memcpy(out, at_graph_grads(g), size);
    *bytes = at_plan_bytes(p);
    at_plan_free(p);
    return out;
}

static void check(const char *name, at_model_opts opts) {
    const at_model *m = at_model_find(name);
    at_graph *g;
    size_t kept_bytes, bytes;
    opts.classes = CLASSES;
    opts.width = 0.125;
    assert_int_equal(at_model_new(&g, m, opts, NULL), AT_OK);
    at_node *loss = at_softmax_cross_entropy(g, "loss", at_graph_output(g), at_target(g, "target"),
                                             (at_loss_opts){0});
    float *kept = gradients(g, loss, true, &kept_bytes);
    float *got = gradients(g, loss, false, &bytes);
    assert_memory_equal(got, kept, (size_t)at_graph_flat_count(g) * sizeof(float));
    assert_true(bytes < kept_bytes);
    free(kept), free(got);
    at_graph_free(g);
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
                                       cmocka_unit_test(test_nothing_to_do)};
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
