/* SPDX-License-Identifier: MIT */
/* Transposition and pixel shuffle kernels of every level against the naive ones, bit for bit:
 * channel and sub-pixel counts around the vector's, unaligned slices, whose other elements must stay
 * as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"

enum {
    PIXELS = 3,
    MAX_C = 19,
    MAX_R = 5,
    MAX_Q = MAX_R * MAX_R,
    GAP = 2,
    HIGH = (PIXELS + 1) * MAX_Q * (MAX_C + GAP),
    LOW = (PIXELS + 1) * (MAX_Q * MAX_C + GAP)
};

typedef struct tensors {
    float low[LOW], high[HIGH];
} tensors;

static void run(const at_kernels *k, tensors *t, int c, int r, bool add) {
    ptrdiff_t place[MAX_Q], ld = c + GAP;
    int q = r * r;
    for (int i = 0; i < LOW; i++) t->low[i] = (float)i;
    for (int i = 0; i < HIGH; i++) t->high[i] = (float)-i;
    for (int i = 0; i < q; i++) place[i] = (i / r * PIXELS * r + i % r) * ld;
    k->pixel_shuffle(t->high + 1, r * ld, place, t->low + 3, q * c + GAP, PIXELS, c, q);
    for (int i = 0; i < HIGH; i++) t->high[i] += (float)(i % 7);
    k->dpixel_shuffle(t->low + 1, q * c + GAP, t->high + 2, r * ld, place, PIXELS, c, q, add);
}

static void test_levels(void **state) {
    static const int channels[] = {1, 2, 4, 11, 16, MAX_C};
    static tensors want, got;
    (void)state;
    for (int i = 0; i < 6; i++)
        for (int r = 1; r <= MAX_R; r++)
            for (int l = 1; at_kernels_level(l) != NULL; l++) {
                run(at_kernels_level(0), &want, channels[i], r, i % 2);
                run(at_kernels_level(l), &got, channels[i], r, i % 2);
                assert_memory_equal(&got, &want, sizeof got);
            }
}

/* Against the definition; what lies between the rows of the result stays. */
static void test_transpose(void **state) {
    enum { MOST = 37, LD = MOST + 3 };
    static const int sizes[] = {1, 3, 4, 8, 15, 16, 17, MOST};
    static float x[MOST * LD], y[MOST * LD];
    (void)state;
    for (int i = 0; i < MOST * LD; i++) x[i] = (float)i;
    for (int l = 0; at_kernels_level(l) != NULL; l++)
        for (int i = 0; i < 64; i++) {
            int rows = sizes[i / 8], cols = sizes[i % 8];
            for (int j = 0; j < MOST * LD; j++) y[j] = -1;
            at_kernels_level(l)->transpose(y, LD, x, LD, rows, cols);
            for (int j = 0; j < MOST * LD; j++) {
                bool in = j / LD < cols && j % LD < rows;
                assert_true(y[j] == (in ? x[j % LD * LD + j / LD] : -1));
            }
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels),
                                       cmocka_unit_test(test_transpose)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
