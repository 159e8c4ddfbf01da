/* SPDX-License-Identifier: MIT */
/* Pointwise kernels of every level against the naive ones: column counts around the vector's, rows
 * of slices, unaligned; what lies between rows stays as it is. And how exact the exponentials are.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/kernels/kernels.h"

enum { ROWS = 5, MAX_COLS = 66, LD = MAX_COLS + 3, SIZE = (ROWS + 1) * LD };

/* One call's arrays. `out` is compared whole, so that nothing is written beside the rows. */
typedef struct call {
    at_rows out, a, b, none;
    float *row; /* [cols], behind the rows of `out`: dw, sums */
    float *w;   /* [cols] */
    int64_t rows, cols;
    bool flag;
} call;

enum { ARITHMETIC = 13, KERNELS = 19 }; /* the first that is no activation; all */

static void run_activation(const at_kernels *k, int kernel, call c) {
    switch (kernel) {
    case 0:
        k->relu(c.out, c.a, c.rows, c.cols);
        break;
    case 1:
        k->drelu(c.out, c.a, c.b, c.rows, c.cols, c.flag);
        break;
    case 2:
        k->leaky_relu(c.out, c.a, 0.3f, c.rows, c.cols);
        break;
    case 3:
        k->dleaky_relu(c.out, c.a, c.b, 0.3f, c.rows, c.cols, c.flag);
        break;
    case 4:
        k->elu(c.out, c.a, 1.5f, c.rows, c.cols);
        break;
    case 5:
        k->delu(c.out, c.a, c.b, 1.5f, c.rows, c.cols, c.flag);
        break;
    case 6:
        k->sigmoid(c.out, c.a, c.rows, c.cols);
        break;
    case 7:
        k->dsigmoid(c.out, c.a, c.b, c.rows, c.cols, c.flag);
        break;
    case 8:
        k->tanh(c.out, c.a, c.rows, c.cols);
        break;
    case 9:
        k->dtanh(c.out, c.a, c.b, c.rows, c.cols, c.flag);
        break;
    case 10:
        k->prelu(c.out, c.a, c.w, c.rows, c.cols);
        break;
    case 11:
        k->dprelu(c.out, c.row, c.a, c.b, c.w, c.rows, c.cols, c.flag);
        break;
    case 12:
        k->dprelu(c.none, c.row, c.a, c.b, c.w, c.rows, c.cols, c.flag);
        break;
    default:
        fail();
    }
}

static void run_arithmetic(const at_kernels *k, int kernel, call c) {
    switch (kernel) {
    case 13:
        k->copy(c.out, c.a, c.rows, c.cols, c.flag);
        break;
    case 14:
        k->add(c.out, c.a, c.b, c.rows, c.cols, c.flag);
        break;
    case 15:
        k->mul(c.out, c.a, c.b, c.rows, c.cols, c.flag);
        break;
    case 16:
        k->mul(c.out, c.a, (at_rows){c.w, 0}, c.rows, c.cols, c.flag);
        break;
    case 17:
        k->column_dots(c.row, c.a, c.b, c.rows, c.cols);
        break;
    case 18:
        k->drelu(c.a, c.a, c.b, c.rows, c.cols, false);
        break; /* in place */
    default:
        fail();
    }
}

static void run(const at_kernels *k, int kernel, call c) {
    (kernel < ARITHMETIC ? run_activation : run_arithmetic)(k, kernel, c);
}

/* The same numbers for every call; `a` comes back in `out` where it is written in place. */
static void call_on(const at_kernels *k, int kernel, int64_t rows, int64_t cols, ptrdiff_t ld,
                    bool flag, float out[3 * SIZE]) {
    static float numbers[3 * SIZE], b[SIZE], w[MAX_COLS];
    static bool done;
    for (int i = 0; i < 3 * SIZE && !done; i++)
        numbers[i] = b[i % SIZE] = (float)(rand() % 8001 - 4000) / 1000;
    for (int i = 0; i < MAX_COLS; i++) w[i] = (float)(i * 37 % 101 - 50) / 50;
    done = true;
    memcpy(out, numbers, sizeof numbers);
    call c = {
        {out + 1, ld}, {out + SIZE + 2, ld}, {b + 3, ld}, {NULL, 0}, out + 2 * SIZE, w, rows, cols,
        flag};
    run(k, kernel, c);
}

