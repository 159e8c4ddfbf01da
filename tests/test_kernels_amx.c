/* SPDX-License-Identifier: MIT */
/* The AMX kernel over tiles made of plain C, on any machine: every tile height, whole and partial
 * panels, several taps, pieces of channels, both kinds of output; against sums in double. Where
 * there is AMX, test_kernels_conv runs the same kernel on the real tiles. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define AT_TILES_EMULATED
#define at_conv_dot_amx conv_dot_emulated
#include "nn/kernels/amx/dot.c" /* NOLINT(bugprone-suspicious-include): over other tiles */
#include "nn/nn.h"
#include "tests/near.h"

enum { TAPS = 2, MOST_K = 72, LD = MOST_K + 3, OUT_LD = NR + 2, PIXELS = MR + 4 };

static uint16_t a[PIXELS * LD + MOST_K], w[TAPS * MOST_K * NR], narrow[MR * OUT_LD];
static float wide[MR * OUT_LD], bias[NR];
static const ptrdiff_t tap_a[TAPS] = {LD, 0};

static double truth(const at_conv_tile *t, int i, int j, double before) {
    double sum = t->bias ? t->bias[j] : 0;
    for (int s = 0; s < TAPS; s++)
        for (int l = 0; l < t->k; l++)
            sum += (double)at_bf16_widened(a[t->tap_a[s] + i * LD + l]) *
                   at_bf16_widened(w[t->tap_w[s] + (l / 2 * NR + j) * 2 + l % 2]);
    if (t->add) sum += before;
    return t->relu && sum < 0 ? 0 : sum;
}

static void check(int m, int n, int k, int variant) {
    at_rng r = at_rng_make(7, AT_RNG_TEST, (uint64_t)variant, 0);
    ptrdiff_t tap_w[TAPS] = {(ptrdiff_t)k * NR, 0};
    at_conv_tile t = {.out_ld = OUT_LD, .a = a, .a_ld = LD, .tap_a = tap_a, .tap_w = tap_w, .w = w};
    t.taps = TAPS, t.k = k, t.m = m, t.n = n;
    t.bf16 = variant & 1, t.add = variant >> 1 & 1, t.relu = variant >> 2 & 1;
    t.bias = variant & 8 ? bias : NULL;
    t.out = t.bf16 ? (void *)narrow : (void *)wide;
    for (size_t i = 0; i < sizeof a / sizeof *a; i++) a[i] = at_bf16_narrowed(at_rng_normal(&r));
    for (size_t i = 0; i < sizeof w / sizeof *w; i++) w[i] = at_bf16_narrowed(at_rng_normal(&r));
    for (int i = 0; i < MR * OUT_LD; i++)
        wide[i] = (float)(i % 5), narrow[i] = at_bf16_narrowed(wide[i]);
    for (int j = 0; j < NR; j++) bias[j] = (float)j;
    conv_dot_emulated(&t);
    for (int i = 0; i < MR; i++)
        for (int j = 0; j < OUT_LD; j++) {
            int at = i * OUT_LD + j;
            double want = i < m && j < n ? truth(&t, i, j, at % 5) : at % 5;
            double got = t.bf16 ? at_bf16_widened(narrow[at]) : wide[at];
            assert_near(got, want, t.bf16 ? 0.01 * (1 + fabs(want)) : 1e-4);
        }
}

static void test_tiles(void **state) {
    static const int channels[] = {2, 16, 32, 48, 64, MOST_K}, columns[] = {1, 16, 17, NR};
    (void)state;
    for (int m = 1; m <= MR; m++)
        for (int i = 0; i < 24; i++) check(m, columns[i % 4], channels[i % 6], i % 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tiles)};
    return cmocka_run_group_tests_name("kernels_amx", tests, NULL, NULL);
}
