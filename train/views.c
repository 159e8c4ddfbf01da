/* SPDX-License-Identifier: MIT */
/* Edges are paths that each view refers to, so that they stand in the page once. */
#include "train/views.h"

#include <stdlib.h>

#include "train/canvas.h"
#include "train/html.h"
#include "train/panels.h"
#include "train/window.h"

static void overlay(FILE *f, const at_view *v) {
    if (!v->edges && !v->box_side) return;
    fprintf(f, "<svg viewBox=\"0 0 %d %d\" preserveAspectRatio=\"none\" aria-hidden=\"true\">",
            v->units.w, v->units.h);
    for (int i = 0; i < 2; i++) {
        const char *class = i ? "edge" : "under";
        if (v->edges) fprintf(f, "<use class=\"%s\" href=\"#e%d\"/>", class, v->edges);
        if (v->box_side)
            fprintf(f, "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>", class,
                    v->box_x, v->box_y, v->box_side, v->box_side);
    }
    fputs("</svg>", f);
}

at_status at_view_write(FILE *f, at_view v, at_error *err) {
    fputs("<div class=\"view\">", f);
    AT_TRY(at_html_picture(f, v.image, v.alt, err));
    overlay(f, &v);
    fputs("</div>", f);
    return AT_OK;
}

at_status at_view_write_ids(FILE *f, const at_classes *classes, const uint8_t *ids, at_pair size,
                            const char *alt, int edges, at_error *err) {
    at_image image;
    AT_TRY(at_canvas_new(&image, size.w, size.h, (at_rgb){0, 0, 0}, err));
    at_paint_ids(&image, classes, ids);
    const at_status s = at_view_write(
        f, (at_view){.image = &image, .alt = alt, .edges = edges, .units = size}, err);
    at_image_free(&image);
    return s;
}

at_status at_view_edges(FILE *f, int id, const uint8_t *ids, at_pair size, at_error *err) {
    char *path = at_window_edges(ids, size.h, size.w);
    if (!path) return at_fail_memory(err, "edges", 0);
    fprintf(f,
            "<svg width=\"0\" height=\"0\" style=\"position:absolute\" aria-hidden=\"true\"><defs>"
            "<path id=\"e%d\" vector-effect=\"non-scaling-stroke\" d=\"%s\"/></defs></svg>\n",
            id, path);
    free(path);
    return AT_OK;
}

void at_seen_add(at_seen *s, const uint8_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) s->of[ids[i]] = true;
}

void at_view_legend(FILE *f, const at_classes *classes, const at_seen *seen) {
    fputs("<ul class=\"key\">\n", f);
    for (int i = 0; i < classes->count; i++) {
        const at_rgb c = classes->items[i].color;
        if (!seen->of[i]) continue;
        fprintf(f, "<li><span class=\"swatch\" style=\"background:#%02x%02x%02x\"></span>", c.r,
                c.g, c.b);
        at_html_text(f, classes->items[i].name);
        fputs("</li>\n", f);
    }
    if (seen->of[AT_IGNORE] && classes->count <= AT_IGNORE)
        fputs(
            "<li><span class=\"swatch\" style=\"background:#5a5e64\"></span>counts nowhere</li>\n",
            f);
    fputs("</ul>\n", f);
}
