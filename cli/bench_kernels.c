/* SPDX-License-Identifier: MIT */
/* atrous bench kernels: convolutions at every level of kernels that this machine can run, and
 * operators that are as fast as memory at best. */
#include "cli/cli.h"
#include "nn/kernels/kernels.h"

enum { MOST_LEVELS = 8, FIRST = 1 }; /* level 0 is the naive oracle: not worth waiting for */

/* Levels that differ in their products of bf16 alone are one here. */
static int next_level(int i) {
    const at_kernels *now = at_kernels_level(i++);
    while (at_kernels_level(i) && at_kernels_level(i)->conv_tile == now->conv_tile) i++;
    return i;
}

typedef struct peaks {
    double of[MOST_LEVELS];
} peaks;

static void print_head(const peaks *p) {
    char cpu[128];
    at_cpu_name(cpu, sizeof cpu);
    printf("%s, %d thread%s. GFLOP/s of the definition's arithmetic, and per cent of the peak:\n"
           "that of the micro-kernel within the first cache. Winograd's algorithms pass 100.\n\n",
           cpu, at_threads(), at_threads() == 1 ? "" : "s");
    printf("%-46s", "");
    for (int i = FIRST; at_kernels_level(i); i = next_level(i))
        printf("  %10s, peak %6.1f", at_kernels_level(i)->level, p->of[i]);
    printf("\n%-46s", "convolution");
    for (int i = FIRST; at_kernels_level(i); i = next_level(i))
        printf("  %10s  %10s", "forward", "backward");
    putchar('\n');
}

static void print_speed(double speed, double peak) {
    printf("  %6.1f %3.0f", speed, 100 * speed / peak);
}

static void print_row(const at_bench_case *c, const at_bench_speed *speeds, const peaks *p) {
    printf("%-46s", c->name);
    for (int i = FIRST; at_kernels_level(i); i = next_level(i)) {
        print_speed(speeds[i].forward, p->of[i]);
        print_speed(speeds[i].backward, p->of[i]);
    }
    putchar('\n');
    fflush(stdout);
}

static json_t *row_json(const at_bench_case *c, const at_bench_speed *speeds) {
    json_t *levels = json_object();
    for (int i = FIRST; at_kernels_level(i); i = next_level(i))
        json_object_set_new(
            levels, at_kernels_level(i)->level,
            json_pack("{sf sf}", "forward", speeds[i].forward, "backward", speeds[i].backward));
    return json_pack("{ss so}", "name", c->name, "gflops", levels);
}

static at_status measure(const at_bench_case *c, int repeat, at_bench_speed *speeds,
                         at_error *err) {
    for (int i = FIRST; at_kernels_level(i) && i < MOST_LEVELS; i = next_level(i)) {
        cli_live("%s, %s", c->name, at_kernels_level(i)->level);
        AT_TRY(at_bench_kernels(c, i, repeat, &speeds[i], err));
    }
    cli_live_end();
    return AT_OK;
}

static at_status all(const cli_opts *o, json_t *list, const peaks *p, at_error *err) {
    for (const at_bench_case *c = at_bench_cases; c->name; c++) {
        at_bench_speed speeds[MOST_LEVELS] = {{0}};
        AT_TRY(measure(c, o->repeat, speeds, err));
        if (list)
            json_array_append_new(list, row_json(c, speeds));
        else
            print_row(c, speeds, p);
    }
    return AT_OK;
}

/* ---- operators that only move data ---- */

static double times_copy(double seconds, double bytes, double speed) {
    return bytes > 0 ? seconds * speed / bytes : 0;
}

/* What takes no time to speak of moves nothing: concatenation of values that lie in their place. */
static void print_pass(double seconds, double bytes, double speed) {
    double times = times_copy(seconds, bytes, speed);
    if (bytes <= 0) return;
    if (times < 0.01)
        printf("  %8.2f %6s %6s", 1e3 * seconds, "-", "-");
    else
        printf("  %8.2f %6.1f %6.2f", 1e3 * seconds, 1e-9 * bytes / seconds, times);
}

static void print_operator(int i, const at_bench_pass *p) {
    printf("%-40s %6.1f", at_bench_operator_name(i), 1e-9 * p->copy_speed);
    print_pass(p->forward_s, p->forward_bytes, p->copy_speed);
    print_pass(p->backward_s, p->backward_bytes, p->copy_speed);
    putchar('\n');
    fflush(stdout);
}

static json_t *operator_json(int i, const at_bench_pass *p) {
    return json_pack("{ss sf sf sf sf sf}", "name", at_bench_operator_name(i), "copy_gbs",
                     1e-9 * p->copy_speed, "forward_ms", 1e3 * p->forward_s, "backward_ms",
                     1e3 * p->backward_s, "forward_passes",
                     times_copy(p->forward_s, p->forward_bytes, p->copy_speed), "backward_passes",
                     times_copy(p->backward_s, p->backward_bytes, p->copy_speed));
}

static at_status operators(const cli_opts *o, json_t *list, at_error *err) {
    if (!list)
        printf(
            "\nOperators that move data: milliseconds, GB/s of what has to be moved at least, and "
            "the time as\na multiple of a copy's of as many bytes (copy: GB/s at that moment).\n\n"
            "%-40s %6s  %8s %6s %6s  %8s %6s %6s\n",
            "operator", "copy", "forward", "GB/s", "times", "backward", "GB/s", "times");
    for (int i = 0; at_bench_operator_name(i); i++) {
        at_bench_pass p;
        cli_live("%s", at_bench_operator_name(i));
        AT_TRY(at_bench_operator(i, o->repeat, &p, err));
        cli_live_end();
        if (list)
            json_array_append_new(list, operator_json(i, &p));
        else
            print_operator(i, &p);
    }
    return AT_OK;
}

static at_status run(cli_args *args, at_error *err) {
    const cli_opts *o = &args->opts;
    AT_TRY(cli_start_threads(o, err));
    peaks p = {{0}};
    for (int i = FIRST; at_kernels_level(i) && i < MOST_LEVELS; i = next_level(i))
        p.of[i] = at_bench_peak(i, o->repeat);
    if (!o->json) {
        print_head(&p);
        AT_TRY(all(o, NULL, &p, err));
        return operators(o, NULL, err);
    }
    json_t *list = json_array(), *moving = json_array(), *peak = json_object();
    for (int i = FIRST; at_kernels_level(i); i = next_level(i))
        json_object_set_new(peak, at_kernels_level(i)->level, json_real(p.of[i]));
    at_status s = all(o, list, &p, err);
    if (s == AT_OK) s = operators(o, moving, err);
    if (s == AT_OK)
        return cli_print_json(json_pack("{si so so so}", "threads", at_threads(), "peak_gflops",
                                        peak, "cases", list, "operators", moving),
                              err);
    json_decref(list);
    json_decref(moving);
    json_decref(peak);
    return s;
}

const cli_command cli_bench_kernels = {
    .name = "bench kernels",
    .arguments = "",
    .summary = "GFLOP/s of convolutions with each level of kernels; other operators beside a copy.",
    .options = "repeat threads json",
    .examples = "atrous bench kernels --threads 1",
    .run = run,
};
