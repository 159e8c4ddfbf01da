/* SPDX-License-Identifier: MIT */
/* Plans whose activations are bfloat16 against fp32 plans of the same graph: output and all
 * gradients, for every operator between values that are bf16, and for every architecture; at 1 and
 * 3 threads the same bits; in less memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/models.h"
#include "nn/kernels/kernels.h"

enum { C = 12 };

typedef struct result {
    float *y, *grads;
    int64_t count, params;
    size_t bytes;
} result;

static void fill(at_tensor t, uint64_t stream) {
    at_rng r = at_rng_make(5, AT_RNG_TEST, stream, 0);
    for (int64_t i = 0; i < at_shape_count(t.shape); i++)
        if (t.dtype == AT_U8)
            ((uint8_t *)t.data)[i] = (uint8_t)at_rng_below(&r, 3);
        else
            at_f32(t)[i] = at_rng_normal(&r);
}

static float *copied(const float *x, int64_t count) {
    float *y = malloc((size_t)count * sizeof *y);
    assert_non_null(y);
    return memcpy(y, x, (size_t)count * sizeof *y);
}

/* One forward and two backward passes. */
static result run(at_graph *g, at_shape size, at_precision precision, at_tuning *tuning) {
    at_plan *p;
    at_error err = {0};
    at_plan_opts o = {size.n, size.h, size.w, .mode = AT_TRAIN, .precision = precision};
    o.conv = tuning != NULL ? AT_CONV_TUNE : AT_CONV_AUTO;
    o.tuning = tuning;
    result r = {.params = at_graph_flat_count(g)};
    assert_int_equal(at_graph_init(g, 3, NULL), AT_OK);
    if (at_plan_new(&p, g, o, &err) != AT_OK) fail_msg("%s", err.text);
    at_tensor y = at_plan_value(p, at_graph_output(g));
    at_node *target = at_graph_find(g, "target");
    at_plan_set_iteration(p, 1, 1);
    memset(at_graph_grads(g), 0, (size_t)r.params * sizeof(float));
    for (int i = 0; i < 2; i++) {
        fill(at_plan_value(p, at_graph_find(g, "image")), 1);
        if (target != NULL) fill(at_plan_value(p, target), 2);
        if (i == 0)
            at_plan_forward(p);
        else
            assert_int_equal(at_plan_check_finite(p, &(int){0}, NULL), AT_OK);
        fill(at_plan_grad(p, at_graph_output(g)), 3);
        at_plan_backward(p);
    }
    r.count = at_shape_count(y.shape);
    r.y = copied(y.data, r.count);
    r.grads = copied(at_graph_grads(g), r.params);
    r.bytes = at_plan_bytes(p);
    at_plan_free(p);
    return r;
}

static void release(result r) {
    free(r.y), free(r.grads);
}

/* Root mean square of the difference over that of b. */
static double distance(const float *a, const float *b, int64_t count) {
    double d = 0, n = 0;
    for (int64_t i = 0; i < count; i++) {
        d += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
        n += (double)b[i] * b[i];
    }
    return n > 0 ? sqrt(d / n) : sqrt(d);
}

/* Rounding to 8 bits is an error of 2^-9 a value; what it does to the sign under a ReLU or to a
 * maximum weighs more. Returns the memory of the bf16 plan as a share of the other's. */
static double compare(at_graph *g, at_shape size, const char *what, double most) {
    result want = run(g, size, AT_FP32, NULL), got = run(g, size, AT_BF16_MIXED, NULL);
    double y = distance(got.y, want.y, want.count);
    double d = distance(got.grads, want.grads, want.params);
    if (!(y <= most) || !(d <= most)) fail_msg("%s: output off by %g, gradients by %g", what, y, d);
    assert_int_equal(at_threads_set(3, NULL), AT_OK);
    result three = run(g, size, AT_BF16_MIXED, NULL);
    assert_int_equal(at_threads_set(1, NULL), AT_OK);
    assert_memory_equal(three.y, got.y, (size_t)got.count * sizeof(float));
    assert_memory_equal(three.grads, got.grads, (size_t)got.params * sizeof(float));
    double share = (double)got.bytes / (double)want.bytes;
    release(want), release(got), release(three);
    return share;
}

/* ---- operators ---- */

typedef at_node *builder(at_graph *g, at_node *x);

