/* SPDX-License-Identifier: MIT */
/* results.svg: three panels under each other (loss, measures, learning rate) over epochs, so that
 * the picture is as wide as a phone. A series that has no value in an epoch is drawn through. */
#include <math.h>
#include <stdio.h>

#include "train/chart.h"
#include "train/run.h"
#include "train/svg.h"

enum { WIDTH = 480, PANEL = 230, LEFT = 58, RIGHT = 16, HEAD = 56, FOOT = 36, MAX_SERIES = 3 };

typedef struct series {
    const char *name;
    size_t offset; /* of a double in at_epoch_row */
} series;

typedef struct panel {
    const char *title;
    int count;
    series of[MAX_SERIES];
    bool higher_is_better, from_zero;
} panel;

static const panel panels[] = {
    {"Loss",
     2,
     {{"train", offsetof(at_epoch_row, train_loss)}, {"val", offsetof(at_epoch_row, val_loss)}},
     0,
     0},
    {"Validation",
     3,
     {{"mIoU", offsetof(at_epoch_row, miou)},
      {"pixel acc.", offsetof(at_epoch_row, pixel_accuracy)},
      {"mean acc.", offsetof(at_epoch_row, mean_accuracy)}},
     1,
     0},
    {"Learning rate", 1, {{"lr", offsetof(at_epoch_row, lr)}}, 0, 1},
};

static double value(const at_epoch_row *row, series s) {
    return *(const double *)(const void *)((const char *)row + s.offset);
}

static at_axis value_axis(const panel *p, const at_epoch_row *rows, int count) {
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < count; i++)
        for (int s = 0; s < p->count; s++) {
            const double v = value(&rows[i], p->of[s]);
            if (isfinite(v)) low = fmin(low, v), high = fmax(high, v);
        }
    if (!isfinite(low)) low = 0, high = 1;
    return at_axis_nice(p->from_zero ? 0 : low, high, 4);
}

/* Where the panel's plot lies on the page. */
typedef struct frame {
    double top, bottom;
    at_axis x, y;
} frame;

static void draw_axes(FILE *f, frame fr) {
    char text[32];
    for (int i = 0; fr.y.low + i * fr.y.step <= fr.y.high + fr.y.step / 2; i++) {
        const double v = fr.y.low + i * fr.y.step, y = at_axis_place(fr.y, v, fr.bottom, fr.top);
        at_svg_line(f, LEFT, y, WIDTH - RIGHT, y, "grid");
        snprintf(text, sizeof text, "%.6g", fabs(v) < fr.y.step * 1e-6 ? 0 : v);
        at_svg_text(f, LEFT - 8, y + 4, "end", "dim", text);
    }
    for (double v = ceil(fr.x.low / fr.x.step) * fr.x.step; v <= fr.x.high; v += fr.x.step) {
        const double x = at_axis_place(fr.x, v, LEFT, WIDTH - RIGHT);
        snprintf(text, sizeof text, "%.0f", v);
        at_svg_line(f, x, fr.bottom, x, fr.bottom + 4, "axis");
        at_svg_text(f, x, fr.bottom + 18, "middle", "dim", text);
    }
    at_svg_line(f, LEFT, fr.bottom, WIDTH - RIGHT, fr.bottom, "axis");
}

static void draw_series(FILE *f, frame fr, series s, int colour, const at_epoch_row *rows,
                        int count) {
    int points = 0;
    double x = 0, y = 0;
    fprintf(f, "<polyline class=\"s s%d\" points=\"", colour);
    for (int i = 0; i < count; i++) {
        const double v = value(&rows[i], s);
        if (!isfinite(v)) continue;
        x = at_axis_place(fr.x, rows[i].epoch, LEFT, WIDTH - RIGHT);
        y = at_axis_place(fr.y, v, fr.bottom, fr.top);
        fprintf(f, "%.1f,%.1f ", x, y);
        points++;
    }
    fputs("\"/>\n", f);
    if (points)
        fprintf(f, "<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", colour, x, y);
}

/* Name and last value of each series, in its colour. */
static void draw_legend(FILE *f, double top, const panel *p, const at_epoch_row *rows, int count) {
    double x = LEFT;
    for (int s = 0; s < p->count; s++) {
        double last = NAN;
        for (int i = 0; i < count; i++)
            if (isfinite(value(&rows[i], p->of[s]))) last = value(&rows[i], p->of[s]);
        char text[64];
        if (isfinite(last))
            snprintf(text, sizeof text, "%s %.3g", p->of[s].name, last);
        else
            snprintf(text, sizeof text, "%s \xe2\x80\x93", p->of[s].name);
        fprintf(f,
                "<rect class=\"f%d\" x=\"%.1f\" y=\"%.1f\" width=\"14\" height=\"4\" rx=\"2\"/>\n",
                s, x, top + 37);
        at_svg_text(f, x + 20, top + 44, "start", "ink", text);
        x += 138;
    }
}

static void best_of(const at_epoch_row *rows, int count, char *text, size_t size) {
    int best = -1;
    for (int i = 0; i < count; i++)
        if (isfinite(rows[i].miou) && (best < 0 || rows[i].miou > rows[best].miou)) best = i;
    text[0] = '\0';
    if (best >= 0)
        snprintf(text, size, "best mIoU %.4f at epoch %d", rows[best].miou, rows[best].epoch);
}

static void draw_panel(FILE *f, const panel *p, double top, const at_epoch_row *rows, int count) {
    const int last = count ? rows[count - 1].epoch : 1;
    at_axis x = at_axis_nice(1, last > 1 ? last : 2, 6);
    x.step = x.step < 1 ? 1 : x.step;
    x.low = count ? rows[0].epoch : 1;
    x.high = last > x.low ? last : x.low + 1;
    const frame fr = {top + HEAD, top + PANEL - FOOT, x, value_axis(p, rows, count)};
    char best[64];
    at_svg_text(f, 16, top + 22, "start", "title", p->title);
    if (p->higher_is_better) {
        best_of(rows, count, best, sizeof best);
        at_svg_text(f, WIDTH - RIGHT, top + 22, "end", "dim", best);
    }
    draw_legend(f, top, p, rows, count);
    draw_axes(f, fr);
    for (int s = 0; s < p->count; s++) draw_series(f, fr, p->of[s], s, rows, count);
}

at_status at_results_save_svg(const char *path, const at_epoch_row *rows, int count,
                              at_error *err) {
    const int panel_count = (int)(sizeof panels / sizeof *panels);
    at_file_writer w;
    AT_TRY(at_file_begin(&w, path, err));
    at_svg_open(w.stream, WIDTH, PANEL * panel_count + 20, "Training curves over epochs");
    for (int i = 0; i < panel_count; i++)
        draw_panel(w.stream, &panels[i], (double)PANEL * i, rows, count);
    at_svg_text(w.stream, (LEFT + WIDTH - RIGHT) / 2.0, PANEL * panel_count + 8, "middle", "dim",
                "epoch");
    at_svg_close(w.stream);
    return at_file_commit(&w, err);
}
