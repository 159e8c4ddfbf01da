/* SPDX-License-Identifier: MIT */
/* Charts of a study's page: training curves, accuracy against cost, accuracy near the edges. Lines
 * are means over seeds, bands reach from the lowest seed to the highest. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/chart.h"
#include "train/figures.h"
#include "train/html.h"
#include "train/measures.h"
#include "train/run.h"
#include "train/study_page.h"
#include "train/study_private.h"

typedef at_study_page page;

/* ---- lines ---- */

/* A chart of one line a variant: points[variant * count ..]. */
typedef struct lines {
    const char *caption, *note, *x_title;
    const char *const *x_names; /* NULL: numbers */
    int count;
    at_chart_point *points;
} lines;

static bool span(const page *p, const lines *l, double *low, double *high) {
    *low = INFINITY, *high = -INFINITY;
    for (int i = 0; i < p->s->variant_count * l->count; i++) {
        const at_chart_point q = l->points[i];
        if (!isfinite(q.y)) continue;
        *low = fmin(*low, isfinite(q.low) ? q.low : q.y);
        *high = fmax(*high, isfinite(q.high) ? q.high : q.y);
    }
    return isfinite(*low);
}

static void caption(const page *p, const char *title, const char *note) {
    fputs("<figure>\n<figcaption><b>", p->f);
    at_html_text(p->f, title);
    fputs("</b> <small>", p->f);
    at_html_text(p->f, note);
    fputs("</small></figcaption>\n", p->f);
}

static at_status draw_lines(const page *p, const lines *l, at_error *err) {
    double low, high;
    at_chart *c = calloc(1, sizeof *c);
    if (!c) return at_fail_memory(err, "a chart", sizeof *c);
    if (span(p, l, &low, &high)) {
        const double first = l->x_names ? -0.3 : l->points[0].x;
        const double last = l->x_names ? l->count - 0.7 : l->points[l->count - 1].x;
        *c = (at_chart){.f = p->f,
                        .label = l->caption,
                        .x_title = l->x_title,
                        .x_names = l->x_names,
                        .x_count = l->x_names ? l->count : 0,
                        .x = at_axis_nice(first, last, 6),
                        .y = at_axis_nice(low, high, 5)};
        c->x.low = first, c->x.high = last > first ? last : first + 1;
        if (c->x.step < 1) c->x.step = 1;
        caption(p, l->caption, l->note);
        at_chart_begin(c);
        for (int i = p->s->variant_count - 1; i >= 0; i--) /* the first on top */
            at_chart_line(c, p->look[p->order[i]], l->points + (ptrdiff_t)p->order[i] * l->count,
                          l->count);
        at_chart_end(c);
        fputs("</figure>\n", p->f);
    }
    free(c);
    return AT_OK;
}

static void open_charts(const page *p) {
    fputs("<div data-group=\"\">\n", p->f);
    at_page_key(p);
    fputs("<div class=\"charts\">\n", p->f);
}

static void close_charts(const page *p) {
    fputs("</div>\n</div>\n", p->f);
}

/* ---- training curves ---- */

/* results.csv of every run; a run without one has no rows. */
typedef struct tables {
    at_epoch_row **rows; /* [runs] */
    int *count;
    int runs, epochs; /* the latest epoch of all */
} tables;

static void tables_free(tables *t) {
    for (int i = 0; t->rows && i < t->runs; i++) free(t->rows[i]);
    free(t->rows);
    free(t->count);
}

static at_status tables_read(const at_study *s, tables *t, at_error *err) {
    *t = (tables){.rows = calloc((size_t)s->run_count, sizeof *t->rows),
                  .count = calloc((size_t)s->run_count, sizeof *t->count),
                  .runs = s->run_count};
    if (!t->rows || !t->count) return at_fail_memory(err, "training curves", 0);
    for (int i = 0; i < s->run_count; i++) {
        char *path = at_study_path(&s->runs[i], "results.csv");
        if (!path) return at_fail_memory(err, "a path", 0);
        at_status status = AT_OK;
        if (at_path_exists(path)) status = at_results_read(path, &t->rows[i], &t->count[i], err);
        free(path);
        AT_TRY(status);
        for (int k = 0; k < t->count[i]; k++)
            if (t->rows[i][k].epoch > t->epochs) t->epochs = t->rows[i][k].epoch;
    }
    return AT_OK;
}

/* Rows stand in the order of their epochs, from 1 on. */
static double row_value(const tables *t, int run, int epoch, size_t offset) {
    if (epoch > t->count[run]) return NAN;
    const at_epoch_row *row = &t->rows[run][epoch - 1];
    if (row->epoch != epoch) return NAN;
    return *(const double *)(const void *)((const char *)row + offset);
}

