/* SPDX-License-Identifier: MIT */
#include "layers/moments.h"

#include <string.h>

static int images(const at_collection *m) {
    return m->kind == AT_STRIP_IMAGES ? m->shape.n : 1;
}

static size_t total_count(at_shape shape, at_strip_kind kind) {
    return 2 * (size_t)shape.c * (kind == AT_STRIP_IMAGES ? (size_t)shape.n : 1);
}

size_t at_collection_bytes(at_shape shape, at_strip_kind kind) {
    size_t partial = 2 * (size_t)shape.c * (size_t)at_strip_count(shape, kind);
    return total_count(shape, kind) * sizeof(double) + partial * sizeof(float);
}

at_collection at_collection_in(void *memory, at_shape shape, at_strip_kind kind) {
    double *total = memory;
    void *after = total + total_count(shape, kind);
    return (at_collection){shape, kind, total, after};
}

float *at_collection_first(const at_collection *m, int64_t strip) {
    return m->partial + 2 * strip * m->shape.c;
}

float *at_collection_second(const at_collection *m, int64_t strip) {
    return at_collection_first(m, strip) + m->shape.c;
}

/* One image's strips. */
typedef struct part {
    int64_t begin, end;
    double *first, *second; /* [c] */
} part;

static part part_of(const at_collection *m, int image) {
    int64_t each = at_strip_count(m->shape, m->kind) / images(m);
    double *total = m->total + (int64_t)2 * image * m->shape.c;
    return (part){image * each, (image + 1) * each, total, total + m->shape.c};
}

static void add_weighted(double *sum, const float *x, double weight, int c) {
    for (int j = 0; j < c; j++) sum[j] += weight * x[j];
}

void at_collect_sums(const at_collection *m) {
    int c = m->shape.c;
    memset(m->total, 0, total_count(m->shape, m->kind) * sizeof(double));
    for (int image = 0; image < images(m); image++) {
        part p = part_of(m, image);
        for (int64_t i = p.begin; i < p.end; i++) {
            add_weighted(p.first, at_collection_first(m, i), 1, c);
            add_weighted(p.second, at_collection_second(m, i), 1, c);
        }
    }
}

void at_collect_moments(const at_collection *m) {
    int c = m->shape.c;
    double pixels = (double)at_shape_pixels(m->shape) / images(m);
    memset(m->total, 0, total_count(m->shape, m->kind) * sizeof(double));
    for (int image = 0; image < images(m); image++) {
        part p = part_of(m, image);
        for (int64_t i = p.begin; i < p.end; i++) {
            double share = (double)at_strip_pixels(m->shape, m->kind, i) / pixels;
            add_weighted(p.first, at_collection_first(m, i), share, c);
        }
        for (int64_t i = p.begin; i < p.end; i++) {
            const float *mean = at_collection_first(m, i), *m2 = at_collection_second(m, i);
            double count = (double)at_strip_pixels(m->shape, m->kind, i);
            for (int j = 0; j < c; j++) {
                double d = mean[j] - p.first[j];
                p.second[j] += m2[j] + count * d * d;
            }
        }
    }
}
