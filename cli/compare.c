/* SPDX-License-Identifier: MIT */
/* atrous compare: hands the question to the training room's studies, shows how they get on, and
 * prints what came out. */
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* ---- what is going on ---- */

static const char *name_of(const at_study *s, const at_study_run *r) {
    return s->variants[r->variant].name;
}

/* "bilinear, seed 2" or "bilinear, pilot with lr 0.01" */
static const char *run_text(char text[192], const at_study *s, const at_study_run *r) {
    if (r->lr >= 0)
        snprintf(text, 192, "%.120s, pilot with lr %s", name_of(s, r), s->lrs[r->lr]);
    else
        snprintf(text, 192, "%.120s, seed %llu", name_of(s, r), (unsigned long long)r->seed);
    return text;
}

static void on_step(const at_study_progress *p) {
    char line[512] = "", run[192], left[CLI_SHORT];
    if (!cli_live_due()) return;
    for (int i = 0; i < p->live_count; i++) {
        const at_study_live *l = &p->live[i];
        const size_t n = strlen(line);
        if (!l->run) continue;
        snprintf(line + n, sizeof line - n, "%s%s: epoch %d", n ? " | " : "",
                 run_text(run, p->study, l->run), l->epoch);
        if (l->epochs) snprintf(line + strlen(line), sizeof line - strlen(line), "/%d", l->epochs);
        if (!isnan(l->miou))
            snprintf(line + strlen(line), sizeof line - strlen(line), " mIoU %.4f", l->miou);
    }
    cli_live("%d/%d  %s  %s left", p->done, p->total, line, cli_duration(left, p->eta_s));
}

static void on_end(const at_study_progress *p) {
    char run[192], left[CLI_SHORT];
    if (p->run->state == AT_RUN_DONE) { /* its times */
        if (cli_live_due()) cli_live("%d/%d measured", p->done, p->total);
        return;
    }
    cli_say("%d/%d  %s: mIoU %.4f, %s left", p->done, p->total, run_text(run, p->study, p->run),
            at_study_value(p->run, "miou"), cli_duration(left, p->eta_s));
}

static void on_progress(void *arg, const at_study_progress *p) {
    const cli_opts *o = arg;
    char run[192];
    if (p->event == AT_STUDY_FAILS)
        cli_say("failed: %s: %s", run_text(run, p->study, p->run), p->text);
    if (p->event == AT_STUDY_NOTE)
        cli_say("warning: %s: %s", run_text(run, p->study, p->run), p->text);
    if (o->quiet) return;
    if (p->event == AT_STUDY_PLAN && cli_live_due()) cli_live("planning %d/%d", p->done, p->total);
    if (p->event == AT_STUDY_STAGE) cli_say("%s: %d", p->text, p->total);
    if (p->event == AT_STUDY_STEP) on_step(p);
    if (p->event == AT_STUDY_ENDS) on_end(p);
}

/* ---- before ---- */

static void print_variant(const at_study *s, const at_variant *v, int width) {
    char a[CLI_SHORT], b[CLI_SHORT], c[CLI_SHORT], d[CLI_SHORT];
    (void)s;
    printf("%-*s %10s %10s %10s %10s\n", width, v->name, cli_number(a, (double)v->cost.parameters),
           cli_number(b, v->cost.macs), cli_bytes(c, (double)v->cost.peak_bytes),
           cli_duration(d, v->cost.run_s));
}

static int widest(const at_study *s) {
    int width = 8;
    for (int i = 0; i < s->variant_count; i++)
        if ((int)strlen(s->variants[i].name) > width) width = (int)strlen(s->variants[i].name);
    return width < 60 ? width : 60;
}

/* One line a run. */
static void print_runs(const at_study *s, int width) {
    for (int i = 0; i < s->run_count; i++) {
        const at_study_run *r = &s->runs[i];
        printf("%-*s seed %-6llu %s\n", width, name_of(s, r), (unsigned long long)r->seed,
               at_run_state_names[r->state]);
    }
}

static void print_plan(const at_study *s) {
    char time[CLI_SHORT];
    const int width = widest(s);
    printf("%-*s %10s %10s %10s %10s\n", width, "variant", "parameters", "MACs", "memory", "a run");
    for (int i = 0; i < s->variant_count; i++) print_variant(s, &s->variants[i], width);
    putchar('\n');
    print_runs(s, width);
    printf("\n%d variants x %d seeds = %d runs", s->variant_count, s->seed_count, s->run_count);
    if (s->pilot_count)
        printf(", after %d pilots of %g of a run's length", s->pilot_count, s->tune_share);
    printf("; predicted time left: %s\n", cli_duration(time, at_study_seconds_left(s)));
}

/* ---- after ---- */

