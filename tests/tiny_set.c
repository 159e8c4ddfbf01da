/* SPDX-License-Identifier: MIT */
#include "tests/tiny_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

const char *tiny_path(const char *format, ...) {
    static char paths[8][256];
    static int next;
    char *path = paths[next++ % 8];
    const int used = snprintf(path, sizeof paths[0], "%s/", dir);
    va_list args;
    va_start(args, format);
    vsnprintf(path + used, sizeof paths[0] - (size_t)used, format, args);
    va_end(args);
    return path;
}

static void box(at_image *image, uint8_t *ids, at_rng *r, uint8_t id, int value) {
    const int h = 6 + (int)at_rng_below(r, 6), w = 6 + (int)at_rng_below(r, 8);
    const int y = (int)at_rng_below(r, (uint32_t)(TINY_H - h)),
              x = (int)at_rng_below(r, (uint32_t)(TINY_W - w));
    for (int i = y; i < y + h; i++)
        for (int j = x; j < x + w; j++) {
            ids[i * TINY_W + j] = id;
            for (int k = 0; k < 3; k++)
                image->data[(i * TINY_W + j) * 3 + k] = (uint8_t)(value + (int)at_rng_below(r, 30));
        }
}

static void write_pair(const char *split, int i) {
    uint8_t data[TINY_H * TINY_W * 3], ids[TINY_H * TINY_W] = {0};
    at_image image = {TINY_W, TINY_H, 3, data};
    const at_rgb palette[3] = {{0, 0, 0}, {255, 0, 0}, {0, 0, 255}};
    at_rng r = at_rng_make(split[0], AT_RNG_TEST, (uint64_t)i, 0);
    for (size_t k = 0; k < sizeof data; k++) data[k] = (uint8_t)(100 + at_rng_below(&r, 40));
    box(&image, ids, &r, 1, 200);
    box(&image, ids, &r, 2, 10);
    for (int k = 0; k < 9; k++) ids[at_rng_below(&r, sizeof ids)] = AT_IGNORE;
    assert_int_equal(at_image_save_png(tiny_path("set/images/%s/%d.png", split, i), &image, NULL),
                     AT_OK);
    assert_int_equal(at_mask_save_png(tiny_path("set/masks/%s/%d.png", split, i), ids, TINY_W,
                                      TINY_H, palette, 3, NULL),
                     AT_OK);
}

const char *tiny_set_begin(void) {
    strcpy(dir, "/tmp/atrous-test-XXXXXX");
    assert_non_null(mkdtemp(dir));
    static const char *const names[] = {"images/train", "masks/train", "images/val", "masks/val"};
    for (int i = 0; i < 4; i++)
        assert_int_equal(at_make_dirs(tiny_path("set/%s", names[i]), NULL), AT_OK);
    for (int i = 0; i < TINY_TRAIN; i++) write_pair("train", i);
    for (int i = 0; i < TINY_VAL; i++) write_pair("val", i);
    return dir;
}

void tiny_set_end(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    assert_int_equal(system(command), 0);
}

at_train_opts tiny_opts(void) {
    static char data[256], runs[256];
    snprintf(data, sizeof data, "%s", tiny_path("set"));
    snprintf(runs, sizeof runs, "%s", tiny_path("runs"));
    at_train_opts o = at_train_defaults();
    o.data = data, o.runs = runs;
    o.net.width = 0.0625, o.net.depth = 1;
    o.batch = 2, o.size = (at_pair){16, 16};
    o.epochs = 3, o.seed = 7, o.threads = 2;
    return o;
}

char *tiny_read(const char *path, size_t *size) {
    char *data;
    at_error err = {0};
    if (at_file_read(path, 0, &data, size, &err) != AT_OK) fail_msg("%s", err.text);
    return data;
}

int tiny_set_up(void **state) {
    (void)state;
    tiny_set_begin();
    return 0;
}

int tiny_tear_down(void **state) {
    (void)state;
    tiny_set_end();
    return 0;
}
