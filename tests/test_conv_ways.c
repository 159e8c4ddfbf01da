/* SPDX-License-Identifier: MIT */
/* Ways of convolving that only large problems take, Winograd's algorithm in stages and small maps
 * under large kernels, against direct convolution (which tests/test_conv2d.c holds to the
 * definition): many channels, several slabs, borders that cut tiles, dilation with uneven phases,
 * slices, adding, ReLU; at every level of kernels. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers/layers.h"
#include "layers/winograd.h"
#include "nn/kernels/kernels.h"
#include "tests/near.h"

enum { GAP = 5 };

static float *numbers(size_t count, uint64_t seed) {
    float *p = malloc(count * sizeof *p);
    at_rng rng = at_rng_make(seed, AT_RNG_TEST, 0, 0);
    assert_non_null(p);
    for (size_t i = 0; i < count; i++) p[i] = at_rng_range(&rng, -1, 1);
    return p;
}

static void *space(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(p);
    memset(p, 0xff, bytes); /* not numbers: what is read must have been written */
    return p;
}

static size_t floats(at_shape s) {
    return (size_t)at_shape_pixels(s) * (size_t)(s.c + GAP);
}

static at_tensor view(float *data, at_shape shape) {
    return (at_tensor){data, shape, shape.c + GAP, AT_F32};
}

/* What one pass gives: adds to what is there, then takes the positive part. */
typedef void way(at_conv_call *call, const float *weight, const float *bias);

static void direct(at_conv_call *call, const float *weight, const float *bias) {
    float *packed = space(at_conv_packed_count(&call->conv, call->pass, false) * sizeof *packed);
    at_conv_pack(&call->conv, call->pass, false, weight, NULL, bias, packed);
    call->packed = packed;
    call->scratch_bytes = at_conv_scratch_bytes(&call->conv);
    call->scratch = space(call->scratch_bytes * (size_t)at_threads());
    at_conv_run(call);
    free(packed), free(call->scratch);
}

static void staged(at_conv_call *call, const float *weight, const float *bias) {
    float *packed = space(at_winograd_packed_count(&call->conv, call->pass) * sizeof *packed);
    at_winograd_pack(&call->conv, call->pass, weight, NULL, bias, packed);
    call->packed = packed;
    call->work = space(at_staged_bytes(&call->conv, call->pass));
    at_staged_run(call);
    free(packed), free(call->work);
}

static void narrow(at_conv_call *call, const float *weight, const float *bias) {
    float *packed = space(at_narrow_packed_count(&call->conv, call->pass) * sizeof *packed);
    at_narrow_pack(&call->conv, call->pass, NULL, bias, packed);
    call->packed = packed;
    call->scratch_bytes = at_narrow_scratch_bytes(&call->conv);
    call->scratch = space(call->scratch_bytes * (size_t)at_threads());
    at_narrow_run(call, weight);
    free(packed), free(call->scratch);
}

static void check_pass(const at_conv *c, at_conv_pass pass, const float *weight, way *other) {
    bool forward = pass == AT_CONV_FORWARD;
    at_shape src = forward ? c->x : c->y, dst = forward ? c->y : c->x;
    float *in = numbers(floats(src), 1), *bias = numbers((size_t)dst.c, 2);
    float *out[2] = {numbers(floats(dst), 3), numbers(floats(dst), 3)};
    for (int i = 0; i < 2; i++) {
        at_conv_call call = {.conv = *c, .pass = pass, .src = view(in, src)};
        call.dst = view(out[i], dst);
        call.add = call.relu = true;
        (i ? other : direct)(&call, weight, bias);
    }
    assert_all_near(out[1], out[0], floats(dst), 2e-5);
    free(in), free(bias), free(out[0]), free(out[1]);
}

static void check_gradient(const at_conv *c) {
    size_t count = 9 * (size_t)c->x.c * (size_t)c->y.c;
    float *x = numbers(floats(c->x), 4), *dy = numbers(floats(c->y), 5);
    float *dw[2] = {numbers(count, 6), numbers(count, 6)};
    void *work[2] = {space(at_conv_dw_work_bytes(c)), space(at_staged_dw_bytes(c))};
    at_conv_dw(c, x, c->x.c + GAP, dy, c->y.c + GAP, dw[0], work[0]);
    at_staged_dw(c, view(x, c->x), view(dy, c->y), dw[1], work[1]);
    assert_all_near(dw[1], dw[0], count, 2e-5);
    free(x), free(dy), free(dw[0]), free(dw[1]), free(work[0]), free(work[1]);
}

