/* SPDX-License-Identifier: MIT */
/* Layouts found by looking, splits held out, names and groups, what data check tells, and the
 * errors a folder gets that is none of these. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/data_files.h"

static int setup(void **state) {
    (void)state;
    files_begin();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    files_end();
    return 0;
}

/* An image, and a mask with the ids 0 .. most, in files of these names. */
static void put(const char *image, const char *mask, int most) {
    static uint64_t seed;
    uint8_t ids[64];
    for (int i = 0; i < 64; i++) ids[i] = (uint8_t)(i % (most + 1));
    if (image) files_image(image, 8, 8, ++seed);
    if (mask) files_mask(mask, 8, 8, 0, ids);
}

static at_dataset *open_at(const char *path, at_dataset_opts opts) {
    at_dataset *d;
    at_error err = {0};
    opts.path = path;
    if (at_dataset_open(&d, opts, &err)) fail_msg("%s", err.text);
    return d;
}

static void refused(const char *path, const char *const *words) {
    at_dataset *d;
    at_error err = {0};
    assert_int_not_equal(at_dataset_open(&d, (at_dataset_opts){.path = path}, &err), AT_OK);
    assert_null(d);
    for (; *words; words++)
        if (!strstr(err.text, *words)) fail_msg("'%s' is not in: %s", *words, err.text);
}
#define REFUSED(path, ...) refused(path, (const char *const[]){__VA_ARGS__, NULL})

static int count(const at_dataset *d, const char *split) {
    const at_split *s = at_dataset_split(d, split);
    return s ? s->count : 0;
}

/* Layout, classes, sizes of splits, and the name of the first sample of train. */
static void expect(at_dataset *d, const char *layout, int classes, int train, int val, int test,
                   const char *name) {
    assert_string_equal(at_dataset_layout(d), layout);
    assert_int_equal(at_dataset_classes(d)->count, classes);
    assert_int_equal(count(d, "train"), train);
    assert_int_equal(count(d, "val"), val);
    assert_int_equal(count(d, "test"), test);
    for (int k = 0; k < at_dataset_split_count(d); k++)
        for (int i = 0; i < at_dataset_split_at(d, k)->count; i++) {
            at_image image;
            uint8_t *mask;
            at_error err = {0};
            if (at_dataset_load(d, &at_dataset_split_at(d, k)->samples[i], 1, &image, &mask, &err))
                fail_msg("%s", err.text);
            at_image_free(&image);
            free(mask);
        }
    if (name) assert_string_equal(at_dataset_split(d, "train")->samples[0].name, name);
    at_dataset_free(d);
}

static void camvid(void **state) {
    (void)state;
    const char *dir = files_path("c");
    put("c/train/s1_1.png", "c/trainannot/s1_1.png", 11);
    put("c/train/s1_2.png", "c/trainannot/s1_2.png", 11);
    put("c/val/s2_1.png", "c/valannot/s2_1.png", 11);
    put("c/test/s2_9.png", NULL, 0);
    files_text("c/train.txt", "/elsewhere/c/train/s1_1.png /elsewhere/c/trainannot/s1_1.png\n");
    at_dataset *d = open_at(dir, (at_dataset_opts){0}); /* wins over its list file */
    int n;
    const int *ignore = at_dataset_ignore(d, &n);
    assert_true(n == 1 && ignore[0] == 11);
    assert_string_equal(at_dataset_classes(d)->items[10].name, "bicyclist");
    assert_non_null(strstr(at_dataset_notes(d), "CamVid"));
    expect(d, "camvid", 11, 2, 1, 1, "s1_1");
    expect(open_at(dir, (at_dataset_opts){.classes = 12}), "camvid", 12, 2, 1, 1, NULL);
    put(NULL, "c/trainannot/s1_1.png", 1); /* another set's labels: not CamVid's names */
    put(NULL, "c/trainannot/s1_2.png", 2);
    put(NULL, "c/valannot/s2_1.png", 2);
    expect(open_at(dir, (at_dataset_opts){0}), "camvid", 3, 2, 1, 1, NULL);
}

