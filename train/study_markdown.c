/* SPDX-License-Identifier: MIT */
/* The tables of report.md, one row a variant. */
#include "train/study_markdown.h"

#include <math.h>
#include <string.h>

#include "train/figures.h"
#include "train/study_words.h"

typedef at_study_markdown report;

enum { SHORT = AT_FIGURE };

void at_markdown_cell(const report *r, const char *text) {
    for (; *text; text++) {
        if (*text == '|') fputc('\\', r->f);
        fputc(*text, r->f);
    }
}

/* ---- the table ---- */

static void header(const report *r, const char *const *names, int count) {
    for (int i = 0; i < count; i++) fprintf(r->f, " %s |", names[i]);
}

static void table_row(const report *r, int rank, int variant) {
    const at_study *s = r->s;
    const at_variant *v = &s->variants[variant];
    const at_study_summary m = at_study_summarise(s, variant, "miou");
    const char *names[8];
    const int count = at_study_present(s, at_study_ranked, names);
    char a[SHORT], b[SHORT], c[SHORT];
    fprintf(r->f, "| %d | ", rank);
    at_markdown_cell(r, v->name);
    fprintf(r->f, " | %d | %s |", m.n, at_figure_spread(a, m));
    for (int i = 0; i < count; i++)
        fprintf(r->f, " %s |", at_figure_spread(a, at_study_summarise(s, variant, names[i])));
    if (s->lr_count) fprintf(r->f, " %s |", v->lr < 0 ? "-" : s->lrs[v->lr]);
    const double inference = at_study_summarise(s, variant, "inference_ms").mean;
    fprintf(r->f, " %s | %s | %s |", at_figure_number(a, (double)v->cost.parameters),
            at_figure_number(b, v->cost.macs), at_figure_bytes(c, (double)v->cost.peak_bytes));
    fprintf(r->f, " %s |", at_figure_duration(a, at_study_summarise(s, variant, "train_s").mean));
    fprintf(r->f, isnan(inference) ? " - |\n" : " %.2f ms |\n", inference);
}

static void rule(const report *r, int columns) {
    fputc('|', r->f);
    while (columns-- > 0) fputs("---|", r->f);
    fputc('\n', r->f);
}

void at_markdown_ranking(const report *r) {
    const at_study *s = r->s;
    const char *names[8];
    const int count = at_study_present(s, at_study_ranked, names);
    int order[AT_MAX_VARIANTS];
    at_study_rank(s, "miou", order);
    fprintf(r->f, "\n## Ranking by mIoU\n\nMean ± standard deviation over seeds.\n\n"
                  "| | variant | seeds | mIoU |");
    header(r, names, count);
    fprintf(r->f, "%s parameters | MACs | memory | training | inference |\n",
            s->lr_count ? " lr |" : "");
    rule(r, 9 + count + (s->lr_count > 0));
    for (int i = 0; i < s->variant_count; i++) table_row(r, i + 1, order[i]);
}

void at_markdown_beyond(const report *r) {
    const at_study *s = r->s;
    const char *names[8];
    const int count = at_study_present(s, at_study_further, names);
    int order[AT_MAX_VARIANTS];
    char text[SHORT];
    if (!count) return;
    at_study_rank(s, "miou", order);
    fputs("\n## Beyond mIoU\n\n| variant |", r->f);
    header(r, names, count);
    fputc('\n', r->f);
    rule(r, 1 + count);
    for (int i = 0; i < s->variant_count; i++) {
        fputs("| ", r->f);
        at_markdown_cell(r, s->variants[order[i]].name);
        fputs(" |", r->f);
        for (int k = 0; k < count; k++)
            fprintf(r->f, " %s |",
                    at_figure_spread(text, at_study_summarise(s, order[i], names[k])));
        fputc('\n', r->f);
    }
    fputc('\n', r->f);
    for (int k = 0; k < count; k++)
        fprintf(r->f, "- %s: %s\n", names[k], at_measure_help(names[k]));
    fputs("\nAll measures are in runs.csv, and docs/measures.md has their formulas.\n", r->f);
}
