/* SPDX-License-Identifier: MIT */
/* atrous train: hands the options to the training room, shows what it tells, and says at the end
 * what came out and what to type next. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "nn/kernels/kernels.h"

typedef struct job {
    const cli_opts *o; /* for what is no option of the training room */
    at_train_opts opts;
    at_dataset *data;
} job;

/* ---- what is going on ---- */

static void say_data(const job *j) {
    char list[512] = "";
    int count;
    const int *ignore = at_dataset_ignore(j->data, &count);
    const at_classes *c = at_dataset_classes(j->data);
    for (int i = 0; i < at_dataset_split_count(j->data); i++) {
        const at_split *s = at_dataset_split_at(j->data, i);
        const size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s %d", i ? ", " : "", s->name, s->count);
    }
    cli_say("data     %s (%s): %s pictures", j->opts.data ? j->opts.data : "built-in synthetic set",
            at_dataset_layout(j->data), list);
    list[0] = 0;
    for (int i = 0; i < c->count; i++) {
        const size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", c->items[i].name);
    }
    cli_say("classes  %d: %s", c->count, list);
    list[0] = 0;
    for (int i = 0; i < count; i++) {
        const size_t n = strlen(list);
        snprintf(list + n, sizeof list - n, "%s%d", i ? ", " : "", ignore[i]);
    }
    cli_say("ignored  %s", count ? list : "no ids");
}

static void say_model(const job *j, const at_train_progress *p) {
    char a[CLI_SHORT], b[CLI_SHORT];
    const at_model *m = at_model_find(j->opts.model);
    at_model_opts net = j->opts.net;
    net.classes = at_dataset_classes(j->data)->count;
    json_t *options =
        m && at_model_resolve(m, &net, NULL) == AT_OK ? at_model_opts_to_json(m, &net) : NULL;
    char *text = options ? json_dumps(options, JSON_REAL_PRECISION(6)) : NULL;
    cli_say("model    %s", text ? text : j->opts.model);
    cli_say("         %s parameters, %s MACs to a forward of the batch",
            cli_number(a, (double)p->parameters), cli_number(b, p->macs));
    at_json_release(text);
    json_decref(options);
}

static void on_start(const job *j, const at_train_progress *p) {
    char memory[CLI_SHORT];
    say_data(j);
    say_model(j, p);
    cli_say("training %s", p->text);
    cli_say("machine  %s kernels, %d thread%s, %s; planned memory %s", at_kernels_get()->level,
            at_threads(), at_threads() == 1 ? "" : "s",
            at_precision_name(at_precision_resolve(j->opts.precision)),
            cli_bytes(memory, (double)p->train_bytes));
    cli_say("run      %s", p->run);
}

/* "3/50", or "3" where nobody knows how many. */
static const char *of_epochs(char text[CLI_SHORT], const at_train_progress *p, int epoch) {
    snprintf(text, CLI_SHORT, p->epochs ? "%d/%d" : "%d", epoch, p->epochs);
    return text;
}

static void on_step(const at_train_progress *p) {
    char epochs[CLI_SHORT], left[CLI_SHORT], memory[CLI_SHORT];
    if (!cli_live_due()) return;
    cli_live(
        "epoch %s  batch %d/%d  loss %.4f  %.1f images/s  %s left  data %.0f + compute %.0f ms  %s",
        of_epochs(epochs, p, p->epoch), p->batch, p->batches, p->loss, p->images_s,
        cli_duration(left, p->eta_s), 1e3 * p->data_s, 1e3 * p->batch_s,
        cli_bytes(memory, (double)p->train_bytes));
}

static void on_val(const at_train_progress *p) {
    char epochs[CLI_SHORT];
    if (cli_live_due())
        cli_live("epoch %s  validating %d/%d", of_epochs(epochs, p, p->epoch), p->batch,
                 p->batches);
}