static at_node *pool(at_graph *g, at_node *x) {
    return at_max_pool2d(g, "pool", x, (at_pool2d_opts){.kernel = {2, 2}, .ceil_mode = true});
}
static at_node *conv(at_graph *g, at_node *x) {
    return at_conv2d(g, NULL, x, (at_conv2d_opts){.channels = 10, .kernel = {3, 3}});
}
static at_node *conv_winograd(at_graph *g, at_node *x) {
    at_conv2d_opts o = {.channels = 36, .kernel = {3, 3}, .padding = {1, 1}};
    at_node *y = at_conv2d(g, "first", x, o);
    return at_relu(g, NULL, at_conv2d(g, "second", y, o));
}
static at_node *conv_7x7(at_graph *g, at_node *x) {
    return at_conv2d(g, NULL, x,
                     (at_conv2d_opts){.channels = 32, .kernel = {7, 7}, .padding = {3, 3}});
}
static at_node *conv_strided(at_graph *g, at_node *x) {
    at_conv2d_opts o = {.channels = 9, .kernel = {3, 2}, .stride = {2, 1}, .dilation = {1, 2}};
    return at_conv2d(g, NULL, x, o);
}
static at_node *conv_pointwise(at_graph *g, at_node *x) {
    return at_relu(g, NULL,
                   at_conv2d(g, NULL, x, (at_conv2d_opts){.channels = 33, .kernel = {1, 1}}));
}
/* Its data gradient is computed tap by tap, in fp32 alone: 33 channels are no pairs. */
static at_node *conv_narrow(at_graph *g, at_node *x) {
    at_node *y = at_conv2d(g, "wide", x, (at_conv2d_opts){.channels = 240, .kernel = {1, 1}});
    return at_conv2d(g, NULL, y,
                     (at_conv2d_opts){.channels = 33, .kernel = {7, 7}, .padding = {3, 3}});
}
static at_node *conv_depthwise(at_graph *g, at_node *x) {
    at_conv2d_opts o = {.channels = C, .kernel = {3, 3}, .groups = C, .padding = {1, 1}};
    return at_conv2d(g, NULL, x, o);
}
static at_node *conv_transpose(at_graph *g, at_node *x) {
    at_conv_transpose2d_opts o = {.channels = 7, .kernel = {4, 3}, .stride = {2, 2}};
    return at_conv_transpose2d(g, NULL, x, o);
}
static at_node *avg_pool(at_graph *g, at_node *x) {
    return at_avg_pool2d(g, NULL, x, (at_pool2d_opts){.kernel = {3, 2}, .padding = {1, 1}});
}
static at_node *max_pool(at_graph *g, at_node *x) {
    at_pool2d_opts o = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}};
    return at_max_pool2d(g, NULL, x, o);
}
static at_node *unpool(at_graph *g, at_node *x) {
    at_node *p = pool(g, x);
    return at_max_unpool2d(g, NULL, at_tanh(g, NULL, p), p, x);
}
static at_node *global_pool(at_graph *g, at_node *x) {
    return at_mul(g, NULL, x, at_sigmoid(g, NULL, at_global_avg_pool2d(g, NULL, x)));
}
static at_node *bilinear(at_graph *g, at_node *x) {
    return at_interpolate(g, NULL, x, (at_interpolate_opts){.mode = AT_BILINEAR, .factor = {2, 3}});
}
static at_node *smaller(at_graph *g, at_node *x) {
    at_node *size = pool(g, x);
    at_node *y =
        at_interpolate(g, NULL, x, (at_interpolate_opts){.mode = AT_BICUBIC, .size = size});
    return at_add(g, NULL, y, size);
}
static at_node *shuffle(at_graph *g, at_node *x) {
    return at_pixel_shuffle(g, NULL, x, 2);
}
static at_node *batch_norm(at_graph *g, at_node *x) {
    return at_relu(g, NULL, at_batch_norm(g, NULL, x, (at_batch_norm_opts){0}));
}
static at_node *group_norm(at_graph *g, at_node *x) {
    return at_group_norm(g, NULL, x, (at_group_norm_opts){.groups = 3});
}
static at_node *response_norm(at_graph *g, at_node *x) {
    return at_local_response_norm(g, NULL, x, (at_local_response_norm_opts){.alpha = 0.3f});
}
static at_node *pointwise(at_graph *g, at_node *x) {
    return at_tanh(g, NULL, at_elu(g, NULL, at_prelu(g, NULL, x), 0.7f));
}
static at_node *dropouts(at_graph *g, at_node *x) {
    return at_dropout2d(g, NULL, at_dropout(g, NULL, x, 0.3f), 0.2f);
}
static at_node *cat(at_graph *g, at_node *x) {
    at_node *parts[] = {x, at_tanh(g, NULL, x), x};
    return at_cat(g, NULL, parts, 3);
}
static at_node *add_itself(at_graph *g, at_node *x) {
    return at_add(g, NULL, x, x);
}
static at_node *add_relu(at_graph *g, at_node *x) {
    return at_relu(g, NULL, at_add(g, NULL, x, at_tanh(g, NULL, x)));
}
static at_node *square(at_graph *g, at_node *x) {
    return at_mul(g, NULL, x, x);
}
static at_node *pad_crop(at_graph *g, at_node *x) {
    at_node *y = at_pad(g, NULL, x, (at_pad_opts){2, 1, 3, 0, .mode = AT_PAD_REFLECT});
    return at_crop(g, NULL, y, x, (at_pair){1, 2});
}

/* A convolution gives bf16 values to read and a parameter whose gradient tells of theirs; so does
 * the one behind. */
