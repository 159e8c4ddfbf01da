/* SPDX-License-Identifier: MIT */
/* Receptive fields drawn over the image, centred: one for each stretch of the network that has one
 * resolution, of its node that sees most. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/graph_private.h"
#include "nn/survey_private.h"

enum { MOST = 16, SIDE = 560, MARGIN = 20, LEGEND = 330, LINE = 22 };

static bool same_place(const at_survey_row *a, const at_survey_row *b) {
    return a->field.h.jump == b->field.h.jump && a->field.w.jump == b->field.w.jump;
}

/* A row of a new resolution is kept; another one if it sees more than the one kept last. */
static int keep(const at_survey_row **kept, int count, const at_survey_row *row) {
    const at_survey_row *last = count > 0 ? kept[count - 1] : NULL;
    if (last != NULL && (count == MOST || same_place(last, row))) {
        if (at_span_size(row->field.h) >= at_span_size(last->field.h)) kept[count - 1] = row;
        return count;
    }
    kept[count] = row;
    return count + 1;
}

static double most(double a, double b) {
    return a > b ? a : b;
}

/* Pixels that the drawing shows: the image, or the largest field. */
static double extent(const at_survey_row **kept, int count, at_shape image) {
    double e = most(image.h, image.w);
    for (int i = 0; i < count; i++)
        e = most(e, most(at_span_size(kept[i]->field.h), at_span_size(kept[i]->field.w)));
    return e;
}

static void box(FILE *f, double w, double h, double scale, const char *style) {
    double middle = MARGIN + SIDE / 2.0;
    fprintf(f, "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" %s/>\n",
            middle - w * scale / 2, middle - h * scale / 2, w * scale, h * scale, style);
}

void at_svg_escaped(FILE *f, const char *text) {
    for (; *text != '\0'; text++) {
        if (*text == '<' || *text == '&')
            fprintf(f, "&#%d;", *text);
        else
            fputc(*text, f);
    }
}

static void label(FILE *f, int line, const char *colour, const at_survey_row *row) {
    int y = MARGIN + 14 + line * LINE, x = 2 * MARGIN + SIDE;
    fprintf(f, "<rect x=\"%d\" y=\"%d\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", x, y - 11,
            colour);
    fprintf(f, "<text x=\"%d\" y=\"%d\">", x + 20, y);
    at_svg_escaped(f, row->node->name);
    fprintf(f, ": %g x %g%s</text>\n", ceil(at_span_size(row->field.h)),
            ceil(at_span_size(row->field.w)), row->field.global ? ", and the whole image" : "");
}

/* From blue, at 0, to red, at 1. */
static void mix(char *colour, size_t size, double t) {
    static const int from[] = {31, 119, 180}, to[] = {214, 39, 40};
    int c[3];
    for (int i = 0; i < 3; i++) c[i] = (int)lround(from[i] + t * (to[i] - from[i]));
    snprintf(colour, size, "#%02x%02x%02x", (unsigned)c[0], (unsigned)c[1], (unsigned)c[2]);
}

static void draw(FILE *f, const at_survey_row **kept, int count, at_shape image,
                 const at_gridding *gridding) {
    double scale = SIDE / extent(kept, count, image);
    int width = 3 * MARGIN + SIDE + LEGEND, below = 2 * MARGIN + SIDE;
    int height = (int)ceil(at_gridding_svg(NULL, gridding, MARGIN, below, width - 2 * MARGIN));
    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" font-family=\"sans-serif\" font-size=\"13\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#ffffff\"/>\n",
            width, height, width, height, width, height);
    box(f, image.w, image.h, scale, "fill=\"#eeeeee\" stroke=\"#888888\"");
    for (int i = 0; i < count; i++) {
        char colour[32], style[96];
        const at_field *field = &kept[i]->field;
        mix(colour, sizeof colour, count > 1 ? (double)i / (count - 1) : 0);
        snprintf(style, sizeof style, "fill=\"none\" stroke=\"%s\" stroke-width=\"2\"", colour);
        box(f, at_span_size(field->w), at_span_size(field->h), scale, style);
        label(f, i, colour, kept[i]);
    }
    fprintf(f, "<text x=\"%d\" y=\"%d\" fill=\"#666666\">image: %d x %d</text>\n",
            2 * MARGIN + SIDE, MARGIN + 14 + count * LINE, image.h, image.w);
    at_gridding_svg(f, gridding, MARGIN, below, width - 2 * MARGIN);
    fputs("</svg>\n", f);
}

char *at_survey_svg(const at_survey *s) {
    const at_survey_row *kept[MOST];
    char *text = NULL;
    size_t size = 0;
    int count = 0;
    at_gridding gridding;
    if (at_gridding_new(&gridding, s->graph, NULL) != AT_OK) return NULL;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) {
        at_gridding_free(&gridding);
        return NULL;
    }
    for (int i = 0; i < s->count; i++)
        if (s->rows[i].node->input_count > 0) count = keep(kept, count, &s->rows[i]);
    draw(f, kept, count, s->rows[0].shape, &gridding);
    at_gridding_free(&gridding);
    int failed = ferror(f);
    if (fclose(f) == 0 && !failed) return text;
    free(text);
    return NULL;
}
