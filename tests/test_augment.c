/* SPDX-License-Identifier: MIT */
/* Augmentation: image and mask see the same map, identity copies, flips are flips, draws depend on
 * the stream alone, and jitter does what its name says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "data/data.h"

enum { W = 23, H = 17, N = W * H };
static const double zero[4] = {0, 0, 0, 0}, unit[4] = {1 / 255.0, 1 / 255.0, 1 / 255.0, 1 / 255.0};

/* Values stay 0 .. 255 with mean 0 and std 1/255. */
static void apply(const at_augment *a, uint64_t key, const at_image *in, const uint8_t *mask,
                  at_pair size, float *out, uint8_t *ids) {
    at_rng rng = at_rng_make(7, AT_RNG_AUGMENT, 0, key);
    assert_int_equal(at_augment_apply(a, rng, in, mask, zero, unit, size, out, ids, NULL), AT_OK);
}

static at_image noise(int channels, uint8_t *data) {
    at_rng rng = at_rng_make(3, AT_RNG_TEST, (uint64_t)channels, 0);
    for (int i = 0; i < N * channels; i++) data[i] = (uint8_t)at_rng_below(&rng, 256);
    return (at_image){W, H, channels, data};
}

static void identity_copies_and_normalises(void **state) {
    (void)state;
    uint8_t data[N * 3], ids[N];
    float out[N * 3];
    at_image in = noise(3, data);
    static const double mean[4] = {0.4, 0.5, 0.6, 0}, std[4] = {0.2, 0.25, 0.3, 1};
    at_rng rng = at_rng_make(1, AT_RNG_AUGMENT, 0, 0);
    assert_int_equal(at_augment_apply(&(at_augment){0}, rng, &in, data, mean, std, (at_pair){H, W},
                                      out, ids, NULL),
                     AT_OK);
    assert_memory_equal(ids, data, N);
    for (int i = 0; i < N * 3; i++)
        assert_true(fabs(out[i] - (data[i] / 255.0 - mean[i % 3]) / std[i % 3]) < 1e-5);
}

static void flips_turn_round(void **state) {
    (void)state;
    uint8_t data[N * 3], ids[N], again[N];
    float out[N * 3];
    at_image in = noise(3, data);
    for (int k = 0; k < 3; k++) {
        at_augment a = {.hflip = k != 1, .vflip = k != 0};
        apply(&a, 1, &in, data, (at_pair){H, W}, out, ids);
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                int u = k != 1 ? W - 1 - x : x, v = k != 0 ? H - 1 - y : y;
                assert_int_equal(ids[y * W + x], data[v * W + u]);
                for (int c = 0; c < 3; c++)
                    assert_true(fabsf(out[(y * W + x) * 3 + c] - data[(v * W + u) * 3 + c]) <
                                1e-3f);
            }
        apply(&a, 2, &in, ids, (at_pair){H, W}, out, again);
        assert_memory_equal(again, data, N);
    }
}

/* A crop is a piece of the picture where it lies, and padding is the mean and AT_IGNORE. */
static void crops_and_pads(void **state) {
    (void)state;
    uint8_t data[N], ids[30 * 40];
    float out[30 * 40];
    at_image in = noise(1, data);
    bool moved = false;
    for (uint64_t key = 0; key < 20; key++) {
        apply(&(at_augment){0}, key, &in, data, (at_pair){10, 40}, out, ids);
        int first = 0, top = 0, inside = 0;
        while (ids[first] == AT_IGNORE && out[first] == 0) first++;
        while (top < H - 10 && data[top * W] != ids[first]) top++;
        moved = moved || top > 0;
        for (int y = 0; y < 10; y++)
            for (int x = 0; x < 40; x++) {
                bool in_picture = x >= first && x < first + W;
                inside += in_picture;
                float want = in_picture ? (float)data[(top + y) * W + x - first] : 0;
                assert_true(fabsf(out[y * 40 + x] - want) < 1e-3f);
                assert_int_equal(ids[y * 40 + x],
                                 in_picture ? data[(top + y) * W + x - first] : AT_IGNORE);
            }
        assert_int_equal(inside, 10 * W);
    }
    assert_true(moved);
}

/* A smooth ramp with ids that tell its rows and columns: whatever the map, pixel values and ids
 * must speak of the same place, to half a pixel. */