static void voc(void **state) {
    (void)state;
    const char *dir = files_path("v");
    for (int i = 0; i < 5; i++) {
        char image[64], mask[64];
        snprintf(image, sizeof image, "v/JPEGImages/2007_%d.png", i);
        snprintf(mask, sizeof mask, "v/SegmentationClass/2007_%d.png", i);
        put(image, i < 4 ? mask : NULL, 20);
    }
    expect(open_at(dir, (at_dataset_opts){0}), "voc", 21, 3, 1, 0,
           NULL); /* one held out, one unlabelled */
    files_text("v/ImageSets/Segmentation/train.txt", "2007_1\n2007_3\n");
    files_text("v/ImageSets/Segmentation/val.txt", "2007_0\r\n");
    files_text("v/ImageSets/Segmentation/test.txt", "2007_4\n");
    at_dataset *d = open_at(dir, (at_dataset_opts){0});
    assert_string_equal(at_dataset_classes(d)->items[15].name, "person");
    expect(d, "voc", 21, 2, 1, 1, "2007_1");
    files_text("v/ImageSets/Segmentation/val.txt", "2007_0\n2007_77\n");
    REFUSED(dir, "val.txt:2", "2007_77");
    files_text("v/ImageSets/Segmentation/val.txt", "2007_4\n");
    REFUSED(dir, "val.txt:1", "no mask");
}

/* Masks in VOC's own colours need no table. */
static void voc_in_colour(void **state) {
    (void)state;
    static const uint16_t rgb[4 * 3] = {0, 0, 0, 192, 128, 128, 224, 224, 192, 128, 0, 0};
    files_image("w/JPEGImages/a.png", 2, 2, 1);
    files_write_png("w/SegmentationClass/a.png", &(files_png){2, 2, 2, 8, false, rgb, 0});
    at_dataset *d = open_at(files_path("w"), (at_dataset_opts){0});
    static const uint8_t want[4] = {0, 15, AT_IGNORE, 1};
    uint8_t *ids;
    at_pair size;
    assert_int_equal(
        at_dataset_load_mask(d, files_path("w/SegmentationClass/a.png"), &ids, &size, NULL), AT_OK);
    assert_memory_equal(ids, want, 4);
    assert_true(size.h == 2 && size.w == 2);
    free(ids);
    expect(d, "voc", 21, 1, 0, 0, "a");
}

static void cityscapes(void **state) {
    (void)state;
    const char *dir = files_path("s");
    put("s/leftImg8bit/train/ulm/ulm_1_leftImg8bit.png",
        "s/gtFine/train/ulm/ulm_1_gtFine_labelIds.png", 33);
    put("s/leftImg8bit/val/bonn/bonn_1_leftImg8bit.png",
        "s/gtFine/val/bonn/bonn_1_gtFine_labelIds.png", 33);
    put("s/leftImg8bit/test/rom/rom_1_leftImg8bit.png", NULL, 0);
    put(NULL, "s/gtFine/train/ulm/ulm_1_gtFine_instanceIds.png", 3);
    at_dataset *d = open_at(dir, (at_dataset_opts){0});
    at_image image;
    uint8_t *mask;
    assert_int_equal(
        at_dataset_load(d, &at_dataset_split(d, "train")->samples[0], 3, &image, &mask, NULL),
        AT_OK);
    assert_true(mask[7] == 0 && mask[8] == 1 && mask[33] == 18 && mask[9] == AT_IGNORE &&
                mask[26] == 13);
    at_image_free(&image);
    free(mask);
    expect(d, "cityscapes", 19, 1, 1, 1, "ulm/ulm_1");
    put(NULL, "s/gtFine/train/ulm/ulm_1_gtFine_labelTrainIds.png", 18);
    put(NULL, "s/gtFine/val/bonn/bonn_1_gtFine_labelTrainIds.png", 18);
    d = open_at(dir, (at_dataset_opts){0});
    assert_non_null(strstr(at_dataset_notes(d), "labelTrainIds"));
    expect(d, "cityscapes", 19, 1, 1, 1, "ulm/ulm_1");
}

