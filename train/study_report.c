/* SPDX-License-Identifier: MIT */
/* A study in words: report.md. The text says what was made equal, what was not, and what the seeds
 * cannot tell apart, before anybody reads a winner out of a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/study_markdown.h"
#include "train/study_private.h"

typedef at_study_markdown report;

enum { SHORT = AT_MARKDOWN_SHORT, MOST_SENTENCES = 28 };

/* ---- what was asked ---- */

static void question(const report *r) {
    const at_study *s = r->s;
    const at_train_opts *o = &s->variants[0].opts;
    const char *preset = json_string_value(json_object_get(s->config, "preset"));
    fprintf(r->f, "# %s\n\n%d variants, %d seed%s each, on %s.\n\n",
            strrchr(s->dir, '/') ? strrchr(s->dir, '/') + 1 : s->dir, s->variant_count,
            s->seed_count, s->seed_count == 1 ? "" : "s",
            o->data ? o->data : "the built-in synthetic set");
    for (const at_study_preset *p = at_study_presets; preset && p->name; p++)
        if (strcmp(p->name, preset) == 0) fprintf(r->f, "Preset %s: %s.\n\n", p->name, p->summary);
    fprintf(r->f, "| axis | values |\n|---|---|\n");
    const json_t *axes = json_object_get(s->config, "axes");
    for (int a = 0; a < s->axis_count; a++) {
        const json_t *values = json_object_get(json_array_get(axes, (size_t)a), "values");
        fprintf(r->f, "| %s | ", s->axes[a]);
        for (size_t i = 0; i < json_array_size(values); i++) {
            fputs(i ? "; " : "", r->f);
            at_markdown_cell(
                r, json_string_value(json_object_get(json_array_get(values, i), "label")));
        }
        fputs(" |\n", r->f);
    }
}

static bool varies(const at_study *s, const char *name) {
    for (int a = 0; a < s->axis_count; a++)
        if (strcmp(s->axes[a], name) == 0) return true;
    return false;
}

static void equal_length(const report *r) {
    const at_train_opts *o = &r->s->variants[0].opts;
    char time[SHORT];
    if (varies(r->s, "epochs") || varies(r->s, "iterations") || varies(r->s, "time"))
        fputs("- How long runs train is one of the things that vary.\n", r->f);
    else if (r->s->equal == AT_EQUAL_TIME)
        fprintf(r->f,
                "- Equal time: each run trains for %s, so what is faster sees more epochs. Runs "
                "beside other jobs get less done: compare such a study only with itself.\n",
                at_markdown_duration(time, o->time_s));
    else if (o->iterations)
        fprintf(r->f, "- Equal length: each run makes %lld steps; what is slower takes longer.\n",
                (long long)o->iterations);
    else
        fprintf(r->f, "- Equal epochs: each run makes %d; what is slower takes longer.\n",
                o->epochs);
}

static void equal_rate(const report *r) {
    const at_study *s = r->s;
    if (varies(s, "lr")) {
        fputs("- The learning rate is one of the things that vary.\n", r->f);
        return;
    }
    if (!s->lr_count) {
        fprintf(r->f,
                "- One learning rate for all, %g: a variant that wants another one is at a "
                "disadvantage (--tune-lr).\n",
                s->variants[0].opts.lr);
        return;
    }
    fprintf(r->f,
            "- Each variant has the best of %d learning rates: pilots of %.0f %% of a run's length "
            "with a seed of their own (%llu), judged by mIoU on the validation split.\n",
            s->lr_count, 100 * s->tune_share, (unsigned long long)s->pilots[0].seed);
}

static void equal_cost(const report *r) {
    const at_match match = r->s->variants[0].opts.net.match;
    if (match == AT_MATCH_NONE)
        fputs("- Parameters and multiply-accumulates are what the variants need; the table tells "
              "them (--match makes them alike).\n",
              r->f);
    else
        fprintf(r->f, "- Decoders are as wide as it takes for all variants to have the same %s.\n",
                match == AT_MATCH_PARAMS ? "number of parameters" : "multiply-accumulates");
}

static void fairness(const report *r) {
    const at_study *s = r->s;
    fprintf(r->f, "\n## What is equal and what is not\n\n"
                  "- Runs of one seed see the same pictures, crops and augmentations in the same "
                  "order, and parameters of one name begin with the same numbers.\n");
    equal_length(r);
    equal_rate(r);
    equal_cost(r);
    fprintf(r->f,
            "- Measured on split %s, with the weights of the last epoch, not of the best one.%s\n"
            "- Training time is the steps' alone, and like inference time measured after training, "
            "with nothing else running: seconds of all steps, milliseconds of one picture. Memory "
            "is what training plans; MACs are those of one picture's inference.\n",
            s->split,
            strcmp(s->split, "val") == 0 && s->lr_count ? " The pilots saw that split too." : "");
}

/* ---- what the seeds say ---- */

static void caution(const report *r) {
    if (r->s->seed_count == 1)
        fputs("One seed is luck: differences have no interval, and nothing can be told apart. "
              "Give --seeds 3 or more.\n\n",
              r->f);
    if (r->s->seed_count == 2)
        fputs("With two seeds an interval reaches 12.7 standard errors to each side: only what is "
              "enormous shows.\n\n",
              r->f);
}

