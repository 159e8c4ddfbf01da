/* SPDX-License-Identifier: MIT */
/* Connected pieces of the truth and how much of each was found. A row is cut into runs of one
 * class; runs that touch (8 neighbours) are united, the earliest becoming the root, and roots add
 * up what their runs have. */
#include <math.h>
#include <stdlib.h>

#include "train/measures_private.h"

const int at_object_limits[AT_OBJECT_BINS] = {8, 16, 32, 64, 0};

at_status at_objects_init(at_objects *o, int classes, at_error *err) {
    *o = (at_objects){.classes = classes, .of = calloc((size_t)classes, sizeof *o->of)};
    if (!o->of) return at_fail_memory(err, "objects by size", (size_t)classes * sizeof *o->of);
    return AT_OK;
}

void at_objects_free(at_objects *o) {
    free(o->of);
    *o = (at_objects){0};
}

/* ---- runs ---- */

typedef struct run {
    int first, end; /* columns */
    int parent;     /* index of a run; a root's is its own */
    int pixels, hits;
    int class;
} run;

typedef struct runs {
    int count;
    run *items;
} runs;

/* Runs of one row, ignored pixels left out; items NULL: counts only. */
static void cut_row(const uint8_t *truth, const uint8_t *prediction, int width, int classes,
                    runs *out) {
    for (int x = 0; x < width;) {
        const int first = x, class = truth[x];
        int hits = 0;
        for (; x < width && truth[x] == class; x++) hits += prediction[x] == class;
        if (class >= classes) continue;
        if (out->items)
            out->items[out->count] = (run){first, x, out->count, x - first, hits, class};
        out->count++;
    }
}

static int root(run *items, int i) {
    while (items[i].parent != i) i = items[i].parent = items[items[i].parent].parent;
    return i;
}

static void unite(run *items, int a, int b) {
    a = root(items, a), b = root(items, b);
    if (a < b)
        items[b].parent = a;
    else
        items[a].parent = b;
}

/* Runs above .. row - 1 are those of the row above, row .. end - 1 those of this one. */
static void join_rows(run *items, int above, int row, int end) {
    for (int i = row, from = above; i < end; i++) {
        while (from < row && items[from].end < items[i].first) from++;
        for (int j = from; j < row && items[j].first <= items[i].end; j++)
            if (items[j].class == items[i].class) unite(items, i, j);
    }
}

static at_status find_runs(const uint8_t *truth, const uint8_t *prediction, int height, int width,
                           int classes, runs *out, at_error *err) {
    runs counted = {0};
    for (int y = 0; y < height; y++) {
        const size_t row = (size_t)y * (size_t)width;
        cut_row(truth + row, prediction + row, width, classes, &counted);
    }
    *out = (runs){0, malloc(((size_t)counted.count + 1) * sizeof *out->items)};
    if (!out->items)
        return at_fail_memory(err, "objects of a picture",
                              (size_t)counted.count * sizeof *out->items);
    for (int y = 0, above = 0; y < height; y++) {
        const size_t at = (size_t)y * (size_t)width;
        const int row = out->count;
        cut_row(truth + at, prediction + at, width, classes, out);
        join_rows(out->items, above, row, out->count);
        above = row;
    }
    return AT_OK;
}

/* ---- objects ---- */

static int bin_of(int64_t pixels) {
    int bin = 0;
    while (at_object_limits[bin] &&
           pixels >= (int64_t)at_object_limits[bin] * at_object_limits[bin])
        bin++;
    return bin;
}

static void count_object(at_objects *o, const run *r) {
    at_object_bin *b = &o->of[r->class][bin_of(r->pixels)];
    b->objects++;
    b->found += 2 * (int64_t)r->hits >= r->pixels;
    b->pixels += r->pixels;
    b->hits += r->hits;
    b->share += ((int64_t)r->hits << 32) / r->pixels;
}

at_status at_objects_add(at_objects *o, const uint8_t *truth, const uint8_t *prediction, int height,
                         int width, at_error *err) {
    runs r;
    AT_TRY(at_measurable(height, width, err));
    AT_TRY(find_runs(truth, prediction, height, width, o->classes, &r, err));
    for (int i = r.count - 1; i >= 0; i--) { /* a parent comes before its children */
        run *item = &r.items[i], *parent = &r.items[item->parent];
        if (item == parent) continue;
        parent->pixels += item->pixels;
        parent->hits += item->hits;
    }
    for (int i = 0; i < r.count; i++)
        if (r.items[i].parent == i) count_object(o, &r.items[i]);
    free(r.items);
    return AT_OK;
}

static void add_bin(at_object_bin *to, const at_object_bin *b) {
    to->objects += b->objects;
    to->found += b->found;
    to->pixels += b->pixels;
    to->hits += b->hits;
    to->share += b->share;
}

void at_objects_merge(at_objects *o, const at_objects *other) {
    for (int k = 0; k < o->classes; k++)
        for (int i = 0; i < AT_OBJECT_BINS; i++) add_bin(&o->of[k][i], &other->of[k][i]);
}

at_object_bin at_objects_sum(const at_objects *o, int first, int last) {
    at_object_bin sum = {0};
    for (int k = 0; k < o->classes; k++)
        for (int i = first; i <= last; i++) add_bin(&sum, &o->of[k][i]);
    return sum;
}

double at_object_recall(const at_object_bin *b) {
    return b->objects ? (double)b->found / (double)b->objects : NAN;
}

double at_object_share(const at_object_bin *b) {
    return b->objects ? (double)b->share / 4294967296.0 / (double)b->objects : NAN;
}