static void folders(void **state) {
    (void)state;
    const char *dir = files_path("f");
    put("f/images/x/a.png", "f/masks/x/a_mask.png", 2);
    put("f/images/b_sat.png", "f/masks/b_mask.png", 2);
    put("f/images/c.png", "f/masks/c.png", 2);
    put("f/images/lonely.png", "f/masks/left.png", 2);
    at_dataset *d = open_at(dir, (at_dataset_opts){.val_share = -1});
    assert_non_null(strstr(at_dataset_notes(d), "2 files without a partner"));
    expect(d, "folders", 3, 3, 0, 0, "b_sat");
    put(NULL, "f/labels/c.png", 2);
    REFUSED(dir, "masks/", "labels/", "dataset.json");
    files_text("f/dataset.json", "{\"images\": \"images\", \"masks\": \"labels\"}");
    expect(open_at(dir, (at_dataset_opts){.val_share = -1}), "dataset.json", 3, 1, 0, 0, "c");
    put("g/images/train/1.png", "g/masks/train/1.png", 1);
    put("g/images/validation/1.png", "g/masks/validation/1.png", 1);
    expect(open_at(files_path("g"), (at_dataset_opts){0}), "split folders", 2, 1, 1, 0, "train/1");
    put("g/images/stray.png", NULL, 0);
    REFUSED(files_path("g"), "stray.png");
    put("h/train/imgs/1.png", "h/train/labels/1.png", 1);
    put("h/test/imgs/2.png", "h/test/labels/2.png", 1);
    expect(open_at(files_path("h"), (at_dataset_opts){0}), "split folders", 2, 1, 0, 1, "1");
    put("p/1.png", "p/1-mask.png", 1);
    put("p/2.png", "p/2-mask.png", 1);
    expect(open_at(files_path("p"), (at_dataset_opts){.val_share = 0.5}), "pairs", 2, 1, 1, 0,
           NULL);
}

static void lists(void **state) {
    (void)state;
    const char *dir = files_path("l");
    put("l/pics/a b.png", "l/labs/a b.png", 1);
    put("l/pics/c.png", "l/labs/c.png", 1);
    files_text("l/train.txt", "# image mask\n/home/x/l/pics/a b.png /home/x/l/labs/a b.png\n");
    files_text("l/val.txt", "pics/c.png,labs/c.png\n\n");
    expect(open_at(dir, (at_dataset_opts){0}), "lists", 2, 1, 1, 0, "pics/a b");
    files_text("l/val.txt", "pics/c.png\tlabs/d.png\n");
    REFUSED(dir, "val.txt:1", "labs/d.png");
    files_text("l/val.txt", "pics/c.png\n");
    REFUSED(dir, "val.txt:1", "no mask");
    /* Bare names, found in images/ and masks/: lists are more specific than the bare folders. */
    put("m/images/a.png", "m/masks/a.png", 1);
    put("m/images/b.png", "m/masks/b.png", 1);
    put("m/images/c.png", "m/masks/c.png", 1);
    files_text("m/train.txt", "c\na.png\n");
    files_text("m/val.txt", "b\n");
    expect(open_at(files_path("m"), (at_dataset_opts){0}), "lists", 2, 2, 1, 0, "c");
    at_dataset *d = open_at(files_path("m"), (at_dataset_opts){0});
    const char *list = files_path("n/train.txt");
    assert_int_equal(at_make_dirs(files_path("n"), NULL), AT_OK);
    assert_int_equal(at_split_write_list(at_dataset_split(d, "train"), list, NULL), AT_OK);
    at_dataset_free(d);
    expect(open_at(files_path("n"), (at_dataset_opts){.val_share = -1}), "lists", 2, 2, 0, 0, NULL);
}

static void stated_splits(void **state) {
    (void)state;
    put("j/a/pics/1.png", "j/a/labs/1_gt.png", 1);
    put("j/b/2.png", "j/b/two.png", 1);
    put("j/c/3.png", "j/d/3.png", 1);
    put("j/unseen/4.png", NULL, 0);
    files_text("j/lists/val.txt", "b/2.png b/two.png\n");
    files_text("j/dataset.json",
               "{\"splits\": {\"train\": {\"images\": \"a/pics\", \"masks\": \"a/labs\"},\n"
               "  \"val\": \"lists/val.txt\", // a list file\n"
               "  \"extra\": [[\"c/3.png\", \"d/3.png\"]], \"test\": {\"images\": \"unseen\"}}}");
    at_dataset *d = open_at(files_path("j"), (at_dataset_opts){0});
    assert_int_equal(count(d, "extra"), 1);
    assert_null(at_dataset_split(d, "test")->samples[0].mask);
    expect(d, "dataset.json", 2, 1, 1, 1, "1");
    files_text("j/dataset.json", "{\"splits\": {\"train\": [[\"c/3.png\"]]}}");
    REFUSED(files_path("j"), "dataset.json", "entry 0", "[image, mask]");
    files_text("j/dataset.json", "{\"splits\": {\"train\": {\"images\": \"a/pics\"}}}");
    REFUSED(files_path("j"), "\"images\" and \"masks\"");
}

