/* SPDX-License-Identifier: MIT */
/* Axes, and charts for pages: lines with bands and marks with error bars. A chart is a little wider
 * than a phone, so that its letters stay legible there; wide screens put two beside each other. */
#ifndef AT_TRAIN_CHART_H
#define AT_TRAIN_CHART_H

#include <stdbool.h>
#include <stdio.h>

/* ---- axes ---- */

typedef struct at_axis {
    double low, high, step; /* logarithmic: step is not used */
    bool logarithmic;
} at_axis;

/* Ends at multiples of 1, 2 or 5 times a power of ten, with about `ticks` of them. */
at_axis at_axis_nice(double low, double high, int ticks);
/* The same, but logarithmic where the values are positive and span a factor of six; ends a little
 * beyond them then. */
at_axis at_axis_for_costs(double low, double high);
/* Where a value lies between `from` (the axis' low end) and `to`. */
double at_axis_place(at_axis a, double v, double from, double to);

/* ---- charts ---- */

enum { AT_CHART_WIDTH = 460, AT_CHART_HEIGHT = 300, AT_CHART_LABELS = 256 };

typedef struct at_chart {
    FILE *f;
    const char *label;   /* what it shows, for those who don't see it */
    const char *x_title; /* under the axis; NULL: none */
    at_axis x, y;
    const char *const *x_names; /* instead of numbers: names of 0, 1, ..; NULL: numbers */
    int x_count;                /* how many names */
    void (*x_text)(char text[32], double v); /* numbers at the ticks; NULL: as %g */
    /* Filled in by at_chart_begin: the plot's edges. */
    double left, right, top, bottom;
    int label_count;
    struct at_chart_label {
        double y;
        int key, hue;
    } labels[AT_CHART_LABELS];
} at_chart;

/* How a thing is drawn: its number, at the end of its line too (0: no number), hue and pattern. */
typedef struct at_chart_look {
    int key, hue, pattern;
} at_chart_look;

typedef struct at_chart_point {
    double x, y;
    double low, high; /* of a band or an error bar; NAN: none */
} at_chart_point;

/* Draws the axes. The chart is large: not for the stack of a deep call. */
void at_chart_begin(at_chart *c);
/* A line through the points that have a value; a point alone is a dot. */
void at_chart_line(at_chart *c, at_chart_look look, const at_chart_point *p, int count);
/* An error bar, and a mark with its number in it: all bars first, that no mark is crossed out. */
void at_chart_whisker(at_chart *c, at_chart_look look, at_chart_point p);
void at_chart_mark(at_chart *c, at_chart_look look, at_chart_point p, const char *title);
/* A thin line of no variant: a bound, a front. */
void at_chart_guide(at_chart *c, const at_chart_point *p, int count);
/* Writes the lines' numbers beside their ends, and closes. */
void at_chart_end(at_chart *c);

#endif
