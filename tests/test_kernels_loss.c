/* SPDX-License-Identifier: MIT */
/* Loss kernels of every level against the naive ones in double: class and pixel counts around the
 * vector's, unaligned slices whose other elements must stay as they are, logits far apart, labels
 * that don't count, whose logits may be anything. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"

enum { PIXELS = 37, MAX_C = 255, GAP = 3, SIZE = (PIXELS + 1) * (MAX_C + GAP), IGNORED = 200 };

typedef struct results {
    double loss[3], prob[MAX_C], inter[MAX_C];
    int64_t count[256];
    float lse[3][PIXELS + 2], slope[PIXELS + 2], dx[3][SIZE];
} results;

static const float zeros[256];
static float x[SIZE], hit[256], smooth[256], weight[256], base[256], extra[256];
static uint8_t label[PIXELS];

static float number(float scale) {
    return scale * (float)(rand() % 2001 - 1000) / 1000;
}

static void fill(int c, int ld) {
    srand(c);
    for (int k = 0; k < 256; k++) {
        weight[k] = 1 + number(0.9f);
        hit[k] = k == IGNORED || k >= c ? 0 : weight[k];
        smooth[k] = hit[k] != 0 ? 0.1f : 0;
        base[k] = number(1);
        extra[k] = number(1);
    }
    for (int i = 0; i < PIXELS; i++) {
        label[i] = i % 5 == 3 ? IGNORED : (uint8_t)(rand() % c);
        for (int k = 0; k < ld; k++) x[i * ld + k] = number(i % 7 ? 4 : 85);
        if (label[i] == IGNORED) x[i * ld + rand() % c] = NAN;
    }
}

static void run(const at_kernels *k, results *r, int pixels, int c, bool add, int gap) {
    int ld = c + gap;
    at_label_table t = {hit, smooth, weight, 0};
    memset(r, 0, sizeof *r);
    for (int j = 0; j < c; j++) t.weight_sum += weight[j];
    for (int i = 0; i < SIZE; i++) r->dx[0][i] = r->dx[1][i] = r->dx[2][i] = (float)(i % 9);
    k->count_labels(r->count, label, pixels);
    r->loss[0] = k->cross_entropy(r->lse[0] + 1, x, ld, label, &t, pixels, c);
    r->loss[1] = k->focal(r->lse[1] + 1, r->slope + 1, x, ld, label, hit, 1.5f, pixels, c);
    k->dice_sums(r->lse[2] + 1, r->prob, r->inter, x, ld, label, hit, pixels, c);
    k->dcross_entropy(r->dx[0] + 1, ld, x, ld, r->lse[0] + 1, NULL, label, &t, pixels, c, add);
    k->ddice(r->dx[1] + 1, ld, x, ld, r->lse[0] + 1, label, hit, base, extra, pixels, c, add);
    t.weight = NULL;
    t.smooth = zeros;
    r->loss[2] = k->cross_entropy(r->lse[2] + 1, x, ld, label, &t, pixels, c);
    k->dcross_entropy(r->dx[2] + 1, ld, x, ld, r->lse[1] + 1, r->slope + 1, label, &t, pixels, c,
                      add);
}

static void close_to(const char *what, double got, double want, int i) {
    if (isnan(got) && isnan(want)) return;
    if (!(fabs(got - want) <= 4e-6 * (1 + fabs(want))))
        fail_msg("%s[%d]: %.9g, not %.9g", what, i, got, want);
}

static void compare(const results *a, const results *b) {
    for (int i = 0; i < 3; i++) {
        close_to("loss", a->loss[i], b->loss[i], i);
        for (int j = 0; j < SIZE; j++) close_to("dx", a->dx[i][j], b->dx[i][j], j);
        for (int j = 0; j < PIXELS + 2; j++) close_to("lse", a->lse[i][j], b->lse[i][j], j);
    }
    for (int j = 0; j < PIXELS + 2; j++) /* where the label counts */
        if (j == 0 || j > PIXELS || label[j - 1] != IGNORED)
            close_to("slope", a->slope[j], b->slope[j], j);
    for (int j = 0; j < MAX_C; j++) close_to("prob", a->prob[j], b->prob[j], j);
    for (int j = 0; j < MAX_C; j++) close_to("inter", a->inter[j], b->inter[j], j);
    assert_memory_equal(a->count, b->count, sizeof a->count);
}

static void test_levels(void **state) {
    static const int channels[] = {1, 2, 3, 8, 11, 16, 19, 64, MAX_C};
    static const int pixels[] = {0, 1, 5, 16, PIXELS};
    static results want, got;
    (void)state;
    for (size_t i = 0; i < 2 * sizeof channels / sizeof *channels; i++) {
        int c = channels[i / 2], gap = i % 2 ? GAP : 0;
        fill(c, c + gap);
        for (size_t j = 0; j < sizeof pixels / sizeof *pixels; j++)
            for (int l = 1; at_kernels_level(l) != NULL; l++) {
                run(at_kernels_level(0), &want, pixels[j], c, j % 2, gap);
                run(at_kernels_level(l), &got, pixels[j], c, j % 2, gap);
                compare(&got, &want);
            }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