static void check(at_shape x, int channels, int padding, int dilation) {
    at_conv c = {.x = x, .y = x, .kernel = {3, 3}, .stride = {1, 1}, .groups = 1};
    c.padding = (at_pair){padding, padding};
    c.dilation = (at_pair){dilation, dilation};
    c.y.c = channels;
    c.y.h += 2 * (padding - dilation);
    c.y.w += 2 * (padding - dilation);
    float *weight = numbers(9 * (size_t)x.c * (size_t)channels, 7);
    for (int level = 1; at_kernels_level(level) != NULL; level++) {
        at_kernels_force(at_kernels_level(level));
        check_pass(&c, AT_CONV_FORWARD, weight, staged);
        check_pass(&c, AT_CONV_DATA, weight, staged);
        check_gradient(&c);
    }
    at_kernels_force(NULL);
    free(weight);
}

static void test_channels(void **state) {
    (void)state;
    check((at_shape){2, 9, 6, 160}, 97, 1, 1);
    check((at_shape){1, 5, 11, 33}, 256, 1, 1);
}

static void test_padding(void **state) {
    (void)state;
    check((at_shape){1, 7, 10, 20}, 24, 0, 1);
    check((at_shape){2, 3, 5, 20}, 24, 3, 1);
}

static void test_dilation(void **state) {
    (void)state;
    check((at_shape){2, 7, 13, 40}, 36, 3, 3);
    check((at_shape){1, 4, 5, 40}, 36, 6, 6); /* phases without a pixel */
}

static void test_slabs(void **state) {
    (void)state;
    check((at_shape){2, 150, 75, 96}, 64, 1, 1);
    check((at_shape){1, 101, 150, 96}, 64, 2, 2);
}

static void check_narrow(at_shape x, int channels, at_pair kernel, at_pair padding,
                         at_pair dilation) {
    at_conv c = {
        .x = x, .y = x, .kernel = kernel, .stride = {1, 1}, .padding = padding, .groups = 1};
    c.dilation = dilation;
    c.y.c = channels;
    c.y.h += 2 * padding.h - dilation.h * (kernel.h - 1);
    c.y.w += 2 * padding.w - dilation.w * (kernel.w - 1);
    float *weight = numbers((size_t)(kernel.h * kernel.w * x.c * channels), 7);
    for (int level = 1; at_kernels_level(level) != NULL; level++) {
        at_kernels_force(at_kernels_level(level));
        check_pass(&c, AT_CONV_FORWARD, weight, narrow);
        check_pass(&c, AT_CONV_DATA, weight, narrow);
    }
    at_kernels_force(NULL);
    free(weight);
}

static void test_narrow(void **state) {
    (void)state;
    check_narrow((at_shape){2, 8, 8, 33}, 70, (at_pair){7, 7}, (at_pair){3, 3}, (at_pair){1, 1});
    check_narrow((at_shape){1, 3, 17, 5}, 64, (at_pair){3, 5}, (at_pair){1, 4}, (at_pair){1, 2});
    check_narrow((at_shape){2, 9, 7, 16}, 31, (at_pair){7, 7}, (at_pair){0, 0}, (at_pair){1, 1});
    const at_conv fc6 = {.x = {2, 8, 8, 256},
                         .y = {2, 8, 8, 1024},
                         .kernel = {7, 7},
                         .stride = {1, 1},
                         .padding = {3, 3},
                         .dilation = {1, 1},
                         .groups = 1};
    assert_true(at_narrow_fits(&fc6, AT_CONV_FORWARD) && at_narrow_fits(&fc6, AT_CONV_DATA));
}

/* Such a layer keeps no second copy of its weights: a plan for it is smaller than they are. */
static void test_narrow_memory(void **state) {
    enum { IN = 64, OUT = 256 };
    at_graph *g = at_graph_new();
    size_t bytes;
    (void)state;
    at_conv2d(g, "fc6", at_input(g, "image", IN),
              (at_conv2d_opts){.channels = OUT, .kernel = {7, 7}, .padding = {3, 3}});
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(
        at_plan_measure(g, (at_plan_opts){.batch = 2, .height = 8, .width = 8}, &bytes, NULL),
        AT_OK);
    assert_true(bytes < 49 * IN * OUT * sizeof(float));
    at_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels), cmocka_unit_test(test_padding),
        cmocka_unit_test(test_dilation), cmocka_unit_test(test_slabs),
        cmocka_unit_test(test_narrow),   cmocka_unit_test(test_narrow_memory)};
    return cmocka_run_group_tests_name("ways of convolving", tests, NULL, NULL);
}
