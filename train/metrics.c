/* SPDX-License-Identifier: MIT */
/* Confusion counts and what follows from them. Counts are 64-bit integers, so the order of images
 * cannot matter; every ratio is a double. */
#include "train/metrics.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/json_list.h"

const char at_absent_rule[] =
    "classes absent from both truth and prediction are left out of means; a class absent from the "
    "truth but predicted counts 0 in IoU and Dice and is left out of mean accuracy";

at_status at_confusion_init(at_confusion *c, int classes, at_error *err) {
    assert(classes > 0 && classes <= AT_MAX_CLASSES);
    const size_t cells = (size_t)classes * (size_t)classes;
    *c = (at_confusion){.classes = classes, .counts = calloc(cells, sizeof *c->counts)};
    if (!c->counts) return at_fail_memory(err, "confusion matrix", cells * sizeof *c->counts);
    return AT_OK;
}

void at_confusion_free(at_confusion *c) {
    free(c->counts);
    *c = (at_confusion){0};
}

void at_confusion_clear(at_confusion *c) {
    memset(c->counts, 0, (size_t)c->classes * (size_t)c->classes * sizeof *c->counts);
}

void at_confusion_add(at_confusion *c, const uint8_t *truth, const uint8_t *prediction,
                      int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++) {
        if (truth[i] >= c->classes) continue;
        assert(prediction[i] < c->classes);
        c->counts[(size_t)truth[i] * (size_t)c->classes + prediction[i]]++;
    }
}

void at_confusion_merge(at_confusion *c, const at_confusion *other) {
    assert(c->classes == other->classes);
    const int cells = c->classes * c->classes;
    for (int i = 0; i < cells; i++) c->counts[i] += other->counts[i];
}

static double ratio(int64_t a, int64_t b) {
    return b > 0 ? (double)a / (double)b : NAN;
}

/* Mean of what is not NAN; 0 if there is nothing. */
typedef struct mean {
    double sum;
    int count;
} mean;

static void mean_add(mean *m, double v) {
    if (isnan(v)) return;
    m->sum += v;
    m->count++;
}

static double mean_of(mean m) {
    return m.count ? m.sum / m.count : 0;
}

static void per_class(at_metrics *m, const at_confusion *c, const int64_t *row,
                      const int64_t *column) {
    mean iou = {0}, accuracy = {0}, dice = {0};
    for (int k = 0; k < c->classes; k++) {
        const int64_t hit = c->counts[(size_t)k * (size_t)c->classes + (size_t)k];
        at_class_metrics *of = &m->of[k];
        of->pixels = row[k];
        of->iou = ratio(hit, row[k] + column[k] - hit);
        of->accuracy = ratio(hit, row[k]);
        of->dice = ratio(2 * hit, row[k] + column[k]);
        mean_add(&iou, of->iou);
        mean_add(&accuracy, of->accuracy);
        mean_add(&dice, of->dice);
        if (row[k] > 0) m->fwiou += (double)row[k] * of->iou;
    }
    m->miou = mean_of(iou);
    m->mean_accuracy = mean_of(accuracy);
    m->mean_dice = mean_of(dice);
}

/* Always answering the commonest class: its IoU is its share, those of the others present are 0. */
static void majority(at_metrics *m, const int64_t *row) {
    int present = 0;
    int64_t most = 0;
    for (int k = 0; k < m->classes; k++) {
        present += row[k] > 0;
        if (row[k] > most) most = row[k];
    }
    if (!present) return;
    m->majority_accuracy = ratio(most, m->pixels);
    m->majority_miou = m->majority_accuracy / present;
}

static void top_prediction(at_metrics *m, const at_confusion *c, const int64_t *row,
                           const int64_t *column, int64_t hits) {
    for (int k = 1; k < c->classes; k++)
        if (column[k] > column[m->top_class]) m->top_class = k;
    const int top = m->top_class;
    const int64_t hit = c->counts[(size_t)top * (size_t)c->classes + (size_t)top];
    const double found = ratio(hits - hit, m->pixels - row[top]);
    m->top_share = ratio(column[top], m->pixels);
    m->others_found = isnan(found) ? 1 : found;
}

void at_metrics_from(const at_confusion *c, at_metrics *m) {
    int64_t row[AT_MAX_CLASSES] = {0}, column[AT_MAX_CLASSES] = {0}, hits = 0;
    *m = (at_metrics){.classes = c->classes};
    for (int t = 0; t < c->classes; t++)
        for (int p = 0; p < c->classes; p++) {
            const int64_t n = c->counts[(size_t)t * (size_t)c->classes + (size_t)p];
            row[t] += n;
            column[p] += n;
            m->pixels += n;
            if (t == p) hits += n;
        }
    per_class(m, c, row, column);
    if (m->pixels == 0) return;
    m->pixel_accuracy = ratio(hits, m->pixels);
    m->fwiou /= (double)m->pixels;
    majority(m, row);
    top_prediction(m, c, row, column, hits);
}

/* JSON has no NAN. */
static json_t *number(double v) {
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *class_list(const at_metrics *m, const at_classes *classes) {
    json_t *list = json_array();
    for (int k = 0; k < m->classes; k++) {
        const at_class_metrics *of = &m->of[k];
        const char *name = classes && k < classes->count ? classes->items[k].name : "";
        at_json_add(&list, json_pack("{s:i,s:s,s:o,s:o,s:o,s:I}", "id", k, "name", name, "iou",
                                     number(of->iou), "accuracy", number(of->accuracy), "dice",
                                     number(of->dice), "pixels", (json_int_t)of->pixels));
    }
    return list;
}

static json_t *matrix(const at_confusion *c) {
    json_t *rows = json_array();
    for (int t = 0; t < c->classes; t++) {
        json_t *row = json_array();
        for (int p = 0; p < c->classes; p++)
            at_json_add(&row, json_integer(c->counts[t * c->classes + p]));
        at_json_add(&rows, row);
    }
    return rows;
}

json_t *at_metrics_to_json(const at_metrics *m, const at_confusion *c, const at_classes *classes,
                           const char *split, int images) {
    return json_pack("{s:s,s:i,s:I,s:f,s:f,s:f,s:f,s:f,s:s,s:o,s:o,s:f,s:f}", "split", split,
                     "images", images, "pixels", (json_int_t)m->pixels, "pixel_accuracy",
                     m->pixel_accuracy, "mean_accuracy", m->mean_accuracy, "miou", m->miou, "fwiou",
                     m->fwiou, "mean_dice", m->mean_dice, "absent_classes", at_absent_rule,
                     "classes", class_list(m, classes), "confusion", matrix(c), "majority_accuracy",
                     m->majority_accuracy, "majority_miou", m->majority_miou);
}
