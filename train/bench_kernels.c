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
CONV(conv3, .channels = 64, .kernel = {3, 3}, .padding = {1, 1})
CONV(conv3_stride2, .channels = 128, .kernel = {3, 3}, .padding = {1, 1}, .stride = {2, 2})
CONV(conv3_dilation2, .channels = 64, .kernel = {3, 3}, .padding = {2, 2}, .dilation = {2, 2})
CONV(conv7, .channels = 64, .kernel = {7, 7}, .padding = {3, 3})
CONV(conv1, .channels = 64, .kernel = {1, 1})
CONV(conv_depthwise, .channels = 64, .kernel = {3, 3}, .padding = {1, 1}, .groups = 64)
#undef CONV

static at_node *deconv4(at_graph *g, at_node *x) {
    return at_conv_transpose2d(
        g, NULL, x,
        (at_conv_transpose2d_opts){
            .channels = 64, .kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 1}});
}

const at_bench_case at_bench_cases[] = {
    {"conv 3x3, 64 to 64, 90x120", {1, 90, 120, 64}, conv3},
    {"conv 3x3 stride 2, 64 to 128, 90x120", {1, 90, 120, 64}, conv3_stride2},
    {"conv 3x3 dilation 2, 64 to 64, 90x120", {1, 90, 120, 64}, conv3_dilation2},
    {"conv 7x7, 64 to 64, 90x120", {1, 90, 120, 64}, conv7},
    {"conv 1x1, 256 to 64, 90x120", {1, 90, 120, 256}, conv1},
    {"conv 3x3 depthwise, 64, 90x120", {1, 90, 120, 64}, conv_depthwise},
    {"deconv 4x4 stride 2, 64 to 64, 45x60", {1, 45, 60, 64}, deconv4},
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