/* One point an epoch and variant, over the seeds that came so far. */
static int curve_points(const page *p, const tables *t, size_t offset, at_chart_point *points) {
    const at_study *s = p->s;
    double values[AT_MAX_SEEDS];
    int most = 0;
    for (int v = 0; v < s->variant_count; v++) {
        int filled = 0;
        for (int e = 0; e < t->epochs; e++) {
            for (int i = 0; i < s->seed_count; i++)
                values[i] = row_value(t, i * s->variant_count + v, e + 1, offset);
            points[v * t->epochs + e] = at_page_point(e + 1, values, s->seed_count);
            filled += isfinite(points[v * t->epochs + e].y);
        }
        if (filled > most) most = filled;
    }
    return most;
}

static at_status draw_curves(const page *p, const tables *t, at_chart_point *points,
                             at_error *err) {
    static const struct {
        const char *caption;
        size_t offset;
    } curves[] = {{"Loss in training", offsetof(at_epoch_row, train_loss)},
                  {"mIoU in validation", offsetof(at_epoch_row, miou)}};
    bool alone = false;
    open_charts(p);
    for (int i = 0; i < 2; i++) {
        if (curve_points(p, t, curves[i].offset, points) < 2) {
            alone = true;
            continue;
        }
        const lines l = {curves[i].caption, "mean over seeds; band: lowest to highest",
                         "epoch",           NULL,
                         t->epochs,         points};
        AT_TRY(draw_lines(p, &l, err));
    }
    close_charts(p);
    if (alone)
        fputs("<p class=\"dim\">What has a single value so far (runs are validated every so many "
              "epochs, --val-every) makes no curve.</p>\n",
              p->f);
    return AT_OK;
}

at_status at_section_curves(const page *p, at_error *err) {
    tables t;
    at_chart_point *points = NULL;
    at_status s = tables_read(p->s, &t, err);
    const size_t count = (size_t)p->s->variant_count * (size_t)t.epochs;
    if (s == AT_OK && !t.epochs)
        at_html_element(p->f, "p", "No epoch is over yet.");
    else if (s == AT_OK) {
        points = calloc(count, sizeof *points);
        s = points ? draw_curves(p, &t, points, err)
                   : at_fail_memory(err, "training curves", count * sizeof *points);
    }
    free(points);
    tables_free(&t);
    return s;
}

/* ---- near the edges ---- */

at_status at_section_trimap(const page *p, at_error *err) {
    static const char *const names[] = {"1", "2", "3", "4", "8", "16", "32", "all"};
    enum { POINTS = AT_TRIMAP_WIDTHS + 1 };
    const at_study *s = p->s;
    double values[AT_MAX_SEEDS];
    char measure[32];
    at_chart_point *points = calloc((size_t)s->variant_count * POINTS, sizeof *points);
    if (!points) return at_fail_memory(err, "trimap curves", 0);
    for (int v = 0; v < s->variant_count; v++)
        for (int k = 0; k < POINTS; k++) {
            snprintf(measure, sizeof measure, k < AT_TRIMAP_WIDTHS ? "trimap%s" : "miou", names[k]);
            for (int i = 0; i < s->seed_count; i++)
                values[i] = at_study_value(at_page_run(p, i, v), measure);
            points[v * POINTS + k] = at_page_point(k, values, s->seed_count);
        }
    at_html_element(p->f, "p",
                    "mIoU of the pixels that lie less than so many pixels from an edge of the "
                    "truth, and of all. What upsamples sharply gains on the left.");
    open_charts(p);
    const lines l = {"mIoU in a band round the edges",
                     "mean over seeds; band: lowest to highest",
                     "pixels from an edge, less than",
                     names,
                     POINTS,
                     points};
    const at_status status = draw_lines(p, &l, err);
    close_charts(p);
    free(points);
    return status;
}

/* ---- accuracy against cost ---- */

typedef struct cost {
    const char *caption, *x_title;
    double (*of)(const at_study *s, int variant); /* NAN: not known */
    void (*text)(char text[32], double v);
} cost;

static double macs(const at_study *s, int v) {
    return s->variants[v].cost.macs > 0 ? s->variants[v].cost.macs : NAN;
}

static double parameters(const at_study *s, int v) {
    return s->variants[v].cost.parameters > 0 ? (double)s->variants[v].cost.parameters : NAN;
}

static double training(const at_study *s, int v) {
    return at_study_summarise(s, v, "train_s").mean;
}

