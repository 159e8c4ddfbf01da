/* SPDX-License-Identifier: MIT */
/* A study in words: report.md. The text says what was made equal, what was not, and what the seeds
 * cannot tell apart, before anybody reads a winner out of a table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/study_private.h"

typedef struct report {
    const at_study *s;
    FILE *f;
} report;

enum { SHORT = 48, MOST_SENTENCES = 28 };

/* ---- numbers ---- */

static const char *scaled(char text[SHORT], double v, double base, const char *const *units,
                          int count) {
    int i = 0;
    for (; i + 1 < count && v >= 0.9995 * base; i++) v /= base;
    snprintf(text, SHORT, "%.*f%s%s",
             v >= 99.95 || i == 0 ? 0
             : v >= 9.995         ? 1
                                  : 2,
             v, *units[i] ? " " : "", units[i]);
    return text;
}

static const char *number(char text[SHORT], double v) {
    return scaled(text, v, 1000, (const char *const[]){"", "k", "M", "G", "T"}, 5);
}

static const char *bytes(char text[SHORT], double v) {
    return scaled(text, v, 1024, (const char *const[]){"B", "KiB", "MiB", "GiB", "TiB"}, 5);
}

static const char *duration(char text[SHORT], double seconds) {
    const long s = lround(seconds);
    if (!(seconds >= 0 && seconds < 1e9))
        snprintf(text, SHORT, "-");
    else if (s < 60)
        snprintf(text, SHORT, "%.1f s", seconds);
    else if (s < 3600)
        snprintf(text, SHORT, "%ld min %ld s", s / 60, s % 60);
    else
        snprintf(text, SHORT, "%ld h %ld min", s / 3600, s / 60 % 60);
    return text;
}

static const char *spread(char text[SHORT], at_study_summary m) {
    if (m.n == 0)
        snprintf(text, SHORT, "-");
    else if (m.n == 1)
        snprintf(text, SHORT, "%.4f", m.mean);
    else
        snprintf(text, SHORT, "%.4f ± %.4f", m.mean, m.deviation);
    return text;
}

/* Text for a cell of a table. */
static void cell(const report *r, const char *text) {
    for (; *text; text++) {
        if (*text == '|') fputc('\\', r->f);
        fputc(*text, r->f);
    }
}

/* ---- what was asked ---- */

static void question(const report *r) {
    const at_study *s = r->s;
    const at_train_opts *o = &s->variants[0].opts;
    fprintf(r->f, "# %s\n\n%d variants, %d seed%s each, on %s.\n\n",
            strrchr(s->dir, '/') ? strrchr(s->dir, '/') + 1 : s->dir, s->variant_count,
            s->seed_count, s->seed_count == 1 ? "" : "s",
            o->data ? o->data : "the built-in synthetic set");
    fprintf(r->f, "| axis | values |\n|---|---|\n");
    const json_t *axes = json_object_get(s->config, "axes");
    for (int a = 0; a < s->axis_count; a++) {
        const json_t *values = json_object_get(json_array_get(axes, (size_t)a), "values");
        fprintf(r->f, "| %s | ", s->axes[a]);
        for (size_t i = 0; i < json_array_size(values); i++) {
            fputs(i ? "; " : "", r->f);
            cell(r, json_string_value(json_object_get(json_array_get(values, i), "label")));
        }
        fputs(" |\n", r->f);
    }
}

static void equal_length(const report *r) {
    const at_train_opts *o = &r->s->variants[0].opts;
    char time[SHORT];
    if (r->s->equal == AT_EQUAL_TIME)
        fprintf(r->f,
                "- Equal time: each run trains for %s, so what is faster sees more epochs. Runs "
                "beside other jobs get less done: compare such a study only with itself.\n",
                duration(time, o->time_s));
    else if (o->iterations)
        fprintf(r->f, "- Equal length: each run makes %lld steps; what is slower takes longer.\n",
                (long long)o->iterations);
    else
        fprintf(r->f, "- Equal epochs: each run makes %d; what is slower takes longer.\n",
                o->epochs);
}

static void equal_rate(const report *r) {
    const at_study *s = r->s;
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

static void fairness(const report *r) {
    const at_study *s = r->s;
    fprintf(r->f, "\n## What is equal and what is not\n\n"
                  "- Runs of one seed see the same pictures, crops and augmentations in the same "
                  "order, and parameters of one name begin with the same numbers.\n");
    equal_length(r);
    equal_rate(r);
    fprintf(r->f,
            "- Parameters and multiply-accumulates are what the variants need; the table tells "
            "them.\n"
            "- Measured on split %s, with the weights of the last epoch, not of the best one.%s\n"
            "- Training time is the steps' alone, and like inference time measured after training, "
            "with nothing else running: seconds of all steps, milliseconds of one picture. Memory "
            "is what training plans; MACs are those of one picture's inference.\n",
            s->split,
            strcmp(s->split, "val") == 0 && s->lr_count ? " The pilots saw that split too." : "");
}

/* ---- the table ---- */

static void table_row(const report *r, int rank, int variant) {
    const at_study *s = r->s;
    const at_variant *v = &s->variants[variant];
    const at_study_summary m = at_study_summarise(s, variant, "miou");
    char a[SHORT], b[SHORT], c[SHORT];
    fprintf(r->f, "| %d | ", rank);
    cell(r, v->name);
    fprintf(r->f, " | %d | %s |", m.n, spread(a, m));
    for (int i = 1; i < s->measure_count; i++)
        fprintf(r->f, " %s |", spread(a, at_study_summarise(s, variant, s->measures[i])));
    if (s->lr_count) fprintf(r->f, " %s |", v->lr < 0 ? "-" : s->lrs[v->lr]);
    const double inference = at_study_summarise(s, variant, "inference_ms").mean;
    fprintf(r->f, " %s | %s | %s |", number(a, (double)v->cost.parameters), number(b, v->cost.macs),
            bytes(c, (double)v->cost.peak_bytes));
    fprintf(r->f, " %s |", duration(a, at_study_summarise(s, variant, "train_s").mean));
    fprintf(r->f, isnan(inference) ? " - |\n" : " %.2f ms |\n", inference);
}

static void table(const report *r) {
    const at_study *s = r->s;
    int order[AT_MAX_VARIANTS];
    at_study_rank(s, "miou", order);
    fprintf(r->f, "\n## Ranking by mIoU\n\nMean ± standard deviation over seeds.\n\n"
                  "| | variant | seeds | mIoU |");
    for (int i = 1; i < s->measure_count; i++) fprintf(r->f, " %s |", s->measures[i]);
    fprintf(r->f, "%s parameters | MACs | memory | training | inference |\n|---|---|---|---|",
            s->lr_count ? " lr |" : "");
    for (int i = s->lr_count ? 0 : 1; i < s->measure_count + 5; i++) fputs("---|", r->f);
    fputc('\n', r->f);
    for (int i = 0; i < s->variant_count; i++) table_row(r, i + 1, order[i]);
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
    for (int m = 1; m < s->measure_count; m++) {
        const int count = count_pairs(s, s->measures[m], &differ);
        fprintf(r->f, "%s- %s: %d of %d pairs are told apart.\n",
                m == 1 ? "\nOther measures:\n\n" : "", s->measures[m], differ, count);
    }
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
            cell(r, s->variants[p->variant].name);
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
    table(&r);
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
