/* SPDX-License-Identifier: MIT */
/* atrous report: hands a study's or a run's directory to the training room and says where the page
 * is. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static at_status holds(const char *dir, const char *file, bool *out, at_error *err) {
    char *path = at_path_join(dir, file);
    if (!path) return at_fail_memory(err, "a path", 0);
    *out = at_path_exists(path);
    free(path);
    return AT_OK;
}

static at_status study(const cli_args *args, const char *dir, at_error *err) {
    at_study *s;
    if (cli_given(args, "split"))
        return at_fail(err, AT_ERR_USAGE, "--split: a study keeps the split it was measured on");
    AT_TRY(at_study_load(&s, dir, err));
    at_status status = at_study_save(s, err);
    if (status == AT_OK)
        status = at_study_save_report(s, args->opts.train.data, cli_stop_on_interrupt(), err);
    at_study_free(s);
    return status;
}

static void on_image(void *arg, int done, int total) {
    const cli_opts *o = arg;
    if (!o->quiet && cli_live_due()) cli_live("measuring %d/%d", done, total);
}

static at_status one_run(const cli_args *args, const char *dir, at_error *err) {
    const cli_opts *o = &args->opts;
    const at_run_report_opts opts = {.data = o->train.data,
                                     .split = o->split,
                                     .progress = on_image,
                                     .arg = (void *)(uintptr_t)o,
                                     .stop = cli_stop_on_interrupt()};
    const at_status s = at_run_save_report(dir, opts, err);
    cli_live_end();
    return s;
}

static at_status report(const cli_args *args, const char *dir, at_error *err) {
    bool is_study = false, is_run = false;
    AT_TRY(holds(dir, "study.json", &is_study, err));
    AT_TRY(holds(dir, "config.json", &is_run, err));
    if (is_study) return study(args, dir, err);
    if (is_run) return one_run(args, dir, err);
    if (!at_path_exists(dir))
        return at_fail(err, AT_ERR_INPUT,
                       "%s: there is no such directory; name the directory of a run or a study",
                       dir);
    return at_fail(err, AT_ERR_INPUT,
                   "%s: holds neither config.json, as a run does, nor study.json, as a study does: "
                   "name the directory of a run or a study",
                   dir);
}

static at_status run(cli_args *args, at_error *err) {
    const char *dir = args->words[0];
    size_t length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/') length--;
    AT_TRY(cli_start_threads(&args->opts, err));
    AT_TRY(report(args, dir, err));
    if (!args->opts.quiet) printf("%.*s/report.html\n", (int)length, dir);
    return AT_OK;
}

const cli_command cli_report = {
    .name = "report",
    .arguments = "RUN|STUDY",
    .min_words = 1,
    .max_words = 1,
    .summary = "Writes report.html of a training run or a comparison: one page with its figures, "
               "curves and pictures.",
    .details =
        "The page lies in the run's or the study's directory, needs no network and no other file, "
        "and takes the place of the one before. A run's best weights are measured again, on split "
        "val or the one that --split names; a study's numbers are those of its runs. Both predict "
        "the pictures they show, so the data must still be there: --data says where, if it has "
        "moved. Without it the page says so and has the rest. What is not finished is told of as "
        "far as it is. `atrous train` and `atrous compare` write the page themselves at their end.",
    .options = "data split threads quiet",
    .examples = "atrous report runs/train                    # runs/train/report.html\n"
                "atrous report runs/compare                  # while a study is at work, too\n"
                "atrous report runs/train --split test\n"
                "atrous report runs/train --data /new/place/camvid",
    .run = run,
};
