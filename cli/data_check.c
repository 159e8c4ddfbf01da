/* SPDX-License-Identifier: MIT */
/* atrous data check: every pair of the data set looked at before a run meets it. */
#include "cli/cli.h"

static const char *const severities[] = {"note", "warning", "error"};

static json_t *finding_json(const at_finding *f) {
    return json_pack("{ss ss? ss}", "severity", severities[f->severity], "file", f->file, "text",
                     f->text);
}

static json_t *to_json(const at_dataset *d, const at_findings *found, int errors) {
    json_t *list = json_array(), *splits = json_object();
    for (int i = 0; i < found->count; i++)
        json_array_append_new(list, finding_json(&found->items[i]));
    for (int i = 0; i < at_dataset_split_count(d); i++) {
        const at_split *s = at_dataset_split_at(d, i);
        json_object_set_new(splits, s->name, json_integer(s->count));
    }
    return json_pack("{ss si so so}", "layout", at_dataset_layout(d), "errors", errors, "splits",
                     splits, "findings", list);
}

static void print(const at_dataset *d, const at_findings *found) {
    printf("layout %s", at_dataset_layout(d));
    for (int i = 0; i < at_dataset_split_count(d); i++) {
        const at_split *s = at_dataset_split_at(d, i);
        printf("  %s %d", s->name, s->count);
    }
    printf("\n%s", at_dataset_notes(d));
    for (int i = 0; i < found->count; i++) {
        const at_finding *f = &found->items[i];
        printf("%s: %s%s%s\n", severities[f->severity], f->file ? f->file : "", f->file ? ": " : "",
               f->text);
    }
}

static at_status check(const at_dataset *d, const cli_opts *o, at_error *err) {
    at_findings found;
    int errors = 0;
    AT_TRY(at_dataset_check(d, &found, err));
    for (int i = 0; i < found.count; i++) errors += found.items[i].severity == AT_FINDING_ERROR;
    at_status s = AT_OK;
    if (o->json)
        s = cli_print_json(to_json(d, &found, errors), err);
    else
        print(d, &found);
    if (s == AT_OK && errors)
        s = at_fail(err, AT_ERR_INPUT, "%s: %d error%s, listed above", o->train.data, errors,
                    errors == 1 ? "" : "s");
    else if (!o->json)
        printf("no errors\n");
    at_findings_free(&found);
    return s;
}

static at_status run(cli_args *args, at_error *err) {
    at_dataset *d;
    if (!args->opts.train.data)
        return at_fail(err, AT_ERR_USAGE, "--data is missing: the folder to check");
    AT_TRY(cli_start_threads(&args->opts, err));
    AT_TRY(cli_open_data(&args->opts, &d, err));
    const at_status s = check(d, &args->opts, err);
    at_dataset_free(d);
    return s;
}

const cli_command cli_data_check = {
    .name = "data check",
    .arguments = "",
    .summary = "Looks at every picture and mask: readable, sizes, labels, splits that overlap.",
    .details = "Ends with code 1 if there is an error. Layouts and dataset.json: docs/datasets.md.",
    .options = "data ignore classes val-share seed threads json",
    .examples = "atrous data check --data camvid",
    .run = run,
};
