/* SPDX-License-Identifier: MIT */
/* Training and inference are measured one after the other, each with its own plan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "train/bench.h"
#include "train/network.h"
#include "train/optim.h"
#include "train/tune.h"

static double now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e3 * (double)t.tv_sec + 1e-6 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static at_timing summary(double *ms, int runs) {
    qsort(ms, (size_t)runs, sizeof *ms, ascending);
    return (at_timing){(ms[(runs - 1) / 2] + ms[runs / 2]) / 2, ms[0], runs};
}

static void fill(at_plan *plan, at_graph *g, const at_bench_opts *o) {
    at_rng rng = at_rng_make(o->seed, AT_RNG_TEST, 0, 0);
    const at_tensor image = at_plan_value(plan, at_graph_find(g, "image"));
    for (int64_t i = 0; i < at_shape_pixels(image.shape); i++)
        for (int c = 0; c < image.shape.c; c++)
            at_f32(image)[i * image.ld + c] = at_rng_range(&rng, -2, 2);
    const at_node *target = at_graph_find(g, "target");
    const at_tensor labels = target ? at_plan_value(plan, target) : (at_tensor){0};
    for (int64_t i = 0; labels.data && i < at_shape_pixels(labels.shape); i++)
        ((uint8_t *)labels.data)[i] = (uint8_t)at_rng_below(&rng, (uint32_t)o->net.classes);
}

static at_plan_opts plan_opts(const at_bench_opts *o, at_mode mode, at_node *output) {
    return (at_plan_opts){.batch = o->batch,
                          .height = o->size.h,
                          .width = o->size.w,
                          .mode = mode,
                          .precision = o->precision,
                          .conv = o->conv,
                          .tuning = o->tuning,
                          .recompute = o->recompute,
                          .output = output,
                          .max_bytes = o->max_bytes};
}

static void step(at_plan *plan, at_optim *optim, uint64_t seed, int i) {
    at_plan_set_iteration(plan, seed, (uint64_t)i);
    at_plan_forward(plan);
    if (!optim) return;
    at_optim_zero_grad(optim);
    at_plan_backward(plan);
    at_optim_step(optim, 1e-4, 1);
}

static at_status measure(at_plan *plan, at_optim *optim, const at_bench_opts *o, at_timing *out,
                         at_error *err) {
    double *ms = malloc((size_t)o->repeat * sizeof *ms);
    if (!ms) return at_fail_memory(err, "timings", (size_t)o->repeat * sizeof *ms);
    step(plan, optim, o->seed, 0);
    at_plan_profile(plan, o->profile != NULL);
    for (int i = 0; i < o->repeat; i++) {
        const double begin = now_ms();
        step(plan, optim, o->seed, i + 1);
        ms[i] = now_ms() - begin;
    }
    *out = summary(ms, o->repeat);
    if (o->profile) o->profile(plan, optim ? AT_TRAIN : AT_INFER, o->repeat);
    free(ms);
    return AT_OK;
}

static at_status bench_training(at_graph *g, const at_bench_opts *o, at_bench_result *r,
                                at_error *err) {
    const at_loss_spec spec = {.kind = AT_LOSS_CE};
    at_node *loss = at_loss_build(g, at_graph_output(g), &spec);
    at_plan *plan = NULL;
    at_optim *optim = NULL;
    AT_TRY(at_graph_status(g, err));
    at_status s = at_plan_new(&plan, g, plan_opts(o, AT_TRAIN, loss), err);
    if (s == AT_OK)
        s = at_optim_new(&optim, g, (at_optim_opts){.kind = AT_OPTIM_SGD, .momentum = 0.9}, err);
    if (s == AT_OK) {
        fill(plan, g, o);
        r->train_peak = at_plan_bytes(plan);
        s = measure(plan, optim, o, &r->train_step, err);
    }
    at_optim_free(optim);
    at_plan_free(plan);
    return s;
}

static at_status bench_inference(at_graph *g, const at_bench_opts *o, at_bench_result *r,
                                 at_error *err) {
    at_plan *plan;
    AT_TRY(at_plan_new(&plan, g, plan_opts(o, AT_INFER, at_graph_output(g)), err));
    fill(plan, g, o);
    r->inference_peak = at_plan_bytes(plan);
    r->macs = at_plan_macs(plan);
    const at_status s = o->train_only ? AT_OK : measure(plan, NULL, o, &r->inference, err);
    at_plan_free(plan);
    return s;
}

at_status at_bench_model(const at_model *m, at_bench_opts opts, at_bench_result *out,
                         at_error *err) {
    struct rusage usage;
    at_graph *g = NULL;
    *out = (at_bench_result){0};
    AT_TRY(at_model_new(&g, m, opts.net, err));
    at_status s = at_graph_init(g, opts.seed, err);
    at_tuning *own = NULL;
    if (s == AT_OK && opts.conv == AT_CONV_TUNE && !opts.tuning) s = at_tune_open(&own, err);
    if (own) opts.tuning = own;
    if (s == AT_OK) s = bench_inference(g, &opts, out, err);
    if (s == AT_OK) s = bench_training(g, &opts, out, err);
    out->parameters = at_graph_trainable_count(g);
    at_graph_free(g);
    at_tune_close(own);
    getrusage(RUSAGE_SELF, &usage);
    out->rss = (size_t)usage.ru_maxrss * 1024;
    return s;
}

void at_cpu_name(char *buffer, size_t size) {
    char line[256];
    snprintf(buffer, size, "unknown");
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        snprintf(buffer, size, "%.*s", (int)strcspn(colon + 2, "\n"), colon + 2);
        break;
    }
    if (f) fclose(f);
}
