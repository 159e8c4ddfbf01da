/* SPDX-License-Identifier: MIT */
/* Tables of a study's page, one row a variant. A click on a head sorts (data-v holds the number
 * that is sorted by). */
#include <math.h>
#include <string.h>

#include "train/figures.h"
#include "train/html.h"
#include "train/measures.h"
#include "train/study_page.h"
#include "train/study_words.h"
#include "train/svg.h"

typedef at_study_page page;

/* ---- cells ---- */

static void head_cell(const page *p, const char *text) {
    fputs("<th scope=\"col\">", p->f);
    at_html_text(p->f, text);
    fputs("</th>", p->f);
}

static void cell(const page *p, double v, const char *text) {
    fputs("<td data-v=\"", p->f);
    if (isfinite(v)) fprintf(p->f, "%.9g", v);
    fputs("\">", p->f);
    at_html_text(p->f, text);
    fputs("</td>", p->f);
}

static void spread_cell(const page *p, int variant, const char *measure) {
    const at_study_summary m = at_study_summarise(p->s, variant, measure);
    if (m.n < 2) {
        char text[AT_FIGURE];
        cell(p, m.mean, at_figure_spread(text, m));
        return;
    }
    fprintf(p->f, "<td data-v=\"%.9g\">%.4f <small>± %.4f</small></td>", m.mean, m.mean,
            m.deviation);
}

static void variant_cell(const page *p, int variant) {
    fprintf(p->f, "<td class=\"n t\" data-v=\"%d\">", p->look[variant].key);
    at_page_variant(p, variant);
    fputs("</td>", p->f);
}

static void open_table(const page *p, const char *first) {
    fputs("<div class=\"scroll\">\n<table class=\"sorts\">\n<thead><tr><th scope=\"col\" "
          "class=\"t\">",
          p->f);
    at_html_text(p->f, first);
    fputs("</th>", p->f);
}

static void close_table(const page *p) {
    fputs("</tbody>\n</table>\n</div>\n", p->f);
}

/* ---- the ranking ---- */

typedef struct strip {
    double low, high;
} strip;

static strip strip_of(const page *p, const char *measure) {
    strip r = {INFINITY, -INFINITY};
    for (int i = 0; i < p->s->run_count; i++) {
        const double v = at_study_value(&p->s->runs[i], measure);
        if (isfinite(v)) r.low = fmin(r.low, v), r.high = fmax(r.high, v);
    }
    if (!(r.high > r.low)) r.low -= 0.5, r.high += 0.5;
    return r;
}

/* Each seed a dot, all variants on one scale. */
static void seeds_cell(const page *p, int variant, strip r) {
    enum { WIDE = 100, HIGH = 18, ROOM = 6 };
    const at_chart_look l = p->look[variant];
    fprintf(p->f,
            "<td data-v=\"\"><svg width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" "
            "aria-hidden=\"true\">",
            WIDE, HIGH, WIDE, HIGH);
    at_svg_line(p->f, 1, HIGH / 2.0, WIDE - 1, HIGH / 2.0, "grid");
    fprintf(p->f, "<g class=\"h%d p%d\">", l.hue, l.pattern);
    for (int i = 0; i < p->s->seed_count; i++) {
        const double v = at_study_value(at_page_run(p, i, variant), "miou");
        if (isfinite(v))
            fprintf(p->f, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%d\" r=\"4\"/>",
                    ROOM + (v - r.low) / (r.high - r.low) * (WIDE - 2 * ROOM), HIGH / 2);
    }
    fputs("</g></svg></td>", p->f);
}

static void cost_cells(const page *p, int variant) {
    const at_study_cost *c = &p->s->variants[variant].cost;
    const double train = at_study_summarise(p->s, variant, "train_s").mean,
                 inference = at_study_summarise(p->s, variant, "inference_ms").mean;
    char text[AT_FIGURE];
    if (!c->parameters) { /* nothing is known before a run was planned or timed */
        for (int i = 0; i < 3; i++) cell(p, NAN, "-");
    } else {
        cell(p, (double)c->parameters, at_figure_number(text, (double)c->parameters));
        cell(p, c->macs, at_figure_number(text, c->macs));
        cell(p, (double)c->peak_bytes, at_figure_bytes(text, (double)c->peak_bytes));
    }
    cell(p, train, at_figure_duration(text, train));
    snprintf(text, sizeof text, isfinite(inference) ? "%.2f ms" : "-", inference);
    cell(p, inference, text);
}