static void on_epoch(const at_train_progress *p) {
    char epochs[CLI_SHORT], past[CLI_SHORT], left[CLI_SHORT], measures[128] = "";
    const at_epoch_row *r = p->row;
    if (p->metrics)
        snprintf(measures, sizeof measures, "  val loss %.4f  mIoU %.4f%s  pixel accuracy %.4f",
                 r->val_loss, r->miou, p->best ? "*" : " ", r->pixel_accuracy);
    cli_say("epoch %s  loss %.4f%s  %.1f images/s  %s, %s left", of_epochs(epochs, p, r->epoch),
            r->train_loss, measures, p->images_s, cli_duration(past, p->elapsed_s),
            cli_duration(left, p->eta_s));
}

/* A note's last line end is not ours to print twice. */
static void say_lines(const char *text) {
    size_t length = strlen(text);
    while (length && text[length - 1] == '\n') length--;
    cli_say("%.*s", (int)length, text);
}

static void on_progress(void *arg, const at_train_progress *p) {
    const job *j = arg;
    if (p->event == AT_TRAIN_WARNING) cli_say("warning: %s", p->text);
    if (j->o->quiet) return;
    switch (p->event) {
    case AT_TRAIN_STARTS:
        on_start(j, p);
        break;
    case AT_TRAIN_STEP:
        on_step(p);
        break;
    case AT_TRAIN_VAL:
        on_val(p);
        break;
    case AT_TRAIN_EPOCH:
        on_epoch(p);
        break;
    case AT_TRAIN_NOTE:
        say_lines(p->text);
        break;
    case AT_TRAIN_WARNING:
        break;
    }
}

/* ---- what came out ---- */

static void print_next(const job *j, const char *run) {
    if (j->opts.data)
        printf("next          atrous predict --weights %s PICTURES -o predicted\n", run);
    else
        printf("next          atrous data synth -o shapes && "
               "atrous predict --weights %s shapes/images/val -o predicted\n",
               run);
}

static void print_classes(const at_metrics *m, const at_classes *c) {
    printf("last epoch    ");
    for (int i = 0; i < m->classes; i++)
        if (!isnan(m->of[i].iou)) printf("%s %.3f  ", c->items[i].name, m->of[i].iou);
    printf("(IoU)\n");
}

static void print_end(const job *j, const at_train_result *r, bool reported) {
    static const char *const ends[] = {"", " (no better epoch for as long as --patience)",
                                       " (time is up)"};
    char time[CLI_SHORT];
    printf("trained       %d epochs in %s%s\n", r->epochs, cli_duration(time, r->seconds),
           ends[r->end]);
    if (r->best_epoch) {
        printf("best mIoU     %.4f, epoch %d; always answering the commonest class: %.4f\n",
               r->best_miou, r->best_epoch, r->last.majority_miou);
        print_classes(&r->last, at_dataset_classes(j->data));
    }
    printf("pictures      %s/val_pred0.png (image, truth, prediction, errors), train_batch0.png,\n"
           "              results.svg, confusion_matrix.svg\n",
           r->run);
    if (reported) printf("report        %s/report.html\n", r->run);
    printf("weights       %s/weights/best.safetensors\n", r->run);
    print_next(j, r->run);
}

static void on_measured(void *arg, int done, int total) {
    const job *j = arg;
    if (!j->o->quiet && cli_live_due()) cli_live("measuring for the report %d/%d", done, total);
}

/* The training is safe: a page that can't be written is no failure. */
static bool report(const job *j, const char *run) {
    at_error err = {0};
    const at_run_report_opts opts = {.dataset = j->data,
                                     .progress = on_measured,
                                     .arg = (void *)(uintptr_t)j,
                                     .stop = cli_stop_on_interrupt()};
    const at_status s = at_run_save_report(run, opts, &err);
    cli_live_end();
    if (s == AT_ERR_STOPPED)
        cli_say("stopped before report.html: atrous report %s", run);
    else if (s != AT_OK)
        cli_say("warning: report.html: %s", err.text);
    return s == AT_OK;
}

