/* SPDX-License-Identifier: MIT */
/* Allocations of the training room fail, one at a time: an error comes back and nothing leaks.
 * Those of jansson do not: its lexer (2.14) asserts when it runs out of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/alloc_fail.h"
#include "tests/tiny_set.h"

static int set_up(void **state) {
    (void)state;
    tiny_set_begin();
    assert_int_equal(at_threads_set(1, NULL), AT_OK);
    at_train_opts o = tiny_opts();
    at_train_result r;
    o.epochs = 1, o.name = "whole", o.threads = 1;
    assert_int_equal(at_train(&o, (at_train_hooks){0}, &r, NULL), AT_OK);
    at_train_result_free(&r);
    return 0;
}

static at_status load_and_save(void *arg, at_error *err) {
    (void)arg;
    at_network net;
    AT_TRY(at_network_load(&net, tiny_path("runs/whole/weights/last.safetensors"), err));
    const at_status s = at_network_save(&net, tiny_path("copy.safetensors"), err);
    at_network_free(&net);
    return s;
}

static void networks(void **state) {
    (void)state;
    check_some_alloc_failures(load_and_save, NULL, 1);
}

static at_status use(at_network *net, const at_dataset *d, at_error *err) {
    at_evaluation e;
    const at_evaluate_opts opts = {.measures = true};
    AT_TRY(at_evaluate(net, d, at_dataset_split(d, "val"), opts, &e, err));
    at_status s = at_evaluation_save_csv(&e, tiny_path("val.csv"), err);
    if (s == AT_OK)
        s = at_confusion_save_svg(tiny_path("val.svg"), &e.confusion, &net->classes, err);
    if (s == AT_OK) s = at_trimap_save_svg(tiny_path("trimap.svg"), e.measures->curve, err);
    json_t *j = s == AT_OK ? at_evaluation_to_json(&e, net, "val") : NULL;
    if (s == AT_OK && !j) s = at_fail_memory(err, "a report", 0);
    json_decref(j);
    at_evaluation_free(&e);
    return s;
}

static at_status evaluate(void *arg, at_error *err) {
    at_network net;
    AT_TRY(at_network_load(&net, tiny_path("runs/whole/weights/best.safetensors"), err));
    net.resize = (at_pair){16, 48}; /* so that its own plane is asked for */
    const at_status s = use(&net, arg, err);
    at_network_free(&net);
    return s;
}

static void evaluation(void **state) {
    (void)state;
    at_dataset *d;
    at_train_opts o = tiny_opts();
    assert_int_equal(at_dataset_open(&d, (at_dataset_opts){.path = o.data}, NULL), AT_OK);
    check_some_alloc_failures(evaluate, d, 3);
    at_dataset_free(d);
}

/* One epoch, from the options to the last file. */
static at_status train(void *arg, at_error *err) {
    at_train_opts o = tiny_opts();
    at_train_result r = {0};
    o.epochs = 1, o.name = "fails", o.threads = 1, o.ema = 0.9, o.class_weights = "median";
    const at_status s = at_train(&o, (at_train_hooks){.dataset = arg}, &r, err);
    at_train_result_free(&r);
    return s;
}

/* A whole run allocates thousands of times: every eleventh is made to fail. */
static void training(void **state) {
    (void)state;
    at_dataset *d;
    at_train_opts o = tiny_opts();
    assert_int_equal(at_dataset_open(&d, (at_dataset_opts){.path = o.data}, NULL), AT_OK);
    check_some_alloc_failures(train, d, 31);
    at_dataset_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(networks), cmocka_unit_test(evaluation),
                                       cmocka_unit_test(training)};
    return cmocka_run_group_tests(tests, set_up, tiny_tear_down);
}
