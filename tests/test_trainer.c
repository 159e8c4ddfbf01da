/* SPDX-License-Identifier: MIT */
/* Training learns, accumulates as it says, survives images in which nothing counts, warns of
 * collapse, refuses what does not fit before it writes anything, and stops at the first value that
 * is not finite. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/near.h"
#include "tests/tiny_set.h"

static char warnings[4096], notes[8192];
static int events[AT_TRAIN_WARNING + 1];

static void progress(void *arg, const at_train_progress *p) {
    (void)arg;
    events[p->event]++;
    char *to = p->event == AT_TRAIN_WARNING ? warnings : p->event == AT_TRAIN_NOTE ? notes : NULL;
    const size_t size = to == warnings ? sizeof warnings : sizeof notes;
    if (to) snprintf(to + strlen(to), size - strlen(to), "%s\n", p->text);
    if (p->event == AT_TRAIN_STARTS)
        assert_true(p->train_bytes > 0 && p->macs > 0 && p->parameters > 0 && p->run);
    if (p->event == AT_TRAIN_STEP)
        assert_true(isfinite(p->loss) && p->batch <= p->batches &&
                    (!p->epochs || p->epoch <= p->epochs));
}

static at_status train(const at_train_opts *o, at_train_result *r, at_error *err) {
    warnings[0] = notes[0] = '\0';
    memset(events, 0, sizeof events);
    return at_train(o, (at_train_hooks){.progress = progress}, r, err);
}

static at_train_result train_well(const at_train_opts *o) {
    at_train_result r;
    at_error err = {0};
    if (train(o, &r, &err) != AT_OK) fail_msg("%s", err.text);
    return r;
}

static void learns(void **state) {
    (void)state;
    at_train_opts o = tiny_opts();
    o.name = "learns", o.epochs = 40, o.size = (at_pair){24, 32}, o.val_every = 8, o.lr = 0.02;
    o.augment = (at_augment){.hflip = 0.5};
    at_train_result r = train_well(&o);
    assert_true(r.best_miou > 0.9 && r.last.miou > 0.85);
    assert_true(r.epochs == 40 && r.iterations == 40 * TINY_TRAIN / 2 && r.end == AT_END_LENGTH);
    assert_int_equal(events[AT_TRAIN_EPOCH], 40);
    assert_int_equal(events[AT_TRAIN_VAL], 5 * TINY_VAL);
    assert_string_equal(warnings, "");
    static const char *const files[] = {"config.json",
                                        "metrics.jsonl",
                                        "results.csv",
                                        "results.svg",
                                        "confusion_matrix.svg",
                                        "train_batch0.png",
                                        "train_batch2.png",
                                        "val_pred0.png",
                                        "val_pred1.png",
                                        "splits/val.txt",
                                        "weights/best.safetensors",
                                        "weights/last.safetensors"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_true(at_path_exists(tiny_path("runs/learns/%s", files[i])));
    at_network net;
    at_evaluation e;
    at_dataset *d;
    assert_int_equal(at_network_load(&net, tiny_path("runs/learns/weights/best.safetensors"), NULL),
                     AT_OK);
    assert_int_equal(at_dataset_open(&d, (at_dataset_opts){.path = o.data}, NULL), AT_OK);
    assert_int_equal(
        at_evaluate(&net, d, at_dataset_split(d, "val"), (at_evaluate_opts){0}, &e, NULL), AT_OK);
    assert_near(e.metrics.miou, r.best_miou, 0); /* the file is the network that was measured */
    assert_int_equal(at_evaluation_save_csv(&e, tiny_path("val.csv"), NULL), AT_OK);
    json_t *j = at_evaluation_to_json(&e, &net, "val");
    assert_int_equal(json_integer_value(json_object_get(j, "images")), TINY_VAL);
    json_decref(j);
    at_evaluation_free(&e);
    at_dataset_free(d);
    at_network_free(&net);
    at_train_result_free(&r);
}

static float *weights_of(const char *name, int64_t *count) {
    at_network net;
    assert_int_equal(
        at_network_load(&net, tiny_path("runs/%s/weights/last.safetensors", name), NULL), AT_OK);
    *count = at_graph_flat_count(net.graph);
    float *copy = malloc((size_t)*count * sizeof *copy);
    memcpy(copy, at_graph_values(net.graph), (size_t)*count * sizeof *copy);
    at_network_free(&net);
    return copy;
}

/* SGD, for it is linear in the gradient; no norm, for it sees the batch. */
static void accumulation(void **state) {
    (void)state;
    at_train_opts o = tiny_opts();
    o.optim = (at_optim_opts){.kind = AT_OPTIM_SGD, .momentum = 0.9}, o.lr = 0.05;
    o.net.norm = AT_NORM_NONE, o.loss = AT_LOSS_FOCAL, o.augment = (at_augment){.hflip = 0.5};
    o.class_weights = "1,1,1", o.size = (at_pair){24, 32};
    int64_t n, m;
    o.name = "two";
    at_train_result r = train_well(&o);
    at_train_result_free(&r);
    o.name = "accumulated", o.batch = 1, o.accumulate = 2;
    r = train_well(&o);
    assert_int_equal(r.iterations, 3 * TINY_TRAIN / 2);
    at_train_result_free(&r);
    float *a = weights_of("two", &n), *b = weights_of("accumulated", &m);
    double most = 0, moved = 0;
    for (int64_t i = 0; i < n; i++) {
        most = fmax(most, fabs((double)(a[i] - b[i])));
        moved = fmax(moved, fabs((double)a[i]));
    }
    assert_true(n == m && moved > 0.1);
    /* Not to the last digit: pixels that count nowhere weigh the two images of a batch unequally.
     */
    assert_true(most < 0.01 * moved);
    free(a);
    free(b);
}

