/* SPDX-License-Identifier: MIT */
/* The loader: the same bytes for any number of threads and for an epoch entered in the middle,
 * order and shuffling, batches of equal sizes, resizing, errors that travel, and leaving at any
 * time. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/data_files.h"

static const at_loader_opts training = {.batch = 3,
                                        .channels = 3,
                                        .crop = {40, 48},
                                        .train = true,
                                        .augment = {0.5, 2, 0.5, 0.5, 15, 0.2, 0.2, 0.2, 0.05},
                                        .mean = {0.5, 0.5, 0.5},
                                        .std = {0.25, 0.25, 0.25},
                                        .seed = 9};

static at_dataset *open_set(at_dataset_opts opts) {
    at_dataset *d;
    at_error err = {0};
    if (at_dataset_open(&d, opts, &err)) fail_msg("%s", err.text);
    return d;
}

static at_loader *open_loader(const at_dataset *d, const char *split, at_loader_opts opts) {
    at_loader *l;
    at_error err = {0};
    opts.dataset = d;
    opts.split = at_dataset_split(d, split);
    if (at_loader_new(&l, opts, &err)) fail_msg("%s", err.text);
    return l;
}

static uint64_t mix(uint64_t h, const void *bytes, size_t n) {
    for (size_t i = 0; i < n; i++) h = (h ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return h;
}

/* A hash of all that the next batch holds; 0 at the end of the epoch. */
static uint64_t next_hash(at_loader *l) {
    at_batch b;
    at_error err = {0};
    if (at_loader_next(l, &b, &err)) fail_msg("%s", err.text);
    if (b.count == 0) return 0;
    size_t pixels = (size_t)(b.count * b.size.h * b.size.w);
    uint64_t h = mix(1, b.images, pixels * 3 * sizeof *b.images);
    return mix(mix(h, b.masks, pixels), b.samples, (size_t)b.count * sizeof *b.samples);
}

static void threads_and_entry_change_nothing(void **state) {
    (void)state;
    at_dataset *d = open_set((at_dataset_opts){.synth_count = 15, .seed = 1});
    uint64_t want[2][4];
    for (int threads = 1; threads <= 4; threads++) {
        at_loader_opts o = training;
        o.threads = threads;
        o.cache_bytes = threads == 2 ? 1 : 0; /* with and without a cache */
        at_loader *l = open_loader(d, "train", o);
        assert_int_equal(at_loader_batches(l), 4);
        for (int epoch = 0; epoch < 2; epoch++) {
            at_loader_start(l, epoch, 0);
            for (int i = 0; i < 4; i++) {
                uint64_t h = next_hash(l);
                if (threads == 1) want[epoch][i] = h;
                assert_true(h == want[epoch][i]);
            }
            assert_true(next_hash(l) == 0 && next_hash(l) == 0);
        }
        at_loader_start(l, 0, 2);
        assert_true(next_hash(l) == want[0][2]);
        at_loader_start(l, 1, 3); /* in the middle of an epoch */
        assert_true(next_hash(l) == want[1][3] && next_hash(l) == 0);
        at_loader_free(l);
    }
    for (int i = 0; i < 4; i++) assert_true(want[0][i] != want[1][i]);
    at_dataset_free(d);
}

static void each_sample_once_an_epoch(void **state) {
    (void)state;
    at_dataset *d = open_set((at_dataset_opts){.synth_count = 15});
    at_loader *l = open_loader(d, "train", training);
    bool shuffled = false;
    int seen[12] = {0};
    at_batch b;
    assert_int_equal(at_loader_next(l, &b, NULL), AT_OK); /* before any start: nothing */
    assert_int_equal(b.count, 0);
    at_loader_start(l, 5, 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(at_loader_next(l, &b, NULL), AT_OK);
        assert_true(b.count == 3 && b.size.h == 40 && b.size.w == 48);
        for (int k = 0; k < 3; k++) {
            seen[b.samples[k]]++;
            shuffled = shuffled || b.samples[k] != 3 * i + k;
        }
    }
    for (int i = 0; i < 12; i++) assert_int_equal(seen[i], 1);
    assert_true(shuffled);
    at_loader_free(l);
    at_loader_opts large = training;
    large.batch = 100; /* more than there are: one short batch */
    l = open_loader(d, "train", large);
    at_loader_start(l, 0, 0);
    assert_int_equal(at_loader_next(l, &b, NULL), AT_OK);
    assert_int_equal(b.count, 12);
    at_loader_free(l);
    at_dataset_free(d);
}

