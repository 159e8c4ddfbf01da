/* SPDX-License-Identifier: MIT */
/* All measures of a network at once: a perfect prediction gets 1 everywhere, threads and merging
 * change no bit, a network that resizes is looked at on its own grid, and the JSON has its keys. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/alloc_fail.h"
#include "tests/near.h"
#include "tests/tiny_set.h"

static at_network net;
static at_dataset *data;

static int set_up(void **state) {
    (void)state;
    tiny_set_begin();
    const at_train_opts o = tiny_opts();
    assert_int_equal(at_dataset_open(&data, (at_dataset_opts){.path = o.data}, NULL), AT_OK);
    at_model_opts m = o.net;
    m.classes = at_dataset_classes(data)->count;
    assert_int_equal(
        at_network_new(&net, at_model_find("unet"), m, at_dataset_classes(data), 1, NULL), AT_OK);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    at_network_free(&net);
    at_dataset_free(data);
    tiny_set_end();
    return 0;
}

static int place(const char *name) {
    int i = 0;
    while (strcmp(at_measure_list[i].name, name) != 0) i++;
    return i;
}

/* The truth of a sample, its ignored pixels answered as class 0, with certainty. */
static at_prediction perfect(const at_sample *sample, uint8_t **truth) {
    at_image image;
    at_prediction p = {.width = TINY_W, .height = TINY_H, .classes = net.opts.classes};
    assert_int_equal(at_dataset_load(data, sample, 3, &image, truth, NULL), AT_OK);
    at_image_free(&image);
    const size_t pixels = (size_t)TINY_W * TINY_H;
    p.ids = malloc(pixels);
    p.prob = calloc(pixels, (size_t)p.classes * sizeof(float));
    assert_true(p.ids && p.prob);
    for (size_t i = 0; i < pixels; i++) {
        p.ids[i] = (*truth)[i] == AT_IGNORE ? 0 : (*truth)[i];
        p.prob[i * (size_t)p.classes + p.ids[i]] = 1;
    }
    return p;
}

static void perfection(void **state) {
    (void)state;
    const at_split *val = at_dataset_split(data, "val");
    at_measures *m;
    double v[AT_MEASURES];
    assert_int_equal(at_measures_new(&m, &net, NULL), AT_OK);
    for (int i = 0; i < val->count; i++) {
        uint8_t *truth;
        at_boundary_score score;
        at_prediction p = perfect(&val->samples[i], &truth);
        assert_int_equal(at_measures_add(m, truth, &p, &score, NULL), AT_OK);
        assert_near(score.f1, 1, 0);
        assert_near(score.iou, 1, 0);
        at_prediction_free(&p);
        free(truth);
    }
    assert_int_equal(at_measures_finish(m, NULL), AT_OK);
    at_measures_flat(m, v);
    assert_near(v[place("bf1")], 1, 0);
    assert_near(v[place("boundary_iou")], 1, 0);
    assert_near(v[place("trimap1")], 1, 0);
    assert_near(v[place("trimap32")], 1, 0);
    assert_near(v[place("recall_small")], 1, 0);
    assert_near(v[place("error_boundary")] + v[place("error_interior")], 0, 0);
    assert_near(v[place("phase_gap2")], 0, 0);
    at_measures_free(m);
}

static void evaluate(at_evaluation *e, int threads) {
    assert_int_equal(at_threads_set(threads, NULL), AT_OK);
    assert_int_equal(at_evaluate(&net, data, at_dataset_split(data, "val"),
                                 (at_evaluate_opts){.measures = true}, e, NULL),
                     AT_OK);
}