static void print_spread(at_study_summary m) {
    char text[CLI_SHORT];
    if (m.n == 0)
        snprintf(text, sizeof text, "-");
    else if (m.n == 1)
        snprintf(text, sizeof text, "%.4f", m.mean);
    else
        snprintf(text, sizeof text, "%.4f +- %.4f", m.mean, m.deviation);
    printf(" %16s", text);
}

static void print_table(const at_study *s) {
    int order[AT_MAX_VARIANTS];
    char a[CLI_SHORT], b[CLI_SHORT], c[CLI_SHORT], d[CLI_SHORT];
    const int width = widest(s);
    at_study_rank(s, "miou", order);
    printf("%-*s %5s %16s %10s %10s %10s %9s %9s\n", width, "variant", "seeds", "mIoU",
           "parameters", "MACs", "memory", "training", "inference");
    for (int i = 0; i < s->variant_count; i++) {
        const at_variant *v = &s->variants[order[i]];
        const at_study_summary m = at_study_summarise(s, order[i], "miou");
        printf("%-*s %5d", width, v->name, m.n);
        print_spread(m);
        printf(" %10s %10s %10s %9s", cli_number(a, (double)v->cost.parameters),
               cli_number(b, v->cost.macs), cli_bytes(c, (double)v->cost.peak_bytes),
               cli_duration(d, at_study_summarise(s, order[i], "train_s").mean));
        printf(" %6.2f ms\n", at_study_summarise(s, order[i], "inference_ms").mean);
    }
}

static void print_verdicts(const at_study *s) {
    enum { MOST = 10 };
    int alike = 0, differ = 0;
    putchar('\n');
    for (int i = 0; i < s->pair_count; i++) {
        const at_study_pair *p = &s->pairs[i];
        if (strcmp(p->measure, "miou") != 0) continue;
        const bool first = p->test.mean > 0;
        if (!at_study_differs(p))
            alike++;
        else if (differ++ < MOST)
            printf("%s is better than %s: p = %.2g\n", s->variants[first ? p->a : p->b].name,
                   s->variants[first ? p->b : p->a].name, p->p_adjusted);
    }
    if (alike)
        printf("%d seed%s can't tell %d of %d pairs apart\n", s->seed_count,
               s->seed_count == 1 ? "" : "s", alike, alike + differ);
}

static at_status print_end(const at_study *s, const cli_opts *o, at_error *err) {
    if (o->json) return cli_print_json(at_study_to_json(s), err);
    if (o->quiet) return AT_OK;
    print_table(s);
    print_verdicts(s);
    printf("\nreport        %s/report.html, report.md\ntables        %s/runs.csv, pairs.csv\n"
           "more seeds    atrous compare --name %s --seeds %d\n",
           s->dir, s->dir, strrchr(s->dir, '/') ? strrchr(s->dir, '/') + 1 : s->dir,
           s->seed_count + 2);
    return AT_OK;
}

/* ---- the question ---- */

static bool is_axis(const cli_opts *o, const char *name) {
    const size_t length = strlen(name);
    for (int i = 0; i < o->axis_count; i++) {
        const at_axis_text *a = &o->axes[i];
        if (a->name ? strcmp(a->name, name) == 0
                    : strncmp(a->values, name, length) == 0 && a->values[length] == '=')
            return true;
    }
    return false;
}

/* The options that somebody fixed: a list makes an axis and fixes nothing. */
static int said(const cli_args *args, const char **names) {
    int count = 0;
    for (int i = 0; i < args->given_count; i++) {
        const char *name = args->given[i];
        const bool list = args->command->several && strcmp(args->command->several, name) == 0 &&
                          is_axis(&args->opts, name);
        if (!list) names[count++] = name;
    }
    return count;
}

/* What suits the synthetic set, but no depth for a network that varies or that a preset names. */
static at_status suit(const cli_args *args, at_train_opts *base, at_error *err) {
    const bool other = is_axis(&args->opts, "model") || args->opts.preset;
    const int depth = base->net.depth;
    AT_TRY(cli_suit_synthetic(args, base, err));
    if (other) base->net.depth = depth;
    return AT_OK;
}

static at_status question(const cli_args *args, const char **names, at_study_opts *q,
                          at_error *err) {
    const cli_opts *o = &args->opts;
    if (o->train.resume)
        return at_fail(err, AT_ERR_USAGE, "--resume: a study goes on with --name NAME");
    *q = (at_study_opts){.base = o->train,
                         .fresh = !cli_given(args, "name"),
                         .axis_count = o->axis_count,
                         .preset = o->preset,
                         .seeds = cli_given(args, "seeds") ? o->seeds : 0,
                         .equal = strcmp(o->equal, "time") == 0 ? AT_EQUAL_TIME : AT_EQUAL_EPOCHS,
                         .tune_lr = o->tune_lr,
                         .tune_share = o->tune_share,
                         .split = o->split,
                         .said = names,
                         .said_count = said(args, names)};
    memcpy(q->axes, o->axes, sizeof q->axes);
    if (!at_model_find(o->train.model)) return cli_unknown_model(o->train.model, err);
    return suit(args, &q->base, err);
}