/* The first pixels of every sample, wherever in the epoch it stands. */
static void collect(const at_dataset *d, int batch, int epoch, float out[12][64]) {
    at_loader_opts o = training;
    o.batch = batch;
    at_loader *l = open_loader(d, "train", o);
    at_batch b;
    at_loader_start(l, epoch, 0);
    for (int i = 0; i < 12 / batch; i++) {
        assert_int_equal(at_loader_next(l, &b, NULL), AT_OK);
        for (int k = 0; k < batch; k++)
            memcpy(out[b.samples[k]], b.images + k * 40 * 48 * 3, sizeof out[0]);
    }
    at_loader_free(l);
}

/* What is drawn for a sample depends on the epoch and the sample, not on its place. */
static void place_in_the_batch_changes_nothing(void **state) {
    (void)state;
    static float three[12][64], one[12][64], later[12][64];
    at_dataset *d = open_set((at_dataset_opts){.synth_count = 15});
    collect(d, 3, 0, three);
    collect(d, 1, 0, one);
    collect(d, 3, 1, later);
    assert_memory_equal(three, one, sizeof one);
    for (int i = 0; i < 12; i++) assert_memory_not_equal(three[i], later[i], sizeof later[i]);
    at_dataset_free(d);
}

/* Workers that run ahead leave the batch in use alone. */
static void a_batch_stays_until_the_next(void **state) {
    (void)state;
    at_dataset *d = open_set((at_dataset_opts){.synth_count = 40, .synth_size = {32, 32}});
    at_loader_opts o = training;
    o.threads = 3;
    o.crop = (at_pair){16, 16};
    at_loader *l = open_loader(d, "train", o);
    at_loader_start(l, 0, 0);
    for (int i = 0; i < 6; i++) {
        at_batch b;
        assert_int_equal(at_loader_next(l, &b, NULL), AT_OK);
        size_t bytes = (size_t)b.count * 16 * 16 * 3 * sizeof *b.images;
        uint64_t before = mix(1, b.images, bytes);
        usleep(20000);
        assert_true(mix(1, b.images, bytes) == before);
    }
    at_loader_free(l);
    at_dataset_free(d);
}

static void make_mixed_sizes(void) {
    static const int sizes[6][2] = {{20, 10}, {20, 10}, {20, 10}, {12, 16}, {12, 16}, {20, 10}};
    for (int i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "images/val/%d.png", i);
        files_image(name, sizes[i][0], sizes[i][1], (uint64_t)i);
        snprintf(name, sizeof name, "masks/val/%d.png", i);
        uint8_t ids[240];
        for (int p = 0; p < 240; p++) ids[p] = (uint8_t)(p % 3);
        files_mask(name, sizes[i][0], sizes[i][1], 0, ids);
    }
}

