/* SPDX-License-Identifier: MIT */
/* Tables and pictures of a run's page. */
#include <math.h>

#include "train/canvas.h"
#include "train/figures.h"
#include "train/html.h"
#include "train/measures.h"
#include "train/panels.h"
#include "train/run_page.h"
#include "train/views.h"

typedef at_run_page page;

static void head_cells(const page *p, const char *const *names) {
    fputs("<div class=\"scroll\">\n<table class=\"sorts\">\n<thead><tr>", p->f);
    for (int i = 0; names[i]; i++) {
        fputs(i ? "<th scope=\"col\">" : "<th scope=\"col\" class=\"t\">", p->f);
        at_html_text(p->f, names[i]);
        fputs("</th>", p->f);
    }
    fputs("</tr></thead>\n<tbody>\n", p->f);
}

static void close_table(const page *p) {
    fputs("</tbody>\n</table>\n</div>\n", p->f);
}

static void cell(const page *p, double v, const char *text) {
    fputs("<td data-v=\"", p->f);
    if (isfinite(v)) fprintf(p->f, "%.9g", v);
    fprintf(p->f, "\">%s</td>", text);
}

static void share_cell(const page *p, double v) {
    char text[AT_FIGURE];
    cell(p, v, at_figure_share(text, v));
}

/* ---- classes ---- */

static void class_row(const page *p, int k, int64_t counted) {
    const at_class_metrics *m = &p->e.metrics.of[k];
    const at_class *class = &p->net.classes.items[k];
    char text[AT_FIGURE];
    fprintf(p->f,
            "<tr><td class=\"n t\"><span class=\"swatch\" style=\"background:#%02x%02x%02x\">"
            "</span>",
            class->color.r, class->color.g, class->color.b);
    at_html_text(p->f, class->name);
    fprintf(p->f, "</td><td class=\"bar\" style=\"--v:%.3f\" data-v=\"%.9g\">%s</td>",
            isfinite(m->iou) ? m->iou : 0, isfinite(m->iou) ? m->iou : 0,
            at_figure_share(text, m->iou));
    share_cell(p, m->accuracy);
    share_cell(p, m->dice);
    share_cell(p, at_boundary_class_f1(&p->e.measures->boundary, AT_F1_NEAREST, k));
    const double share = counted ? (double)m->pixels / (double)counted : 0;
    snprintf(text, sizeof text, "%.2f %%", 100 * share);
    cell(p, share, text);
    fputs("</tr>\n", p->f);
}

at_status at_run_classes(const page *p, at_error *err) {
    static const char *const names[] = {"class",           "IoU", "accuracy", "Dice", "boundary F1",
                                        "share of pixels", NULL};
    (void)err;
    head_cells(p, names);
    for (int k = 0; k < p->e.metrics.classes; k++) class_row(p, k, p->e.metrics.pixels);
    close_table(p);
    fputs("<p class=\"dim\">How means are taken: ", p->f);
    at_html_text(p->f, at_absent_rule);
    fputs(".</p>\n", p->f);
    return AT_OK;
}

at_status at_run_confusion(const page *p, at_error *err) {
    (void)err;
    fputs("<div class=\"scroll\">\n", p->f);
    at_confusion_put_svg(p->f, &p->e.confusion, &p->net.classes);
    fputs("</div>\n", p->f);
    return AT_OK;
}

/* ---- objects, checkerboards ---- */

at_status at_run_objects(const page *p, at_error *err) {
    static const char *const names[] = {"root of the area", "objects", "found", "mean share found",
                                        NULL};
    char text[AT_FIGURE];
    (void)err;
    at_html_element(p->f, "p",
                    "Pixels that hang together and have one class are an object; it is "
                    "found if at least half of it has that class in the prediction.");
    head_cells(p, names);
    for (int i = 0; i < AT_OBJECT_BINS; i++) {
        const at_object_bin b = at_objects_sum(&p->e.measures->objects, i, i);
        const int from = i ? at_object_limits[i - 1] : 0, to = at_object_limits[i];
        snprintf(text, sizeof text, to ? "%d to %d pixels" : "%d pixels and more", from, to);
        fprintf(p->f, "<tr><td class=\"t\" data-v=\"%d\">%s</td>", from, text);
        snprintf(text, sizeof text, "%lld", (long long)b.objects);
        cell(p, (double)b.objects, text);
        share_cell(p, at_object_recall(&b));
        share_cell(p, at_object_share(&b));
        fputs("</tr>\n", p->f);
    }
    close_table(p);
    return AT_OK;
}

