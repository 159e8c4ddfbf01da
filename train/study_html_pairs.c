/* SPDX-License-Identifier: MIT */
/* Variants held against each other, pair by pair: the difference, its interval drawn on one scale,
 * and what the seeds say. Where there are many, each is held against the first, and a table has
 * all of them. */
#include <math.h>
#include <string.h>

#include "train/chart.h"
#include "train/figures.h"
#include "train/html.h"
#include "train/study_page.h"
#include "train/study_words.h"
#include "train/svg.h"

typedef at_study_page page;

enum { WIDE = 300, HIGH = 22, MOST_IN_TABLE = 32 };

/* A pair with the better ranked variant first. */
typedef struct turned {
    int first, second;
    double mean, low, high;
    const at_study_pair *pair;
} turned;

static turned turn(const page *p, const at_study_pair *pair) {
    const at_paired *t = &pair->test;
    if (p->look[pair->a].key < p->look[pair->b].key)
        return (turned){pair->a, pair->b, t->mean, t->low, t->high, pair};
    return (turned){pair->b, pair->a, -t->mean, -t->high, -t->low, pair};
}

static bool is_miou(const at_study_pair *pair) {
    return strcmp(pair->measure, "miou") == 0 && pair->test.n > 0;
}

/* The pair of mIoU of two ranks; false: no seed has both. */
static bool find(const page *p, int first, int second, turned *out) {
    const int a = p->order[first], b = p->order[second];
    for (int i = 0; i < p->s->pair_count; i++) {
        const at_study_pair *pair = &p->s->pairs[i];
        if (strcmp(pair->measure, "miou") != 0) break; /* mIoU comes first */
        if ((pair->a == a && pair->b == b) || (pair->a == b && pair->b == a)) {
            *out = turn(p, pair);
            return is_miou(pair);
        }
    }
    return false;
}

/* ---- one pair ---- */

/* Against the first variant of the page only the second is named. */
static void sentence(const page *p, const turned *t, bool all) {
    char verdict[AT_VERDICT_TEXT];
    const bool told = at_study_differs(t->pair);
    fputs("<p>", p->f);
    if (all) {
        at_page_variant(p, t->first);
        fputs(told ? " <span class=\"told\">is better than</span> " : " and ", p->f);
    }
    at_page_variant(p, t->second);
    if (told && !all) fputs(": <span class=\"told\">the first is better</span>", p->f);
    if (!told) fprintf(p->f, ": <b>%s</b>", at_study_verdict(t->pair, verdict));
    fprintf(p->f, "<br/><span class=\"dim\">%+.4f mIoU", t->mean);
    if (t->pair->test.n > 1)
        fprintf(p->f, ", interval %+.4f to %+.4f, p = %.2g", t->low, t->high, t->pair->p_adjusted);
    fputs("</span></p>\n", p->f);
}

/* What lies beyond the scale is drawn at its end. */
static double place(double v, at_axis scale) {
    return at_axis_place(scale, fmax(scale.low, fmin(scale.high, v)), 8, WIDE - 8);
}

static void interval(const page *p, const turned *t, at_axis scale) {
    const char *told = at_study_differs(t->pair) ? " told" : "";
    const double y = HIGH / 2.0, zero = place(0, scale);
    fprintf(p->f, "<svg viewBox=\"0 0 %d %d\" aria-hidden=\"true\">", WIDE, HIGH);
    at_svg_line(p->f, zero, 0, zero, HIGH, "axis");
    if (t->pair->test.n > 1)
        fprintf(p->f, "<line class=\"ci%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>",
                told, place(t->low, scale), y, place(t->high, scale), y);
    fprintf(p->f, "<circle class=\"ci%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/></svg>\n", told,
            place(t->mean, scale), y);
}

static void draw_scale(const page *p, at_axis scale, bool all) {
    char text[AT_FIGURE];
    fputs("<li><p class=\"dim\">", p->f);
    if (!all) at_page_number(p, p->order[0]);
    fprintf(p->f, "%s</p><svg viewBox=\"0 0 %d %d\" aria-hidden=\"true\">",
            all ? "difference of mIoU, first minus second" : "its mIoU minus that of", WIDE, HIGH);
    for (int i = 0; scale.low + i * scale.step <= scale.high + 0.5 * scale.step; i++) {
        const double v = scale.low + i * scale.step;
        snprintf(text, sizeof text, fabs(v) < 1e-6 * scale.step ? "0" : "%+.3g", v);
        at_svg_text(p->f, place(v, scale), HIGH - 6, "middle", "dim", text);
    }
    fputs("</svg></li>\n", p->f);
}