/* ---- the options ---- */

/* A run that goes on keeps its options; how long it goes on and on what machine may change. */
static at_status resume(const cli_args *args, job *j, json_t **keep, at_error *err) {
    static const char allowed[] =
        " resume epochs iterations time patience threads loader-threads max-mem cache quiet ";
    cli_opts on_top = {0};
    AT_TRY(at_train_resume_opts(args->opts.train.resume, &on_top.train, keep, err));
    for (int i = 0; i < args->given_count; i++) {
        const char *name = args->given[i];
        cli_row row;
        char padded[64];
        snprintf(padded, sizeof padded, " %s ", name);
        if (!strstr(allowed, padded))
            return at_fail(err, AT_ERR_USAGE,
                           "--%s: a run that is resumed keeps its own; what may change is%s", name,
                           allowed + 7);
        if (strcmp(name, "resume") == 0 || strcmp(name, "quiet") == 0) continue;
        cli_find(args->command, name, strlen(name), &row);
        char *text = cli_get(&args->opts, &row);
        const at_status s = text ? cli_set(&on_top, &row, text, err) : at_fail_memory(err, name, 0);
        free(text);
        AT_TRY(s);
    }
    j->opts = on_top.train;
    return AT_OK;
}

static at_status options(const cli_args *args, job *j, json_t **keep, at_error *err) {
    at_train_opts *t = &j->opts;
    *t = args->opts.train;
    if (t->resume) return resume(args, j, keep, err);
    if (!at_model_find(t->model)) return cli_unknown_model(t->model, err);
    return cli_suit_synthetic(args, t, err);
}

static at_status train(job *j, at_error *err) {
    at_train_result result = {0};
    cli_opts o = {.train = j->opts};
    AT_TRY(cli_open_data(&o, &j->data, err));
    const at_train_hooks hooks = {
        .progress = on_progress, .arg = j, .stop = cli_stop_on_interrupt(), .dataset = j->data};
    const at_status s = at_train(&j->opts, hooks, &result, err);
    cli_live_end();
    const bool reported = s == AT_OK && report(j, result.run);
    if (s == AT_OK && !j->o->quiet) print_end(j, &result, reported);
    at_train_result_free(&result);
    return s;
}

static at_status run(cli_args *args, at_error *err) {
    job j = {.o = &args->opts};
    json_t *keep = NULL;
    /* A reader that goes away must not take hours of training with it. */
    signal(SIGPIPE, SIG_IGN);
    at_status s = options(args, &j, &keep, err);
    if (s == AT_OK) s = train(&j, err);
    at_dataset_free(j.data);
    json_decref(keep);
    return s;
}

const cli_command cli_train = {
    .name = "train",
    .arguments = "",
    .summary = "Trains a network on a folder of pictures and masks, or on the synthetic set.",
    .details =
        "Everything goes to runs/NAME, a fresh one each time: the best and the last weights, "
        "results.csv, curves, what the network was shown, what it predicts, report.html with all "
        "of it on a page, config.json to repeat the run. Ctrl-C saves and stops; --resume goes on "
        "where a run was, to the same bits. "
        "Layouts of data sets: docs/datasets.md. Without --data the synthetic set is used, and, "
        "unless said otherwise, --epochs 22 --batch 4 --depth 3 --lr 0.003 --loss ce+dice --scale "
        "1 "
        "--vflip 0.5 --brightness 0 --contrast 0 --saturation 0, which suit it.",
    .options = "* quiet",
    .examples =
        "atrous train                                        # the synthetic set, a minute or two\n"
        "atrous train --data camvid --model deeplabv3 --width 0.5 --time 1h\n"
        "atrous train --data photos --class-weights median --epochs 50 --batch 4\n"
        "atrous train --resume runs/train --epochs 100       # longer\n"
        "atrous train --config runs/train/config.json --seed 2",
    .run = run,
};
