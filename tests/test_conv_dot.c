/* SPDX-License-Identifier: MIT */
/* Convolutions with bf16 products against those in fp32 (which tests/test_conv2d.c holds to the
 * definition) on numbers that bf16 holds exactly: the sums are the same but for their order. Odd
 * sizes, strides, dilation, more padding than image, many channels, groups, slices; every level. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers/conv.h"
#include "layers/layers.h"
#include "nn/kernels/kernels.h"
#include "tests/near.h"

enum { GAP = 3 };

static void *space(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 127) / 64 * 64);
    assert_non_null(p);
    memset(p, 0xff, bytes); /* not numbers: what is read must have been written */
    return p;
}

/* Multiples of 1/64 up to 1, which eight bits hold. */
static float *numbers(size_t count, uint64_t seed) {
    float *p = space(count * sizeof *p);
    at_rng rng = at_rng_make(seed, AT_RNG_TEST, 0, 0);
    for (size_t i = 0; i < count; i++) p[i] = (float)at_rng_below(&rng, 129) / 64 - 1;
    return p;
}

static at_tensor view(void *data, at_shape shape, at_dtype dtype) {
    return (at_tensor){data, shape, shape.c + GAP, dtype};
}

static size_t elements(at_shape s) {
    return (size_t)at_shape_pixels(s) * (size_t)(s.c + GAP);
}

static at_tensor narrow(const float *x, at_shape shape) {
    at_tensor t = view(space(2 * elements(shape)), shape, AT_BF16);
    at_kernels_get()->narrow(t.data, 1, x, (int64_t)elements(shape), 1);
    return t;
}

static void run(const at_conv *c, at_conv_pass pass, bool dot, at_tensor src, float *out,
                const float *weight, const float *bias, const float *scale) {
    float *packed = space(at_conv_packed_count(c, pass, dot) * sizeof *packed);
    at_conv_call call = {.conv = *c, .pass = pass, .dot = dot, .src = src, .packed = packed};
    call.dst = view(out, pass == AT_CONV_FORWARD ? c->y : c->x, AT_F32);
    call.add = call.relu = true;
    call.scratch_bytes = at_conv_scratch_bytes(c);
    call.scratch = space(call.scratch_bytes * (size_t)at_threads());
    at_conv_pack(c, pass, dot, weight, scale, bias, packed);
    at_conv_run(&call);
    free(packed), free(call.scratch);
}

/* scale: powers of two, so that scaled weights are exact too. */
static void check_pass(const at_conv *c, at_conv_pass pass, const float *weight) {
    bool forward = pass == AT_CONV_FORWARD;
    at_shape src = forward ? c->x : c->y, dst = forward ? c->y : c->x;
    float *in = numbers(elements(src), 1), *bias = numbers((size_t)dst.c, 2);
    float *scale = numbers((size_t)dst.c, 2);
    float *want = numbers(elements(dst), 3), *got = numbers(elements(dst), 3);
    at_tensor bf16 = narrow(in, src);
    for (int j = 0; j < dst.c; j++) scale[j] = ldexpf(1, j % 3);
    run(c, pass, false, view(in, src, AT_F32), want, weight, bias, scale);
    run(c, pass, true, bf16, got, weight, bias, scale);
    assert_all_near(got, want, elements(dst), 2e-5);
    free(in), free(bias), free(scale), free(want), free(got), free(bf16.data);
}

static void check_gradient(const at_conv *c, size_t count) {
    float *x = numbers(elements(c->x), 4), *dy = numbers(elements(c->y), 5);
    float *want = numbers(count, 6), *got = numbers(count, 6);
    at_tensor bf16_x = narrow(x, c->x), bf16_dy = narrow(dy, c->y);
    void *direct = space(at_conv_dw_work_bytes(c)), *work = space(at_dot_dw_work_bytes(c));
    size_t bytes = (at_dot_dw_scratch_bytes(c) + 63) / 64 * 64;
    char *scratch = space(bytes * (size_t)at_threads());
    at_conv_dw(c, x, c->x.c + GAP, dy, c->y.c + GAP, want, direct);
    at_dot_dw(c, bf16_x, bf16_dy, got, work, scratch, bytes);
    assert_all_near(got, want, count, 2e-5);
    free(x), free(dy), free(want), free(got), free(bf16_x.data), free(bf16_dy.data);
    free(direct), free(work), free(scratch);
}

static void check(at_conv c) {
    at_window wy = {c.kernel.h, c.stride.h, c.padding.h, c.dilation.h};
    at_window wx = {c.kernel.w, c.stride.w, c.padding.w, c.dilation.w};
    c.y.n = c.x.n;
    assert_int_equal(at_conv_size(c.x.h, wy, &c.y.h, NULL), AT_OK);
    assert_int_equal(at_conv_size(c.x.w, wx, &c.y.w, NULL), AT_OK);
    size_t count = (size_t)(c.kernel.h * c.kernel.w) * (size_t)(c.x.c / c.groups * c.y.c);
    float *weight = numbers(count, 7);
    for (int level = 0; at_kernels_level(level) != NULL; level++) {
        at_kernels_force(at_kernels_level(level));
        if (at_dot_step(c.x.c / c.groups)) check_pass(&c, AT_CONV_FORWARD, weight);
        if (at_dot_step(c.y.c / c.groups)) check_pass(&c, AT_CONV_DATA, weight);
        if (c.groups == 1) check_gradient(&c, count);
    }
    at_kernels_force(NULL);
    free(weight);
}

static void test_shapes(void **state) {
    const at_conv cases[] = {
        {{2, 7, 9, 6}, {.c = 10}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1},
        {{1, 5, 33, 34}, {.c = 36}, {3, 2}, {1, 1}, {2, 0}, {1, 1}, 1},
        {{2, 9, 11, 8}, {.c = 33}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 1},
        {{1, 8, 13, 3}, {.c = 16}, {7, 7}, {2, 3}, {3, 3}, {1, 1}, 1},
        {{2, 6, 10, 16}, {.c = 12}, {3, 3}, {1, 1}, {5, 5}, {5, 5}, 1},
        {{1, 4, 70, 40}, {.c = 64}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, 1},
        {{1, 6, 7, 12}, {.c = 8}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 2},
        {{1, 3, 4, 96}, {.c = 160}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, 1}, /* ranges of channels */
        {{3, 50, 31, 8}, {.c = 8}, {3, 3}, {1, 1}, {2, 2}, {2, 2}, 1},  /* several blocks */
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check(cases[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_shapes)};
    return cmocka_run_group_tests_name("conv_dot", tests, NULL, NULL);
}
