/* SPDX-License-Identifier: MIT */
/* Normalisation kernels of every level against the naive ones: channel counts around the vector's,
 * few pixels and many, slices, unaligned; what lies between pixels stays as it is. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"

enum { MAX_C = 70, LD = MAX_C + 10, ROWS = 37, SIZE = (ROWS + 1) * LD, WORK = 4 * MAX_C };

typedef struct arrays {
    _Alignas(64) float out[SIZE];
    float first[MAX_C + 2], second[MAX_C + 2]; /* written */
    float x[SIZE], dy[SIZE], channel[5][MAX_C], work[WORK];
} arrays;

static void fill(float *p, int count, float middle) {
    for (int i = 0; i < count; i++) p[i] = middle + (float)(rand() % 2001 - 1000) / 500;
}

/* The same numbers every time. */
static void fill_all(arrays *to) {
    static arrays filled;
    static bool done;
    arrays *m = &filled;
    if (done) {
        *to = filled;
        return;
    }
    srand(11);
    fill(m->out, SIZE, 0);
    fill(m->first, MAX_C + 2, 0);
    fill(m->second, MAX_C + 2, 0);
    fill(m->x, SIZE, 3);
    fill(m->dy, SIZE, 0);
    for (int i = 0; i < 5; i++) fill(m->channel[i], MAX_C, i == 0 ? 3 : 0);
    done = true;
    *to = filled;
}

enum { KERNELS = 7 };

static void run(const at_kernels *k, int kernel, arrays *m, int64_t rows, int c, ptrdiff_t ld,
                bool relu, bool add) {
    at_dnorm p = {m->channel[0], m->channel[1], m->channel[2], m->channel[3], m->channel[4], relu};
    at_rows out = {m->out + 1, ld}, x = {m->x + 2, ld}, dy = {m->dy + 3, ld};
    at_lrn lrn[] = {
        {2, 2, 0.1f, 0.75f, 1}, {2, 1, 0.3f, 1.5f, 2}, {0, 0, 1, 0.5f, 1}, {9, 9, 0.01f, 0.75f, 1}};
    const at_lrn *l = &lrn[(relu ? 1 : 0) + (add ? 2 : 0)];
    fill_all(m);
    switch (kernel) {
    case 0:
        k->moments(m->first + 1, m->second + 1, x, rows, c);
        break;
    case 1:
        k->scale_shift(out, x, p.scale, p.shift, rows, c, relu, false);
        break;
    case 6: /* written past the caches, where vectors are aligned */
        out.data = m->out;
        k->scale_shift(out, x, p.scale, p.shift, rows, c, relu, true);
        break;
    case 2:
        k->dnorm_sums(m->first + 1, m->second + 1, dy, x, &p, rows, c);
        break;
    case 3:
        k->dnorm(out, dy, x, &p, rows, c, add);
        break;
    case 4:
        k->lrn(out, x, l, m->work, rows, c);
        break;
    case 5:
        k->dlrn(out, dy, x, l, m->work, rows, c, add);
        break;
    default:
        fail();
    }
}

static void assert_close(const char *level, int kernel, int c, const float *got, const float *want,
                         int count) {
    for (int i = 0; i < count; i++)
        if (!(fabsf(got[i] - want[i]) <= 1e-5f * (3 + fabsf(want[i]))))
            fail_msg("%s, kernel %d, %d channels: [%d] is %.9g, not %.9g", level, kernel, c, i,
                     (double)got[i], (double)want[i]);
}

static void compare(int kernel, int c, int variant) {
    static arrays want, got;
    static const int64_t rows[] = {ROWS, 1, 6, 35};
    for (int l = 0; at_kernels_level(l) != NULL; l++) {
        arrays *m = l ? &got : &want;
        const char *level = at_kernels_level(l)->level;
        run(at_kernels_level(l), kernel, m, rows[variant % 4], c, variant & 4 ? LD : c, variant & 1,
            variant & 2);
        assert_close(level, kernel, c, m->out, want.out, SIZE);
        assert_close(level, kernel, c, m->first, want.first, MAX_C + 2);
        assert_close(level, kernel, c, m->second, want.second, MAX_C + 2);
    }
}