/* ---- the work ---- */

static at_status fail_some(const at_study *s, int failed, at_error *err) {
    for (int i = 0; i < s->run_count; i++)
        if (s->runs[i].state == AT_RUN_FAILED)
            return at_fail(err, AT_ERR_INPUT,
                           "%d of %d runs failed, the first with: %s; --name %s tries them again",
                           failed, s->run_count, s->runs[i].error, strrchr(s->dir, '/') + 1);
    return at_fail(err, AT_ERR_INPUT, "%d of %d runs failed; --name %s tries them again", failed,
                   s->run_count, strrchr(s->dir, '/') + 1);
}

static at_status stopped(const at_study *s, const cli_opts *o, at_error *err) {
    int done = 0;
    for (int i = 0; i < s->run_count; i++) done += s->runs[i].state >= AT_RUN_TRAINED;
    if (!s->dir) return at_fail(err, AT_ERR_STOPPED, "stopped before anything began");
    return at_fail(err, AT_ERR_STOPPED,
                   "stopped, %d of %d runs trained; go on with: atrous compare --name %s%s%s", done,
                   s->run_count, strrchr(s->dir, '/') + 1,
                   strcmp(o->train.runs, "runs") == 0 ? "" : " --runs ",
                   strcmp(o->train.runs, "runs") == 0 ? "" : o->train.runs);
}

static at_status work(at_study *s, const cli_opts *o, const at_train_opts *machine, at_error *err) {
    int failed = 0;
    const at_study_work w = {.jobs = o->jobs,
                             .machine = machine,
                             .progress = on_progress,
                             .arg = (void *)(uintptr_t)o,
                             .stop = cli_stop_on_interrupt()};
    at_status status = at_study_plan(s, &w, err);
    cli_live_end();
    if (status == AT_OK && o->dry_run) {
        if (o->json) return cli_print_json(at_study_plan_to_json(s), err);
        print_plan(s);
        return AT_OK;
    }
    if (status == AT_OK) status = at_study_do(s, &w, &failed, err);
    cli_live_end();
    if (status == AT_ERR_STOPPED) return stopped(s, o, err);
    if (status != AT_OK) return status;
    AT_TRY(print_end(s, o, err));
    return failed ? fail_some(s, failed, err) : AT_OK;
}

static at_status run(cli_args *args, at_error *err) {
    const char *names[CLI_MAX_GIVEN];
    at_study_opts q;
    at_study *s;
    /* A reader that goes away must not take hours of training with it. */
    signal(SIGPIPE, SIG_IGN);
    AT_TRY(question(args, names, &q, err));
    AT_TRY(at_study_open(&s, &q, err));
    const at_status status = work(s, &args->opts, &q.base, err);
    at_study_free(s);
    return status;
}

const cli_command cli_compare = {
    .name = "compare",
    .arguments = "",
    .summary = "Trains the same network with one thing varied, several seeds each, and tells which "
               "differences are more than luck.",
    .details =
        "--upsample A,B,C or --axis NAME=V1:V2 (any option of `atrous train`) say what varies; all "
        "combinations are trained with each seed. Runs of one seed see the same pictures, crops "
        "and augmentations, and start from the same numbers. Everything goes to runs/NAME: "
        "report.html, report.md, runs.csv, pairs.csv, the single runs under runs/. Ctrl-C stops; "
        "--name NAME "
        "goes on, after a kill too, and takes more --seeds or further values of an axis; anything "
        "else must stay as it was. Without --data the synthetic set is used, with the options of "
        "`atrous train`.",
    .options = "preset axis seeds equal tune-lr tune-share jobs dry-run split * json quiet",
    .several = "upsample",
    .defaults = (const cli_default[]){{"name", "compare"}, {NULL, NULL}},
    .examples =
        "atrous compare --upsample nearest,bilinear,transposed          # the synthetic set\n"
        "atrous compare --data camvid --model unet --upsample bilinear,unpool --seeds 5 --dry-run\n"
        "atrous compare --model hdc --axis rates=2,2,2:1,2,3 --axis norm=batch:group --jobs 2\n"
        "atrous compare --upsample nearest,bilinear --equal time --time 5m --name quick\n"
        "atrous compare --name quick --seeds 6                          # more seeds",
    .run = run,
};