static void validation_is_in_order_and_whole(void **state) {
    (void)state;
    static const int counts[] = {2, 1, 2, 1};
    const char *root = files_begin();
    make_mixed_sizes();
    at_dataset *d = open_set((at_dataset_opts){.path = root});
    at_loader *l = open_loader(d, "val", (at_loader_opts){.batch = 2, .channels = 3, .threads = 2});
    assert_int_equal(at_loader_batches(l), 4);
    at_loader_start(l, 0, 0);
    at_batch b;
    int sample = 0;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(at_loader_next(l, &b, NULL), AT_OK);
        assert_int_equal(b.count, counts[i]);
        for (int k = 0; k < b.count; k++, sample++) {
            at_image image;
            uint8_t *mask;
            assert_int_equal(b.samples[k], sample);
            const at_sample *s = &at_dataset_split(d, "val")->samples[sample];
            assert_int_equal(at_dataset_load(d, s, 3, &image, &mask, NULL), AT_OK);
            assert_true(b.size.h == image.height && b.size.w == image.width);
            size_t n = (size_t)(image.width * image.height);
            assert_memory_equal(b.masks + (size_t)k * n, mask, n);
            for (size_t p = 0; p < 3 * n; p++)
                assert_true(fabsf(b.images[(size_t)k * 3 * n + p] * 255 - image.data[p]) < 1e-3f);
            at_image_free(&image);
            free(mask);
        }
    }
    at_loader_free(l);
    l = open_loader(d, "val", (at_loader_opts){.batch = 4, .channels = 1, .resize = {8, 9}});
    assert_int_equal(at_loader_batches(l), 2);
    at_loader_start(l, 0, 1);
    assert_int_equal(at_loader_next(l, &b, NULL), AT_OK);
    assert_true(b.count == 2 && b.size.h == 8 && b.size.w == 9 && b.samples[0] == 4);
    at_loader_free(l);
    at_dataset_free(d);
    files_end();
}

static void errors_travel(void **state) {
    (void)state;
    const char *root = files_begin();
    make_mixed_sizes();
    files_image("images/train/a.png", 20, 10, 1);
    files_mask("masks/train/a.png", 20, 10, 1, NULL);
    files_image("images/train/b.png", 20, 11, 1);
    files_mask("masks/train/b.png", 20, 11, 1, NULL);
    at_dataset *d = open_set((at_dataset_opts){.path = root, .classes = 3});
    at_loader *l;
    at_loader_opts o = {.dataset = d,
                        .split = at_dataset_split(d, "train"),
                        .batch = 2,
                        .channels = 3,
                        .train = true};
    at_error err = {0};
    assert_int_equal(at_loader_new(&l, o, &err),
                     AT_ERR_INPUT); /* two sizes, nothing to unite them */
    assert_non_null(strstr(err.text, "20x11"));
    assert_non_null(strstr(err.text, "--resize"));
    assert_null(l);
    files_text("masks/val/3.png", "no longer a PNG");
    l = open_loader(d, "val", (at_loader_opts){.batch = 2, .channels = 3, .threads = 3});
    for (int round = 0; round < 2; round++) {
        at_batch b;
        at_error e = {0};
        at_loader_start(l, round, 0);
        assert_int_equal(at_loader_next(l, &b, &e), AT_OK);
        assert_int_equal(at_loader_next(l, &b, &e), AT_OK);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(at_loader_next(l, &b, &e), AT_ERR_INPUT);
            assert_non_null(strstr(e.text, "val/3.png"));
            assert_int_equal(b.count, 0);
        }
    }
    at_loader_free(l);
    at_dataset_free(d);
    files_end();
}

static void it_can_be_left_at_any_time(void **state) {
    (void)state;
    at_dataset *d = open_set((at_dataset_opts){.synth_count = 40});
    for (int i = 0; i < 8; i++) {
        at_loader_opts o = training;
        o.threads = 1 + i % 3;
        at_loader *l = open_loader(d, "train", o);
        if (i > 0) at_loader_start(l, 0, i % 4);
        for (int k = 0; k < i / 2; k++) next_hash(l);
        at_loader_free(l);
    }
    at_loader_free(NULL);
    at_dataset_free(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(threads_and_entry_change_nothing),
                                       cmocka_unit_test(each_sample_once_an_epoch),
                                       cmocka_unit_test(place_in_the_batch_changes_nothing),
                                       cmocka_unit_test(a_batch_stays_until_the_next),
                                       cmocka_unit_test(validation_is_in_order_and_whole),
                                       cmocka_unit_test(errors_travel),
                                       cmocka_unit_test(it_can_be_left_at_any_time)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
