/* SPDX-License-Identifier: MIT */
/* Prediction in tiles against prediction in one piece, mirrored against not, resized against naive
 * interpolation; and the files that come of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/predict_private.h"

enum { CLASSES = 3 };

static at_class items[CLASSES] = {
    {(char[]){"sky"}, {1, 2, 3}}, {(char[]){"a,b"}, {200, 0, 0}}, {(char[]){"c"}, {0, 0, 250}}};
static const at_classes classes = {CLASSES, items};

/* Looks 22 pixels far: a U-Net of two poolings, 4 channels wide at first. */
static at_network make(void) {
    at_network net;
    at_error err = {0};
    const at_model_opts o = {.width = 0.0625, .depth = 2};
    if (at_network_new(&net, at_model_find("unet"), o, &classes, 3, &err) != AT_OK)
        fail_msg("%s", err.text);
    return net;
}

static at_image noise(int h, int w) {
    at_image image = {w, h, 3, malloc((size_t)(h * w * 3))};
    at_rng r = at_rng_make(5, AT_RNG_TEST, (uint64_t)w, 0);
    for (int i = 0; i < h * w * 3; i++) image.data[i] = (uint8_t)at_rng_below(&r, 256);
    return image;
}

static at_prediction predict(at_network *net, at_predict_opts opts, const at_image *image) {
    at_predictor *p;
    at_prediction out;
    at_error err = {0};
    if (at_predictor_new(&p, net, opts, &err) != AT_OK) fail_msg("%s", err.text);
    if (at_predict(p, image, AT_WANT_PROB | AT_WANT_CONF, &out, &err) != AT_OK)
        fail_msg("%s", err.text);
    at_predictor_free(p);
    return out;
}

static double largest_difference(const at_prediction *a, const at_prediction *b) {
    double most = 0;
    for (int i = 0; i < a->width * a->height * CLASSES; i++)
        most = fmax(most, fabs((double)(a->prob[i] - b->prob[i])));
    return most;
}

static void check_sums(const at_prediction *p) {
    for (int i = 0; i < p->width * p->height; i++) {
        const float *v = p->prob + i * CLASSES;
        assert_near(v[0] + v[1] + v[2], 1, 1e-5);
        for (int c = 0; c < CLASSES; c++) assert_true(v[c] <= v[p->ids[i]]);
        assert_near(p->confidence[i], 255 * v[p->ids[i]], 0.51);
    }
}

static void tiles_equal_whole(void **state) {
    (void)state;
    at_network net = make();
    at_image image = noise(203, 331);
    at_prediction whole = predict(&net, (at_predict_opts){0}, &image);
    at_prediction tiled = predict(&net, (at_predict_opts){.tile = 128, .overlap = 64}, &image);
    assert_int_equal(whole.tiles, 1);
    assert_int_equal(tiled.tiles, 3 * 5);
    check_sums(&whole);
    check_sums(&tiled);
    assert_true(largest_difference(&whole, &tiled) < 2e-5);
    at_prediction_free(&tiled);
    /* Too little memory for one piece: tiles of themselves. */
    tiled = predict(&net, (at_predict_opts){.max_bytes = 1 << 21}, &image);
    assert_true(tiled.tiles > 1);
    assert_true(largest_difference(&whole, &tiled) < 2e-5);
    at_prediction_free(&tiled);
    at_prediction_free(&whole);
    at_image_free(&image);
    at_network_free(&net);
}

static void weights_add_up(void **state) {
    (void)state;
    for (int length = 100; length < 1200; length += 37)
        for (int tile = 128; tile <= 512; tile += 64)
            for (int radius = -1; radius < 100; radius += 25) {
                const at_cut c = at_cut_side(length, tile, tile / 4, radius);
                float *sum = calloc((size_t)length, sizeof *sum);
                for (int i = 0; i < c.count; i++) {
                    assert_true(at_cut_size(c, i) > 0 && at_cut_size(c, i) <= tile);
                    for (int p = 0; p < at_cut_size(c, i); p++)
                        sum[at_cut_start(c, i) + p] += at_cut_weight(c, i, p);
                }
                assert_int_equal(at_cut_start(c, c.count - 1) + at_cut_size(c, c.count - 1),
                                 length);
                for (int p = 0; p < length; p++) assert_near(sum[p], 1, 1e-5);
                free(sum);
            }
}

static void mirror(at_image *image) {
    for (int y = 0; y < image->height; y++)
        for (int x = 0; x < image->width / 2; x++)
            for (int k = 0; k < 3; k++) {
                uint8_t *a = &image->data[(y * image->width + x) * 3 + k];
                uint8_t *b = &image->data[(y * image->width + image->width - 1 - x) * 3 + k];
                const uint8_t kept = *a;
                *a = *b, *b = kept;
            }
}

/* With the mirrored picture in the mean, a mirrored picture has the mirrored answer, at any scales.
 */
static void flip_and_scales(void **state) {
    (void)state;
    at_network net = make();
    at_image image = noise(40, 64);
    at_predict_opts opts = {0};
    assert_int_equal(at_predict_tta(&opts, "flip,scales=0.5,1,1.5", NULL), AT_OK);
    assert_int_equal(opts.scale_count, 3);
    at_prediction a = predict(&net, opts, &image),
                  plain = predict(&net, (at_predict_opts){0}, &image);
    mirror(&image);
    at_prediction b = predict(&net, opts, &image);
    check_sums(&a);
    assert_true(largest_difference(&a, &plain) > 1e-3);
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 64; x++)
            for (int c = 0; c < CLASSES; c++)
                assert_near(a.prob[(y * 64 + x) * CLASSES + c],
                            b.prob[(y * 64 + 63 - x) * CLASSES + c], 1e-5);
    at_prediction_free(&a);
    at_prediction_free(&b);
    at_prediction_free(&plain);
    at_image_free(&image);
    at_network_free(&net);
}