static void image_and_mask_stay_together(void **state) {
    (void)state;
    enum { S = 60, T = 48 };
    static uint8_t data[S * S * 3], mask[S * S], ids[T * T];
    static float out[T * T * 3];
    for (int y = 0; y < S; y++)
        for (int x = 0; x < S; x++) {
            data[(y * S + x) * 3] = (uint8_t)(4 * x);
            data[(y * S + x) * 3 + 1] = (uint8_t)(4 * y);
            mask[y * S + x] = (uint8_t)(x / 4 * 15 + y / 4); /* 15 x 15 cells */
        }
    at_image in = {S, S, 3, data};
    at_augment a = {.scale_min = 0.5, .scale_max = 2, .hflip = 0.5, .vflip = 0.5, .rotate = 180};
    int64_t inside = 0, outside = 0;
    for (uint64_t key = 0; key < 50; key++) {
        apply(&a, key, &in, mask, (at_pair){T, T}, out, ids);
        for (int p = 0; p < T * T; p++) {
            if (ids[p] == AT_IGNORE) {
                assert_true(out[3 * p] == 0 && out[3 * p + 1] == 0);
                outside++;
                continue;
            }
            float x = out[3 * p] / 4, y = out[3 * p + 1] / 4; /* of the pixel's centre, minus 0.5 */
            int cx = ids[p] / 15, cy = ids[p] % 15;
            assert_true(x > 4 * (float)cx - 0.51f && x < 4 * (float)cx + 3.51f);
            assert_true(y > 4 * (float)cy - 0.51f && y < 4 * (float)cy + 3.51f);
            inside++;
        }
    }
    assert_true(inside > outside && outside > 0);
}

static void scale_is_a_scale(void **state) {
    (void)state;
    uint8_t data[N], ids[N * 4];
    float out[N * 4];
    at_image in = noise(1, data);
    apply(&(at_augment){.scale_min = 2, .scale_max = 2}, 0, &in, data, (at_pair){2 * H, 2 * W}, out,
          ids);
    for (int y = 0; y < 2 * H; y++)
        for (int x = 0; x < 2 * W; x++) {
            assert_int_equal(ids[y * 2 * W + x], data[y / 2 * W + x / 2]);
            double sx = fmin(fmax((x + 0.5) / 2 - 0.5, 0), W - 1),
                   sy = fmin(fmax((y + 0.5) / 2 - 0.5, 0), H - 1);
            int x0 = (int)sx, y0 = (int)sy, x1 = x0 + (x0 < W - 1), y1 = y0 + (y0 < H - 1);
            double u = sx - x0, v = sy - y0;
            double want = (1 - v) * ((1 - u) * data[y0 * W + x0] + u * data[y0 * W + x1]) +
                          v * ((1 - u) * data[y1 * W + x0] + u * data[y1 * W + x1]);
            assert_true(fabs(out[y * 2 * W + x] - want) < 1e-3);
        }
}

static void the_stream_decides(void **state) {
    (void)state;
    uint8_t data[N * 3], a_ids[N], b_ids[N];
    float a_out[N * 3], b_out[N * 3];
    at_image in = noise(3, data);
    at_augment a = {0.5, 2, 0.5, 0.5, 20, 0.3, 0.3, 0.3, 0.1},
               geometry = {0.5, 2, 0.5, 0.5, 20, 0, 0, 0, 0};
    apply(&a, 5, &in, data, (at_pair){H, W}, a_out, a_ids);
    apply(&a, 5, &in, data, (at_pair){H, W}, b_out, b_ids);
    assert_memory_equal(a_out, b_out, sizeof a_out);
    assert_memory_equal(a_ids, b_ids, sizeof a_ids);
    apply(&geometry, 5, &in, data, (at_pair){H, W}, b_out,
          b_ids); /* colours don't disturb the rest */
    assert_memory_equal(a_ids, b_ids, sizeof a_ids);
    assert_memory_not_equal(a_out, b_out, sizeof a_out);
    apply(&a, 6, &in, data, (at_pair){H, W}, b_out, b_ids);
    assert_memory_not_equal(a_ids, b_ids, sizeof a_ids);
    /* Turning the scale on, by as good as nothing, changes no other draw. */
    at_augment flips = {.hflip = 0.5, .vflip = 0.5}, scaled = flips;
    scaled.scale_min = 1 - 1e-9;
    scaled.scale_max = 1 + 1e-9;
    for (uint64_t key = 0; key < 20; key++) {
        apply(&flips, key, &in, data, (at_pair){H, W}, a_out, a_ids);
        apply(&scaled, key, &in, data, (at_pair){H, W}, b_out, b_ids);
        assert_memory_equal(a_ids, b_ids, sizeof a_ids);
    }
}

