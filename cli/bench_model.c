/* SPDX-License-Identifier: MIT */
/* atrous bench model: how long a training step and an inference take, and how much memory. */
#include "cli/cli.h"
#include "nn/kernels/kernels.h"

static json_t *timing_json(const at_timing *t) {
    return json_pack("{sf sf si}", "median", t->median, "min", t->min, "runs", t->runs);
}

static json_t *to_json(const at_model *m, const at_bench_opts *o, const at_bench_result *r) {
    char cpu[128];
    at_cpu_name(cpu, sizeof cpu);
    json_t *j = json_pack(
        "{so so* sI sI sI sf sI s{ss ss si} ss so s[ii] si ss sb}", "train_step_ms",
        timing_json(&r->train_step), "inference_ms",
        r->inference.runs ? timing_json(&r->inference) : NULL, "train_peak_bytes",
        (json_int_t)r->train_peak, "inference_peak_bytes", (json_int_t)r->inference_peak,
        "rss_bytes", (json_int_t)r->rss, "macs", r->macs, "parameters", (json_int_t)r->parameters,
        "cpu", "name", cpu, "level", at_kernels_get()->level, "threads", at_threads(), "version",
        ATROUS_VERSION, "model", at_model_opts_to_json(m, &o->net), "size", o->size.h, o->size.w,
        "batch", o->batch, "precision", at_precision_name(at_precision_resolve(o->precision)),
        "recompute", (int)o->recompute);
    return j;
}

static void print_timing(const char *what, const at_timing *t) {
    if (t->runs)
        printf("%s %9.2f ms median, %9.2f ms fastest of %d\n", what, t->median, t->min, t->runs);
}

static void print(const at_model *m, const at_bench_opts *o, const at_bench_result *r) {
    char cpu[128], a[CLI_SHORT], b[CLI_SHORT], c[CLI_SHORT];
    at_cpu_name(cpu, sizeof cpu);
    printf("%s, batch %d, %dx%d: %s parameters, %s MACs forward\n", m->name, o->batch, o->size.h,
           o->size.w, cli_number(a, (double)r->parameters), cli_number(b, r->macs));
    printf("%s, %s kernels, %d thread%s\n", cpu, at_kernels_get()->level, at_threads(),
           at_threads() == 1 ? "" : "s");
    print_timing("training step", &r->train_step);
    print_timing("inference    ", &r->inference);
    printf("planned memory: training %s, inference %s; process: %s\n",
           cli_bytes(a, (double)r->train_peak), cli_bytes(b, (double)r->inference_peak),
           cli_bytes(c, (double)r->rss));
}

/* A line a node: milliseconds of a run, and how fast its multiply-accumulates were done; backward
 * has two of them for each of forward. */
static void print_profile(const at_plan *plan, at_mode mode, int runs) {
    printf("%-36s %10s %8s %10s %8s\n", mode == AT_TRAIN ? "training" : "inference", "forward ms",
           "GFLOP/s", "backward", "GFLOP/s");
    for (int i = 0; i < at_plan_step_count(plan); i++) {
        const at_step_time t = at_plan_step_time(plan, i);
        const double flops = 2e-9 * t.cost.macs * runs;
        if (!(t.forward_s + t.backward_s > 0)) continue;
        printf("%-36s %10.3f %8.1f", t.node->name, 1e3 * t.forward_s / runs, flops / t.forward_s);
        if (t.backward_s > 0)
            printf(" %10.3f %8.1f", 1e3 * t.backward_s / runs, 2 * flops / t.backward_s);
        putchar('\n');
    }
}

static at_status run(cli_args *args, at_error *err) {
    const cli_opts *o = &args->opts;
    const at_model *m = at_model_find(args->words[0]);
    at_bench_result result;
    at_bench_opts opts = {.net = o->train.net,
                          .size = o->size,
                          .batch = o->train.batch,
                          .repeat = o->repeat,
                          .precision = o->train.precision,
                          .conv = o->train.conv,
                          .recompute = o->train.recompute,
                          .train_only = o->train_only,
                          .profile = o->profile ? print_profile : NULL,
                          .seed = o->train.seed,
                          .max_bytes = (size_t)(o->train.max_mem_mb * 1e6)};
    if (!m) return cli_unknown_model(args->words[0], err);
    if (o->profile && o->json)
        return at_fail(err, AT_ERR_USAGE, "--profile is a table for reading: leave out --json");
    AT_TRY(cli_need_classes(o, err));
    opts.net.classes = o->train.classes;
    AT_TRY(at_model_resolve(m, &opts.net, err));
    AT_TRY(cli_start_threads(o, err));
    AT_TRY(at_bench_model(m, opts, &result, err));
    if (o->json) return cli_print_json(to_json(m, &opts, &result), err);
    print(m, &opts, &result);
    return AT_OK;
}

const cli_command cli_bench_model = {
    .name = "bench model",
    .arguments = "NAME",
    .min_words = 1,
    .max_words = 1,
    .summary = "Times a training step and an inference of a network, and tells its memory.",
    .details =
        "A training step is forward, softmax cross-entropy, backward and SGD with momentum, on "
        "random data made beforehand; one more run of each goes before, unmeasured. Times are "
        "milliseconds, macs those of one forward of the batch.",
    .options =
        "classes channels width depth fc upsample skip decoder match norm output-stride "
        "rates lrn size batch precision conv recompute threads seed max-mem repeat train-only "
        "profile json",
    .defaults = (const cli_default[]){{"width", "1"}, {"batch", "1"}, {NULL, NULL}},
    .examples =
        "atrous bench model unet --classes 11 --width 0.5 --size 180x240 --batch 4 --threads 2\n"
        "atrous bench model segnet-basic --classes 11 --train-only --repeat 10 --json\n"
        "atrous bench model deeplabv3 --classes 11 --size 256 --profile    # where the time goes",
    .run = run,
};