static double inference(const at_study *s, int v) {
    return at_study_summarise(s, v, "inference_ms").mean;
}

static void number_text(char text[32], double v) {
    static const char *const units[] = {"", " k", " M", " G", " T"};
    int i = 0;
    for (; i < 4 && v >= 999.5; i++) v /= 1000;
    snprintf(text, 32, "%.3g%s", v, units[i]);
}

static const cost costs[] = {
    {"mIoU against MACs", "multiply-accumulates of one picture", macs, number_text},
    {"mIoU against parameters", "parameters", parameters, number_text},
    {"mIoU against training time", "seconds of all steps", training, NULL},
    {"mIoU against inference time", "milliseconds of one picture", inference, NULL},
};

/* How many points; their span. */
static int cost_points(const page *p, const cost *c, at_chart_point *points, at_axis *x,
                       at_axis *y) {
    double low = INFINITY, high = -INFINITY, least = INFINITY, most = -INFINITY;
    int count = 0;
    for (int v = 0; v < p->s->variant_count; v++) {
        const at_study_summary m = at_study_summarise(p->s, v, "miou");
        const double of = c->of(p->s, v), d = m.n > 1 ? m.deviation : NAN;
        points[v] = (at_chart_point){of, m.mean, m.mean - d, m.mean + d};
        if (!isfinite(of) || !isfinite(m.mean)) continue;
        low = fmin(low, of), high = fmax(high, of);
        least = fmin(least, isnan(d) ? m.mean : m.mean - d);
        most = fmax(most, isnan(d) ? m.mean : m.mean + d);
        count++;
    }
    if (!count) return 0;
    *x = at_axis_for_costs(low, high);
    *y = at_axis_nice(least, most, 5);
    return count;
}

static bool known_costs(const page *p) {
    for (int v = 0; v < p->s->variant_count; v++)
        if (at_study_summarise(p->s, v, "miou").n && p->s->variants[v].cost.macs > 0) return true;
    return false;
}

static int by_cost(const void *a, const void *b) {
    const at_chart_point *x = a, *y = b;
    return (x->x > y->x) - (x->x < y->x);
}

/* What nothing cheaper surpasses, as steps. `front` has room for twice the points. */
static void draw_front(at_chart *c, const at_chart_point *points, int count,
                       at_chart_point *front) {
    int n = 0, steps = 0;
    at_chart_point *sorted = front + 2 * count;
    for (int i = 0; i < count; i++)
        if (isfinite(points[i].x) && isfinite(points[i].y)) sorted[n++] = points[i];
    qsort(sorted, (size_t)n, sizeof *sorted, by_cost);
    for (int i = 0; i < n; i++) {
        const double best = steps ? front[steps - 1].y : -INFINITY;
        if (sorted[i].y <= best) continue;
        if (steps) front[steps++] = (at_chart_point){sorted[i].x, best, NAN, NAN};
        front[steps++] = sorted[i];
    }
    at_chart_guide(c, front, steps);
}

/* `points` has room for four times the variants. */
static void draw_cost(const page *p, const cost *k, at_chart *c, at_chart_point *points) {
    at_axis x, y;
    const int count = p->s->variant_count;
    if (!cost_points(p, k, points, &x, &y)) return;
    *c = (at_chart){
        .f = p->f, .label = k->caption, .x_title = k->x_title, .x = x, .y = y, .x_text = k->text};
    caption(p, k->caption, "mean ± deviation over seeds");
    at_chart_begin(c);
    draw_front(c, points, count, points + count);
    for (int i = count - 1; i >= 0; i--)
        at_chart_whisker(c, p->look[p->order[i]], points[p->order[i]]);
    for (int i = count - 1; i >= 0; i--)
        at_chart_mark(c, p->look[p->order[i]], points[p->order[i]],
                      p->s->variants[p->order[i]].name);
    at_chart_end(c);
    fputs("</figure>\n", p->f);
}

at_status at_section_cost(const page *p, at_error *err) {
    at_chart *c = calloc(1, sizeof *c);
    at_chart_point *points = calloc(4 * (size_t)p->s->variant_count, sizeof *points);
    const bool ok = c && points;
    if (ok && !known_costs(p))
        at_html_element(p->f, "p", "Costs are measured when all runs are trained.");
    else if (ok) {
        at_html_element(p->f, "p",
                        "Up and to the left is better; along the dotted line nothing "
                        "cheaper is as good.");
        open_charts(p);
        for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
            draw_cost(p, &costs[i], c, points);
        close_charts(p);
    }
    free(c);
    free(points);
    return ok ? AT_OK : at_fail_memory(err, "a chart", sizeof *c);
}