/* By seed, by share, in whole groups, and the same again. */
static void held_out(void **state) {
    (void)state;
    const char *dir = files_path("q");
    for (int i = 0; i < 20; i++) {
        char image[64], mask[64];
        snprintf(image, sizeof image, "q/images/film%d_%02d.png", i / 4, i);
        snprintf(mask, sizeof mask, "q/masks/film%d_%02d.png", i / 4, i);
        put(image, mask, 1);
    }
    at_dataset *a = open_at(dir, (at_dataset_opts){.seed = 1}),
               *b = open_at(dir, (at_dataset_opts){.seed = 1});
    at_dataset *c = open_at(dir, (at_dataset_opts){.seed = 2});
    assert_true(count(a, "train") == 16 && count(a, "val") == 4);
    bool differs = false;
    for (int i = 0; i < 4; i++) {
        const char *name = at_dataset_split(a, "val")->samples[i].name;
        assert_string_equal(name, at_dataset_split(b, "val")->samples[i].name);
        differs = differs || strcmp(name, at_dataset_split(c, "val")->samples[i].name) != 0;
    }
    assert_true(differs && strstr(at_dataset_notes(a), "held out"));
    at_dataset_free(a);
    at_dataset_free(b);
    at_dataset_free(c);
    files_text("q/dataset.json", "{\"group\": \"^(film[0-9])_\"}");
    a = open_at(dir, (at_dataset_opts){.val_share = 0.3});
    assert_true(count(a, "val") == 8 && count(a, "train") == 12); /* two groups of four */
    for (int i = 0; i < 8; i++)
        for (int j = 0; j < 12; j++)
            assert_string_not_equal(at_dataset_split(a, "val")->samples[i].group,
                                    at_dataset_split(a, "train")->samples[j].group);
    at_dataset_free(a);
    files_text("q/dataset.json", "{\"group\": \"(\"}");
    REFUSED(dir, "dataset.json", "group");
}

static void nothing_found(void **state) {
    (void)state;
    assert_int_equal(at_make_dirs(files_path("empty"), NULL), AT_OK);
    REFUSED(files_path("empty"), "empty", "0 pictures", "images/ masks/", "dataset.json");
    REFUSED(files_path("nowhere"), "nowhere", "no such folder");
    files_text("file.txt", "x");
    REFUSED(files_path("file.txt"), "folder");
    put("outer/inner/images/a.png", "outer/inner/masks/a.png", 1);
    REFUSED(files_path("outer"), "outer/inner");
    put("two/JPEGImages/a.png", "two/SegmentationClass/a.png", 1);
    put("two/train/a.png", "two/trainannot/a.png", 1);
    REFUSED(files_path("two"), "CamVid", "VOC", "dataset.json");
    put("none/images/a.png", "none/masks/b.png", 1);
    REFUSED(files_path("none"), "no names match", "a.png", "b.png");
    files_text("bad/dataset.json", "{\"classes\": [\"a\",\n");
    REFUSED(files_path("bad"), "dataset.json");
}

/* ---- data check ---- */

static bool found(const at_findings *f, at_severity severity, const char *file, const char *text) {
    for (int i = 0; i < f->count; i++) {
        const at_finding *x = &f->items[i];
        bool here = file ? x->file && strstr(x->file, file) : true;
        if (x->severity == severity && here && strstr(x->text, text)) return true;
    }
    return false;
}

