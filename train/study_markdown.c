/* SPDX-License-Identifier: MIT */
/* The tables of report.md, one row a variant. */
#include "train/study_markdown.h"

#include <math.h>
#include <string.h>

#include "train/measures.h"

typedef at_study_markdown report;

enum { SHORT = AT_MARKDOWN_SHORT };

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

const char *at_markdown_duration(char text[SHORT], double seconds) {
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

void at_markdown_cell(const report *r, const char *text) {
    for (; *text; text++) {
        if (*text == '|') fputc('\\', r->f);
        fputc(*text, r->f);
    }
}

/* ---- the table ---- */

/* Beside mIoU in the ranking, and in a table of their own; the others are in runs.csv. */
static const char *const ranked[] = {"pixel_accuracy", "bf1", "boundary_iou", NULL};
static const char *const further[] = {
    "trimap2",   "recall_small",  "error_boundary", "error_interior",
    "polyphase", "spectral_peak", "phase_gap",      NULL};

static bool has(const at_study *s, const char *measure) {
    for (int i = 0; i < s->measure_count; i++)
        if (strcmp(s->measures[i], measure) == 0) return true;
    return false;
}

/* Those that the study has; how many. */
static int present(const at_study *s, const char *const *names, const char *out[8]) {
    int count = 0;
    for (; *names; names++)
        if (has(s, *names)) out[count++] = *names;
    return count;
}

static void header(const report *r, const char *const *names, int count) {
    for (int i = 0; i < count; i++) fprintf(r->f, " %s |", names[i]);
}

static void table_row(const report *r, int rank, int variant) {
    const at_study *s = r->s;
    const at_variant *v = &s->variants[variant];
    const at_study_summary m = at_study_summarise(s, variant, "miou");
    const char *names[8];
    const int count = present(s, ranked, names);
    char a[SHORT], b[SHORT], c[SHORT];
    fprintf(r->f, "| %d | ", rank);
    at_markdown_cell(r, v->name);
    fprintf(r->f, " | %d | %s |", m.n, spread(a, m));
    for (int i = 0; i < count; i++)
        fprintf(r->f, " %s |", spread(a, at_study_summarise(s, variant, names[i])));
    if (s->lr_count) fprintf(r->f, " %s |", v->lr < 0 ? "-" : s->lrs[v->lr]);
    const double inference = at_study_summarise(s, variant, "inference_ms").mean;
    fprintf(r->f, " %s | %s | %s |", number(a, (double)v->cost.parameters), number(b, v->cost.macs),
            bytes(c, (double)v->cost.peak_bytes));
    fprintf(r->f, " %s |", at_markdown_duration(a, at_study_summarise(s, variant, "train_s").mean));
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
    const int count = present(s, ranked, names);
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

static const char *help_of(const char *measure) {
    for (int i = 0; i < AT_MEASURES; i++)
        if (strcmp(at_measure_list[i].name, measure) == 0) return at_measure_list[i].help;
    return "";
}

void at_markdown_beyond(const report *r) {
    const at_study *s = r->s;
    const char *names[8];
    const int count = present(s, further, names);
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
            fprintf(r->f, " %s |", spread(text, at_study_summarise(s, order[i], names[k])));
        fputc('\n', r->f);
    }
    fputc('\n', r->f);
    for (int k = 0; k < count; k++) fprintf(r->f, "- %s: %s\n", names[k], help_of(names[k]));
    fputs("\nAll measures are in runs.csv, and docs/measures.md has their formulas.\n", r->f);
}
