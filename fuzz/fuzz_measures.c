/* SPDX-License-Identifier: MIT */
/* Measures of any two maps of ids: byte 0 the classes, byte 1 the width, byte 2 the stride, then
 * truth and prediction. Every ratio lies in 0 .. 1 or does not exist, every counted pixel belongs to
 * one object and one ring, and the truth predicts itself. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "train/train.h"

typedef struct maps {
    int classes, height, width, stride;
    size_t pixels;
    const uint8_t *truth;
    uint8_t *guess;
    int64_t counted;
} maps;

static void is_share(double v) {
    if (!isnan(v) && !(v >= 0 && v <= 1)) abort();
}

static void boundaries(const maps *m, bool perfect) {
    at_boundary b;
    at_boundary_score s;
    if (at_boundary_init(&b, m->classes, NULL)) abort();
    if (at_boundary_add(&b, m->truth, m->guess, m->height, m->width, &s, NULL)) abort();
    for (int i = 0; i < 4; i++) is_share(at_boundary_f1(&b, i / 2 ? AT_F1_MATCHED : 0, i % 2));
    is_share(s.iou);
    if (perfect && (s.f1 < 1 || s.iou < 1)) abort();
    at_boundary_free(&b);
}

static void bands(const maps *m, bool perfect) {
    at_trimap t;
    at_trimap_point curve[AT_TRIMAP_WIDTHS + 1];
    if (at_trimap_init(&t, m->classes, NULL)) abort();
    if (at_trimap_add(&t, m->truth, m->guess, m->height, m->width, NULL)) abort();
    if (at_trimap_curve(&t, curve, NULL)) abort();
    if (curve[AT_TRIMAP_WIDTHS].pixels != m->counted) abort();
    if (perfect && curve[0].miou < 1) abort();
    at_trimap_free(&t);
}

static void objects(const maps *m, bool perfect) {
    at_objects o;
    if (at_objects_init(&o, m->classes, NULL)) abort();
    if (at_objects_add(&o, m->truth, m->guess, m->height, m->width, NULL)) abort();
    const at_object_bin all = at_objects_sum(&o, 0, AT_OBJECT_BINS - 1);
    if (all.pixels != m->counted || all.found > all.objects) abort();
    if (perfect && all.found != all.objects) abort();
    is_share(at_object_share(&all));
    at_objects_free(&o);
}

static void checkerboard(const maps *m) {
    const size_t k = (size_t)m->classes;
    at_checkerboard c;
    float *prob = calloc(m->pixels, k * sizeof *prob);
    if (!prob || at_checkerboard_init(&c, m->stride, NULL)) abort();
    for (size_t i = 0; i < m->pixels; i++) prob[i * k + m->guess[i]] = 1;
    if (at_checkerboard_add(&c, m->truth, m->guess, prob, m->classes, m->height, m->width, NULL))
        abort();
    for (int p = 2; p <= m->stride; p++) {
        if (m->stride % p) continue;
        is_share(at_phase_gap(&c, p));
        if (at_spectral_peak(&c, p) < 0) abort();
    }
    at_checkerboard_free(&c);
    free(prob);
}

static void measure(const maps *m, bool perfect) {
    boundaries(m, perfect);
    bands(m, perfect);
    objects(m, perfect);
    checkerboard(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 5 || size > 20000) return 0;
    at_threads_set(1, NULL);
    maps m = {.classes = 1 + data[0] % 255, .width = 1 + data[1], .stride = 1 + data[2] % 16};
    m.height = (int)((size - 3) / 2) / m.width;
    if (m.height < 1) m.height = 1, m.width = (int)((size - 3) / 2);
    m.pixels = (size_t)m.height * (size_t)m.width;
    m.truth = data + 3;
    m.guess = malloc(m.pixels);
    if (!m.guess) abort();
    for (size_t i = 0; i < m.pixels; i++) {
        m.counted += m.truth[i] < m.classes;
        m.guess[i] = (uint8_t)(m.truth[m.pixels + i] % m.classes);
    }
    measure(&m, false);
    for (size_t i = 0; i < m.pixels; i++)
        if (m.truth[i] < m.classes) m.guess[i] = m.truth[i];
    measure(&m, true);
    free(m.guess);
    return 0;
}
