/* SPDX-License-Identifier: MIT */
/* Convolution by Winograd's algorithms against the definition: forward and all gradients, tiles cut
 * by the border, dilation, padding less and more than half, nested kernels, transposed convolution.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/naive_conv.h"

typedef struct winograd_case {
    int channels;
    naive_conv conv;
    bool transposed;
} winograd_case;

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    const winograd_case *c = arg;
    if (c->transposed)
        return at_conv_transpose2d(g, NULL, x[0],
                                   (at_conv_transpose2d_opts){.channels = c->channels,
                                                              .kernel = c->conv.kernel,
                                                              .padding = c->conv.padding,
                                                              .dilation = c->conv.dilation});
    return at_conv2d(g, NULL, x[0],
                     (at_conv2d_opts){.channels = c->channels,
                                      .kernel = c->conv.kernel,
                                      .padding = c->conv.padding,
                                      .dilation = c->conv.dilation});
}

static void naive(const check_data *d, double *out) {
    const winograd_case *c = d->arg;
    (c->transposed ? naive_conv_transpose2d : naive_conv2d)(
        &c->conv, d->in[0], d->in_shape[0], d->params[0], d->params[1], out, d->out_shape);
}

static void check(int out, int k, int padding, int dilation, bool transposed, int batch, int h,
                  int w, int in) {
    winograd_case c = {
        out, {{k, k}, {1, 1}, {padding, padding}, {dilation, dilation}, 1}, transposed};
    check_op(&(check_case){.batch = batch,
                           .height = h,
                           .width = w,
                           .channels = {in},
                           .arg = &c,
                           .build = build,
                           .naive = naive,
                           .conv = AT_CONV_WINOGRAD,
                           .tolerance = 5e-5});
}

static void test_3x3(void **state) {
    (void)state;
    check(5, 3, 1, 1, false, 2, 5, 7, 3);
    check(35, 3, 1, 1, false, 1, 4, 9, 2);
    check(3, 3, 0, 1, false, 1, 6, 3, 17);
    check(2, 3, 3, 1, false, 1, 2, 5, 3); /* more padding than the kernel reaches back */
}

static void test_dilated(void **state) {
    (void)state;
    check(3, 3, 2, 2, false, 2, 7, 10, 2);
    check(2, 3, 3, 3, false, 1, 5, 13, 2);
    check(2, 3, 6, 6, false, 1, 4, 5, 2); /* phases without a pixel */
}

static void test_nested(void **state) {
    (void)state;
    check(2, 7, 3, 1, false, 1, 9, 6, 3);
    check(3, 5, 2, 1, false, 2, 5, 6, 2);
    check(2, 4, 1, 2, false, 1, 11, 8, 2);
}

static void test_transposed(void **state) {
    (void)state;
    check(3, 3, 1, 1, true, 2, 5, 6, 2);
    check(2, 7, 3, 1, true, 1, 5, 8, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_3x3), cmocka_unit_test(test_dilated),
                                       cmocka_unit_test(test_nested),
                                       cmocka_unit_test(test_transposed)};
    return cmocka_run_group_tests_name("winograd", tests, NULL, NULL);
}
