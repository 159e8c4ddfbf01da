/* SPDX-License-Identifier: MIT */
/* atrous bench kernels: convolutions at every level of kernels that this machine can run. */
#include "cli/cli.h"
#include "nn/kernels/kernels.h"

enum { MOST_LEVELS = 8, FIRST = 1 }; /* level 0 is the naive oracle: not worth waiting for */

static void print_head(void) {
    printf("GFLOP/s, %d thread%s%*s", at_threads(), at_threads() == 1 ? " " : "s", 21, "");
    for (int i = FIRST; at_kernels_level(i); i++) printf("  %18s", at_kernels_level(i)->level);
    printf("\n%38s", "");
    for (int i = FIRST; at_kernels_level(i); i++) printf("  %8s  %8s", "forward", "backward");
    putchar('\n');
}

static void print_row(const at_bench_case *c, const at_bench_speed *speeds) {
    printf("%-38s", c->name);
    for (int i = FIRST; at_kernels_level(i); i++)
        printf("  %8.1f  %8.1f", speeds[i].forward, speeds[i].backward);
    putchar('\n');
    fflush(stdout);
}

static json_t *row_json(const at_bench_case *c, const at_bench_speed *speeds) {
    json_t *levels = json_object();
    for (int i = FIRST; at_kernels_level(i); i++)
        json_object_set_new(
            levels, at_kernels_level(i)->level,
            json_pack("{sf sf}", "forward", speeds[i].forward, "backward", speeds[i].backward));
    return json_pack("{ss so}", "name", c->name, "gflops", levels);
}

static at_status measure(const at_bench_case *c, int repeat, at_bench_speed *speeds,
                         at_error *err) {
    for (int i = FIRST; at_kernels_level(i) && i < MOST_LEVELS; i++) {
        cli_live("%s, %s", c->name, at_kernels_level(i)->level);
        AT_TRY(at_bench_kernels(c, i, repeat, &speeds[i], err));
    }
    cli_live_end();
    return AT_OK;
}

static at_status all(const cli_opts *o, json_t *list, at_error *err) {
    for (const at_bench_case *c = at_bench_cases; c->name; c++) {
        at_bench_speed speeds[MOST_LEVELS] = {{0}};
        AT_TRY(measure(c, o->repeat, speeds, err));
        if (list)
            json_array_append_new(list, row_json(c, speeds));
        else
            print_row(c, speeds);
    }
    return AT_OK;
}

static at_status run(cli_args *args, at_error *err) {
    const cli_opts *o = &args->opts;
    AT_TRY(cli_start_threads(o, err));
    if (!o->json) {
        print_head();
        return all(o, NULL, err);
    }
    json_t *list = json_array();
    const at_status s = all(o, list, err);
    if (s == AT_OK)
        return cli_print_json(json_pack("{si so}", "threads", at_threads(), "cases", list), err);
    json_decref(list);
    return s;
}

const cli_command cli_bench_kernels = {
    .name = "bench kernels",
    .arguments = "",
    .summary = "GFLOP/s of convolutions, forward and backward, with each level of kernels.",
    .options = "repeat threads json",
    .examples = "atrous bench kernels --threads 1",
    .run = run,
};
