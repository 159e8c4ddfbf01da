/* SPDX-License-Identifier: MIT */
/* Checkerboard measures where the answer is known: taps counted by hand, kernels that cannot and
 * that must leave a pattern, tones in the logits, errors in one phase only. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

static const at_pair plain = {1, 1};

static at_pair both(int n) {
    return (at_pair){n, n};
}

static double overlap(int kernel, int stride) {
    return at_overlap_unevenness(both(kernel), both(stride), plain);
}

static void overlaps(void **state) {
    (void)state;
    assert_near(overlap(2, 2) + overlap(4, 2) + overlap(8, 2) + overlap(3, 3) + overlap(6, 3), 0,
                0);
    /* Phases get 2 and 1 taps along an axis: 4, 2, 2, 1 in two dimensions, mean 9 / 4. */
    assert_near(overlap(3, 2), sqrt(25 / 4.0 - 81 / 16.0) / 2.25, 1e-12);
    /* 3 and 2: 9, 6, 6, 4 (DCGAN's kernel), mean 25 / 4. */
    assert_near(overlap(5, 2), sqrt(169 / 4.0 - 625 / 16.0) / 6.25, 1e-12);
    assert_near(at_overlap_unevenness((at_pair){3, 4}, both(2), plain), 1 / 3.0, 1e-12);
    /* Dilated by the stride, all taps fall on one phase of each axis: 1, 0, 0, 0 times the rest. */
    assert_near(at_overlap_unevenness(both(2), both(2), both(2)), sqrt(3), 1e-12);
}

/* Ones spread as their taps overlap; interpolation does not; a lone weight has all in one phase of
 * four, whose mean is a quarter and whose variance is 3 / 16. */
static void kernels(void **state) {
    (void)state;
    float ones[2 * 9], bilinear[16], lone[2 * 4] = {[1] = 2, [6] = -3}, zero[4] = {0};
    const float axis[4] = {0.25f, 0.75f, 0.75f, 0.25f}, opposed[4] = {1, -1, -1, 1};
    for (int i = 0; i < 18; i++) ones[i] = i < 9 ? 1 : -2;
    for (int i = 0; i < 16; i++) bilinear[i] = axis[i / 4] * axis[i % 4];
    assert_near(at_polyphase_spread(ones, 2, both(3), both(2), plain), overlap(3, 2), 1e-12);
    assert_near(at_polyphase_spread(bilinear, 1, both(4), both(2), plain), 0, 0);
    assert_near(at_polyphase_spread(lone, 2, both(2), both(2), plain), sqrt(3), 1e-12);
    assert_true(isnan(at_polyphase_spread(zero, 1, both(2), both(2), plain)));
    assert_true(isinf(at_polyphase_spread(opposed, 1, both(2), both(2), plain)));
}

/* ---- the graph's operators ---- */

static void set(const at_graph *g, const char *name, float (*value)(int i)) {
    const at_param *p = at_graph_find_param(g, name);
    float *w = malloc((size_t)p->count * sizeof *w);
    assert_non_null(w);
    for (int i = 0; i < p->count; i++) w[i] = value(i);
    at_param_import(p, w, at_graph_values(g));
    free(w);
}

static float one(int i) {
    (void)i;
    return 1;
}

/* PyTorch's order [8][2][1][1]: output channel c of phase p is 4 c + p. Phases differ: 1, 2, 3, 4,
 * whose mean is 5 / 2 and variance 5 / 4. */
static float by_phase(int i) {
    return (float)(i / 2 % 4 + 1);
}

static void operators(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    at_upsampler *list;
    int count;
    at_node *x = at_input(g, "image", 2);
    x = at_conv_transpose2d(
        g, "up", x,
        (at_conv_transpose2d_opts){
            .channels = 2, .kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}});
    x = at_conv_transpose2d(g, "same", x,
                            (at_conv_transpose2d_opts){.channels = 2, .kernel = {3, 3}});
    x = at_conv2d(g, "expand", x, (at_conv2d_opts){.channels = 8, .kernel = {1, 1}});
    at_graph_set_output(g, at_pixel_shuffle(g, "shuffle", x, 2));
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    set(g, "up.weight", one);
    set(g, "expand.weight", by_phase);
    assert_int_equal(at_upsamplers(g, &list, &count, NULL), AT_OK);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].node, "up");
    assert_int_equal(list[0].kernel.h, 3);
    assert_near(list[0].overlap, overlap(3, 2), 1e-12);
    assert_near(list[0].polyphase, overlap(3, 2), 1e-12);
    assert_string_equal(list[1].op, "pixel_shuffle");
    assert_int_equal(list[1].stride.w, 2);
    assert_near(list[1].overlap, 0, 0);
    assert_near(list[1].polyphase, sqrt(1.25) / 2.5, 1e-12);
    free(list);
    at_graph_free(g);
}

/* ---- what the output shows ---- */

enum { H = 40, W = 96 };
static float prob[H * W * 2];
static uint8_t truth[H * W], guess[H * W];

/* Logits z and -z that change along the row only. */
static void tones(double (*z)(int x)) {
    for (int i = 0; i < H * W; i++) {
        const double v = z(i % W), p = 1 / (1 + exp(-2 * v));
        prob[2 * i] = (float)p;
        prob[2 * i + 1] = (float)(1 - p);
    }
}

