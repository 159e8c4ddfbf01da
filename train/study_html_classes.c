/* SPDX-License-Identifier: MIT */
/* IoU class by class: a small chart of bars for each, all on the scale from 0 to 1, variants in the
 * order of their rank. */
#include <math.h>
#include <string.h>

#include "train/html.h"
#include "train/study_page.h"
#include "train/svg.h"

typedef at_study_page page;

enum { WIDE = 260, LEFT = 26, RIGHT = 40, BAR = 15, GAP = 4 };

/* Any run's list of classes. */
static const json_t *class_list(const at_study *s) {
    for (int i = 0; i < s->run_count; i++) {
        const json_t *list = json_object_get(s->runs[i].measures, "classes");
        if (json_array_size(list)) return list;
    }
    return NULL;
}

static double class_iou(const at_study_run *r, size_t k) {
    const json_t *v =
        json_object_get(json_array_get(json_object_get(r->measures, "classes"), k), "iou");
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static void bar(const page *p, int variant, int place, at_chart_point q) {
    const at_chart_look l = p->look[variant];
    const double y = GAP + place * (BAR + GAP), room = WIDE - LEFT - RIGHT;
    char text[32];
    fprintf(p->f, "<g class=\"h%d p%d\" data-k=\"%d\"><title>", l.hue, l.pattern, l.key);
    at_html_text(p->f, p->s->variants[variant].name);
    fputs("</title>", p->f);
    snprintf(text, sizeof text, "%d", l.key);
    at_svg_text(p->f, LEFT - 6, y + BAR - 3, "end", "end", text);
    if (isfinite(q.y))
        fprintf(p->f, "<rect x=\"%d\" y=\"%.1f\" width=\"%.1f\" height=\"%d\" rx=\"1.5\"/>", LEFT,
                y, fmax(q.y * room, 0.6), BAR);
    if (isfinite(q.low))
        at_svg_line(p->f, LEFT + q.low * room, y + BAR / 2.0, LEFT + q.high * room, y + BAR / 2.0,
                    "whisker");
    snprintf(text, sizeof text, isfinite(q.y) ? "%.3f" : "-", q.y);
    at_svg_text(p->f, WIDE, y + BAR - 3, "end", "value", text);
    fputs("</g>\n", p->f);
}

static void class_figure(const page *p, size_t k, const char *name, int bars) {
    double values[AT_MAX_SEEDS];
    fputs("<figure><figcaption><b>", p->f);
    at_html_text(p->f, name);
    fprintf(p->f,
            "</b></figcaption>\n<svg class=\"chart bars\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"IoU of ",
            WIDE, GAP + bars * (BAR + GAP));
    at_html_text(p->f, name);
    fputs("\">\n", p->f);
    int place = 0;
    for (int i = 0; i < p->s->variant_count; i++) {
        const int v = p->order[i];
        if (!at_study_summarise(p->s, v, "miou").n) continue;
        for (int seed = 0; seed < p->s->seed_count; seed++)
            values[seed] = class_iou(at_page_run(p, seed, v), k);
        bar(p, v, place++, at_page_point(0, values, p->s->seed_count));
    }
    fputs("</svg></figure>\n", p->f);
}

at_status at_section_classes(const page *p, at_error *err) {
    const json_t *list = class_list(p->s);
    (void)err;
    at_html_element(p->f, "p",
                    "IoU, mean over seeds; the thin line reaches from the lowest seed "
                    "to the highest.");
    fputs("<div data-group=\"\">\n", p->f);
    at_page_key(p);
    fputs("<div class=\"charts small\">\n", p->f);
    for (size_t k = 0; k < json_array_size(list); k++) {
        const char *name = json_string_value(json_object_get(json_array_get(list, k), "name"));
        class_figure(p, k, name ? name : "", at_page_measured(p));
    }
    fputs("</div>\n</div>\n", p->f);
    return AT_OK;
}
