/* SPDX-License-Identifier: MIT */
/* atrous data synth: the built-in set as files. */
#include "cli/cli.h"

static at_status run(cli_args *args, at_error *err) {
    const cli_opts *o = &args->opts;
    at_dataset *d;
    if (!o->output) return at_fail(err, AT_ERR_USAGE, "-o is missing: the folder to write");
    AT_TRY(cli_start_threads(o, err));
    AT_TRY(at_dataset_open(
        &d,
        (at_dataset_opts){.synth_count = o->count, .synth_size = o->size, .seed = o->train.seed},
        err));
    at_status s = at_dataset_export(d, o->output, err);
    for (int i = 0; s == AT_OK && !o->quiet && i < at_dataset_split_count(d); i++) {
        const at_split *split = at_dataset_split_at(d, i);
        cli_say("%s/images/%s: %d pictures; masks/%s: their masks", o->output, split->name,
                split->count, split->name);
    }
    at_dataset_free(d);
    return s;
}

const cli_command cli_data_synth = {
    .name = "data synth",
    .arguments = "",
    .summary = "Writes the synthetic set that train uses without --data: shapes with exact masks.",
    .options = "count size seed threads output quiet",
    .defaults = (const cli_default[]){{"size", "64x64"}, {NULL, NULL}},
    .examples = "atrous data synth -o shapes\n"
                "atrous data synth -o large --count 50 --size 256x320 --seed 7",
    .run = run,
};
