/* SPDX-License-Identifier: MIT */
/* Charts of a run's page: curves over epochs, and accuracy near the edges. */
#include <math.h>
#include <stdlib.h>

#include "train/chart.h"
#include "train/html.h"
#include "train/run_page.h"

typedef at_run_page page;

enum { MOST = 3 };

/* Points of series s: points[s * count ..]. */
typedef struct lines {
    const char *caption, *x_title;
    const char *names[MOST];
    int series, count;
    const char *const *x_names; /* NULL: numbers */
    at_chart_point *points;
} lines;

/* Name and last value in the line's colour. */
static void legend(const page *p, const lines *l) {
    fprintf(p->f, "<figure>\n<figcaption><b>%s</b></figcaption>\n<ul class=\"key\">\n", l->caption);
    for (int s = 0; s < l->series; s++) {
        double last = NAN;
        for (int i = 0; i < l->count; i++)
            if (isfinite(l->points[s * l->count + i].y)) last = l->points[s * l->count + i].y;
        fprintf(p->f,
                "<li data-k=\"%d\"><svg class=\"sample h%d p%d\" width=\"26\" height=\"10\" "
                "aria-hidden=\"true\"><path class=\"line\" d=\"M1 5h24\"/></svg> %s",
                s + 1, s, s, l->names[s]);
        if (isfinite(last)) fprintf(p->f, " <b>%.3g</b>", last);
        fputs("</li>\n", p->f);
    }
    fputs("</ul>\n", p->f);
}

static at_axis value_axis(const lines *l) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < l->series * l->count; i++)
        if (isfinite(l->points[i].y))
            low = fmin(low, l->points[i].y), high = fmax(high, l->points[i].y);
    return isfinite(low) ? at_axis_nice(low, high, 5) : (at_axis){0, 1, 0.2, false};
}

static at_status draw(const page *p, const lines *l, at_error *err) {
    at_chart *c = calloc(1, sizeof *c);
    if (!c) return at_fail_memory(err, "a chart", sizeof *c);
    const double first = l->x_names ? -0.3 : l->points[0].x,
                 last = l->x_names ? l->count - 0.7 : l->points[l->count - 1].x;
    *c = (at_chart){.f = p->f,
                    .label = l->caption,
                    .x_title = l->x_title,
                    .x_names = l->x_names,
                    .x_count = l->x_names ? l->count : 0,
                    .x = at_axis_nice(first, last, 6),
                    .y = value_axis(l)};
    c->x.low = first, c->x.high = last > first ? last : first + 1;
    if (c->x.step < 1) c->x.step = 1;
    legend(p, l);
    at_chart_begin(c);
    for (int s = l->series - 1; s >= 0; s--)
        at_chart_line(c, (at_chart_look){0, s, s}, l->points + (ptrdiff_t)s * l->count, l->count);
    at_chart_end(c);
    fputs("</figure>\n", p->f);
    free(c);
    return AT_OK;
}

/* ---- curves ---- */

typedef struct curve {
    const char *caption;
    int series;
    const char *names[MOST];
    size_t offsets[MOST]; /* of doubles in at_epoch_row */
} curve;

static const curve curves[] = {
    {"Loss",
     2,
     {"training", "validation"},
     {offsetof(at_epoch_row, train_loss), offsetof(at_epoch_row, val_loss)}},
    {"Validation",
     3,
     {"mIoU", "pixel accuracy", "mean accuracy"},
     {offsetof(at_epoch_row, miou), offsetof(at_epoch_row, pixel_accuracy),
      offsetof(at_epoch_row, mean_accuracy)}},
    {"Learning rate", 1, {"at the epoch's end"}, {offsetof(at_epoch_row, lr)}},
    {"Norm of the gradient", 1, {"mean over steps"}, {offsetof(at_epoch_row, grad_norm)}},
};

static at_status draw_curve(const page *p, const curve *k, at_chart_point *points, at_error *err) {
    lines l = {.caption = k->caption,
               .x_title = "epoch",
               .series = k->series,
               .count = p->row_count,
               .points = points};
    for (int s = 0; s < k->series; s++) {
        l.names[s] = k->names[s];
        for (int i = 0; i < p->row_count; i++) {
            const char *row = (const char *)&p->rows[i];
            points[s * p->row_count + i] = (at_chart_point){
                p->rows[i].epoch, *(const double *)(const void *)(row + k->offsets[s]), NAN, NAN};
        }
    }
    return draw(p, &l, err);
}

at_status at_run_curves(const page *p, at_error *err) {
    at_status s = AT_OK;
    if (!p->row_count) {
        at_html_element(p->f, "p", "No epoch is over yet.");
        return AT_OK;
    }
    at_chart_point *points = calloc((size_t)p->row_count * MOST, sizeof *points);
    if (!points) return at_fail_memory(err, "training curves", 0);
    fputs("<div class=\"charts\">\n", p->f);
    for (size_t i = 0; s == AT_OK && i < sizeof curves / sizeof *curves; i++)
        s = draw_curve(p, &curves[i], points, err);
    fputs("</div>\n", p->f);
    free(points);
    return s;
}

/* ---- near the edges ---- */

at_status at_run_trimap(const page *p, at_error *err) {
    static const char *const names[] = {"1", "2", "3", "4", "8", "16", "32", "all"};
    enum { POINTS = AT_TRIMAP_WIDTHS + 1 };
    const at_measures *m = p->e.measures;
    at_chart_point points[2 * POINTS];
    double edge, interior;
    for (int i = 0; i < POINTS; i++) {
        points[i] = (at_chart_point){i, m->curve[i].miou, NAN, NAN};
        points[POINTS + i] = (at_chart_point){i, m->curve[i].pixel_accuracy, NAN, NAN};
    }
    at_trimap_errors(&m->trimap, &edge, &interior);
    fprintf(
        p->f,
        "<p>Of all pixels, <b>%.2f %%</b> are wrong and less than %d pixels from an edge of the "
        "truth, <b>%.2f %%</b> wrong elsewhere. Boundary F1 %.4f (one to one: %.4f), boundary "
        "IoU %.4f.</p>\n<div class=\"charts\">\n",
        100 * edge, AT_ERROR_WIDTH, 100 * interior,
        at_boundary_f1(&m->boundary, AT_F1_NEAREST, false),
        at_boundary_f1(&m->boundary, AT_F1_MATCHED, true), at_boundary_iou(&m->boundary));
    const lines l = {.caption = "In a band round the edges",
                     .x_title = "pixels from an edge, less than",
                     .names = {"mIoU", "pixel accuracy"},
                     .series = 2,
                     .count = POINTS,
                     .x_names = names,
                     .points = points};
    const at_status s = draw(p, &l, err);
    fputs("</div>\n", p->f);
    return s;
}
