/* SPDX-License-Identifier: MIT */
/* What masks mean: ids of every depth, 0/255, colours through classes.txt, maps and ignored ids,
 * and the errors a wrong mask gets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/data_files.h"

enum { W = 4, H = 3, N = W * H };
static const char *root;

static int setup(void **state) {
    (void)state;
    root = files_begin();
    files_image("images/a.png", W, H, 1);
    files_image("images/b.png", W, H, 2);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    files_end();
    return 0;
}

static void put(const char *name, int color, int depth, const uint16_t *samples) {
    files_write_png(name,
                    &(files_png){W, H, color, depth, false, samples, color == 3 ? 1 << depth : 0});
}

static at_dataset *open_set(at_dataset_opts opts) {
    at_dataset *d;
    at_error err = {0};
    opts.path = root;
    opts.val_share = -1;
    if (at_dataset_open(&d, opts, &err)) fail_msg("%s", err.text);
    return d;
}

/* The set must not open, or sample a must not load, in words that contain all of these. */
static void refused(at_dataset_opts opts, const char *const *words) {
    at_dataset *d;
    at_error err = {0};
    at_image image;
    uint8_t *mask;
    opts.path = root;
    opts.val_share = -1;
    at_status status = at_dataset_open(&d, opts, &err);
    if (!status)
        status =
            at_dataset_load(d, &at_dataset_split(d, "train")->samples[0], 3, &image, &mask, &err);
    at_dataset_free(d);
    assert_int_equal(status, AT_ERR_INPUT);
    for (; *words; words++)
        if (!strstr(err.text, *words)) fail_msg("'%s' is not in: %s", *words, err.text);
}
#define REFUSED(opts, ...) refused(opts, (const char *const[]){__VA_ARGS__, NULL})
#define DEFAULTS ((at_dataset_opts){0})

static void expect(const at_dataset *d, int sample, const uint8_t *want) {
    at_image image;
    uint8_t *mask;
    at_error err = {0};
    if (at_dataset_load(d, &at_dataset_split(d, "train")->samples[sample], 3, &image, &mask, &err))
        fail_msg("%s", err.text);
    assert_memory_equal(mask, want, N);
    at_image_free(&image);
    free(mask);
}

static const uint16_t ids[N] = {0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 3, 3};
static const uint8_t want[N] = {0, 1, 2, 3, 3, 2, 1, 0, 0, 1, 3, 3};
static const uint16_t bits[N] = {0, 1, 1, 0, 0, 1, 0, 1, 1, 1, 0, 0};

static void ids_of_every_depth(void **state) {
    (void)state;
    static const int kinds[][2] = {{0, 2}, {0, 4}, {0, 8}, {0, 16}, {3, 2}, {3, 4}, {3, 8}};
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        put("masks/a.png", kinds[k][0], kinds[k][1], ids);
        put("masks/b.png", 3, 1, bits);
        at_dataset *d = open_set(DEFAULTS);
        assert_int_equal(at_dataset_classes(d)->count, 4);
        assert_string_equal(at_dataset_classes(d)->items[3].name, "class 3");
        expect(d, 0, want);
        int count;
        const int *ignore = at_dataset_ignore(d, &count);
        assert_true(count == 1 && ignore[0] == 255);
        at_dataset_free(d);
    }
    files_text("masks/a.pgm", "P2 4 3 255 0 1 2 3 3 2 1 0 0 1 3 3"); /* a PGM is a grey mask, too */
    remove(files_path("masks/a.png"));
    at_dataset *d = open_set(DEFAULTS);
    expect(d, 0, want);
    at_dataset_free(d);
    put("masks/a.png", 0, 8, ids);
    REFUSED(DEFAULTS, "a.pgm", "a.png", "both");
    remove(files_path("masks/a.pgm"));
}

