/* SPDX-License-Identifier: MIT */
/* Charts in the page's own classes (html_style.c); places are in units of the picture. */
#include "train/chart.h"

#include <math.h>
#include <stdlib.h>

#include "train/html.h"
#include "train/svg.h"

enum { LEFT = 50, RIGHT = 14, LABELS = 26, TOP = 12, FOOT = 44, LETTERS = 12 };

/* ---- axes ---- */

at_axis at_axis_nice(double low, double high, int ticks) {
    if (!(high > low)) high = low + (fabs(low) > 0 ? fabs(low) : 1);
    const double raw = (high - low) / ticks, power = pow(10, floor(log10(raw)));
    const double step = power * (raw / power <= 1   ? 1
                                 : raw / power <= 2 ? 2
                                 : raw / power <= 5 ? 5
                                                    : 10);
    return (at_axis){floor(low / step + 1e-9) * step, ceil(high / step - 1e-9) * step, step, false};
}

at_axis at_axis_for_costs(double low, double high) {
    if (low > 0 && high > 6 * low) return (at_axis){low / 1.25, high * 1.25, 0, true};
    const double room = 0.08 * (high > low ? high - low : high);
    return at_axis_nice(low - room > 0 ? low - room : 0, high + room, 4);
}

double at_axis_place(at_axis a, double v, double from, double to) {
    const double share =
        a.logarithmic ? log(v / a.low) / log(a.high / a.low) : (v - a.low) / (a.high - a.low);
    return from + share * (to - from);
}

static double place_x(const at_chart *c, double v) {
    return at_axis_place(c->x, v, c->left, c->right);
}

static double place_y(const at_chart *c, double v) {
    return at_axis_place(c->y, v, c->bottom, c->top);
}

static void x_tick(const at_chart *c, double v) {
    const double x = place_x(c, v);
    char text[32];
    if (c->x_text)
        c->x_text(text, v);
    else
        snprintf(text, sizeof text, "%.6g", fabs(v) < c->x.step * 1e-6 ? 0 : v);
    at_svg_line(c->f, x, c->bottom, x, c->bottom + 4, "axis");
    at_svg_text(c->f, x, c->bottom + 18, "middle", "dim", text);
}

static void x_ticks(const at_chart *c) {
    static const double steps[] = {1, 2, 5};
    for (int i = 0; i < c->x_count; i++) {
        const double x = place_x(c, i);
        at_svg_line(c->f, x, c->bottom, x, c->bottom + 4, "axis");
        at_svg_text(c->f, x, c->bottom + 18, "middle", "dim", c->x_names[i]);
    }
    if (c->x_count) return;
    if (!c->x.logarithmic) {
        const double first = ceil(c->x.low / c->x.step - 1e-9) * c->x.step;
        for (int i = 0; first + i * c->x.step <= c->x.high + 1e-9 * c->x.step; i++)
            x_tick(c, first + i * c->x.step);
        return;
    }
    for (int k = (int)floor(log10(c->x.low)); pow(10, k) <= c->x.high; k++)
        for (int i = 0; i < 3; i++) {
            const double v = steps[i] * pow(10, k);
            if (v >= c->x.low && v <= c->x.high) x_tick(c, v);
        }
}

static void y_ticks(const at_chart *c) {
    char text[32];
    for (int i = 0; c->y.low + i * c->y.step <= c->y.high + c->y.step / 2; i++) {
        const double v = c->y.low + i * c->y.step, y = place_y(c, v);
        at_svg_line(c->f, c->left, y, c->right, y, "grid");
        snprintf(text, sizeof text, "%.6g", fabs(v) < c->y.step * 1e-6 ? 0 : v);
        at_svg_text(c->f, c->left - 8, y + 4, "end", "dim", text);
    }
}

void at_chart_begin(at_chart *c) {
    c->left = LEFT;
    c->right = AT_CHART_WIDTH - RIGHT - LABELS;
    c->top = TOP;
    c->bottom = AT_CHART_HEIGHT - FOOT;
    c->label_count = 0;
    at_svg_begin(c->f, AT_CHART_WIDTH, AT_CHART_HEIGHT, c->label);
    y_ticks(c);
    x_ticks(c);
    at_svg_line(c->f, c->left, c->bottom, c->right, c->bottom, "axis");
    if (c->x_title)
        at_svg_text(c->f, (c->left + c->right) / 2, AT_CHART_HEIGHT - 6, "middle", "dim",
                    c->x_title);
}

/* ---- what is drawn ---- */

static void open_thing(const at_chart *c, at_chart_look look) {
    fprintf(c->f, "<g class=\"h%d p%d\"", look.hue % AT_HUES, look.pattern % AT_PATTERNS);
    if (look.key) fprintf(c->f, " data-k=\"%d\"", look.key);
    fputs(">\n", c->f);
}

