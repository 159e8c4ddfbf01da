/* SPDX-License-Identifier: MIT */
/* Class weights from counts. No clipping and no normalising to mean 1 behind the user's back: the
 * numbers are those of the formulas. */
#include "train/class_weights.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"none", "median", "enet", "inverse"};

static at_status parse_list(const char *text, int classes, float *weights, at_error *err) {
    const char *p = text;
    int count = 0;
    bool positive = false;
    for (;;) {
        char *end;
        const double v = strtod(p, &end);
        if (end == p)
            return at_fail(err, AT_ERR_USAGE,
                           "class weights \"%s\": give none, median, enet, inverse or %d numbers "
                           "separated by commas",
                           text, classes);
        if (!isfinite((float)v) || v < 0)
            return at_fail(err, AT_ERR_USAGE, "class weights \"%s\": %g is not a weight; 0 or more",
                           text, v);
        if (count < classes) weights[count] = (float)v;
        positive |= v > 0;
        count++;
        if (*end == '\0') break;
        p = *end == ',' ? end + 1 : "";
    }
    if (count != classes)
        return at_fail(err, AT_ERR_USAGE,
                       "class weights \"%s\" are %d numbers, but there are %d classes", text, count,
                       classes);
    if (!positive)
        return at_fail(err, AT_ERR_USAGE, "class weights: all are 0, nothing would be learnt");
    return AT_OK;
}

at_status at_class_weights_parse(const char *text, int classes, at_class_weighting *kind,
                                 float *weights, at_error *err) {
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++)
        if (strcmp(text, names[i]) == 0) {
            *kind = (at_class_weighting)i;
            return AT_OK;
        }
    AT_TRY(parse_list(text, classes, weights, err));
    *kind = AT_CLASS_WEIGHTS_LIST;
    return AT_OK;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The median of an even count is the mean of the middle two. */
static double median(double *values, int count) {
    if (count == 0) return 1;
    qsort(values, (size_t)count, sizeof *values, by_value);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static void median_frequency(const at_class_stats *s, int classes, float *weights) {
    double sorted[AT_MAX_CLASSES], frequency[AT_MAX_CLASSES];
    int present = 0;
    for (int c = 0; c < classes; c++) {
        frequency[c] = s->pixels[c] ? (double)s->pixels[c] / (double)s->image_pixels[c] : 0;
        if (s->pixels[c]) sorted[present++] = frequency[c];
    }
    const double middle = median(sorted, present);
    for (int c = 0; c < classes; c++)
        weights[c] = frequency[c] > 0 ? (float)(middle / frequency[c]) : 1;
}

void at_class_weights(at_class_weighting kind, const at_class_stats *stats, int classes,
                      float *weights) {
    double total = 0;
    int present = 0;
    for (int c = 0; c < classes; c++) {
        total += (double)stats->pixels[c];
        present += stats->pixels[c] > 0;
    }
    if (kind == AT_CLASS_WEIGHTS_MEDIAN) {
        median_frequency(stats, classes, weights);
        return;
    }
    for (int c = 0; c < classes; c++) {
        const double p = total > 0 ? (double)stats->pixels[c] / total : 0;
        if (kind == AT_CLASS_WEIGHTS_NONE) weights[c] = 1;
        if (kind == AT_CLASS_WEIGHTS_ENET) weights[c] = (float)(1 / log(1.02 + p));
        if (kind == AT_CLASS_WEIGHTS_INVERSE) weights[c] = p > 0 ? (float)(1 / (present * p)) : 1;
    }
}

const char *at_class_weights_formula(at_class_weighting kind) {
    switch (kind) {
    case AT_CLASS_WEIGHTS_MEDIAN:
        return "median frequency: median(f) / f(c), f(c) = pixels of c / pixels of images with c";
    case AT_CLASS_WEIGHTS_ENET:
        return "ENet: 1 / ln(1.02 + p(c)), p(c) = share of all pixels";
    case AT_CLASS_WEIGHTS_INVERSE:
        return "inverse frequency: 1 / (classes * p(c))";
    case AT_CLASS_WEIGHTS_LIST:
        return "given";
    default:
        return "none: all 1";
    }
}
