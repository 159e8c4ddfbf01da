/* SPDX-License-Identifier: MIT */
/* Every architecture with every upsampling operator and norm that it allows: builds, keeps the
 * image's size, runs forward and backward at awkward sizes, and reaches every parameter. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/models.h"

static at_graph *new_model(const at_model *m, at_model_opts o, uint64_t seed) {
    at_graph *g;
    at_error err = {0};
    if (at_model_new(&g, m, o, &err) != AT_OK) fail_msg("%s: %s", m->name, err.text);
    if (at_graph_init(g, seed, &err) != AT_OK) fail_msg("%s: %s", m->name, err.text);
    return g;
}

static at_plan *new_plan(at_graph *g, at_plan_opts o) {
    at_plan *p;
    at_error err = {0};
    if (at_plan_new(&p, g, o, &err) != AT_OK) fail_msg("%s", err.text);
    return p;
}

static void fill(at_tensor t, uint64_t stream) {
    at_rng r = at_rng_make(5, AT_RNG_TEST, stream, 0);
    for (int64_t i = 0; i < at_shape_pixels(t.shape); i++)
        for (int c = 0; c < t.shape.c; c++) at_f32(t)[i * t.ld + c] = at_rng_normal(&r);
}

static double largest(const float *v, int64_t count) {
    double most = 0;
    for (int64_t i = 0; i < count; i++)
        most = isfinite(v[i]) && most < INFINITY ? fmax(most, fabs((double)v[i])) : INFINITY;
    return most;
}

/* The logits have the image's size; everything is finite; after a backward pass every trained
 * parameter has a gradient, unless `small` images leave norms a single value. */
static void check_run(at_graph *g, const char *what, at_shape image, bool small) {
    at_plan *p = new_plan(
        g, (at_plan_opts){.batch = image.n, .height = image.h, .width = image.w, .mode = AT_TRAIN});
    at_node *out = at_graph_output(g);
    assert_string_equal(out->name, "logits");
    fill(at_plan_value(p, at_graph_find(g, "image")), 1);
    at_plan_set_iteration(p, 1, 1);
    at_plan_forward(p);
    at_tensor y = at_plan_value(p, out);
    assert_true(y.shape.n == image.n && y.shape.h == image.h && y.shape.w == image.w);
    assert_int_equal(y.shape.c, image.c);
    double most = largest(y.data, at_shape_pixels(y.shape) * y.ld);
    if (!(most < 1e4)) fail_msg("%s: logits of %g", what, most);
    fill(at_plan_grad(p, out), 2);
    memset(at_graph_grads(g), 0, (size_t)at_graph_flat_count(g) * sizeof(float));
    at_plan_backward(p);
    for (int i = 0; i < at_graph_param_count(g); i++) {
        const at_param *q = at_graph_param(g, i);
        double grad = largest(at_graph_grads(g) + q->offset, q->count);
        if (!isfinite(grad)) fail_msg("%s: gradient of %s is not finite", what, q->name);
        if (!q->spec.buffer && !small && grad == 0) fail_msg("%s: %s stays", what, q->name);
    }
    at_plan_free(p);
}

static void check_model(const at_model *m, at_model_opts o) {
    char what[96];
    at_error err = {0};
    assert_int_equal(at_model_resolve(m, &o, &err), AT_OK);
    snprintf(what, sizeof what, "%s %s %s", m->name, at_upsample_name(o.upsample),
             at_norm_name(o.norm));
    at_graph *g = new_model(m, o, 3);
    check_run(g, what, (at_shape){2, 37, 53, o.classes}, false);
    check_run(g, what, (at_shape){1, 17, 9, o.classes}, true);
    check_run(g, what, (at_shape){1, 1, 1, o.classes}, true);
    at_graph_free(g);
}

