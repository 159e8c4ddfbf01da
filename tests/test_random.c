/* SPDX-License-Identifier: MIT */
/* Philox against the known answers of Random123's kat_vectors, distributions by statistics whose
 * bounds are five standard deviations wide (the numbers are fixed, so this passes or fails for
 * ever). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/random.h"

static void known_answers(void **state) {
    (void)state;
    static const uint32_t vectors[][10] = {
        /* counter, key, answer */
        {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
        {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd},
        {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09,
         0x94fdcceb, 0x5001e420, 0x24126ea1},
    };
    for (int i = 0; i < 3; i++) {
        at_rng r = {.used = 4};
        memcpy(r.counter, vectors[i], sizeof r.counter);
        memcpy(r.key, vectors[i] + 4, sizeof r.key);
        for (int j = 0; j < 4; j++) assert_int_equal(at_rng_u32(&r), vectors[i][6 + j]);
        assert_int_equal(r.counter[0], vectors[i][0] + 1); /* the next block follows */
    }
}

static uint32_t first(uint64_t seed, at_purpose purpose, uint64_t a, uint64_t b) {
    at_rng r = at_rng_make(seed, purpose, a, b);
    return at_rng_u32(&r);
}

/* Every part of a stream's name matters, its upper half too, and the same name gives the same. */
static void streams(void **state) {
    (void)state;
    const uint64_t high = (uint64_t)1 << 32;
    const uint32_t words[] = {
        first(1, AT_RNG_INIT, 2, 3),        first(2, AT_RNG_INIT, 2, 3),
        first(1, AT_RNG_DROPOUT, 2, 3),     first(1, AT_RNG_INIT, 3, 3),
        first(1, AT_RNG_INIT, 2, 4),        first(1 + high, AT_RNG_INIT, 2, 3),
        first(1, AT_RNG_INIT, 2 + high, 3), first(1, AT_RNG_INIT, 2, 3 + high),
        first(1, AT_RNG_INIT, 3, 2),
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (size_t j = 0; j < i; j++) assert_int_not_equal(words[i], words[j]);
    assert_int_equal(first(1, AT_RNG_INIT, 2, 3), words[0]);
}

static void jumping(void **state) {
    (void)state;
    at_rng r = at_rng_make(5, AT_RNG_TEST, 0, 0), jumped = r;
    for (int i = 0; i < 4 * 10; i++) at_rng_u32(&r);
    jumped.counter[0] = 10;
    jumped.used = 4;
    for (int i = 0; i < 9; i++) assert_int_equal(at_rng_u32(&jumped), at_rng_u32(&r));
}

static void uniform(void **state) {
    (void)state;
    enum { N = 200000, BINS = 100 };
    at_rng r = at_rng_make(1, AT_RNG_TEST, 0, 0);
    int bins[BINS] = {0};
    double sum = 0;
    for (int i = 0; i < N; i++) {
        float u = at_rng_uniform(&r);
        assert_true(u >= 0 && u < 1);
        sum += u;
        bins[(int)(u * BINS)]++;
    }
    assert_true(fabs(sum / N - 0.5) < 5 * sqrt(1.0 / 12 / N));
    double chi = 0, expected = (double)N / BINS;
    for (int i = 0; i < BINS; i++) chi += (bins[i] - expected) * (bins[i] - expected) / expected;
    assert_true(fabs(chi - (BINS - 1)) < 5 * sqrt(2.0 * (BINS - 1)));
}

static void range_excludes_high(void **state) {
    (void)state;
    at_rng r = at_rng_make(1, AT_RNG_TEST, 1, 0);
    float high =
        nextafterf(1, 2); /* one step above low: half of all numbers would round up to it */
    for (int i = 0; i < 1000; i++) assert_true(at_rng_range(&r, 1, high) == 1);
    for (int i = 0; i < 1000; i++) {
        float v = at_rng_range(&r, -3, 2);
        assert_true(v >= -3 && v < 2);
    }
}

static void normal(void **state) {
    (void)state;
    enum { N = 200000 };
    at_rng r = at_rng_make(1, AT_RNG_TEST, 2, 0);
    double m[5] = {0};
    for (int i = 0; i < N; i++) {
        double v = at_rng_normal(&r);
        assert_true(isfinite(v));
        for (int k = 1; k < 5; k++) m[k] += pow(v, k) / N;
    }
    assert_true(fabs(m[1]) < 5 * sqrt(1.0 / N));
    assert_true(fabs(m[2] - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(m[3]) < 5 * sqrt(15.0 / N));
    assert_true(fabs(m[4] - 3) < 5 * sqrt(96.0 / N));
}

static void below(void **state) {
    (void)state;
    enum { N = 60000 };
    at_rng r = at_rng_make(1, AT_RNG_TEST, 3, 0);
    int bins[7] = {0};
    for (int i = 0; i < N; i++) bins[at_rng_below(&r, 7)]++; /* beyond 6 the sanitizer would tell */
    for (int i = 0; i < 7; i++) assert_true(abs(bins[i] - N / 7) < 5 * sqrt(N / 7.0));
    assert_int_equal(at_rng_below(&r, 1), 0);
    /* 3 * 2^30: a plain multiplication would give multiples of 3 twice as often as the others */
    int thirds[3] = {0};
    for (int i = 0; i < N; i++) thirds[at_rng_below(&r, 3u << 30) % 3]++;
    for (int i = 0; i < 3; i++) assert_true(abs(thirds[i] - N / 3) < 5 * sqrt(N / 3.0));
}

/* All orders of four items come up alike. */
static void shuffle(void **state) {
    (void)state;
    enum { N = 24000 };
    at_rng r = at_rng_make(1, AT_RNG_TEST, 4, 0);
    int seen[256] = {0}, orders = 0;
    for (int i = 0; i < N; i++) {
        int items[4] = {0, 1, 2, 3};
        at_rng_shuffle(&r, items, 4);
        seen[items[0] * 64 + items[1] * 16 + items[2] * 4 + items[3]]++;
    }
    for (int i = 0; i < 256; i++) {
        if (!seen[i]) continue;
        orders++;
        assert_true(abs(seen[i] - N / 24) < 5 * sqrt(N / 24.0));
    }
    assert_int_equal(orders, 24);
    at_rng_shuffle(&r, NULL, 0);
}

/* Test vectors of the FNV reference code. */
static void hash(void **state) {
    (void)state;
    assert_true(at_hash("") == 0xcbf29ce484222325);
    assert_true(at_hash("a") == 0xaf63dc4c8601ec8c);
    assert_true(at_hash("foobar") == 0x85944171f73967e8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(streams),
        cmocka_unit_test(jumping),
        cmocka_unit_test(uniform),
        cmocka_unit_test(range_excludes_high),
        cmocka_unit_test(normal),
        cmocka_unit_test(below),
        cmocka_unit_test(shuffle),
        cmocka_unit_test(hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