static void test_levels(void **state) {
    (void)state;
    for (int kernel = 0; kernel < KERNELS; kernel++)
        for (int c = 1; c <= MAX_C; c += c < 36 ? 1 : 7)
            for (int variant = 0; variant < 8; variant++) compare(kernel, c, variant);
}

static void test_no_pixels(void **state) {
    static arrays before, after;
    (void)state;
    for (int l = 0; at_kernels_level(l) != NULL; l++)
        for (int kernel = 1; kernel < KERNELS; kernel++) {
            if (kernel == 2) continue; /* sums of nothing are written: zeros */
            fill_all(&before);
            run(at_kernels_level(l), kernel, &after, 0, 20, 20, true, false);
            assert_memory_equal(after.out, before.out, sizeof before.out);
        }
}

/* A channel whose values differ in the last digits only. */
static void test_moments_far_from_zero(void **state) {
    float x[ROWS], mean, m2;
    double exact = 0, spread = 0;
    (void)state;
    srand(3);
    for (int i = 0; i < ROWS; i++) x[i] = 1000 + (float)(rand() % 1001) / 1000;
    for (int i = 0; i < ROWS; i++) exact += (double)x[i] / ROWS;
    for (int i = 0; i < ROWS; i++) spread += (x[i] - exact) * (x[i] - exact);
    for (int l = 0; at_kernels_level(l) != NULL; l++) {
        at_kernels_level(l)->moments(&mean, &m2, (at_rows){x, 1}, ROWS, 1);
        assert_true(fabs(mean - exact) < 1e-4);
        assert_true(fabs(m2 - spread) < 1e-5 * spread);
    }
}

/* A first pixel that lies far out must not cost the others digits. */
static void test_moments_after_an_outlier(void **state) {
    enum { MANY = 1000 };
    float x[MANY] = {5}, mean, m2;
    double exact = 0, spread = 0;
    (void)state;
    srand(5);
    for (int i = 1; i < MANY; i++) x[i] = (float)(rand() % 1001) / 1000;
    for (int i = 0; i < MANY; i++) exact += (double)x[i] / MANY;
    for (int i = 0; i < MANY; i++) spread += (x[i] - exact) * (x[i] - exact);
    for (int l = 0; at_kernels_level(l) != NULL; l++) {
        at_kernels_level(l)->moments(&mean, &m2, (at_rows){x, 1}, MANY, 1);
        assert_true(fabs(mean - exact) < 2e-7);
        assert_true(fabs(m2 - spread) < 2e-6 * spread);
    }
}

/* ---- dropout ---- */

static void test_dropout_mask(void **state) {
    static const uint32_t key[] = {0x12345678, 0x9abcdef0},
                          counter[] = {0xfffffff8u, 2, 3, 0x80000001u};
    static float want[700], got[700];
    (void)state;
    for (int l = 1; at_kernels_level(l) != NULL; l++)
        for (int64_t count = 0; count <= 600; count += 37)
            for (uint64_t first = 0; first < 512; first += 128) {
                uint32_t threshold = (uint32_t)count * 109;
                for (int i = 0; i < 700; i++) want[i] = got[i] = -1;
                at_kernels_level(0)->dropout_mask(want + 1, key, counter, first, count, threshold,
                                                  1.5f);
                at_kernels_level(l)->dropout_mask(got + 1, key, counter, first, count, threshold,
                                                  1.5f);
                assert_memory_equal(got, want, sizeof want);
            }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_no_pixels),
        cmocka_unit_test(test_moments_far_from_zero),
        cmocka_unit_test(test_moments_after_an_outlier),
        cmocka_unit_test(test_dropout_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