at_status at_run_checkerboard(const page *p, at_error *err) {
    static const char *const names[] = {"grid of", "spectral peak", "spread of accuracy", NULL};
    const at_checkerboard *c = &p->e.measures->checkerboard;
    char text[AT_FIGURE];
    (void)err;
    if (c->stride == 1) {
        at_html_element(p->f, "p", "The network has no coarser level, so there is no grid.");
        return AT_OK;
    }
    at_html_element(p->f, "p",
                    "Power of the logits at the grid's frequencies over that beside them (1: "
                    "nothing to see), and accuracy from the best to the worst place in the grid.");
    head_cells(p, names);
    for (int period = 2; period <= c->stride; period++) {
        if (c->stride % period) continue;
        fprintf(p->f, "<tr><td class=\"t\" data-v=\"%d\">%d pixels</td>", period, period);
        const double peak = at_spectral_peak(c, period);
        snprintf(text, sizeof text, isfinite(peak) ? "%.2f" : "-", peak);
        cell(p, peak, text);
        share_cell(p, at_phase_gap(c, period));
        fputs("</tr>\n", p->f);
    }
    close_table(p);
    return AT_OK;
}

/* ---- pictures ---- */

static at_status figure(const page *p, const char *caption, at_status status) {
    fprintf(p->f, "<figcaption>%s</figcaption></figure>\n", caption);
    return status;
}

static at_status write_errors(const page *p, const at_run_picture *pic, at_error *err) {
    at_image errors;
    AT_TRY(at_canvas_new(&errors, pic->image.width, pic->image.height, (at_rgb){0, 0, 0}, err));
    at_paint_errors(&errors, &p->net.classes, &pic->image, pic->truth, pic->ids);
    const at_status s = at_view_write(p->f, (at_view){.image = &errors, .alt = "errors"}, err);
    at_image_free(&errors);
    return s;
}

static at_status write_picture(const page *p, const at_run_picture *pic, at_seen *seen,
                               at_error *err) {
    const at_pair size = {pic->image.height, pic->image.width};
    const size_t pixels = (size_t)size.h * (size_t)size.w;
    const char *open = size.w < 160 ? "<figure class=\"sharp\">" : "<figure>";
    fputs("<h3>", p->f);
    at_html_text(p->f, pic->name);
    fprintf(p->f,
            " <small>mIoU %.3f, pixel accuracy %.3f</small></h3>\n<div class=\"views wide\">\n",
            pic->miou, pic->pixel_accuracy);
    fputs(open, p->f);
    AT_TRY(figure(p, "image",
                  at_view_write(p->f, (at_view){.image = &pic->image, .alt = "image"}, err)));
    fputs(open, p->f);
    AT_TRY(figure(p, "truth",
                  at_view_write_ids(p->f, &p->net.classes, pic->truth, size, "truth", 0, err)));
    fputs(open, p->f);
    AT_TRY(figure(p, "prediction",
                  at_view_write_ids(p->f, &p->net.classes, pic->ids, size, "prediction", 0, err)));
    fputs(open, p->f);
    AT_TRY(figure(p, "errors", write_errors(p, pic, err)));
    fputs("</div>\n", p->f);
    at_seen_add(seen, pic->truth, pixels);
    at_seen_add(seen, pic->ids, pixels);
    return AT_OK;
}

at_status at_run_pictures(const page *p, at_error *err) {
    at_seen seen = {{false}};
    at_html_element(p->f, "p",
                    "The worst by mIoU, some from the middle, the best. Among the "
                    "errors, red is wrong and flat grey counts nowhere.");
    for (int i = 0; i < p->picture_count; i++)
        AT_TRY(write_picture(p, &p->pictures[i], &seen, err));
    at_view_legend(p->f, &p->net.classes, &seen);
    return AT_OK;
}