static void check_lists_everything(void **state) {
    (void)state;
    for (int i = 0; i < 12; i++) {
        char image[64], mask[64];
        const char *split = i < 8 ? "train" : "val";
        snprintf(image, sizeof image, "k/images/%s/seq%c_%03d.png", split, "ab"[i % 2], i);
        snprintf(mask, sizeof mask, "k/masks/%s/seq%c_%03d.png", split, "ab"[i % 2], i);
        put(image, mask, 2);
    }
    put("k/images/train/nomask.png", "k/masks/val/noimage.png", 1);
    files_text("k/classes.txt", "0 a\n1 b\n2 c\n3 never\n");
    at_dataset *d = open_at(files_path("k"), (at_dataset_opts){0});
    at_findings f;
    assert_int_equal(at_dataset_check(d, &f, NULL), AT_OK);
    assert_true(found(&f, AT_FINDING_WARNING, "nomask.png", "no mask"));
    assert_true(found(&f, AT_FINDING_WARNING, "noimage.png", "no image"));
    assert_true(found(&f, AT_FINDING_WARNING, NULL, "class 3 (never)"));
    assert_true(
        found(&f, AT_FINDING_WARNING, NULL, "2 images of val are of a sequence ('seqa_...')"));
    assert_true(found(&f, AT_FINDING_WARNING, NULL, "also gives 4 of train"));
    assert_int_equal(f.count, 5);
    at_findings_free(&f);
    char *bytes;
    size_t size;
    assert_int_equal(
        at_file_read(files_path("k/images/train/seqa_000.png"), 0, &bytes, &size, NULL), AT_OK);
    files_bytes("k/images/val/seqa_008.png", bytes, size); /* a picture of train in val */
    free(bytes);
    files_mask("k/masks/train/seqb_001.png", 9, 8, 1, NULL);
    files_mask("k/masks/train/seqa_002.png", 8, 8, 77, NULL);
    files_text("k/images/train/seqb_003.png", "not a picture");
    assert_int_equal(at_dataset_check(d, &f, NULL), AT_OK);
    assert_true(found(&f, AT_FINDING_ERROR, NULL, "the same picture as"));
    assert_true(found(&f, AT_FINDING_ERROR, "seqb_001", "9x8"));
    assert_true(found(&f, AT_FINDING_ERROR, "seqa_002", "label 77"));
    assert_true(found(&f, AT_FINDING_ERROR, "seqb_003", "not a picture"));
    assert_int_equal(f.count, 9);
    at_findings_free(&f);
    at_dataset_free(d);
}

/* Counts by hand: 64 pixels an image, ids 0 .. 2 in turn, 255 in one mask. */
static void stats_count(void **state) {
    (void)state;
    put("t/images/a.png", "t/masks/a.png", 2);
    uint8_t ids[64];
    for (int i = 0; i < 64; i++) ids[i] = i < 16 ? 255 : 1;
    files_image("t/images/b.png", 16, 4, 5);
    files_mask("t/masks/b.png", 16, 4, 0, ids);
    at_dataset *d = open_at(files_path("t"), (at_dataset_opts){.val_share = -1});
    at_class_stats s;
    assert_int_equal(at_dataset_stats(d, at_dataset_split(d, "train"), 3, &s, NULL), AT_OK);
    assert_true(s.pixels[0] == 22 && s.pixels[1] == 21 + 48 && s.pixels[2] == 21 &&
                s.ignored == 16);
    assert_true(s.image_pixels[0] == 64 && s.image_pixels[1] == 64 + 48 && s.image_pixels[2] == 64);
    assert_true(s.images[0] == 1 && s.images[1] == 2);
    assert_true(s.smallest.h == 4 && s.largest.h == 8 && s.smallest.w == 8 && s.largest.w == 16);
    files_text("t/images/b.png", "gone");
    at_error err = {0};
    assert_int_equal(at_dataset_stats(d, at_dataset_split(d, "train"), 3, &s, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "b.png"));
    at_dataset_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(camvid),        cmocka_unit_test(voc),
        cmocka_unit_test(voc_in_colour), cmocka_unit_test(cityscapes),
        cmocka_unit_test(folders),       cmocka_unit_test(lists),
        cmocka_unit_test(stated_splits), cmocka_unit_test(held_out),
        cmocka_unit_test(nothing_found), cmocka_unit_test(check_lists_everything),
        cmocka_unit_test(stats_count)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