static void grey_saved_as_rgb_is_ids(void **state) {
    (void)state;
    uint16_t rgb[3 * N];
    for (int i = 0; i < 3 * N; i++) rgb[i] = ids[i / 3];
    put("masks/a.png", 2, 8, rgb);
    put("masks/b.png", 0, 8, ids);
    at_dataset *d = open_set(DEFAULTS);
    expect(d, 0, want);
    at_dataset_free(d);
}

static void two_values_are_two_classes(void **state) {
    (void)state;
    uint16_t a[N];
    uint8_t two[N];
    for (int i = 0; i < N; i++) {
        a[i] = bits[i] ? 255 : 0;
        two[i] = (uint8_t)bits[i];
    }
    put("masks/a.png", 0, 8, a);
    put("masks/b.png", 0, 8, a);
    at_dataset *d = open_set(DEFAULTS);
    assert_int_equal(at_dataset_classes(d)->count, 2);
    assert_non_null(strstr(at_dataset_notes(d), "0 and 255"));
    int count;
    at_dataset_ignore(d, &count);
    assert_int_equal(count, 0);
    expect(d, 0, two);
    at_dataset_free(d);
    /* With a third value in the set, 255 is ignored as everywhere. */
    uint8_t voided[N];
    for (int i = 0; i < N; i++) voided[i] = bits[i] ? 255 : 0;
    put("masks/b.png", 0, 8, ids);
    d = open_set(DEFAULTS);
    assert_int_equal(at_dataset_classes(d)->count, 4);
    expect(d, 0, voided);
    at_dataset_free(d);
    /* Nor when somebody says that it is. */
    put("masks/b.png", 0, 8, a);
    d = open_set((at_dataset_opts){.ignore = (const int[]){255}, .ignore_count = 1, .classes = 2});
    expect(d, 0, voided);
    at_dataset_free(d);
}

static void smoothed_edges_are_refused(void **state) {
    (void)state;
    enum { S = 32 };
    uint8_t soft[S * S];
    for (int i = 0; i < S * S; i++)
        soft[i] = (uint8_t)(i % S < 12 ? 0 : i % S > 17 ? 255 : (i % S - 11) * 40 + i / S);
    files_image("images/a.png", S, S, 1);
    files_mask("masks/a.png", S, S, 0, soft);
    files_mask("masks/b.png", W, H, 0, NULL);
    REFUSED(DEFAULTS, "smoothed", "threshold");
    files_text("dataset.json", "{\"threshold\": 128} // above: foreground");
    at_dataset *d = open_set(DEFAULTS);
    at_image image;
    uint8_t *mask;
    assert_int_equal(
        at_dataset_load(d, &at_dataset_split(d, "train")->samples[0], 3, &image, &mask, NULL),
        AT_OK);
    for (int i = 0; i < S * S; i++) assert_int_equal(mask[i], soft[i] >= 128);
    at_image_free(&image);
    free(mask);
    at_dataset_free(d);
    remove(files_path("dataset.json"));
    files_image("images/a.png", W, H, 1);
}

static void colours_go_through_the_table(void **state) {
    (void)state;
    static const int colors[4][3] = {{0, 0, 0}, {200, 0, 0}, {0, 200, 0}, {255, 255, 255}};
    uint16_t rgb[3 * N], grey[N] = {0};
    for (int i = 0; i < 3 * N; i++) rgb[i] = (uint16_t)colors[ids[i / 3]][i % 3];
    put("masks/a.png", 2, 8, rgb);
    put("masks/b.png", 0, 8, grey); /* one that a tool made grey, as it is all black */
    REFUSED(DEFAULTS, "a.png", "classes.txt", "200 0 0");
    files_text("classes.txt",
               "# id name r g b\n0 ground 0 0 0\n1 red thing 200 0 0\n2 green 0 200 0\n"
               "ignore border 255 255 255\n");
    at_dataset *d = open_set(DEFAULTS);
    assert_int_equal(at_dataset_classes(d)->count, 3);
    assert_string_equal(at_dataset_classes(d)->items[1].name, "red thing");
    static const uint8_t coded[N] = {0, 1, 2, 255, 255, 2, 1, 0, 0, 1, 255, 255};
    static const uint8_t black[N] = {0};
    expect(d, 0, coded);
    expect(d, 1, black);
    at_dataset_free(d);
    rgb[3 * 6] = 190; /* pixel (2,1): nearly red */
    put("masks/a.png", 2, 8, rgb);
    REFUSED(DEFAULTS, "a.png", "(2,1)", "190 0 0", "'red thing'");
    remove(files_path("classes.txt"));
}

