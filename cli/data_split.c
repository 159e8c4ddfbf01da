/* SPDX-License-Identifier: MIT */
/* atrous data split: list files of a data set's splits, to look at, edit and keep. */
#include <stdlib.h>

#include "cli/cli.h"

static at_status write_list(const at_split *s, const cli_opts *o, at_error *err) {
    char *name = at_format("%s.txt", s->name);
    char *path = name ? at_path_join(o->output, name) : NULL;
    at_status status = path ? at_split_write_list(s, path, err) : at_fail_memory(err, "a path", 0);
    if (status == AT_OK && !o->quiet) cli_say("%s: %d pictures", path, s->count);
    free(path);
    free(name);
    return status;
}

static at_status run(cli_args *args, at_error *err) {
    const cli_opts *o = &args->opts;
    at_dataset *d;
    if (!o->train.data)
        return at_fail(err, AT_ERR_USAGE, "--data is missing: the data set to split");
    if (!o->output) return at_fail(err, AT_ERR_USAGE, "-o is missing: the folder for the lists");
    AT_TRY(cli_open_data(o, &d, err));
    at_status s = at_make_dirs(o->output, err);
    for (int i = 0; s == AT_OK && i < at_dataset_split_count(d); i++)
        s = write_list(at_dataset_split_at(d, i), o, err);
    at_dataset_free(d);
    return s;
}

const cli_command cli_data_split = {
    .name = "data split",
    .arguments = "",
    .summary = "Writes lists of the splits: image and mask, a tab between, one pair a line.",
    .details =
        "A data set without a val split gets one: --val-share of the pictures, by --seed, whole "
        "groups together. A folder with such lists is a data set itself (docs/datasets.md).",
    .options = "data val-share seed classes ignore output quiet",
    .examples = "atrous data split --data photos --val-share 0.2 --seed 1 -o lists",
    .run = run,
};