static void ranking_row(const page *p, int variant, const char *const *names, int count,
                        strip range) {
    const at_study *s = p->s;
    char text[AT_FIGURE];
    const int seeds = at_study_summarise(s, variant, "miou").n;
    fputs("<tr>", p->f);
    variant_cell(p, variant);
    snprintf(text, sizeof text, "%d", seeds);
    cell(p, seeds, text);
    spread_cell(p, variant, "miou");
    seeds_cell(p, variant, range);
    for (int i = 0; i < count; i++) spread_cell(p, variant, names[i]);
    if (s->lr_count) {
        const int lr = s->variants[variant].lr;
        fputs("<td>", p->f);
        at_html_text(p->f, lr < 0 ? "-" : s->lrs[lr]);
        fputs("</td>", p->f);
    }
    cost_cells(p, variant);
    fputs("</tr>\n", p->f);
}

/* "pixel_accuracy" as people say it. */
static const char *readable(char text[AT_FIGURE], const char *name) {
    snprintf(text, AT_FIGURE, "%s", name);
    for (char *c = text; *c; c++)
        if (*c == '_') *c = ' ';
    return text;
}

at_status at_section_ranking(const page *p, at_error *err) {
    static const char *const costs[] = {"parameters", "MACs", "memory", "training", "inference"};
    const char *names[8];
    const int count = at_study_present(p->s, at_study_ranked, names);
    const strip range = strip_of(p, "miou");
    char text[AT_FIGURE];
    (void)err;
    at_html_element(p->f, "p",
                    "Mean ± standard deviation over seeds; each dot is a seed. The "
                    "number of a variant stays its own on the whole page.");
    open_table(p, "variant");
    head_cell(p, "seeds");
    head_cell(p, "mIoU");
    head_cell(p, "its seeds");
    for (int i = 0; i < count; i++) head_cell(p, readable(text, names[i]));
    if (p->s->lr_count) head_cell(p, "lr");
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++) head_cell(p, costs[i]);
    fputs("</tr></thead>\n<tbody>\n", p->f);
    for (int i = 0; i < p->s->variant_count; i++) ranking_row(p, p->order[i], names, count, range);
    close_table(p);
    return AT_OK;
}

/* ---- beyond mIoU ---- */

static int better(const char *measure) {
    for (int i = 0; i < AT_MEASURES; i++)
        if (strcmp(at_measure_list[i].name, measure) == 0) return at_measure_list[i].better;
    return 0;
}

at_status at_section_beyond(const page *p, at_error *err) {
    const char *names[8];
    const int count = at_study_present(p->s, at_study_further, names);
    char text[AT_FIGURE];
    (void)err;
    open_table(p, "variant");
    for (int i = 0; i < count; i++) head_cell(p, readable(text, names[i]));
    fputs("</tr></thead>\n<tbody>\n", p->f);
    for (int i = 0; i < p->s->variant_count; i++) {
        if (!at_study_summarise(p->s, p->order[i], "miou").n) continue;
        fputs("<tr>", p->f);
        variant_cell(p, p->order[i]);
        for (int k = 0; k < count; k++) spread_cell(p, p->order[i], names[k]);
        fputs("</tr>\n", p->f);
    }
    close_table(p);
    fputs("<ul>\n", p->f);
    for (int i = 0; i < count; i++) {
        fputs("<li><b>", p->f);
        at_html_text(p->f, readable(text, names[i]));
        fputs("</b>: ", p->f);
        at_html_text(p->f, at_measure_help(names[i]));
        fprintf(p->f, "; %s is better</li>\n", better(names[i]) > 0 ? "more" : "less");
    }
    fputs("</ul>\n<p>All measures are in runs.csv; docs/measures.md has their formulas.</p>\n",
          p->f);
    return AT_OK;
}

/* ---- learning rates ---- */

at_status at_section_rates(const page *p, at_error *err) {
    const at_study *s = p->s;
    char text[AT_FIGURE];
    (void)err;
    at_html_element(p->f, "p",
                    "mIoU of the pilots on the validation split; the chosen rate is "
                    "bold. Where it is the first or the last, a longer list might do "
                    "better.");
    open_table(p, "variant");
    for (int i = 0; i < s->lr_count; i++) head_cell(p, s->lrs[i]);
    fputs("</tr></thead>\n<tbody>\n", p->f);
    for (int i = 0; i < s->pilot_count; i++) {
        const at_study_run *pilot = &s->pilots[i];
        const double miou = at_study_value(pilot, "miou");
        const bool chosen = s->variants[pilot->variant].lr == pilot->lr;
        if (pilot->lr == 0) fputs("<tr>", p->f);
        if (pilot->lr == 0) variant_cell(p, pilot->variant);
        fputs(chosen ? "<td><b>" : "<td>", p->f);
        at_html_text(p->f,
                     isnan(miou) ? at_run_state_names[pilot->state] : at_figure_share(text, miou));
        fputs(chosen ? "</b></td>" : "</td>", p->f);
        if (pilot->lr == s->lr_count - 1) fputs("</tr>\n", p->f);
    }
    close_table(p);
    return AT_OK;
}
