/* SPDX-License-Identifier: MIT */
/* What dilated convolutions reach, as text, JSON and maps. */
#include <string.h>

#include "nn/graph_private.h"
#include "nn/survey_private.h"

static double share(const at_cover *c) {
    return (double)c->reached / ((double)c->h * c->w);
}

void at_gridding_text(FILE *f, const at_gridding *g) {
    int names = 0;
    for (int i = 0; i < g->count; i++) {
        int length = (int)strlen(g->rows[i].node->name);
        if (length > names) names = length;
    }
    if (g->count > 0)
        fputs("\ndilated stretches: what a pixel reaches of the stretch's input\n", f);
    for (int i = 0; i < g->count; i++) {
        const at_gridding_row *r = &g->rows[i];
        if (i == 0 || r->input != g->rows[i - 1].input) fprintf(f, "from %s\n", r->input->name);
        fprintf(f, "  %-*s  rate %2d  %3d x %-3d  %6lld of %lld pixels, %.1f %%\n", names,
                r->node->name, r->dilation.h, r->cover.h, r->cover.w, (long long)r->cover.reached,
                (long long)r->cover.h * r->cover.w, 100 * share(&r->cover));
    }
}

json_t *at_gridding_json(const at_gridding *g) {
    json_t *list = json_array();
    for (int i = 0; i < g->count; i++) {
        const at_gridding_row *r = &g->rows[i];
        json_t *row = json_pack("{ss ss s[ii] s[ii] sI}", "node", r->node->name, "input",
                                r->input->name, "dilation", r->dilation.h, r->dilation.w, "window",
                                r->cover.h, r->cover.w, "reached", (json_int_t)r->cover.reached);
        if (json_array_append_new(list, row) == 0) continue;
        json_decref(list);
        return NULL;
    }
    return list;
}

/* ---- maps ---- */

enum { MAP = 108, GAP = 14, CAPTION = 30, TITLE = 22 };

/* Pixels that are reached, a run of a row at a time. */
static void draw_pixels(FILE *f, const at_cover *c, double x, double y, double size) {
    fprintf(f, "<path fill=\"#1f77b4\" d=\"");
    for (int i = 0; i < c->h; i++)
        for (int j = 0, end; j < c->w; j = end + 1) {
            const uint8_t *row = c->map + (size_t)i * (size_t)c->w;
            for (end = j; end < c->w && row[end]; end++) {
            }
            if (end > j)
                fprintf(f, "M%.2f %.2fh%.2fv%.2fh-%.2fz", x + j * size, y + i * size,
                        (end - j) * size, size, (end - j) * size);
        }
    fprintf(f, "\"/>\n");
}

static void draw_map(FILE *f, const at_gridding_row *r, double x, double y) {
    int side = r->cover.h > r->cover.w ? r->cover.h : r->cover.w;
    double size = (double)MAP / side;
    fprintf(f,
            "<rect x=\"%.2f\" y=\"%.2f\" width=\"%.2f\" height=\"%.2f\" fill=\"#eeeeee\" "
            "stroke=\"#888888\"><title>",
            x, y, r->cover.w * size, r->cover.h * size);
    at_svg_escaped(f, r->node->name);
    fprintf(f, "</title></rect>\n");
    draw_pixels(f, &r->cover, x, y, size);
    fprintf(f,
            "<text x=\"%.2f\" y=\"%.2f\" font-size=\"11\">rate %d: %d x %d</text>\n"
            "<text x=\"%.2f\" y=\"%.2f\" font-size=\"11\">%.1f %% reached</text>\n",
            x, y + MAP + 12, r->dilation.h, r->cover.h, r->cover.w, x, y + MAP + 25,
            100 * share(&r->cover));
}

double at_gridding_svg(FILE *f, const at_gridding *g, double left, double y, double width) {
    double x = left;
    for (int i = 0; i < g->count; i++) {
        const at_gridding_row *r = &g->rows[i];
        bool first = i == 0 || r->input != g->rows[i - 1].input;
        if (i > 0 && (first || x + MAP > left + width)) {
            x = left;
            y += MAP + CAPTION + GAP;
        }
        if (first && f != NULL) {
            fprintf(f, "<text x=\"%.2f\" y=\"%.2f\">What a pixel reaches of ", left, y + 14);
            at_svg_escaped(f, r->input->name);
            fprintf(f, ": ");
            at_svg_escaped(f, r->node->name);
            fprintf(f, " and what follows</text>\n");
        }
        if (first) y += TITLE;
        if (f != NULL) draw_map(f, r, x, y);
        x += MAP + GAP;
    }
    return g->count > 0 ? y + MAP + CAPTION + GAP : y;
}
