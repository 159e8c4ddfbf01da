/* SPDX-License-Identifier: MIT */
/* A study in words: report.md. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/study_markdown.h"
#include "train/study_private.h"
#include "train/study_words.h"

typedef at_study_markdown report;

/* ---- what was asked ---- */

static void question(const report *r) {
    const at_study *s = r->s;
    const at_study_preset *preset = at_study_preset_of(s);
    fprintf(r->f, "# %s\n\n%d variants, %d seed%s each, on %s.\n\n", at_study_title(s),
            s->variant_count, s->seed_count, s->seed_count == 1 ? "" : "s", at_study_data(s));
    if (preset) fprintf(r->f, "Preset %s: %s.\n\n", preset->name, preset->summary);
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

static void item(void *arg, const char *sentence) {
    fprintf((FILE *)arg, "- %s\n", sentence);
}

static void paragraph(void *arg, const char *sentence) {
    fprintf((FILE *)arg, "%s\n\n", sentence);
}

static void fairness(const report *r) {
    fprintf(r->f, "\n## What is equal and what is not\n\n");
    at_study_say_fairness(r->s, item, r->f);
}

/* ---- what the seeds say ---- */

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

static void verdicts(const report *r) {
    const at_study *s = r->s;
    int differ;
    char text[AT_SENTENCE];
    const int pairs = at_study_count_pairs(s, "miou", &differ);
    if (!pairs) return;
    fprintf(r->f, "\n## What the seeds say\n\n");
    at_study_say_caution(s, paragraph, r->f);
    at_study_explain_pairs(s, text);
    fprintf(r->f, "%s%s\n\n", text,
            pairs > AT_MOST_SENTENCES ? " The others are in pairs.csv." : "");
    for (int i = 0; i < pairs; i++)
        if (pairs <= AT_MOST_SENTENCES || at_study_differs(&s->pairs[i])) sentence(r, &s->pairs[i]);
    fputs("\nPairs told apart by other measures: ", r->f);
    for (int m = 1; m < s->measure_count; m++) {
        at_study_count_pairs(s, s->measures[m], &differ);
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
    if (status == AT_OK)
        status = at_study_save_html(
            s, NULL, "Pictures come when the study is done, or with `atrous report`.", err);
    free(path);
    return status;
}
