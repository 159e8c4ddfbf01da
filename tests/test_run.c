/* SPDX-License-Identifier: MIT */
/* Run directories are never taken twice; results.csv reads back, half lines and all; the table of
 * options goes to text, to JSON and back without loss, and refuses by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/run_private.h"
#include "train/train.h"

static char dir[] = "/tmp/atrous-test-XXXXXX";

static int set_up(void **state) {
    (void)state;
    return mkdtemp(dir) ? 0 : 1;
}

static int tear_down(void **state) {
    (void)state;
    char *command = at_format("rm -r '%s'", dir);
    const int rc = system(command);
    free(command);
    return rc;
}

static void expect_run(const char *name, const char *want) {
    char *parent = at_path_join(dir, "runs"), *path = NULL,
         *full = at_format("%s/%s", parent, want);
    assert_int_equal(at_run_new(parent, name, &path, NULL), AT_OK);
    assert_string_equal(path, full);
    assert_true(at_path_is_dir(path));
    free(parent);
    free(path);
    free(full);
}

static void never_twice(void **state) {
    (void)state;
    expect_run("train", "train");
    expect_run("train", "train2");
    expect_run("train", "train3");
    expect_run("other", "other");
    char *path;
    at_error err = {0};
    assert_int_equal(at_run_new(dir, "a/b", &path, &err), AT_ERR_USAGE);
    assert_int_equal(at_run_new(dir, "..", &path, NULL), AT_ERR_USAGE);
    assert_int_equal(at_run_new("/proc/none", "x", &path, NULL), AT_ERR_IO);
}

static void rows_read_back(void **state) {
    (void)state;
    char *path = at_path_join(dir, "results.csv");
    at_epoch_row rows[2] = {{1, 12.34, 0.5, 0.25, 0.125, 0.75, 0.625, 1e-3, 0.1, 0.2, 3},
                            {2, 20, 0.1f, NAN, NAN, NAN, NAN, 5e-4, NAN, NAN, 2.5}};
    at_epoch_row *back;
    int count;
    assert_int_equal(at_results_write(path, rows, 2, NULL), AT_OK);
    char *text;
    size_t size;
    assert_int_equal(at_file_read(path, 0, &text, &size, NULL), AT_OK);
    const char head[] =
        "epoch,time_s,train/loss,val/loss,val/miou,val/pixel_accuracy,val/mean_accuracy,lr,";
    assert_memory_equal(text, head, strlen(head));
    assert_non_null(strstr(text, "\n2,20.0,0.100000001,,,,,0.0005,,,2.5\n"));
    FILE *f = fopen(path, "a");
    fputs("3,21.0,0.1", f); /* a kill */
    fclose(f);
    assert_int_equal(at_results_read(path, &back, &count, NULL), AT_OK);
    assert_int_equal(count, 2);
    assert_near(back[0].miou, 0.125, 0);
    assert_true(isnan(back[1].val_loss) && back[1].epoch == 2);
    free(back);
    f = fopen(path, "a");
    fputs("\nnonsense\n", f);
    fclose(f);
    at_error err = {0};
    assert_int_equal(at_results_read(path, &back, &count, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "line 4"));
    free(text);
    free(path);
}

static void lines_are_cut(void **state) {
    (void)state;
    char *path = at_path_join(dir, "metrics.jsonl"), *text;
    size_t size;
    const char all[] = "{\"type\":\"start\"}\n{\"epoch\":1}\n{\"epoch\":2}\n{\"epoch\":3}\n{\"epo";
    assert_int_equal(at_file_write(path, all, strlen(all), NULL), AT_OK);
    assert_int_equal(at_jsonl_truncate(path, 2, NULL), AT_OK);
    assert_int_equal(at_jsonl_append(path, json_pack("{s:i}", "epoch", 3), NULL), AT_OK);
    assert_int_equal(at_file_read(path, 0, &text, &size, NULL), AT_OK);
    assert_string_equal(text,
                        "{\"type\":\"start\"}\n{\"epoch\":1}\n{\"epoch\":2}\n{\"epoch\":3}\n");
    free(text);
    free(path);
}

/* ---- options ---- */

static void set(at_train_opts *o, const char *name, const char *text) {
    at_error err = {0};
    if (at_train_set(o, name, text, &err) != AT_OK) fail_msg("%s", err.text);
}

static void options_round_trip(void **state) {
    (void)state;
    at_train_opts a = at_train_defaults(), b = at_train_defaults();
    set(&a, "data", "some \"dir\"");
    set(&a, "size", "96x128");
    set(&a, "rates", "1,2,5,9");
    set(&a, "ignore", "0,255");
    set(&a, "scale", "0.3,1.7");
    set(&a, "time", "1h30m");
    set(&a, "lr", "0.1");
    set(&a, "nesterov", NULL);
    set(&a, "optimizer", "sgd");
    set(&a, "class-weights", "1,2,3");
    set(&a, "seed", "18446744073709551615");
    set(&a, "upsample", "unpool");
    json_t *j = at_train_opts_to_json(&a);
    assert_non_null(j);
    json_object_set_new(j, "_note", json_string("not an option"));
    assert_int_equal(json_integer_value(json_array_get(json_object_get(j, "rates"), 3)), 9);
    assert_int_equal(at_train_opts_from_json(&b, j, NULL), AT_OK);
    assert_true(b.size.h == 96 && b.size.w == 128 && b.net.rate_count == 4 && b.ignore_count == 2);
    assert_true(b.time_s == 5400 && b.lr == 0.1 && b.optim.nesterov &&
                b.optim.kind == AT_OPTIM_SGD && b.seed == UINT64_MAX);
    for (const at_train_option *o = at_train_options; o->name; o++) {
        char *x = at_train_get(&a, o->name), *y = at_train_get(&b, o->name);
        assert_string_equal(x, y);
        free(x);
        free(y);
    }
    json_decref(j);
}

static void refuse(const char *name, const char *text) {
    at_train_opts o = at_train_defaults();
    at_error err = {0};
    assert_int_equal(at_train_set(&o, name, text, &err), AT_ERR_USAGE);
    assert_non_null(strstr(err.text, name));
}

static void options_refused(void **state) {
    (void)state;
    refuse("no-such-thing", "1");
    refuse("batch", "0");
    refuse("batch", "2.5");
    refuse("batch", "4x");
    refuse("batch", " 4");
    refuse("batch", NULL);
    refuse("lr", "fast");
    refuse("lr", "nan");
    refuse("size", "96x");
    refuse("size", "96x128x3");
    refuse("size", "4");
    refuse("scale", "2,1");
    refuse("optimizer", "lion");
    refuse("time", "30");
    refuse("time", "30m5");
    refuse("rates", "");
    refuse("rates", "1,,2");
    refuse("rates", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17");
    refuse("seed", "-1");
    refuse("nesterov", "maybe");
    refuse("ignore", "0,all");
    at_train_opts o = at_train_defaults();
    json_t *j = json_pack("{s:{}}", "lr");
    assert_int_equal(at_train_opts_from_json(&o, j, NULL), AT_ERR_USAGE);
    json_decref(j);
    j = json_pack("{s:i}", "data", 4);
    assert_int_equal(at_train_opts_from_json(&o, j, NULL), AT_ERR_USAGE);
    json_decref(j);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_twice), cmocka_unit_test(rows_read_back),
        cmocka_unit_test(lines_are_cut), cmocka_unit_test(options_round_trip),
        cmocka_unit_test(options_refused)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