/* The hue, 0 .. 1, by the sector of the largest channel (Smith 1978). */
static double hue(double r, double g, double b) {
    double high = fmax(r, fmax(g, b)), d = high - fmin(r, fmin(g, b));
    double h = high == r ? (g - b) / d : high == g ? 2 + (b - r) / d : 4 + (r - g) / d;
    return fmod(h / 6 + 1, 1);
}

static void colours_are_jittered(void **state) {
    (void)state;
    uint8_t data[N * 3], ids[N];
    float out[N * 3];
    at_image in = noise(3, data);
    for (int i = 0; i < N * 3; i++) data[i] = (uint8_t)(data[i] / 4 + 40); /* never clipped */
    apply(&(at_augment){.brightness = 0.5}, 1, &in, NULL, (at_pair){H, W}, out, ids);
    float f = out[0] / data[0];
    assert_true(f > 0.5f && f < 1.5f && fabsf(f - 1) > 1e-3f);
    for (int i = 0; i < N * 3; i++) assert_true(fabsf(out[i] - f * data[i]) < 1e-2f);
    for (int i = 0; i < N; i++) assert_int_equal(ids[i], AT_IGNORE); /* no mask given */
    /* Saturation leaves the grey of each pixel, hue the largest and smallest channel. */
    apply(&(at_augment){.saturation = 0.9}, 2, &in, NULL, (at_pair){H, W}, out, ids);
    for (int p = 0; p < N; p++) {
        const uint8_t *d = data + 3 * p;
        const float *o = out + 3 * p;
        assert_true(fabs(0.299 * (o[0] - d[0]) + 0.587 * (o[1] - d[1]) + 0.114 * (o[2] - d[2])) <
                    0.01);
    }
    apply(&(at_augment){.hue = 0.5}, 3, &in, NULL, (at_pair){H, W}, out, ids);
    for (int p = 0; p < N; p++) {
        const uint8_t *d = data + 3 * p;
        const float *o = out + 3 * p;
        assert_true(fabs((double)fmaxf(o[0], fmaxf(o[1], o[2])) - fmax(d[0], fmax(d[1], d[2]))) <
                    0.01);
        assert_true(fabs((double)fminf(o[0], fminf(o[1], o[2])) - fmin(d[0], fmin(d[1], d[2]))) <
                    0.01);
    }
    double turn = -1; /* the same for all pixels */
    for (int p = 0; p < N; p++) {
        const uint8_t *d = data + 3 * p;
        const float *o = out + 3 * p;
        if (abs(d[0] - d[1]) + abs(d[1] - d[2]) < 20) continue;
        double t = fmod(hue(o[0], o[1], o[2]) - hue(d[0], d[1], d[2]) + 1, 1);
        if (turn < 0) turn = t;
        assert_true(fabs(remainder(t - turn, 1)) < 1e-3);
    }
    assert_true(turn > 1e-3 && turn < 1 - 1e-3);
    /* Contrast leaves the mean of the grey, and stretches about it. */
    double before = 0, after = 0;
    apply(&(at_augment){.contrast = 0.5}, 4, &in, NULL, (at_pair){H, W}, out, ids);
    for (int p = 0; p < N; p++) {
        before += 0.299 * data[3 * p] + 0.587 * data[3 * p + 1] + 0.114 * data[3 * p + 2];
        after += 0.299 * out[3 * p] + 0.587 * out[3 * p + 1] + 0.114 * out[3 * p + 2];
    }
    assert_true(fabs(before - after) / N < 0.01 && fabsf(out[0] - data[0]) > 0.01f);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(identity_copies_and_normalises),
                                       cmocka_unit_test(flips_turn_round),
                                       cmocka_unit_test(crops_and_pads),
                                       cmocka_unit_test(image_and_mask_stay_together),
                                       cmocka_unit_test(scale_is_a_scale),
                                       cmocka_unit_test(the_stream_decides),
                                       cmocka_unit_test(colours_are_jittered)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