static void compare(int kernel, int cols, int variant) {
    static float want[3 * SIZE], got[3 * SIZE];
    int64_t rows = cols == 7 ? 0 : cols % 3 == 0 ? 1 : ROWS;
    ptrdiff_t ld = variant & 1 ? LD : cols;
    call_on(at_kernels_level(0), kernel, rows, cols, ld, variant & 2, want);
    for (int l = 1; at_kernels_level(l) != NULL; l++) {
        call_on(at_kernels_level(l), kernel, rows, cols, ld, variant & 2, got);
        for (int i = 0; i < 3 * SIZE; i++)
            if (!(fabsf(got[i] - want[i]) <= 3e-6f * (1 + fabsf(want[i]))))
                fail_msg("%s, kernel %d, %d columns, variant %d: [%d] is %.9g, not %.9g",
                         at_kernels_level(l)->level, kernel, cols, variant, i, (double)got[i],
                         (double)want[i]);
    }
}

static void test_levels(void **state) {
    (void)state;
    for (int kernel = 0; kernel < KERNELS; kernel++)
        for (int cols = 1; cols <= MAX_COLS; cols++)
            for (int variant = 0; variant < 4; variant++) compare(kernel, cols, variant);
}

/* A network that has lost its numbers must show it. */
static void test_nan_goes_through(void **state) {
    (void)state;
    for (int l = 0; at_kernels_level(l) != NULL; l++)
        for (int kernel = 0; kernel <= 10; kernel += 2) {
            float x[19], y[19], w[19];
            for (int i = 0; i < 19; i++) x[i] = NAN, y[i] = 0, w[i] = 1;
            run(at_kernels_level(l), kernel,
                (call){{y, 19}, {x, 19}, {x, 19}, {NULL, 0}, NULL, w, 1, 19, false});
            for (int i = 0; i < 19; i++) assert_true(isnan(y[i]));
        }
}

/* Distance in units of the last place of `want`. */
static double ulps(double got, double want) {
    int e;
    frexp(want, &e);
    return fabs(got - want) / ldexp(1, (e < -125 ? -125 : e) - 24);
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double worst(const at_kernels *k, int kernel, double (*f)(double), float from, float to) {
    enum { N = 4096 };
    static float x[N], y[N];
    double most = 0;
    for (int i = 0; i < N; i++) x[i] = from + (to - from) * (float)i / (N - 1);
    if (kernel == 0)
        k->elu((at_rows){y, N}, (at_rows){x, N}, 1, 1, N);
    else if (kernel == 1)
        k->sigmoid((at_rows){y, N}, (at_rows){x, N}, 1, N);
    else
        k->tanh((at_rows){y, N}, (at_rows){x, N}, 1, N);
    for (int i = 0; i < N; i++) most = fmax(most, ulps(y[i], f(x[i])));
    return most;
}

static void test_exactness(void **state) {
    (void)state;
    for (int l = 1; at_kernels_level(l) != NULL; l++) {
        const at_kernels *k = at_kernels_level(l);
        double e = fmax(worst(k, 0, expm1, -20, 0), worst(k, 0, expm1, -1e-3f, 0));
        double s = fmax(worst(k, 1, sigmoid, -86, 90), worst(k, 1, sigmoid, -4, 4));
        double t = fmax(worst(k, 2, tanh, -12, 12), worst(k, 2, tanh, -1e-4f, 1e-4f));
        print_message("%s: expm1 %.2f, sigmoid %.2f, tanh %.2f units in the last place\n", k->level,
                      e, s, t);
        assert_true(e < 2 && s < 4 && t < 4);
        assert_true(worst(k, 0, expm1, -200, -80) < 1 && worst(k, 2, tanh, 50, 1e30f) < 1);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_nan_goes_through),
        cmocka_unit_test(test_exactness),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