/* ---- the list ---- */

/* Is the pair of these two ranks in the list? */
static bool listed(int first, bool all) {
    return all || first == 0;
}

/* From the lowest to the highest end of an interval, but no more than six times the largest
 * difference, for two seeds' intervals reach far beyond anything. */
static at_axis scale_of(const page *p, bool all) {
    double low = 0, high = 0, largest = 0;
    turned t;
    for (int i = 0; i < p->s->variant_count; i++)
        for (int k = i + 1; k < p->s->variant_count; k++) {
            if (!listed(i, all) || !find(p, i, k, &t)) continue;
            largest = fmax(largest, fabs(t.mean));
            low = fmin(low, fmin(t.mean, isnan(t.low) ? t.mean : t.low));
            high = fmax(high, fmax(t.mean, isnan(t.high) ? t.mean : t.high));
        }
    if (!(largest > 0)) return at_axis_nice(-0.01, 0.01, 4);
    return at_axis_nice(fmax(low, -6 * largest), fmin(high, 6 * largest), 3);
}

static void list(const page *p, bool all) {
    const at_axis scale = scale_of(p, all);
    turned t;
    fputs("<ul class=\"pairs\">\n", p->f);
    draw_scale(p, scale, all);
    for (int i = 0; i < p->s->variant_count; i++)
        for (int k = i + 1; k < p->s->variant_count; k++) {
            if (!listed(i, all) || !find(p, i, k, &t)) continue;
            fputs("<li>", p->f);
            sentence(p, &t, all);
            interval(p, &t, scale);
            fputs("</li>\n", p->f);
        }
    fputs("</ul>\n", p->f);
}

/* ---- all pairs as a table ---- */

static void table(const page *p, int count) {
    turned t;
    at_html_element(p->f, "h3", "All pairs");
    at_html_element(p->f, "p", "The row's mIoU minus the column's; bold where told apart.");
    fputs("<div class=\"scroll\">\n<table>\n<thead><tr><th></th>", p->f);
    for (int k = 1; k < count; k++) {
        fputs("<th scope=\"col\">", p->f);
        at_page_number(p, p->order[k]);
        fputs("</th>", p->f);
    }
    fputs("</tr></thead>\n<tbody>\n", p->f);
    for (int i = 0; i + 1 < count; i++) {
        fputs("<tr><td class=\"n t\">", p->f);
        at_page_variant(p, p->order[i]);
        fputs("</td>", p->f);
        for (int k = 1; k < count; k++) {
            const bool is = k > i && find(p, i, k, &t), told = is && at_study_differs(t.pair);
            fputs(told ? "<td><b>" : "<td>", p->f);
            if (is) fprintf(p->f, "%+.3f", t.mean);
            fputs(told ? "</b></td>" : "</td>", p->f);
        }
        fputs("</tr>\n", p->f);
    }
    fputs("</tbody>\n</table>\n</div>\n", p->f);
}

static void paragraph(void *arg, const char *sentence_text) {
    at_html_element(arg, "p", sentence_text);
}

/* Pairs that other measures tell apart. */
static void others(const page *p, int pairs) {
    const at_study *s = p->s;
    int differ, listed_count = 0;
    fprintf(p->f, "<p>Of the %d pairs, other measures tell apart: ", pairs);
    for (int m = 1; m < s->measure_count; m++) {
        at_study_count_pairs(s, s->measures[m], &differ);
        if (differ) fprintf(p->f, "%s%s %d", listed_count++ ? ", " : "", s->measures[m], differ);
    }
    fprintf(p->f,
            "%s. What is told apart by chance alone is corrected for within a measure, not across "
            "them.</p>\n",
            listed_count ? "" : "none");
}

at_status at_section_pairs(const page *p, at_error *err) {
    const int count = at_page_measured(p);
    char text[AT_SENTENCE];
    int differ;
    (void)err;
    const int pairs = at_study_count_pairs(p->s, "miou", &differ);
    const bool all = count * (count - 1) / 2 <= AT_MOST_SENTENCES;
    at_study_say_caution(p->s, paragraph, p->f);
    at_study_explain_pairs(p->s, text);
    at_html_element(p->f, "p", text);
    if (!all)
        at_html_element(p->f, "p",
                        "Here each is held against the first; all pairs follow in a "
                        "table, and with their intervals in pairs.csv.");
    list(p, all);
    if (!all && count <= MOST_IN_TABLE) table(p, count);
    others(p, pairs);
    return AT_OK;
}