static void maps_rename_ids(void **state) {
    (void)state;
    put("masks/a.png", 0, 8, ids);
    put("masks/b.png", 0, 8, ids);
    files_text("dataset.json",
               "{\"classes\": [\"low\", {\"name\": \"high\", \"color\": [9, 8, 7]}],\n"
               " \"map\": {\"0-1\": 0, \"2\": \"high\", \"*\": \"ignore\"}}");
    at_dataset *d = open_set(DEFAULTS);
    static const uint8_t mapped[N] = {0, 0, 1, 255, 255, 1, 0, 0, 0, 0, 255, 255};
    expect(d, 0, mapped);
    assert_int_equal(at_dataset_classes(d)->items[1].color.g, 8);
    at_dataset_free(d);
    files_text("dataset.json", "{\"map\": {\"0\": 0, \"1\": 1}}");
    REFUSED(DEFAULTS, "a.png", "(2,0)", "label 2");
    files_text("dataset.json", "{\"map\": {\"0\": \"sky\"}}");
    REFUSED(DEFAULTS, "dataset.json", "\"0\"");
    files_text("dataset.json", "{\"mapp\": {}}");
    REFUSED(DEFAULTS, "dataset.json", "mapp");
    files_text("dataset.json", "{\"ignore\": [2],\n \"classes\": [1]}");
    REFUSED(DEFAULTS, "dataset.json", "class 0");
    files_text("dataset.json", "{\"ignore\": [2]}");
    d = open_set(DEFAULTS);
    static const uint8_t without[N] = {0, 1, 255, 3, 3, 255, 1, 0, 0, 1, 3, 3};
    expect(d, 0, without);
    at_dataset_free(d);
    remove(files_path("dataset.json"));
}

static void labels_out_of_range_are_located(void **state) {
    (void)state;
    uint16_t a[N];
    memcpy(a, ids, sizeof a);
    a[9] = 7; /* (1,2) */
    put("masks/a.png", 0, 8, a);
    put("masks/b.png", 0, 8, ids);
    REFUSED((at_dataset_opts){.classes = 4}, "masks/a.png", "(1,2)", "label 7", "4 classes",
            "--classes 8", "--ignore 7");
    a[9] = 1000;
    put("masks/a.png", 0, 16, a);
    REFUSED(DEFAULTS, "1000", "map");
    at_dataset *d = open_set((at_dataset_opts){.ignore = (const int[]){1000}, .ignore_count = 1});
    assert_int_equal(at_dataset_classes(d)->count, 4);
    at_dataset_free(d);
    uint16_t none[N] = {0};
    put("masks/a.png", 0, 8, none);
    put("masks/b.png", 0, 8, none);
    REFUSED(DEFAULTS, "nothing to tell apart", "--classes");
}

