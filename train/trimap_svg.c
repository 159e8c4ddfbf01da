/* SPDX-License-Identifier: MIT */
/* The trimap curve as a picture: mIoU and pixel accuracy over the width of the band, widths evenly
 * spaced, the whole picture last. The axis runs from 0 to 1, so that pictures can be compared. */
#include <math.h>
#include <stdio.h>

#include "train/measures.h"
#include "train/svg.h"

enum { WIDTH = 480, HEIGHT = 300, LEFT = 58, RIGHT = 20, TOP = 64, BOTTOM = 244, POINTS = 8 };
_Static_assert(POINTS == AT_TRIMAP_WIDTHS + 1, "a point for each width and one for the whole");

static double x_of(int i) {
    return LEFT + (WIDTH - RIGHT - LEFT) * (i + 0.5) / POINTS;
}

static double y_of(double v) {
    return BOTTOM - (BOTTOM - TOP) * v;
}

static void draw_axes(FILE *f, const at_trimap_point *curve) {
    char text[16];
    for (int i = 0; i <= 5; i++) {
        snprintf(text, sizeof text, "%.1f", i / 5.0);
        at_svg_line(f, LEFT, y_of(i / 5.0), WIDTH - RIGHT, y_of(i / 5.0), i ? "grid" : "axis");
        at_svg_text(f, LEFT - 8, y_of(i / 5.0) + 4, "end", "dim", text);
    }
    for (int i = 0; i < POINTS; i++) {
        snprintf(text, sizeof text, "%d", curve[i].width);
        at_svg_line(f, x_of(i), BOTTOM, x_of(i), BOTTOM + 4, "axis");
        at_svg_text(f, x_of(i), BOTTOM + 18, "middle", "dim", curve[i].width ? text : "all");
    }
    at_svg_text(f, (LEFT + WIDTH - RIGHT) / 2.0, BOTTOM + 40, "middle", "dim",
                "pixels from an edge of the truth, less than");
}

static void draw_series(FILE *f, int colour, const at_trimap_point *curve, size_t offset) {
    fprintf(f, "<polyline class=\"s s%d\" points=\"", colour);
    for (int i = 0; i < POINTS; i++) {
        const double v = *(const double *)(const void *)((const char *)&curve[i] + offset);
        if (isfinite(v)) fprintf(f, "%.1f,%.1f ", x_of(i), y_of(v));
    }
    fputs("\"/>\n", f);
    for (int i = 0; i < POINTS; i++) {
        const double v = *(const double *)(const void *)((const char *)&curve[i] + offset);
        if (isfinite(v))
            fprintf(f, "<circle class=\"f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", colour, x_of(i),
                    y_of(v));
    }
}

static void draw_name(FILE *f, int colour, double x, const char *name) {
    fprintf(f, "<rect class=\"f%d\" x=\"%.1f\" y=\"39\" width=\"14\" height=\"4\" rx=\"2\"/>\n",
            colour, x);
    at_svg_text(f, x + 20, 46, "start", "ink", name);
}

at_status at_trimap_save_svg(const char *path, const at_trimap_point curve[AT_TRIMAP_WIDTHS + 1],
                             at_error *err) {
    at_file_writer w;
    AT_TRY(at_file_begin(&w, path, err));
    at_svg_open(w.stream, WIDTH, HEIGHT, "Trimap curve");
    at_svg_text(w.stream, 16, 24, "start", "title", "Near the edges");
    draw_name(w.stream, 0, LEFT, "mIoU");
    draw_name(w.stream, 1, LEFT + 100, "pixel accuracy");
    draw_axes(w.stream, curve);
    draw_series(w.stream, 1, curve, offsetof(at_trimap_point, pixel_accuracy));
    draw_series(w.stream, 0, curve, offsetof(at_trimap_point, miou));
    at_svg_close(w.stream);
    return at_file_commit(&w, err);
}
