/* SPDX-License-Identifier: MIT */
/* Optimiser kernels and argmax of every level against the naive twins, at awkward counts and
 * alignments, with a guard behind each array. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"
#include "nn/nn.h"
#include "tests/near.h"

enum { MOST = 147, GUARD = 8 };
static const int counts[] = {0, 1, 3, 16, 31, 33, 64, 131};

typedef struct arrays {
    float w[MOST], m[MOST], v[MOST], g[MOST];
} arrays;

static arrays fill(uint64_t seed) {
    arrays a;
    at_rng r = at_rng_make(seed, AT_RNG_TEST, 0, 0);
    for (int i = 0; i < MOST; i++) {
        a.w[i] = at_rng_normal(&r), a.m[i] = at_rng_normal(&r), a.g[i] = at_rng_normal(&r);
        a.v[i] = at_rng_uniform(&r);
    }
    return a;
}

static void close_enough(const float *got, const float *want) {
    for (int i = 0; i < MOST; i++) assert_near(got[i], want[i], 3e-6 * (1 + fabs((double)want[i])));
}

static void update(arrays *a, const at_kernels *k, int kind, int count) {
    at_update u = {.w = a->w + 1,
                   .m = a->m + 1,
                   .v = a->v + 1,
                   .g = a->g + 1,
                   .count = count,
                   .scale = 0.5f,
                   .decay = 0.02f,
                   .shrink = 0.99f,
                   .lr = 0.1f,
                   .beta1 = 0.9f,
                   .beta2 = 0.99f,
                   .rest1 = 0.1f,
                   .rest2 = 0.01f,
                   .root2 = 0.3f,
                   .eps = 1e-4f,
                   .nesterov = kind == 1};
    if (kind < 2)
        k->sgd_step(&u);
    else
        k->adam_step(&u);
}

static void updates(void **state) {
    (void)state;
    for (int l = 1; at_kernels_level(l); l++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++)
            for (int kind = 0; kind < 3; kind++) {
                arrays want = fill(7), got = want;
                update(&want, at_kernels_level(0), kind, counts[c]);
                update(&got, at_kernels_level(l), kind, counts[c]);
                close_enough(got.w, want.w);
                close_enough(got.m, want.m);
                close_enough(got.v, want.v);
            }
}

static void reductions(void **state) {
    (void)state;
    for (int l = 1; at_kernels_level(l); l++)
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            const at_kernels *k = at_kernels_level(l), *ref = at_kernels_level(0);
            arrays a = fill(3), b = a;
            k->lerp(a.w + 1, a.g + 2, 0.3f, counts[c]);
            ref->lerp(b.w + 1, b.g + 2, 0.3f, counts[c]);
            close_enough(a.w, b.w);
            const double want = ref->sum_squares(a.g + 1, counts[c]);
            assert_near(k->sum_squares(a.g + 1, counts[c]), want, 1e-12 * (1 + want));
        }
}

/* Pixels of 1, 2, 11 and 256 classes, with ties and wide pixels. */
static void best_class(void **state) {
    (void)state;
    static const int classes[] = {1, 2, 11, 16, 40, 256};
    static float x[13 * 260];
    for (int l = 1; at_kernels_level(l); l++)
        for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
            for (int extra = 0; extra < 4; extra += 3) {
                at_rng r = at_rng_make(c, AT_RNG_TEST, 1, 0);
                for (int i = 0; i < 13 * 260; i++) x[i] = (float)at_rng_below(&r, 50) - 25;
                uint8_t want[13 + GUARD], got[13 + GUARD];
                memset(got, 77, sizeof got), memset(want, 77, sizeof want);
                at_kernels_level(0)->argmax(want, x, classes[c], classes[c] + extra, 13);
                at_kernels_level(l)->argmax(got, x, classes[c], classes[c] + extra, 13);
                assert_memory_equal(got, want, sizeof got);
            }
}

int main(void) {
    for (int l = 1; at_kernels_level(l); l++) printf("level %s\n", at_kernels_level(l)->level);
    const struct CMUnitTest tests[] = {cmocka_unit_test(updates), cmocka_unit_test(reductions),
                                       cmocka_unit_test(best_class)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
