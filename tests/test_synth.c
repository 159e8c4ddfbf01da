/* SPDX-License-Identifier: MIT */
/* The synthetic set: the same for the same seed, others for others, every class in sensible shares,
 * ids that match what is drawn; and what it writes is found again as a folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/data_files.h"

static at_dataset *open_set(at_dataset_opts opts) {
    at_dataset *d;
    at_error err = {0};
    if (at_dataset_open(&d, opts, &err)) fail_msg("%s", err.text);
    return d;
}

static void load(const at_dataset *d, const char *split, int i, at_image *image, uint8_t **mask) {
    at_error err = {0};
    if (at_dataset_load(d, &at_dataset_split(d, split)->samples[i], 3, image, mask, &err))
        fail_msg("%s", err.text);
}

static bool same(const at_dataset *a, const at_dataset *b, const char *split, int i, int j) {
    at_image x, y;
    uint8_t *m, *n;
    load(a, split, i, &x, &m);
    load(b, split, j, &y, &n);
    size_t pixels = (size_t)(x.width * x.height);
    bool equal = x.width == y.width && !memcmp(x.data, y.data, 3 * pixels) && !memcmp(m, n, pixels);
    at_image_free(&x);
    at_image_free(&y);
    free(m);
    free(n);
    return equal;
}

static void seed_and_index_decide(void **state) {
    (void)state;
    at_dataset *a = open_set((at_dataset_opts){.seed = 4}),
               *b = open_set((at_dataset_opts){.seed = 5});
    at_dataset *c = open_set((at_dataset_opts){.seed = 4, .synth_count = 10});
    assert_int_equal(at_dataset_split(a, "train")->count, 400);
    assert_int_equal(at_dataset_split(a, "val")->count, 100);
    assert_int_equal(at_dataset_split(c, "val")->count, 2);
    assert_true(same(a, c, "train", 3, 3) && same(a, c, "val", 1, 1));
    assert_false(same(a, b, "train", 3, 3) || same(a, a, "train", 3, 4) || same(a, a, "val", 0, 1));
    at_dataset_free(a);
    at_dataset_free(b);
    at_dataset_free(c);
}

static void classes_have_their_shares(void **state) {
    (void)state;
    static const double low[5] = {0.6, 0.04, 0.04, 0.02, 0.01},
                        high[5] = {0.85, 0.15, 0.15, 0.1, 0.05};
    at_dataset *d = open_set((at_dataset_opts){.seed = 1, .synth_count = 150});
    const at_split *s = at_dataset_split(d, "train");
    static at_class_stats stats;
    assert_int_equal(at_dataset_stats(d, s, 3, &stats, NULL), AT_OK);
    assert_int_equal(at_dataset_classes(d)->count, 5);
    int64_t all = 0;
    for (int k = 0; k < AT_MAX_CLASSES; k++) all += stats.pixels[k];
    assert_int_equal(all, (int64_t)s->count * 64 * 64);
    for (int k = 0; k < 5; k++) {
        double share = (double)stats.pixels[k] / (double)all;
        assert_true(share > low[k] && share < high[k]);
        assert_true(stats.images[k] > s->count / 2);
    }
    assert_true(stats.ignored == 0 && stats.smallest.h == 64 && stats.largest.w == 64);
    for (int c = 0; c < 3; c++)
        assert_true(stats.mean[c] > 0.3 && stats.mean[c] < 0.7 && stats.std[c] > 0.1);
    at_dataset_free(d);
}

/* Thin things are there: pixels of a line with no other of it to the left and right, or above and
 * below, and no line pixel stands alone. */
static void lines_are_thin_and_whole(void **state) {
    (void)state;
    at_dataset *d =
        open_set((at_dataset_opts){.seed = 2, .synth_count = 50, .synth_size = {64, 100}});
    int thin = 0, alone = 0, lines = 0;
    for (int i = 0; i < 40; i++) {
        at_image image;
        uint8_t *m;
        load(d, "train", i, &image, &m);
        assert_true(image.width == 100 && image.height == 64);
        for (int y = 1; y < 63; y++)
            for (int x = 1; x < 99; x++) {
                const uint8_t *p = m + y * 100 + x;
                if (*p != 4) continue;
                lines++;
                thin += (p[-1] != 4 && p[1] != 4) || (p[-100] != 4 && p[100] != 4);
                alone += p[-1] != 4 && p[1] != 4 && p[-100] != 4 && p[100] != 4 && p[-101] != 4 &&
                         p[101] != 4 && p[-99] != 4 && p[99] != 4;
            }
        at_image_free(&image);
        free(m);
    }
    assert_true(lines > 2000 && thin > lines / 20 && alone < lines / 200 + 1);
    at_dataset_free(d);
}

static void written_out_it_is_found_again(void **state) {
    (void)state;
    files_begin();
    at_dataset *a = open_set((at_dataset_opts){.seed = 3, .synth_count = 10});
    const char *dir = files_path("set");
    at_error err = {0};
    assert_int_equal(at_dataset_export(a, dir, &err), AT_OK);
    assert_int_equal(at_dataset_export(a, dir, &err), AT_ERR_IO); /* never overwrites */
    at_dataset *b = open_set((at_dataset_opts){.path = dir});
    assert_int_equal(at_dataset_split(b, "train")->count, 8);
    assert_int_equal(at_dataset_split(b, "val")->count, 2);
    assert_string_equal(at_dataset_classes(b)->items[3].name, "striped");
    for (int i = 0; i < 8; i++) assert_true(same(a, b, "train", i, i));
    at_dataset_free(a);
    at_dataset_free(b);
    files_end();
}

static void impossible_sizes_are_refused(void **state) {
    (void)state;
    at_dataset *d;
    assert_int_equal(at_dataset_open(&d, (at_dataset_opts){.synth_count = 1}, NULL), AT_ERR_USAGE);
    assert_int_equal(at_dataset_open(&d, (at_dataset_opts){.synth_size = {8, 64}}, NULL),
                     AT_ERR_USAGE);
    assert_null(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_and_index_decide), cmocka_unit_test(classes_have_their_shares),
        cmocka_unit_test(lines_are_thin_and_whole), cmocka_unit_test(written_out_it_is_found_again),
        cmocka_unit_test(impossible_sizes_are_refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