static bool has_band(at_chart_point p) {
    return isfinite(p.y) && isfinite(p.low) && isfinite(p.high);
}

static void band(const at_chart *c, const at_chart_point *p, int count) {
    int points = 0;
    for (int i = 0; i < count; i++) points += has_band(p[i]);
    if (points < 2) return;
    fputs("<polygon class=\"band\" points=\"", c->f);
    for (int i = 0; i < count; i++)
        if (has_band(p[i])) fprintf(c->f, "%.1f,%.1f ", place_x(c, p[i].x), place_y(c, p[i].high));
    for (int i = count - 1; i >= 0; i--)
        if (has_band(p[i])) fprintf(c->f, "%.1f,%.1f ", place_x(c, p[i].x), place_y(c, p[i].low));
    fputs("\"/>\n", c->f);
}

static void polyline(const at_chart *c, const char *class, const at_chart_point *p, int count) {
    fprintf(c->f, "<polyline class=\"%s\" points=\"", class);
    for (int i = 0; i < count; i++)
        if (isfinite(p[i].y)) fprintf(c->f, "%.1f,%.1f ", place_x(c, p[i].x), place_y(c, p[i].y));
    fputs("\"/>\n", c->f);
}

void at_chart_line(at_chart *c, at_chart_look look, const at_chart_point *p, int count) {
    int last = -1;
    for (int i = 0; i < count; i++)
        if (isfinite(p[i].y)) last = i;
    if (last < 0) return;
    open_thing(c, look);
    band(c, p, count);
    polyline(c, "line", p, count);
    fprintf(c->f, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\"/>\n</g>\n",
            place_x(c, p[last].x), place_y(c, p[last].y));
    if (look.key && c->label_count < AT_CHART_LABELS)
        c->labels[c->label_count++] =
            (struct at_chart_label){place_y(c, p[last].y), look.key, look.hue % AT_HUES};
}

void at_chart_whisker(at_chart *c, at_chart_look look, at_chart_point p) {
    const double x = place_x(c, p.x);
    if (!isfinite(p.x) || !has_band(p)) return;
    open_thing(c, look);
    at_svg_line(c->f, x, place_y(c, p.low), x, place_y(c, p.high), "whisker");
    fputs("</g>\n", c->f);
}

void at_chart_mark(at_chart *c, at_chart_look look, at_chart_point p, const char *title) {
    const double x = place_x(c, p.x), y = place_y(c, p.y);
    if (!isfinite(p.x) || !isfinite(p.y)) return;
    open_thing(c, look);
    at_html_element(c->f, "title", title);
    fprintf(c->f, "<circle class=\"mark\" cx=\"%.1f\" cy=\"%.1f\" r=\"9\"/>\n", x, y);
    char number[16];
    snprintf(number, sizeof number, "%d", look.key);
    at_svg_text(c->f, x, y + 4, "middle", "number", number);
    fputs("</g>\n", c->f);
}

void at_chart_guide(at_chart *c, const at_chart_point *p, int count) {
    if (count > 1) polyline(c, "guide", p, count);
}

/* ---- numbers beside the lines' ends ---- */

static int by_place(const void *a, const void *b) {
    const double x = ((const struct at_chart_label *)a)->y,
                 y = ((const struct at_chart_label *)b)->y;
    return (x > y) - (x < y);
}

/* In order, no two closer than a letter's height: pushed down, and up again where that ends below
 * the plot. */
static void spread(struct at_chart_label *l, int count, double top, double bottom) {
    const double gap = fmin(LETTERS, (bottom - top) / (count > 1 ? count - 1 : 1));
    qsort(l, (size_t)count, sizeof *l, by_place);
    for (int i = 1; i < count; i++) l[i].y = fmax(l[i].y, l[i - 1].y + gap);
    const double over = count ? l[count - 1].y - bottom : 0;
    if (over <= 0) return;
    l[count - 1].y = bottom;
    for (int i = count - 2; i >= 0; i--) l[i].y = fmin(l[i].y, l[i + 1].y - gap);
}

void at_chart_end(at_chart *c) {
    spread(c->labels, c->label_count, c->top, c->bottom);
    for (int i = 0; i < c->label_count; i++) {
        const struct at_chart_label *l = &c->labels[i];
        fprintf(c->f, "<text class=\"end h%d\" data-k=\"%d\" x=\"%.1f\" y=\"%.1f\">%d</text>\n",
                l->hue, l->key, c->right + 8, l->y + 4, l->key);
    }
    at_svg_close(c->f);
}
