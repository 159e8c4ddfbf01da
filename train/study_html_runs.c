/* SPDX-License-Identifier: MIT */
/* The runs of a study on its page: every number as runs.csv has it (data-v), and the command that
 * makes the run again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/figures.h"
#include "train/html.h"
#include "train/study_page.h"
#include "train/study_private.h"

typedef at_study_page page;

static void cell(const page *p, double v, const char *text) {
    fputs("<td data-v=\"", p->f);
    if (isfinite(v)) fprintf(p->f, "%.9g", v);
    fprintf(p->f, "\">%s</td>", text);
}

static void run_row(const page *p, const at_study_run *r) {
    const double miou = at_study_value(r, "miou"), pixel = at_study_value(r, "pixel_accuracy");
    char text[AT_FIGURE];
    fprintf(p->f, "<tr><td class=\"n t\" data-v=\"%d\">", p->look[r->variant].key);
    at_page_variant(p, r->variant);
    fprintf(p->f, "</td><td>%llu</td><td class=\"t\">%s</td>", (unsigned long long)r->seed,
            at_run_state_names[r->state]);
    cell(p, miou, at_figure_share(text, miou));
    cell(p, pixel, at_figure_share(text, pixel));
    cell(p, r->train_s, at_figure_duration(text, r->train_s));
    snprintf(text, sizeof text, isfinite(r->inference_ms) ? "%.2f ms" : "-", r->inference_ms);
    cell(p, r->inference_ms, text);
    fputs("</tr>\n", p->f);
}

static void table(const page *p) {
    fputs("<div class=\"scroll\">\n<table class=\"sorts\" id=\"all-runs\">\n<thead><tr>"
          "<th scope=\"col\" class=\"t\">variant</th><th scope=\"col\">seed</th>"
          "<th scope=\"col\" class=\"t\">state</th><th scope=\"col\">mIoU</th>"
          "<th scope=\"col\">pixel accuracy</th><th scope=\"col\">training</th>"
          "<th scope=\"col\">inference</th></tr></thead>\n<tbody>\n",
          p->f);
    for (int i = 0; i < p->s->variant_count; i++)
        for (int k = 0; k < p->s->seed_count; k++) run_row(p, at_page_run(p, k, p->order[i]));
    fputs("</tbody>\n</table>\n</div>\n", p->f);
}

static at_status command(const page *p, const at_study_run *r, at_error *err) {
    at_train_opts o = at_study_run_opts(p->s, r);
    o.name = strrchr(r->dir, '/') + 1;
    char *text = at_train_command(&o);
    if (!text) return at_fail_memory(err, "a command", 0);
    fprintf(p->f, "<p class=\"dim\">Seed %llu: %s", (unsigned long long)r->seed,
            at_run_state_names[r->state]);
    if (r->error) {
        fputs(": ", p->f);
        at_html_text(p->f, r->error);
    }
    fputs("</p>\n", p->f);
    at_html_command(p->f, text);
    free(text);
    return AT_OK;
}

static at_status commands(const page *p, int variant, at_error *err) {
    fputs("<details><summary>", p->f);
    at_page_variant(p, variant);
    fputs("</summary>\n", p->f);
    for (int i = 0; i < p->s->seed_count; i++) AT_TRY(command(p, at_page_run(p, i, variant), err));
    fputs("</details>\n", p->f);
    return AT_OK;
}

at_status at_section_runs(const page *p, at_error *err) {
    table(p);
    at_html_element(p->f, "h3", "Commands");
    at_html_element(p->f, "p",
                    "On the same kernels (see atrous version) these give the same bits, "
                    "for any number of threads.");
    for (int i = 0; i < p->s->variant_count; i++) AT_TRY(commands(p, p->order[i], err));
    return AT_OK;
}