static void test_every_combination(void **state) {
    (void)state;
    static const int channels[] = {3, 1, 4};
    for (const at_model *const *m = at_model_list; *m != NULL; m++)
        for (int u = AT_UP_DEFAULT + 1; u < AT_UP_COUNT; u++)
            for (int norm = 0; norm < 3 && ((*m)->upsamples >> u & 1u); norm++) {
                if (u > AT_UP_PIXELSHUFFLE && norm != u % 3) continue; /* one of them will do */
                check_model(*m, (at_model_opts){.classes = 2 + norm,
                                                .in_channels = channels[(u + norm) % 3],
                                                .width = 0.02,
                                                .fc = (*m)->has_fc ? 8 : 0,
                                                .upsample = (at_upsample)u,
                                                .norm = (at_norm_kind)norm});
            }
}

/* Each way to make a decoder, with each kind of skip, for each operator (with batch norm). */
static void check_decoders(const at_model *m, at_upsample u) {
    for (int d = AT_DECODER_DEFAULT + 1; d < AT_DECODER_COUNT; d++)
        for (int s = AT_SKIP_DEFAULT + 1; s < AT_SKIP_COUNT; s++) {
            bool own = d == (int)m->default_decoder && s == (int)m->default_skip; /* seen above */
            if (own || !(m->decoders >> d & 1u) || !(m->skips >> s & 1u)) continue;
            check_model(m, (at_model_opts){.classes = 3,
                                           .width = 0.12,
                                           .upsample = u,
                                           .skip = (at_skip)s,
                                           .decoder = (at_decoder)d});
        }
}

static void test_decoders(void **state) {
    (void)state;
    for (const at_model *const *m = at_model_list; *m != NULL; m++)
        for (int u = AT_UP_DEFAULT + 1; u < AT_UP_COUNT; u++)
            if (((*m)->upsamples >> u & 1u) && u != AT_UP_DUC) check_decoders(*m, (at_upsample)u);
}

static void test_strides_and_depths(void **state) {
    (void)state;
    for (const at_model *const *m = at_model_list; *m != NULL; m++) {
        at_model_opts o = {.classes = 3, .width = 0.02, .lrn = (*m)->has_lrn};
        for (const int *d = (*m)->depths; *d != 0; d++) {
            o.depth = *d;
            if ((*m)->has_output_stride) o.output_stride = *d == (*m)->depths[0] ? 8 : 16;
            if ((*m)->has_rates) o.rates[0] = 3, o.rates[1] = 2, o.rate_count = 2;
            check_model(*m, o);
        }
    }
}

/* A part of the same name begins with the same numbers, whatever the decoder is made of. */
static void test_same_seed(void **state) {
    (void)state;
    const at_model *m = at_model_find("unet");
    at_model_opts o = {.classes = 3, .width = 0.05};
    at_graph *a = new_model(m, o, 9);
    o.upsample = AT_UP_NEAREST;
    at_graph *b = new_model(m, o, 9);
    int shared = 0;
    for (int i = 0; i < at_graph_param_count(a); i++) {
        const at_param *p = at_graph_param(a, i), *q = at_graph_find_param(b, p->name);
        if (q == NULL || q->count != p->count) continue;
        assert_memory_equal(at_graph_values(a) + p->offset, at_graph_values(b) + q->offset,
                            (size_t)p->count * sizeof(float));
        shared++;
    }
    /* all but weight and bias of the four upsamplings */
    assert_int_equal(shared, at_graph_param_count(a) - 8);
    at_graph_free(a);
    at_graph_free(b);
}

/* No weight begins as all zeros: with those, no gradient would reach what is before. */
static void test_nothing_begins_at_zero(void **state) {
    (void)state;
    for (const at_model *const *m = at_model_list; *m != NULL; m++) {
        at_graph *g = new_model(*m, (at_model_opts){.classes = 2, .width = 0.02}, 1);
        for (int i = 0; i < at_graph_param_count(g); i++) {
            const at_param *p = at_graph_param(g, i);
            bool weight = strcmp(strrchr(p->name, '.'), ".weight") == 0;
            if (weight) assert_true(largest(at_graph_values(g) + p->offset, p->count) > 0);
        }
        at_graph_free(g);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_combination),      cmocka_unit_test(test_decoders),
        cmocka_unit_test(test_strides_and_depths),     cmocka_unit_test(test_same_seed),
        cmocka_unit_test(test_nothing_begins_at_zero),
    };
    return cmocka_run_group_tests_name("models", tests, NULL, NULL);
}
