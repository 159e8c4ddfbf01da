/* SPDX-License-Identifier: MIT */
/* A loss that interpolates its logits itself, against interpolation and loss as two steps (which a
 * crop to the size that is there keeps apart, without doing anything). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers/layers.h"
#include "nn/kernels/kernels.h"

typedef at_node *loss_function(at_graph *g, const char *name, at_node *logits, at_node *target,
                               at_loss_opts opts);

typedef struct head {
    loss_function *loss;
    at_loss_opts opts;
    at_interp_mode mode;
    bool corners, split, shared; /* as two steps; the small logits have another reader */
    int classes, stride, batch, height, width;
} head;

typedef struct result {
    float loss, *grads, *d_image; /* malloc'ed */
    size_t bytes, grad_count, image_count;
    bool logits;
} result;

static at_graph *build(const head *h) {
    at_graph *g = at_graph_new();
    at_node *image = at_input(g, "image", 3);
    at_conv2d_opts conv = {.channels = h->classes, .kernel = {3, 3}, .padding = {1, 1}};
    conv.stride = (at_pair){h->stride, h->stride};
    at_node *x = at_conv2d(g, "conv", image, conv);
    at_interpolate_opts up = {.mode = h->mode, .align_corners = h->corners, .size = image};
    at_node *logits = at_interpolate(g, "logits", x, up);
    if (h->split) logits = at_crop(g, "crop", logits, image, (at_pair){0, 0});
    at_node *loss = h->loss(g, "loss", logits, at_target(g, "target"), h->opts);
    if (h->shared)
        loss = at_add(g, "sum", loss,
                      h->loss(g, "again", at_interpolate(g, "other", at_relu(g, "relu", x), up),
                              at_target(g, "target2"), h->opts));
    at_graph_set_output(g, loss);
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(at_graph_init(g, 7, NULL), AT_OK);
    return g;
}

static void fill(at_plan *p, at_graph *g, const head *h, const char *target) {
    at_rng rng = at_rng_make(5, AT_RNG_TEST, 0, 0);
    at_tensor image = at_plan_value(p, at_graph_find(g, "image"));
    for (int64_t i = 0; i < at_shape_count(image.shape); i++)
        at_f32(image)[i] = at_rng_range(&rng, -3, 3);
    if (at_graph_find(g, target) == NULL) return;
    at_tensor labels = at_plan_value(p, at_graph_find(g, target));
    for (int64_t i = 0; i < at_shape_pixels(labels.shape); i++)
        ((uint8_t *)labels.data)[i] =
            i % 7 == 3 ? 255 : (uint8_t)at_rng_below(&rng, (uint32_t)h->classes);
}

static float *copy(const float *from, size_t count) {
    float *to = malloc(count * sizeof *to + 1);
    assert_non_null(to);
    return memcpy(to, from, count * sizeof *to);
}

static result run(const head *h, bool keep) {
    at_graph *g = build(h);
    at_plan *p;
    at_plan_opts o = {.batch = h->batch, .height = h->height, .width = h->width, .mode = AT_TRAIN};
    o.keep = keep;
    o.input_grad = true;
    assert_int_equal(at_plan_new(&p, g, o, NULL), AT_OK);
    memset(at_graph_grads(g), 0, (size_t)at_graph_flat_count(g) * sizeof(float));
    fill(p, g, h, "target");
    fill(p, g, h, "target2");
    at_plan_forward(p);
    result r = {.loss = *at_f32(at_plan_value(p, at_graph_output(g))), .bytes = at_plan_bytes(p)};
    at_plan_backward(p);
    at_tensor d = at_plan_grad(p, at_graph_find(g, "image"));
    r.grad_count = (size_t)at_graph_flat_count(g);
    r.image_count = (size_t)at_shape_count(d.shape);
    r.grads = copy(at_graph_grads(g), r.grad_count);
    r.d_image = copy(at_f32(d), r.image_count);
    r.logits = at_plan_value(p, at_graph_find(g, "logits")).data != NULL;
    at_plan_free(p);
    at_graph_free(g);
    return r;
}

static void drop(result *r) {
    free(r->grads);
    free(r->d_image);
}

