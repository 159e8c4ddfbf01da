/* SPDX-License-Identifier: MIT */
/* atrous data palette: ids, names and colours, as a classes.txt. */
#include "cli/cli.h"

static void print(FILE *out, const at_classes *c) {
    for (int i = 0; i < c->count; i++) {
        const at_rgb k = c->items[i].color;
        fprintf(out, "%d %s %d %d %d\n", i, c->items[i].name, k.r, k.g, k.b);
    }
}

static at_status write_out(const at_classes *c, const char *path, at_error *err) {
    at_file_writer w;
    if (!path) {
        print(stdout, c);
        return AT_OK;
    }
    AT_TRY(at_file_begin(&w, path, err));
    print(w.stream, c);
    return at_file_commit(&w, err);
}

static at_status run(cli_args *args, at_error *err) {
    const cli_opts *o = &args->opts;
    at_status s;
    if (o->train.data) {
        at_dataset *d;
        AT_TRY(cli_open_data(o, &d, err));
        s = write_out(at_dataset_classes(d), o->output, err);
        at_dataset_free(d);
        return s;
    }
    if (!o->train.classes)
        return at_fail(err, AT_ERR_USAGE, "--data or --classes is missing: whose colours?");
    at_classes c;
    AT_TRY(cli_plain_classes(o->train.classes, &c, err));
    s = write_out(&c, o->output, err);
    at_classes_free(&c);
    return s;
}

const cli_command cli_data_palette = {
    .name = "data palette",
    .arguments = "",
    .summary = "Ids, names and colours of a data set, or of K plain classes, as a classes.txt.",
    .options = "data classes ignore output",
    .examples = "atrous data palette --data camvid\n"
                "atrous data palette --classes 4 -o photos/classes.txt      # then edit the names",
    .run = run,
};