static void wrong_files_are_named(void **state) {
    (void)state;
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xe0, 0, 2, 0xff, 0xd9};
    files_mask("masks/a.png", W + 1, H, 1, NULL);
    put("masks/b.png", 0, 8, ids);
    REFUSED(DEFAULTS, "masks/a.png", "5x3", "images/a.png", "4x3");
    files_mask("masks/a.png", H, W, 1, NULL);
    REFUSED(DEFAULTS, "EXIF");
    files_bytes("masks/a.png", jpeg, sizeof jpeg); /* whatever it is called */
    REFUSED(DEFAULTS, "masks/a.png", "JPEG", "PNG");
    remove(files_path("masks/a.png"));
    files_bytes("masks/a.jpg", jpeg, sizeof jpeg);
    REFUSED(DEFAULTS, "masks/a.jpg", "JPEG can't be a mask");
    remove(files_path("masks/a.jpg"));
    size_t size;
    uint8_t *bytes = files_encode(&(files_png){W, H, 0, 8, false, ids, 0}, &size);
    files_bytes("masks/a.png", bytes, size - 20);
    free(bytes);
    REFUSED(DEFAULTS, "masks/a.png", "cut short");
}

static void check_table(const char *text, int line, const char *word) {
    at_class_table t;
    at_error err = {0};
    assert_int_equal(at_class_table_parse(text, strlen(text), "c.txt", &t, &err), AT_ERR_INPUT);
    char place[32];
    snprintf(place, sizeof place, "c.txt:%d:", line);
    if (!strstr(err.text, place) || !strstr(err.text, word)) fail_msg("%s", err.text);
}

static void class_files_are_read_with_care(void **state) {
    (void)state;
    static const char good[] =
        "\xef\xbb\xbfsky, 1 2 3 # blue\r\n\n  traffic light\t4 5 6\ncar\nsky 7 8 9\n";
    at_class_table t;
    assert_int_equal(at_class_table_parse(good, strlen(good), "c", &t, NULL), AT_OK);
    assert_true(t.classes.count == 3 && t.code_count == 3);
    assert_string_equal(t.classes.items[1].name, "traffic light");
    assert_true(t.classes.items[0].color.b == 3 && t.codes[2].id == 0 && t.codes[2].color.r == 7);
    json_t *j = at_classes_to_json(&t.classes);
    at_classes again;
    assert_int_equal(at_classes_from_json(j, &again, NULL), AT_OK);
    assert_true(again.count == 3 && again.items[1].color.g == 5);
    assert_string_equal(again.items[2].name, "car");
    json_decref(j);
    at_classes_free(&again);
    at_class_table_free(&t);
    static const char gaps[] = "7 road 1 1 1\n3 zone 1 2 2 2\n";
    assert_int_equal(at_class_table_parse(gaps, strlen(gaps), "c", &t, NULL), AT_OK);
    assert_int_equal(t.classes.count, 8);
    assert_string_equal(t.classes.items[3].name, "zone 1");
    assert_string_equal(t.classes.items[0].name, "class 0");
    at_class_table_free(&t);
    check_table("0 a 0 0 0\n1 b 0 0 256\n", 2, "255");
    check_table("0 a 0 0 0\n\n0 b 1 0 0\n", 3, "another name");
    check_table("0 a 0 0 0\n1 a 1 0 0\n", 2, "another id");
    check_table("a 0 0 0\nb 0 0 0\n", 2, "taken");
    check_table("0 a 0 0 0\nb 1 0 0\n", 2, "no id");
    check_table("0 a 12 13\n", 1, "three numbers");
    check_table("300 a 1 2 3\n", 1, "254");
    check_table("a\na\n", 2, "already");
    check_table("# nothing\n", 2, "no classes");
    check_table("a\n\xff\xfe 1 2 3\n", 2, "UTF-8");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(ids_of_every_depth),
                                       cmocka_unit_test(grey_saved_as_rgb_is_ids),
                                       cmocka_unit_test(two_values_are_two_classes),
                                       cmocka_unit_test(smoothed_edges_are_refused),
                                       cmocka_unit_test(colours_go_through_the_table),
                                       cmocka_unit_test(maps_rename_ids),
                                       cmocka_unit_test(labels_out_of_range_are_located),
                                       cmocka_unit_test(wrong_files_are_named),
                                       cmocka_unit_test(class_files_are_read_with_care)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