static void collapse_is_reported(void **state) {
    (void)state;
    at_train_opts o = tiny_opts();
    o.name = "collapse", o.epochs = 20, o.lr = 0.02, o.class_weights = "1,0,0";
    at_train_result r = train_well(&o);
    assert_non_null(strstr(warnings, "collapsing"));
    at_train_result_free(&r);
}

static void ends(void **state) {
    (void)state;
    at_train_opts o = tiny_opts();
    o.name = "iterations", o.epochs = 0, o.iterations = 5;
    at_train_result r = train_well(&o);
    assert_true(r.iterations == 5 && r.epochs == 2);
    at_train_result_free(&r);
    o.name = "patience", o.iterations = 0, o.epochs = 50, o.patience = 2, o.lr = 0;
    o.schedule = AT_SCHEDULE_CONSTANT, o.net.norm = AT_NORM_NONE;
    r = train_well(&o);
    assert_true(r.end == AT_END_PATIENCE && r.epochs == 3 && r.best_epoch == 1);
    at_train_result_free(&r);
    o = tiny_opts();
    o.name = "time", o.epochs = 0, o.time_s = 0.3;
    r = train_well(&o);
    assert_true(r.end == AT_END_TIME && r.epochs >= 1);
    at_train_result_free(&r);
    o.time_s = 1e-6; /* over before it begins: one step, one epoch, none without a step behind it */
    r = train_well(&o);
    assert_true(r.end == AT_END_TIME && r.epochs == 1 && r.iterations == 1);
    at_train_result_free(&r);
}

static void refusals(void **state) {
    (void)state;
    at_train_opts o = tiny_opts();
    at_train_result r;
    at_error err = {0};
    o.name = "refused", o.max_mem_mb = 0.01;
    assert_int_equal(train(&o, &r, &err), AT_ERR_MEMORY);
    assert_null(r.run);
    assert_false(at_path_exists(tiny_path("runs/refused")));
    o.max_mem_mb = 0, o.model = "lenet", err = (at_error){0};
    assert_int_equal(train(&o, &r, &err), AT_ERR_USAGE);
    assert_non_null(strstr(err.text, "unet"));
    o.model = "unet", o.class_weights = "1,2", err = (at_error){0};
    assert_int_equal(train(&o, &r, &err), AT_ERR_USAGE);
    o.class_weights = "none", o.init = tiny_path("set/images/val/0.png"), err = (at_error){0};
    assert_int_equal(train(&o, &r, &err), AT_ERR_INPUT);
    assert_false(at_path_exists(tiny_path("runs/refused")));
}

static void not_finite(void **state) {
    (void)state;
    at_train_opts o = tiny_opts();
    at_train_result r;
    at_error err = {0};
    o.name = "wild", o.net.norm = AT_NORM_NONE, o.lr = 1e6, o.epochs = 50, o.warmup = 4;
    o.optim = (at_optim_opts){.kind = AT_OPTIM_SGD, .momentum = 0.9};
    assert_int_equal(train(&o, &r, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "not finite"));
    assert_non_null(strstr(err.text, "/set/images/train/"));
    assert_non_null(strstr(err.text, "--lr"));
    at_train_result_free(&r);
}

/* From three classes to two (ids 0 and 2 of the same masks would be out of range: other data). */
static void starts_from_weights(void **state) {
    (void)state;
    at_train_opts o = tiny_opts();
    o.name = "init", o.init = tiny_path("runs/learns/weights/best.safetensors"), o.epochs = 1;
    o.classes = 5, o.lr = 1e-6;
    at_train_result r = train_well(&o);
    assert_non_null(strstr(notes, "started from"));
    assert_non_null(strstr(notes, "logits.weight"));
    int64_t n;
    float *w = weights_of("init", &n);
    at_network net;
    assert_int_equal(at_network_load(&net, tiny_path("runs/learns/weights/best.safetensors"), NULL),
                     AT_OK);
    const at_param *first = at_graph_param(net.graph, 0);
    for (int64_t i = 0; i < first->count; i++)
        assert_near(w[first->offset + i], at_graph_values(net.graph)[first->offset + i], 1e-4);
    at_network_free(&net);
    free(w);
    at_train_result_free(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(learns),
                                       cmocka_unit_test(accumulation),
                                       cmocka_unit_test(collapse_is_reported),
                                       cmocka_unit_test(ends),
                                       cmocka_unit_test(refusals),
                                       cmocka_unit_test(not_finite),
                                       cmocka_unit_test(starts_from_weights)};
    return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down);
}