/* Amplitude 1 at the frequency 1 / 2, amplitude 1 / 2 three bins below it and nothing else. Hann's
 * window gives N / 2 to the first in its bin, N / 8 to the other in its own and half of that, with
 * the other sign, in the next: power 1 / 4 over the mean of 1 / 64, 1 / 64, 1 / 256, 1 / 256. */
static double half_tone(int x) {
    const double turn = 2 * acos(-1.0);
    return cos(turn * x / 2) + 0.5 * cos(turn * x * (W / 2 - 3) / W);
}

/* The same at 1 / 4, whose neighbours on the other side are empty: amplitude a is a N / 4 there. */
static double quarter_tone(int x) {
    const double turn = 2 * acos(-1.0);
    return cos(turn * x / 4) + cos(turn * x * (W / 4 + 4) / W);
}

static void peaks(void **state) {
    (void)state;
    at_checkerboard c;
    for (int i = 0; i < H * W; i++) truth[i] = guess[i] = 255;
    assert_int_equal(at_checkerboard_init(&c, 4, NULL), AT_OK);
    tones(half_tone);
    assert_int_equal(at_checkerboard_add(&c, truth, guess, prob, 2, H, W, NULL), AT_OK);
    assert_near(at_spectral_peak(&c, 2), 25.6, 1e-3);
    at_checkerboard_free(&c);
    assert_int_equal(at_checkerboard_init(&c, 4, NULL), AT_OK);
    tones(quarter_tone);
    assert_int_equal(at_checkerboard_add(&c, truth, guess, prob, 2, H, W, NULL), AT_OK);
    /* 1 / 16 over a quarter of 1 / 16 + 1 / 64 */
    assert_near(at_spectral_peak(&c, 4), 3.2, 1e-3);
    assert_true(isnan(at_phase_gap(&c, 2)));
    at_checkerboard_free(&c);
}

/* White noise has no peak. With every second row lifted by 1, the logits alternate by 1 / 4 on
 * noise of 1 / 4: in columns of 40 the power is 1 + 2 40 / 3 times the noise's; rows, of power 96 to
 * 40, show nothing. Together (96 + 40 27.7) / 136 = 8.8. */
static void noise(void **state) {
    (void)state;
    at_rng r = at_rng_make(5, AT_RNG_TEST, 0, 0);
    at_checkerboard c;
    for (int lifted = 0; lifted < 2; lifted++) {
        assert_int_equal(at_checkerboard_init(&c, 2, NULL), AT_OK);
        for (int k = 0; k < 8; k++) {
            for (int i = 0; i < H * W; i++) {
                const double v = (double)at_rng_normal(&r) / 2 + (lifted ? i / W % 2 : 0);
                prob[2 * i] = (float)(1 / (1 + exp(-v)));
                prob[2 * i + 1] = 1 - prob[2 * i];
            }
            assert_int_equal(at_checkerboard_add(&c, truth, guess, prob, 2, H, W, NULL), AT_OK);
        }
        const double peak = at_spectral_peak(&c, 2);
        if (lifted ? !(peak > 7 && peak < 11) : !(peak > 0.8 && peak < 1.25)) fail_msg("%g", peak);
        at_checkerboard_free(&c);
    }
}

/* Wrong at (1, 0) modulo 2 alone, and of those only in every second column of blocks: 0.5 there
 * modulo 2, 0 modulo 4. The last column lies outside whole blocks and doesn't count. */
static void phases(void **state) {
    (void)state;
    enum { H2 = 8, W2 = 17 };
    uint8_t t[H2 * W2], p[H2 * W2];
    float even[H2 * W2 * 2];
    at_checkerboard c, other;
    for (int i = 0; i < H2 * W2; i++) {
        const int y = i / W2, x = i % W2;
        t[i] = 0;
        p[i] = (y % 2 == 1 && x % 4 == 0) || x == 16;
        even[2 * i] = even[2 * i + 1] = 0.5f;
    }
    t[3 * W2 + 3] = 255;
    assert_int_equal(at_checkerboard_init(&c, 4, NULL), AT_OK);
    assert_int_equal(at_checkerboard_init(&other, 4, NULL), AT_OK);
    assert_int_equal(at_checkerboard_add(&c, t, p, even, 2, H2, W2, NULL), AT_OK);
    assert_near(at_phase_gap(&c, 2), 0.5, 0);
    assert_near(at_phase_gap(&c, 4), 1, 0);
    assert_int_equal(c.pixels[0], 8);
    assert_int_equal(c.pixels[15], 7);
    assert_true(isnan(at_spectral_peak(&c, 2))); /* too small a picture */
    at_checkerboard_merge(&other, &c);
    assert_memory_equal(other.hits, c.hits, 16 * sizeof *c.hits);
    at_checkerboard_free(&other);
    at_checkerboard_free(&c);
}

static void without_grid(void **state) {
    (void)state;
    at_checkerboard c;
    assert_int_equal(at_checkerboard_init(&c, 1, NULL), AT_OK);
    assert_int_equal(at_checkerboard_add(&c, truth, guess, prob, 2, H, W, NULL), AT_OK);
    assert_int_equal(c.pixels[0], 0);
    at_checkerboard_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(overlaps),    cmocka_unit_test(kernels),
                                       cmocka_unit_test(operators),   cmocka_unit_test(peaks),
                                       cmocka_unit_test(noise),       cmocka_unit_test(phases),
                                       cmocka_unit_test(without_grid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
