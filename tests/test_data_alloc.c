/* SPDX-License-Identifier: MIT */
/* Every allocation of the data room fails once, in each piece of work: an error, no crash, no leak,
 * and no thread left waiting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/alloc_fail.h"
#include "tests/data_files.h"

static char set_path[512], list_path[512], out_path[512];
static uint8_t jpeg[4096];
static size_t jpeg_size;

static int setup(void **state) {
    (void)state;
    files_begin();
    uint8_t ids[80];
    for (int i = 0; i < 80; i++) ids[i] = (uint8_t)(i % 3);
    for (int i = 0; i < 5; i++) {
        char name[64];
        snprintf(name, sizeof name, "set/images/f%d_%d.png", i / 2, i);
        files_image(name, 10, 8, (uint64_t)i);
        snprintf(name, sizeof name, "set/masks/f%d_%d_mask.png", i / 2, i);
        files_mask(name, 10, 8, 0, ids);
    }
    files_image("set/images/lonely.png", 4, 4, 9);
    files_text("set/dataset.json",
               "{\"classes\": [\"a\", {\"name\": \"b\", \"color\": [1, 2, 3]}, \"c\"],\n"
               " \"group\": \"^f[0-9]\", \"map\": {\"0-1\": 0, \"*\": \"c\"}}");
    files_text("list/train.txt",
               "images/f0_0.png masks/f0_0_mask.png\nimages/f0_1.png\tmasks/f0_1_mask.png\n");
    files_image("list/images/f0_0.png", 10, 8, 1);
    files_image("list/images/f0_1.png", 10, 8, 2);
    files_mask("list/masks/f0_0_mask.png", 10, 8, 0, ids);
    files_mask("list/masks/f0_1_mask.png", 10, 8, 0, ids);
    files_text("list/classes.txt", "one 1 1 1\ntwo\nthree 3 3 3\n");
    snprintf(set_path, sizeof set_path, "%s", files_path("set"));
    snprintf(list_path, sizeof list_path, "%s", files_path("list"));
    snprintf(out_path, sizeof out_path, "%s", files_path("out"));
    char *bytes;
    int failed =
        (int)at_file_read("fuzz/corpus/image/exif6.jpg", sizeof jpeg, &bytes, &jpeg_size, NULL);
    if (!failed) memcpy(jpeg, bytes, jpeg_size);
    free(failed ? NULL : bytes);
    return failed;
}

static int teardown(void **state) {
    (void)state;
    files_end();
    return 0;
}

static at_status decode_pictures(void *arg, at_error *err) {
    (void)arg;
    at_image a, b;
    uint8_t *png;
    size_t size;
    AT_TRY(at_image_decode(jpeg, jpeg_size, "a.jpg", 4, &a, err));
    at_status status = at_image_resize(&a, 7, 30, &b, err);
    at_image_free(&a);
    if (status) return status;
    status = at_image_encode_png(&b, &png, &size, err);
    at_image_free(&b);
    if (status) return status;
    status = at_image_decode(png, size, "b.png", 1, &a, err);
    free(png);
    if (!status) at_image_free(&a);
    return status;
}

/* Opens the set, and runs something on it. */
static at_status with_set(const char *path, at_status (*work)(const at_dataset *, at_error *),
                          at_error *err) {
    at_dataset *d;
    AT_TRY(at_dataset_open(
        &d, (at_dataset_opts){.path = path, .synth_count = 5, .synth_size = {32, 32}}, err));
    at_status status = work ? work(d, err) : AT_OK;
    at_dataset_free(d);
    return status;
}

static at_status open_folder(void *arg, at_error *err) {
    return with_set(arg, NULL, err);
}

static at_status check(const at_dataset *d, at_error *err) {
    at_findings f;
    AT_TRY(at_dataset_check(d, &f, err));
    at_findings_free(&f);
    return AT_OK;
}

static at_status check_folder(void *arg, at_error *err) {
    return with_set(arg, check, err);
}

static at_status count(const at_dataset *d, at_error *err) {
    static at_class_stats stats;
    return at_dataset_stats(d, at_dataset_split(d, "train"), 3, &stats, err);
}

static at_status count_folder(void *arg, at_error *err) {
    return with_set(arg, count, err);
}

static at_status load_batches(const at_dataset *d, at_error *err) {
    at_loader *l;
    at_batch b;
    at_loader_opts o = {
        .dataset = d, .split = at_dataset_split(d, "train"), .batch = 2, .channels = 3};
    o.resize = (at_pair){6, 6};
    o.crop = (at_pair){5, 9};
    o.train = true;
    o.threads = 2;
    AT_TRY(at_loader_new(&l, o, err));
    at_status status = AT_OK;
    for (int epoch = 0; epoch < 2 && !status; epoch++) {
        at_loader_start(l, epoch, 0);
        do status = at_loader_next(l, &b, err);
        while (!status && b.count);
    }
    at_loader_free(l);
    return status;
}

static at_status load_folder(void *arg, at_error *err) {
    return with_set(arg, load_batches, err);
}

static at_status load_drawn(void *arg, at_error *err) {
    (void)arg;
    return with_set(NULL, load_batches, err);
}

static at_status write_out(const at_dataset *d, at_error *err) {
    static int turn; /* a fresh folder each time: nothing is overwritten */
    char path[600];
    snprintf(path, sizeof path, "%s%d", out_path, turn++);
    return at_dataset_export(d, path, err);
}

static at_status write_folder(void *arg, at_error *err) {
    return with_set(arg, write_out, err);
}

#define SCENARIO(run, arg)                                                                         \
    static void test_##run(void **state) {                                                         \
        (void)state;                                                                               \
        check_alloc_failures(run, arg);                                                            \
    }
SCENARIO(decode_pictures, NULL)
SCENARIO(open_folder, set_path)
SCENARIO(check_folder, list_path)
SCENARIO(count_folder, list_path)
SCENARIO(load_folder, set_path)
SCENARIO(load_drawn, NULL)
SCENARIO(write_folder, list_path)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode_pictures), cmocka_unit_test(test_open_folder),
        cmocka_unit_test(test_check_folder),    cmocka_unit_test(test_count_folder),
        cmocka_unit_test(test_load_folder),     cmocka_unit_test(test_load_drawn),
        cmocka_unit_test(test_write_folder)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