static void check(builder *build, const char *what) {
    at_conv2d_opts o = {.channels = C, .kernel = {1, 1}};
    at_graph *g = at_graph_new();
    at_node *x = at_conv2d(g, "before", at_input(g, "image", 3), o);
    at_node *y = build(g, x);
    at_graph_set_output(
        g, at_conv2d(g, "after", y, (at_conv2d_opts){.channels = 5, .kernel = {1, 1}}));
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    compare(g, (at_shape){2, 13, 18, 3}, what, 0.08);
    compare(g, (at_shape){1, 41, 64, 3}, what, 0.08);
    at_graph_free(g);
}

static void check_operators(void) {
#define CHECK(build) check(build, #build)
    CHECK(conv), CHECK(conv_winograd), CHECK(conv_7x7), CHECK(conv_strided), CHECK(conv_pointwise);
    CHECK(conv_narrow), CHECK(conv_depthwise), CHECK(conv_transpose), CHECK(avg_pool),
        CHECK(max_pool), CHECK(unpool);
    CHECK(global_pool), CHECK(bilinear), CHECK(smaller), CHECK(shuffle), CHECK(batch_norm);
    CHECK(group_norm), CHECK(response_norm), CHECK(pointwise), CHECK(dropouts), CHECK(cat);
    CHECK(add_itself), CHECK(add_relu), CHECK(square), CHECK(pad_crop);
#undef CHECK
}

/* At the level in use, and at those with products of bf16, which may not be. */
static void test_operators(void **state) {
    (void)state;
    check_operators();
    for (int l = 0; at_kernels_level(l) != NULL; l++) {
        if (at_kernels_level(l)->dot_gain <= 1) continue;
        at_kernels_force(at_kernels_level(l));
        check_operators();
    }
    at_kernels_force(NULL);
}

/* Ways of convolving that are tried out: in strips too, for there are a bias and a ReLU. */
static void test_tuned(void **state) {
    const at_shape size = {2, 24, 31, 3};
    (void)state;
    for (int l = 1; at_kernels_level(l) != NULL; l++) {
        at_kernels_force(at_kernels_level(l));
        at_graph *g = at_graph_new();
        at_tuning *tuning = at_tuning_new();
        at_graph_set_output(g, conv_winograd(g, at_input(g, "image", 3)));
        assert_int_equal(at_graph_finish(g, NULL), AT_OK);
        result want = run(g, size, AT_FP32, NULL), got = run(g, size, AT_BF16_MIXED, tuning);
        assert_true(json_object_size(at_tuning_timed(tuning)) > 0);
        assert_true(distance(got.y, want.y, want.count) < 0.02);
        assert_true(distance(got.grads, want.grads, want.params) < 0.08);
        release(want), release(got);
        at_tuning_free(tuning);
        at_graph_free(g);
    }
    at_kernels_force(NULL);
}

/* ---- losses and architectures ---- */

typedef at_node *loss_builder(at_graph *, const char *, at_node *, at_node *, at_loss_opts);

/* Behind an operator that only hands its value on, and behind an interpolation that the loss does
 * itself. */
static at_node *logits(at_graph *g, bool inlined) {
    at_node *image = at_input(g, "image", 3);
    at_conv2d_opts o = {.channels = 3, .kernel = {3, 3}, .padding = {1, 1}};
    at_node *x = at_conv2d(g, "conv", image, o);
    if (inlined) x = at_conv2d(g, "score", pool(g, x), o);
    x = at_interpolate(g, NULL, x, (at_interpolate_opts){.mode = AT_BILINEAR, .size = image});
    return inlined ? x : at_tanh(g, NULL, x);
}

static void test_losses(void **state) {
    loss_builder *const losses[] = {at_softmax_cross_entropy, at_soft_dice, at_focal};
    (void)state;
    for (int i = 0; i < 6; i++) {
        at_graph *g = at_graph_new();
        at_graph_set_output(g, losses[i / 2](g, "loss", logits(g, i % 2), at_target(g, "target"),
                                             (at_loss_opts){0}));
        assert_int_equal(at_graph_finish(g, NULL), AT_OK);
        compare(g, (at_shape){2, 13, 18, 3}, "loss", 0.02);
        at_graph_free(g);
    }
}

static void test_models(void **state) {
    (void)state;
    for (int i = 0; at_model_list[i] != NULL; i++) {
        at_graph *g;
        at_model_opts o = {.classes = 5, .width = 0.25, .norm = AT_NORM_GROUP};
        if (at_model_list[i]->upsamples & 1u << AT_UP_BILINEAR && i % 2)
            o.upsample = AT_UP_BILINEAR;
        assert_int_equal(at_model_new(&g, at_model_list[i], o, NULL), AT_OK);
        compare(g, (at_shape){2, 70, 90, 3}, at_model_list[i]->name, 0.35);
        at_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_operators),
                                       cmocka_unit_test(test_tuned), cmocka_unit_test(test_losses),
                                       cmocka_unit_test(test_models)};
    return cmocka_run_group_tests_name("bf16", tests, NULL, NULL);
}