static void same_bits(void **state) {
    (void)state;
    at_evaluation e[2];
    double v[2][AT_MEASURES];
    for (int i = 0; i < 2; i++) {
        evaluate(&e[i], 1 + 2 * i);
        at_measures_flat(e[i].measures, v[i]);
    }
    assert_memory_equal(v[0], v[1], sizeof v[0]);
    assert_near(v[0][place("overlap")], 0, 0);
    assert_true(v[0][place("polyphase")] > 1); /* 2 x 2, untrained */
    assert_near(v[0][place("error_boundary")] + v[0][place("error_interior")],
                1 - e[0].metrics.pixel_accuracy, 1e-12);
    assert_near(e[0].measures->curve[AT_TRIMAP_WIDTHS].miou, e[0].metrics.miou, 1e-12);
    at_measures_merge(e[0].measures, e[1].measures); /* everything twice: the same shares */
    assert_int_equal(at_measures_finish(e[0].measures, NULL), AT_OK);
    at_measures_flat(e[0].measures, v[1]);
    for (int i = 0; i < AT_MEASURES; i++)
        if (!isnan(v[0][i])) assert_near(v[1][i], v[0][i], 1e-12);
    at_evaluation_free(&e[0]);
    at_evaluation_free(&e[1]);
}

static void own_grid(void **state) {
    (void)state;
    at_evaluation e;
    int64_t pixels = 0;
    net.resize = (at_pair){16, 40};
    evaluate(&e, 2);
    net.resize = (at_pair){0, 0};
    const at_checkerboard *c = &e.measures->checkerboard;
    assert_int_equal(c->stride, 2);
    for (int i = 0; i < 4; i++) pixels += c->pixels[i];
    assert_true(pixels > TINY_VAL * 16 * 40 * 9 / 10 && pixels <= TINY_VAL * 16 * 40);
    assert_true(isfinite(at_spectral_peak(c, 2)));
    assert_int_equal(e.measures->curve[AT_TRIMAP_WIDTHS].pixels, e.metrics.pixels);
    at_evaluation_free(&e);
}

static void as_json(void **state) {
    (void)state;
    at_evaluation e;
    size_t size;
    evaluate(&e, 2);
    json_t *j = at_evaluation_to_json(&e, &net, "val");
    assert_non_null(j);
    const json_t *b = json_object_get(j, "boundary"), *o = json_object_get(j, "objects"),
                 *c = json_object_get(j, "checkerboard");
    assert_true(json_is_number(json_object_get(b, "f1")));
    assert_true(json_is_number(json_object_get(b, "iou")));
    assert_int_equal(json_array_size(json_object_get(b, "classes")), 3);
    assert_int_equal(json_array_size(json_object_get(b, "trimap")), AT_TRIMAP_WIDTHS);
    assert_int_equal(json_array_size(json_object_get(o, "sizes")), AT_OBJECT_BINS);
    assert_true(json_is_null(
        json_object_get(json_array_get(json_object_get(o, "sizes"), AT_OBJECT_BINS - 1), "to")));
    assert_int_equal(json_integer_value(json_object_get(c, "stride")), 2);
    assert_int_equal(json_array_size(json_object_get(c, "operators")), 1);
    assert_non_null(json_object_get(j, "miou")); /* beside what was there */
    json_decref(j);
    assert_int_equal(at_evaluation_save_csv(&e, tiny_path("per_image.csv"), NULL), AT_OK);
    assert_int_equal(at_trimap_save_svg(tiny_path("t.svg"), e.measures->curve, NULL), AT_OK);
    char *csv = tiny_read(tiny_path("per_image.csv"), &size);
    assert_non_null(strstr(csv, "loss,pixels,boundary_f1,boundary_iou\n"));
    free(csv);
    at_evaluation_free(&e);
}

static at_status measure(void *arg, at_error *err) {
    const at_prediction *p = arg;
    at_measures *m;
    AT_TRY(at_measures_new(&m, &net, err));
    at_status s = at_measures_add(m, p->ids, p, NULL, err);
    if (s == AT_OK) s = at_measures_finish(m, err);
    at_measures_free(m);
    return s;
}

static void allocations(void **state) {
    (void)state;
    uint8_t *truth;
    at_prediction p = perfect(&at_dataset_split(data, "val")->samples[0], &truth);
    assert_int_equal(at_threads_set(1, NULL), AT_OK);
    check_alloc_failures(measure, &p);
    at_prediction_free(&p);
    free(truth);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(perfection), cmocka_unit_test(same_bits),
                                       cmocka_unit_test(own_grid), cmocka_unit_test(as_json),
                                       cmocka_unit_test(allocations)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