static void same_bits(const result *a, const result *b) {
    assert_memory_equal(&a->loss, &b->loss, sizeof a->loss);
    assert_memory_equal(a->grads, b->grads, a->grad_count * sizeof(float));
    assert_memory_equal(a->d_image, b->d_image, a->image_count * sizeof(float));
}

static void near(const float *a, const float *b, size_t count) {
    double most = 0, off = 0;
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, fabs((double)b[i]));
        off = fmax(off, fabs((double)a[i] - (double)b[i]));
    }
    assert_true(most > 0);
    assert_true(off <= 5e-6 * most);
}

static void check(head h) {
    head split = h;
    split.split = true;
    for (int level = 1; at_kernels_level(level) != NULL; level++) {
        at_kernels_force(at_kernels_level(level));
        result one = run(&h, false), two = run(&split, false), kept = run(&h, true);
        assert_true(fabsf(one.loss - two.loss) <= 1e-6f * fabsf(two.loss));
        near(one.grads, two.grads, one.grad_count);
        near(one.d_image, two.d_image, one.image_count);
        same_bits(&one, &kept);
        assert_true(!one.logits && two.logits && kept.logits);
        drop(&one), drop(&two), drop(&kept);
    }
    at_kernels_force(NULL);
}

static const float weights[] = {0.5f, 2, 0, 1.5f, 1, 3, 0.25f, 1, 1, 2, 1,
                                1,    1, 1, 1,    1, 1, 1,     1, 1, 1};
static const uint8_t ignored[] = {255, 1};

static head usual(loss_function *loss) {
    return (head){.loss = loss,
                  .opts = {.class_weights = weights, .ignore = ignored, .ignore_count = 2},
                  .mode = AT_BILINEAR,
                  .classes = 11,
                  .stride = 8,
                  .batch = 2,
                  .height = 61,
                  .width = 83};
}

static void test_cross_entropy(void **state) {
    (void)state;
    head h = usual(at_softmax_cross_entropy);
    check(h);
    h.opts.label_smoothing = 0.2f;
    h.corners = true;
    h.classes = 21;
    check(h);
    h.shared = true;
    h.batch = 3;
    h.stride = 3;
    check(h);
}

static void test_other_modes(void **state) {
    (void)state;
    head h = usual(at_softmax_cross_entropy);
    h.opts = (at_loss_opts){0};
    h.mode = AT_BICUBIC;
    h.classes = 2;
    check(h);
    h.mode = AT_NEAREST;
    h.stride = 4;
    check(h);
}

static void test_focal_and_dice(void **state) {
    (void)state;
    head h = usual(at_focal);
    h.opts.gamma = 1.5f;
    check(h);
    h = usual(at_soft_dice);
    h.classes = 5;
    check(h);
}

static void test_threads(void **state) {
    static loss_function *const losses[] = {at_softmax_cross_entropy, at_focal, at_soft_dice};
    (void)state;
    for (int i = 0; i < 3; i++) {
        head h = usual(losses[i]);
        assert_int_equal(at_threads_set(1, NULL), AT_OK);
        result one = run(&h, false);
        for (int threads = 2; threads <= 3; threads++) {
            assert_int_equal(at_threads_set(threads, NULL), AT_OK);
            result more = run(&h, false);
            same_bits(&one, &more);
            drop(&more);
        }
        drop(&one);
    }
    assert_int_equal(at_threads_set(0, NULL), AT_OK);
}

/* The logits and their gradient, 2 * 4 bytes for each of them, are not there. */
static void test_memory(void **state) {
    head h = usual(at_softmax_cross_entropy), split;
    (void)state;
    h.height = h.width = 128;
    split = h;
    split.split = true;
    result one = run(&h, false), two = run(&split, false);
    size_t logits = sizeof(float) * 2 * 128 * 128 * 11;
    assert_true(one.bytes + logits + logits / 2 < two.bytes);
    drop(&one), drop(&two);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cross_entropy), cmocka_unit_test(test_other_modes),
        cmocka_unit_test(test_focal_and_dice), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests_name("loss_head", tests, NULL, NULL);
}
