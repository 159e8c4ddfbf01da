/* SPDX-License-Identifier: MIT */
/* The confusion matrix as a picture: each row (a class of the truth) is divided by its pixels, so
 * the diagonal is the class's accuracy. Numbers are per cent and left out where cells are too
 * small. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "train/metrics.h"
#include "train/svg.h"

typedef struct layout {
    double cell, left, top;
    int count;
    bool numbers;
} layout;

static const char *name_of(const at_classes *classes, int k) {
    return classes && k < classes->count ? classes->items[k].name : "";
}

/* Room for names: about 7.2 units a letter, up to 24 letters. */
static layout lay_out(const at_confusion *c, const at_classes *classes) {
    size_t longest = 4;
    for (int k = 0; k < c->classes; k++) {
        const size_t length = strlen(name_of(classes, k));
        if (length > longest) longest = length;
    }
    const double gutter = 16 + 7.2 * (double)(longest < 24 ? longest : 24);
    const double cell = c->classes <= 12 ? 36 : c->classes <= 24 ? 28 : 14;
    return (layout){cell, gutter + 24, gutter + 62, c->classes, c->classes <= 24};
}

/* At most 24 bytes, never half a UTF-8 character. */
static void shortened(char out[28], const char *name) {
    size_t n = strlen(name);
    const bool cut = n > 24;
    if (cut) n = 23;
    while (cut && n > 0 && ((unsigned char)name[n] & 0xc0) == 0x80) n--;
    snprintf(out, 28, "%.*s%s", (int)n, name, cut ? "\xe2\x80\xa6" : "");
}

static void draw_names(FILE *f, layout l, const at_classes *classes) {
    char text[28];
    for (int k = 0; k < l.count; k++) {
        shortened(text, name_of(classes, k));
        const double middle = ((double)k + 0.5) * l.cell + 4;
        at_svg_text(f, l.left - 8, l.top + middle, "end", "ink", text);
        at_svg_text_turned(f, l.left + middle, l.top - 8, -90, "start", "ink", text);
    }
    at_svg_text(f, l.left, 50, "start", "dim", "columns: predicted \xe2\x86\x93");
    at_svg_text_turned(f, 18, l.top + l.cell * l.count, -90, "start", "dim",
                       "rows: truth \xe2\x86\x92");
}

static void draw_cell(FILE *f, layout l, int row, int column, double share) {
    const double x = l.left + column * l.cell, y = l.top + row * l.cell;
    fprintf(f,
            "<rect class=\"cell\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
            "fill-opacity=\"%.3f\"/>\n",
            x, y, l.cell - 1, l.cell - 1, share);
    if (!l.numbers || share < 0.005) return;
    char text[16];
    snprintf(text, sizeof text, "%.0f", 100 * share);
    at_svg_text(f, x + l.cell / 2, y + l.cell / 2 + 4, "middle", share > 0.6 ? "smallon" : "small",
                text);
}

static int width_of(layout l) {
    return (int)(l.left + l.cell * l.count + 24);
}

static int height_of(layout l) {
    return (int)(l.top + l.cell * l.count + 40);
}

static void draw(FILE *f, layout l, const at_confusion *c, const at_classes *classes) {
    const double side = l.cell * l.count;
    at_svg_text(f, 16, 26, "start", "title", "Confusion matrix, per cent of each class's pixels");
    draw_names(f, l, classes);
    for (int t = 0; t < l.count; t++) {
        double total = 0;
        for (int p = 0; p < l.count; p++) total += (double)c->counts[t * l.count + p];
        for (int p = 0; p < l.count; p++)
            draw_cell(f, l, t, p, total > 0 ? (double)c->counts[t * l.count + p] / total : 0);
    }
    fprintf(f, "<rect class=\"frame\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
            l.left - 1, l.top - 1, side + 1, side + 1);
    at_svg_text(f, 16, l.top + side + 26, "start", "dim",
                "an empty row: the class is absent from the truth");
    at_svg_close(f);
}

at_status at_confusion_save_svg(const char *path, const at_confusion *c, const at_classes *classes,
                                at_error *err) {
    at_file_writer w;
    AT_TRY(at_file_begin(&w, path, err));
    const layout l = lay_out(c, classes);
    at_svg_open(w.stream, width_of(l), height_of(l), "Confusion matrix");
    draw(w.stream, l, c, classes);
    return at_file_commit(&w, err);
}

void at_confusion_put_svg(FILE *f, const at_confusion *c, const at_classes *classes) {
    const layout l = lay_out(c, classes);
    fprintf(f, "<div style=\"width:%dpx\">\n", width_of(l));
    at_svg_begin(f, width_of(l), height_of(l), "Confusion matrix");
    draw(f, l, c, classes);
    fputs("</div>\n", f);
}
