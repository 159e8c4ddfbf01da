/* SPDX-License-Identifier: MIT */
/* Kernels timed where they work: as single operators with all that belongs to them, packing and
 * threads included. */
#include <stdlib.h>
#include <time.h>

#include "nn/kernels/kernels.h"
#include "train/bench.h"

#define CONV(function, ...)                                                                        \
    static at_node *function(at_graph *g, at_node *x) {                                            \
        return at_conv2d(g, NULL, x, (at_conv2d_opts){__VA_ARGS__});                               \
    }
#define SAME(k, d) .kernel = {k, k}, .padding = {(k) / 2 * (d), (k) / 2 * (d)}, .dilation = {d, d}
CONV(conv3_64, .channels = 64, SAME(3, 1))
CONV(conv3_128, .channels = 128, SAME(3, 1))
CONV(conv3_256_d2, .channels = 256, SAME(3, 2))
CONV(conv3_256_d12, .channels = 256, SAME(3, 12))
CONV(conv3_512_d4, .channels = 512, SAME(3, 4))
CONV(conv3_16, .channels = 16, SAME(3, 1))
CONV(conv3_stride2, .channels = 128, SAME(3, 1), .stride = {2, 2})
CONV(conv7, .channels = 64, SAME(7, 1))
CONV(conv1, .channels = 256, SAME(1, 1))
CONV(conv1_11, .channels = 11, SAME(1, 1))
CONV(depthwise, .channels = 64, SAME(3, 1), .groups = 64)
#undef SAME
#undef CONV

static at_node *deconv4(at_graph *g, at_node *x) {
    return at_conv_transpose2d(
        g, NULL, x,
        (at_conv_transpose2d_opts){
            .channels = 64, .kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 1}});
}

static at_node *deconv16(at_graph *g, at_node *x) {
    return at_conv_transpose2d(
        g, NULL, x,
        (at_conv_transpose2d_opts){
            .channels = 11, .kernel = {16, 16}, .stride = {8, 8}, .padding = {4, 4}});
}

const at_bench_case at_bench_cases[] = {
    {"3x3, 64 to 64, 4 of 90x120", {4, 90, 120, 64}, conv3_64},
    {"3x3, 128 to 128, 4 of 45x60", {4, 45, 60, 128}, conv3_128},
    {"3x3 dilation 2, 256 to 256, 4 of 45x60", {4, 45, 60, 256}, conv3_256_d2},
    {"3x3 dilation 12, 256 to 256, 4 of 45x60", {4, 45, 60, 256}, conv3_256_d12},
    {"3x3 dilation 4, 512 to 512, 2 of 32x32", {2, 32, 32, 512}, conv3_512_d4},
    {"3x3, 16 to 16, 2 of 360x480", {2, 360, 480, 16}, conv3_16},
    {"3x3 stride 2, 64 to 128, 4 of 90x120", {4, 90, 120, 64}, conv3_stride2},
    {"7x7, 64 to 64, 2 of 180x240", {2, 180, 240, 64}, conv7},
    {"7x7, 3 to 64, 2 of 360x480", {2, 360, 480, 3}, conv7},
    {"1x1, 256 to 256, 4 of 45x60", {4, 45, 60, 256}, conv1},
    {"1x1, 64 to 11, 2 of 360x480", {2, 360, 480, 64}, conv1_11},
    {"3x3 depthwise, 64, 4 of 90x120", {4, 90, 120, 64}, depthwise},
    {"transposed 4x4 stride 2, 64 to 64, 4 of 45x60", {4, 45, 60, 64}, deconv4},
    {"transposed 16x16 stride 8, 11, 4 of 45x60", {4, 45, 60, 11}, deconv16},
    {0},
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void randomise(at_tensor t, uint64_t stream) {
    at_rng rng = at_rng_make(1, AT_RNG_TEST, stream, 0);
    for (int64_t i = 0; i < at_shape_pixels(t.shape); i++)
        for (int c = 0; c < t.shape.c; c++) at_f32(t)[i * t.ld + c] = at_rng_range(&rng, -1, 1);
}

/* The gradient is filled anew, for backward may destroy it. */
static void measure(at_plan *plan, at_node *x, at_node *y, int repeat, at_bench_speed *out) {
    const double flops = 2 * at_plan_macs(plan);
    randomise(at_plan_value(plan, x), 0);
    for (int i = 0; i <= repeat; i++) {
        const double begin = now();
        at_plan_forward(plan);
        const double middle = now();
        randomise(at_plan_grad(plan, y), 1);
        const double again = now();
        at_plan_backward(plan);
        const double forward = flops / (middle - begin) / 1e9;
        const double backward = 2 * flops / (now() - again) / 1e9; /* both gradients */
        if (i && forward > out->forward) out->forward = forward;
        if (i && backward > out->backward) out->backward = backward;
    }
}

/* ---- the peak ---- */

enum { PEAK_K = 64, PEAK_CALLS = 500, PEAK_PARTS = 16, MOST_MR = 16, MOST_NR = 64 };

static void peak_body(void *arg, int64_t index, int worker) {
    static const ptrdiff_t none[1] = {0};
    const at_kernels *k = arg;
    float a[MOST_MR * PEAK_K], w[PEAK_K * MOST_NR], out[MOST_MR * MOST_NR];
    const at_conv_tile t = {.out = out,
                            .out_ld = k->conv_nr,
                            .a = a,
                            .a_ld = PEAK_K,
                            .tap_a = none,
                            .tap_w = none,
                            .w = w,
                            .taps = 1,
                            .k = PEAK_K,
                            .m = k->conv_mr,
                            .n = k->conv_nr};
    (void)index, (void)worker;
    for (int i = 0; i < MOST_MR * PEAK_K; i++) a[i] = 1;
    for (int i = 0; i < PEAK_K * MOST_NR; i++) w[i] = 0.5f;
    for (int i = 0; i < PEAK_CALLS; i++) k->conv_tile(&t);
}

double at_bench_peak(int level, int repeat) {
    const at_kernels *k = at_kernels_level(level);
    const double flops =
        2.0 * PEAK_K * PEAK_CALLS * k->conv_mr * k->conv_nr * at_threads() * PEAK_PARTS;
    double best = 0;
    for (int i = 0; i <= repeat; i++) {
        const double begin = now();
        at_parallel_for((int64_t)at_threads() * PEAK_PARTS, peak_body, (void *)(uintptr_t)k);
        const double speed = flops / (now() - begin) / 1e9;
        if (speed > best) best = speed;
    }
    return best;
}

at_status at_bench_kernels(const at_bench_case *c, int level, int repeat, at_bench_speed *out,
                           at_error *err) {
    at_graph *g = at_graph_new();
    at_plan *plan = NULL;
    if (!g) return at_fail_memory(err, "a graph", 0);
    *out = (at_bench_speed){0};
    at_kernels_force(at_kernels_level(level));
    at_node *x = at_input(g, "x", c->in.c), *y = c->build(g, x);
    at_status s = at_graph_finish(g, err);
    if (s == AT_OK) s = at_graph_init(g, 1, err);
    if (s == AT_OK)
        s = at_plan_new(&plan, g,
                        (at_plan_opts){.batch = c->in.n,
                                       .height = c->in.h,
                                       .width = c->in.w,
                                       .mode = AT_TRAIN,
                                       .input_grad = true},
                        err);
    if (s == AT_OK) measure(plan, x, y, repeat, out);
    at_plan_free(plan);
    at_graph_free(g);
    at_kernels_force(NULL);
    return s;
}