/* The better one first. */
static void sentence(const report *r, const at_study_pair *p) {
    const bool turned = at_study_differs(p) && p->test.mean < 0;
    const char *a = r->s->variants[turned ? p->b : p->a].name,
               *b = r->s->variants[turned ? p->a : p->b].name;
    char verdict[AT_VERDICT_TEXT];
    if (at_study_differs(p))
        fprintf(r->f, "- **%s** is better than **%s**: ", a, b);
    else
        fprintf(r->f, "- **%s** and **%s**: %s: ", a, b, at_study_verdict(p, verdict));
    fprintf(r->f, "%+.4f mIoU", turned ? -p->test.mean : p->test.mean);
    if (p->test.n > 1)
        fprintf(r->f, ", interval %+.4f to %+.4f, p = %.2g", turned ? -p->test.high : p->test.low,
                turned ? -p->test.low : p->test.high, p->p_adjusted);
    fputs(".\n", r->f);
}

/* Pairs of a measure; how many of them differ. */
static int count_pairs(const at_study *s, const char *measure, int *differ) {
    int count = 0;
    *differ = 0;
    for (int i = 0; i < s->pair_count; i++) {
        if (strcmp(s->pairs[i].measure, measure) != 0) continue;
        count++;
        *differ += at_study_differs(&s->pairs[i]);
    }
    return count;
}

static void verdicts(const report *r) {
    const at_study *s = r->s;
    int differ;
    const int pairs = count_pairs(s, "miou", &differ);
    if (!pairs) return;
    fprintf(r->f, "\n## What the seeds say\n\n");
    caution(r);
    fprintf(r->f,
            "Differences are taken seed by seed (first minus second); intervals are Student's, 95 "
            "%% for each pair by itself; p is corrected for all pairs of a measure (%d) by Holm's "
            "method, and a "
            "pair is told apart where p < 0.05: %d of %d are.%s\n\n",
            pairs, differ, pairs, pairs > MOST_SENTENCES ? " The others are in pairs.csv." : "");
    for (int i = 0; i < pairs; i++)
        if (pairs <= MOST_SENTENCES || at_study_differs(&s->pairs[i])) sentence(r, &s->pairs[i]);
    fputs("\nPairs told apart by other measures: ", r->f);
    for (int m = 1; m < s->measure_count; m++) {
        count_pairs(s, s->measures[m], &differ);
        fprintf(r->f, "%s%s %d", m > 1 ? ", " : "", s->measures[m], differ);
    }
    fprintf(r->f,
            "; of %d each. What is told apart by chance alone is corrected for within a "
            "measure, not across them.\n",
            pairs);
}

/* ---- learning rates ---- */

static void pilots(const report *r) {
    const at_study *s = r->s;
    if (!s->lr_count) return;
    fprintf(r->f, "\n## Learning rates\n\nmIoU of the pilots on the validation split; the chosen "
                  "rate is bold.\n\n| variant |");
    for (int i = 0; i < s->lr_count; i++) fprintf(r->f, " %s |", s->lrs[i]);
    fputs("\n|---|", r->f);
    for (int i = 0; i < s->lr_count; i++) fputs("---|", r->f);
    for (int i = 0; i < s->pilot_count; i++) {
        const at_study_run *p = &s->pilots[i];
        const double miou = at_study_value(p, "miou");
        const char *bold = s->variants[p->variant].lr == p->lr ? "**" : "";
        if (p->lr == 0) {
            fputs("\n| ", r->f);
            at_markdown_cell(r, s->variants[p->variant].name);
            fputs(" |", r->f);
        }
        if (isnan(miou))
            fprintf(r->f, " %s |", at_run_state_names[p->state]);
        else
            fprintf(r->f, " %s%.4f%s |", bold, miou, bold);
    }
    fputs("\n\nWhere the chosen rate is the first or the last, a longer list might do better.\n",
          r->f);
}

/* ---- the runs ---- */

static at_status command_row(const report *r, const at_study_run *run, at_error *err) {
    at_train_opts o = at_study_run_opts(r->s, run);
    o.name = strrchr(run->dir, '/') + 1;
    char *command = at_train_command(&o);
    if (!command) return at_fail_memory(err, "a command", 0);
    fprintf(r->f, "# %s, seed %llu: %s%s%s\n%s\n", r->s->variants[run->variant].name,
            (unsigned long long)run->seed, at_run_state_names[run->state], run->error ? ": " : "",
            run->error ? run->error : "", command);
    free(command);
    return AT_OK;
}

static at_status commands(const report *r, at_error *err) {
    fputs("\n## Each run again\n\nOn the same kernels (`atrous version`) these give the same bits, "
          "for any number of threads.\n\n```sh\n",
          r->f);
    for (int i = 0; i < r->s->run_count; i++) AT_TRY(command_row(r, &r->s->runs[i], err));
    fputs("```\n", r->f);
    return AT_OK;
}

at_status at_study_save_markdown(const at_study *s, const char *path, at_error *err) {
    at_file_writer w;
    AT_TRY(at_file_begin(&w, path, err));
    const report r = {s, w.stream};
    question(&r);
    fairness(&r);
    at_markdown_ranking(&r);
    at_markdown_beyond(&r);
    verdicts(&r);
    pilots(&r);
    const at_status status = commands(&r, err);
    if (status == AT_OK) return at_file_commit(&w, err);
    at_file_abandon(&w);
    return status;
}

at_status at_study_save(const at_study *s, at_error *err) {
    char *path = at_path_join(s->dir, "report.md");
    at_status status = path ? AT_OK : at_fail_memory(err, "a path", 0);
    if (status == AT_OK) status = at_study_save_runs(s, err);
    if (status == AT_OK) status = at_study_save_pairs(s, err);
    if (status == AT_OK) status = at_study_save_markdown(s, path, err);
    free(path);
    return status;
}
