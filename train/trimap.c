/* SPDX-License-Identifier: MIT */
/* The confusion matrix by distance from the truth's edges (Kohli et al., IJCV 2009; Kraehenbuehl &
 * Koltun, NIPS 2011). An edge pixel has one of its 4 neighbours in another class, or ignored: masks
 * may separate classes by a ring that is ignored. A band of width w are the pixels less than w from
 * an edge pixel, Euclidean: on a straight edge w pixels on either side. */
#include <math.h>
#include <stdlib.h>

#include "train/measures_private.h"

const int at_trimap_widths[AT_TRIMAP_WIDTHS] = {1, 2, 3, 4, 8, 16, 32};

enum { FARTHEST = 32, RINGS = AT_TRIMAP_WIDTHS + 1 };

at_status at_trimap_init(at_trimap *t, int classes, at_error *err) {
    *t = (at_trimap){.classes = classes};
    for (int i = 0; i < RINGS; i++) {
        const at_status s = at_confusion_init(&t->ring[i], classes, err);
        if (s == AT_OK) continue;
        at_trimap_free(t);
        return s;
    }
    return AT_OK;
}

void at_trimap_free(at_trimap *t) {
    for (int i = 0; i < RINGS; i++) at_confusion_free(&t->ring[i]);
    *t = (at_trimap){0};
}

/* ---- one picture ---- */

static void find_edges(const uint8_t *truth, int height, int width, uint8_t *edge) {
    for (int y = 0; y < height; y++) {
        const size_t row = (size_t)y * (size_t)width;
        for (int x = 0; x < width; x++) edge[row + (size_t)x] = 0;
        for (int x = 0; x < width; x++) {
            const size_t i = row + (size_t)x;
            if (x && truth[i] != truth[i - 1]) edge[i] = edge[i - 1] = 1;
            if (y && truth[i] != truth[i - (size_t)width]) edge[i] = edge[i - (size_t)width] = 1;
        }
    }
}

static void fill_rings(uint8_t ring_of[FARTHEST * FARTHEST + 1]) {
    for (int squared = 0, ring = 0; squared <= FARTHEST * FARTHEST; squared++) {
        while (ring < AT_TRIMAP_WIDTHS &&
               squared >= at_trimap_widths[ring] * at_trimap_widths[ring])
            ring++;
        ring_of[squared] = (uint8_t)ring;
    }
}

at_status at_trimap_add(at_trimap *t, const uint8_t *truth, const uint8_t *prediction, int height,
                        int width, at_error *err) {
    AT_TRY(at_measurable(height, width, err));
    const size_t pixels = (size_t)height * (size_t)width;
    uint8_t ring_of[FARTHEST * FARTHEST + 1], *edge = malloc(pixels);
    int32_t *squared = malloc(pixels * sizeof *squared);
    at_status s = edge && squared ? AT_OK : at_fail_memory(err, "distances to edges", pixels * 5);
    if (s == AT_OK) {
        find_edges(truth, height, width, edge);
        s = at_distance_squared(edge, height, width, FARTHEST, squared, err);
    }
    if (s == AT_OK) {
        fill_rings(ring_of);
        for (size_t i = 0; i < pixels; i++)
            at_confusion_add(&t->ring[ring_of[squared[i]]], &truth[i], &prediction[i], 1);
    }
    free(edge);
    free(squared);
    return s;
}

void at_trimap_merge(at_trimap *t, const at_trimap *other) {
    for (int i = 0; i < RINGS; i++) at_confusion_merge(&t->ring[i], &other->ring[i]);
}

/* ---- results ---- */

at_status at_trimap_curve(const at_trimap *t, at_trimap_point curve[AT_TRIMAP_WIDTHS + 1],
                          at_error *err) {
    at_confusion band;
    at_metrics m;
    AT_TRY(at_confusion_init(&band, t->classes, err));
    for (int i = 0; i < RINGS; i++) {
        at_confusion_merge(&band, &t->ring[i]);
        at_metrics_from(&band, &m);
        curve[i] = (at_trimap_point){.width = i < AT_TRIMAP_WIDTHS ? at_trimap_widths[i] : 0,
                                     .pixels = m.pixels,
                                     .miou = m.pixels ? m.miou : NAN,
                                     .pixel_accuracy = m.pixels ? m.pixel_accuracy : NAN};
    }
    at_confusion_free(&band);
    return AT_OK;
}

void at_trimap_errors(const at_trimap *t, double *boundary, double *interior) {
    int64_t all = 0, wrong[2] = {0};
    for (int i = 0; i < RINGS; i++) {
        const bool inside = i < AT_TRIMAP_WIDTHS && at_trimap_widths[i] <= AT_ERROR_WIDTH;
        for (int a = 0; a < t->classes; a++)
            for (int b = 0; b < t->classes; b++) {
                const int64_t n = t->ring[i].counts[(size_t)a * (size_t)t->classes + (size_t)b];
                all += n;
                if (a != b) wrong[inside] += n;
            }
    }
    *boundary = all ? (double)wrong[1] / (double)all : NAN;
    *interior = all ? (double)wrong[0] / (double)all : NAN;
}