/* The probabilities of the resized picture, brought back bilinearly with half-pixel centres. */
static void resize_is_undone(void **state) {
    (void)state;
    at_network net = make();
    at_image image = noise(50, 90), small;
    assert_int_equal(at_image_resize(&image, 60, 40, &small, NULL), AT_OK);
    at_prediction want = predict(&net, (at_predict_opts){0}, &small);
    net.resize = (at_pair){40, 60};
    at_prediction got = predict(&net, (at_predict_opts){0}, &image);
    assert_int_equal(got.width, 90);
    check_sums(&got);
    for (int y = 0; y < 50; y++)
        for (int x = 0; x < 90; x++) {
            const double sy = fmin(fmax((y + 0.5) * 0.8 - 0.5, 0), 39),
                         sx = fmin(fmax((x + 0.5) * 2 / 3 - 0.5, 0), 59);
            double v = 0;
            for (int i = 0; i < 4; i++) {
                const int ty = (int)sy + i / 2, tx = (int)sx + i % 2;
                if (ty < 40 && tx < 60)
                    v += (1 - fabs(sy - ty)) * (1 - fabs(sx - tx)) *
                         (double)want.prob[(ty * 60 + tx) * CLASSES + 1];
            }
            assert_near(got.prob[(y * 90 + x) * CLASSES + 1], v, 1e-5);
        }
    at_prediction_free(&want);
    at_prediction_free(&got);
    at_image_free(&image);
    at_image_free(&small);
    at_network_free(&net);
}

static void files(void **state) {
    (void)state;
    char dir[] = "/tmp/atrous-test-XXXXXX", *path;
    assert_non_null(mkdtemp(dir));
    uint8_t ids[6] = {0, 1, 2, 2, 2, 1}, conf[6] = {9, 8, 7, 6, 5, 4};
    float prob[18];
    for (int i = 0; i < 18; i++) prob[i] = (float)i;
    const at_prediction p = {.width = 3,
                             .height = 2,
                             .classes = 3,
                             .ids = ids,
                             .prob = prob,
                             .confidence = conf,
                             .area = {1, 2, 3}};
    at_image image;
    path = at_path_join(dir, "a.png");
    assert_int_equal(at_prediction_save_ids(&p, &classes, path, NULL), AT_OK);
    assert_int_equal(at_image_load(path, 3, &image, NULL), AT_OK);
    assert_memory_equal(image.data, ((uint8_t[]){1, 2, 3, 200, 0, 0, 0, 0, 250}), 9);
    assert_int_equal(at_prediction_save_overlay(&p, &classes, &image, 0.5, path, NULL),
                     AT_OK); /* over itself */
    at_image_free(&image);
    assert_int_equal(at_image_load(path, 3, &image, NULL), AT_OK);
    assert_memory_equal(image.data, ((uint8_t[]){1, 2, 3, 200, 0, 0, 0, 0, 250}), 9);
    at_image_free(&image);
    assert_int_equal(at_prediction_save_conf(&p, path, NULL), AT_OK);
    assert_int_equal(at_image_load(path, 1, &image, NULL), AT_OK);
    assert_memory_equal(image.data, conf, 6);
    at_image_free(&image);
    assert_int_equal(at_prediction_save_prob(&p, &classes, path, NULL), AT_OK);
    at_st_file f;
    assert_int_equal(at_st_open(&f, path, NULL), AT_OK);
    const at_st_tensor *t = at_st_find(&f, "probabilities");
    float back[18];
    assert_true(t->shape[0] == 3 && t->shape[1] == 2 && t->shape[2] == 3);
    assert_int_equal(at_st_read_f32(&f, t, back, NULL), AT_OK);
    assert_true(back[0] == 0 && back[1] == 3 && back[6] == 1 && back[17] == 17);
    at_st_close(&f);
    char *header = at_summary_header(&classes), *row = at_summary_row(&p, "x/y.png");
    assert_string_equal(header, "image,height,width,sky,\"a,b\",c\n");
    assert_string_equal(row, "x/y.png,2,3,0.166667,0.333333,0.5\n");
    free(header);
    free(row);
    unlink(path);
    rmdir(dir);
    free(path);
}

static void refused(void **state) {
    (void)state;
    at_predict_opts o = {0};
    assert_int_equal(at_predict_tta(&o, "flop", NULL), AT_ERR_USAGE);
    assert_int_equal(at_predict_tta(&o, "scales=", NULL), AT_ERR_USAGE);
    assert_int_equal(at_predict_tta(&o, "scales=0", NULL), AT_ERR_USAGE);
    assert_int_equal(at_predict_tta(&o, "scales=1,1,1,1,1,1,1,1,1", NULL), AT_ERR_USAGE);
    assert_int_equal(at_predict_tta(&o, "scales=0.5,2,flip", NULL), AT_OK);
    assert_true(o.flip && o.scale_count == 2);
    at_network net = make();
    at_predictor *p;
    assert_int_equal(at_predictor_new(&p, &net, (at_predict_opts){.tile = 100}, NULL),
                     AT_ERR_USAGE);
    assert_int_equal(
        at_predictor_new(&p, &net, (at_predict_opts){.tile = 128, .overlap = 65}, NULL),
        AT_ERR_USAGE);
    at_network_free(&net);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(tiles_equal_whole),
                                       cmocka_unit_test(weights_add_up),
                                       cmocka_unit_test(flip_and_scales),
                                       cmocka_unit_test(resize_is_undone),
                                       cmocka_unit_test(files),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
