/* SPDX-License-Identifier: MIT */
/* Winograd's transforms: every level against the matrices in double, inside the image and across
 * its border; and the matrices themselves: transforms round a product are a convolution, and the
 * gradient's are its transposes. */
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

typedef void into(const at_wino_in *t);
typedef void outof(const at_wino_out *t);
typedef struct scheme {
    int m, r;
    into *input, *weight, *dy;
    outof *output, *dw;
} scheme;

static scheme scheme_of(const at_kernels *k, int which) {
    if (which == 0)
        return (scheme){
            4, 3, k->wino43_input, k->wino43_weight, k->wino43_dy, k->wino43_output, k->wino43_dw};
    return (scheme){
        4, 4, k->wino44_input, k->wino44_weight, k->wino44_dy, k->wino44_output, k->wino44_dw};
}

enum { PLANE = 43, SIZE = 64 * PLANE + 100, GUARD = 9 };

static void fill(float *p, uint64_t seed) {
    at_rng r = at_rng_make(seed, AT_RNG_TEST, 0, 0);
    for (int i = 0; i < SIZE; i++) p[i] = at_rng_normal(&r);
}

static void compare(const float *got, const float *want, double tolerance) {
    for (int i = 0; i < SIZE; i++)
        assert_near(got[i], want[i], tolerance * (1 + fabs((double)want[i])));
}

static void same_into(into *got_kernel, into *want_kernel, int size, bool bf16) {
    static float x[SIZE], got[SIZE], want[SIZE];
    static uint16_t narrow[SIZE];
    fill(x, 1);
    at_kernels_level(0)->narrow(narrow, SIZE, x, 1, SIZE);
    const int windows[][4] = {{0, size, 0, size},
                              {-3, size + 5, -1, size + 1},
                              {1, size, 0, size - 2},
                              {0, 1, 2, 3},
                              {0, 0, 0, size}};
    for (size_t w = 0; w < sizeof windows / sizeof *windows; w++)
        for (int c = 1; c <= 37; c += 6) {
            at_wino_in t = {.v_plane = PLANE,
                            .x = bf16 ? (void *)(narrow + 1) : (void *)(x + 1),
                            .bf16 = bf16,
                            .x_row = 350,
                            .x_col = 41,
                            .row_begin = windows[w][0],
                            .row_end = windows[w][1],
                            .col_begin = windows[w][2],
                            .col_end = windows[w][3],
                            .c = c};
            fill(got, 2), fill(want, 2);
            t.v = got + GUARD;
            got_kernel(&t);
            t.v = want + GUARD;
            want_kernel(&t);
            compare(got, want, 2e-5);
        }
}

/* What the kernel makes of an array of numbers; as floats. */
static void outof_array(outof *kernel, at_wino_out t, float *out) {
    static uint16_t narrow[SIZE];
    fill(out, 2);
    if (t.bf16) at_kernels_level(0)->narrow(narrow, SIZE, out, 1, SIZE);
    t.y = t.bf16 ? (void *)(narrow + GUARD) : (void *)(out + GUARD);
    kernel(&t);
    if (t.bf16) at_kernels_level(0)->widen(out, narrow, SIZE, 1, SIZE);
}

static void same_outof(outof *got_kernel, outof *want_kernel, int size, bool bf16) {
    static float v[SIZE], got[SIZE], want[SIZE];
    fill(v, 1);
    for (int c = 1; c <= 37; c += 6)
        for (int variant = 0; variant < 8; variant++) {
            at_wino_out t = {.y_row = 350,
                             .y_col = 41,
                             .v = v + 1,
                             .v_plane = PLANE,
                             .bias = variant & 4 ? v + 7 : NULL,
                             .rows = size - variant % 2,
                             .cols = size - variant % 3,
                             .c = c,
                             .bf16 = bf16,
                             .add = variant & 1,
                             .relu = (variant & 2) != 0};
            outof_array(got_kernel, t, got);
            outof_array(want_kernel, t, want);
            compare(got, want, bf16 ? 0x1p-7 : 2e-5); /* of two neighbours, perhaps not the same */
        }
}

static void test_levels(void **state) {
    (void)state;
    for (int l = 1; at_kernels_level(l) != NULL; l++) {
        printf("level %s\n", at_kernels_level(l)->level);
        for (int which = 0; which < 2; which++) {
            scheme a = scheme_of(at_kernels_level(l), which),
                   b = scheme_of(at_kernels_level(0), which);
            for (int bf16 = 0; bf16 < 2; bf16++) {
                same_into(a.input, b.input, a.m + a.r - 1, bf16);
                same_into(a.weight, b.weight, a.r, bf16);
                same_into(a.dy, b.dy, a.m, bf16);
                same_outof(a.output, b.output, a.m, bf16);
                same_outof(a.dw, b.dw, a.r, bf16);
            }
        }
    }
}

static at_wino_in square_in(float *v, const float *x, int size) {
    return (at_wino_in){.v = v,
                        .v_plane = 1,
                        .x = x,
                        .x_row = 8,
                        .x_col = 1,
                        .row_end = size,
                        .col_end = size,
                        .c = 1};
}

static at_wino_out square_out(float *y, const float *v, int size) {
    return (at_wino_out){
        .y = y, .y_row = 8, .y_col = 1, .v = v, .v_plane = 1, .rows = size, .cols = size, .c = 1};
}

/* y[i][j] = sum of x[i + k][j + l] w[k][l], and dw[k][l] = sum of x[i + k][j + l] dy[i][j]. */
static void is_convolution(scheme s) {
    static float x[SIZE], w[SIZE], v[64], u[64], y[64], z[64];
    int a = s.m + s.r - 1;
    fill(x, 3), fill(w, 4);
    at_wino_in input = square_in(v, x, a), weight = square_in(u, w, s.r), dy = square_in(z, w, s.m);
    at_wino_out output = square_out(y, u, s.m), dw = square_out(y, z, s.r);
    s.input(&input);
    s.weight(&weight);
    s.dy(&dy);
    for (int i = 0; i < a * a; i++) u[i] *= v[i], z[i] *= v[i];
    s.output(&output);
    for (int i = 0; i < s.m; i++)
        for (int j = 0; j < s.m; j++) {
            double want = 0;
            for (int k = 0; k < s.r; k++)
                for (int l = 0; l < s.r; l++) want += (double)x[(i + k) * 8 + j + l] * w[k * 8 + l];
            assert_near(y[i * 8 + j], want, 1e-4);
        }
    s.dw(&dw);
    for (int k = 0; k < s.r; k++)
        for (int l = 0; l < s.r; l++) {
            double want = 0;
            for (int i = 0; i < s.m; i++)
                for (int j = 0; j < s.m; j++) want += (double)x[(i + k) * 8 + j + l] * w[i * 8 + j];
            assert_near(y[k * 8 + l], want, 1e-4);
        }
}

static void test_is_convolution(void **state) {
    (void)state;
    for (int l = 0; at_kernels_level(l) != NULL; l++) {
        is_convolution(scheme_of(at_kernels_level(l), 0));
        is_convolution(scheme_of(at_kernels_level(l), 1));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_levels),
                                       cmocka_unit_test(test_is_convolution)};
    return cmocka_run_group_tests_name("winograd kernels", tests, NULL, NULL);
}
