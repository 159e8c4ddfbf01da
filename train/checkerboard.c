/* SPDX-License-Identifier: MIT */
/* What a grid of the network's stride leaves in its answers: accuracy by a pixel's place in the
 * grid's cell. The logits' spectrum is spectrum.c; upsamplers.c looks at the operators. */
#include "train/measures_private.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

at_status at_network_stride(const at_network *net, int *stride, at_error *err) {
    const int count = at_graph_node_count(net->graph);
    at_field *fields = calloc((size_t)count, sizeof *fields);
    double coarsest = 1;
    if (!fields) return at_fail_memory(err, "receptive fields", (size_t)count * sizeof *fields);
    at_graph_fields(net->graph, fields);
    for (int i = 0; i < count; i++)
        coarsest = fmax(coarsest, fmax(fields[i].h.jump, fields[i].w.jump));
    free(fields);
    *stride = (int)lround(fmin(coarsest, AT_MAX_GRID));
    return AT_OK;
}

at_status at_checkerboard_init(at_checkerboard *c, int stride, at_error *err) {
    assert(stride >= 1 && stride <= AT_MAX_GRID);
    const size_t cells = (size_t)stride * (size_t)stride, lines = (size_t)stride / 2 + 1;
    *c = (at_checkerboard){.stride = stride,
                           .hits = calloc(2 * cells, sizeof *c->hits),
                           .peak = calloc(2 * lines, sizeof *c->peak)};
    if (c->hits && c->peak) {
        c->pixels = c->hits + cells;
        c->base = c->peak + lines;
        return AT_OK;
    }
    at_checkerboard_free(c);
    return at_fail_memory(err, "checkerboard measures", cells * 2 * sizeof *c->hits);
}

void at_checkerboard_free(at_checkerboard *c) {
    free(c->hits);
    free(c->peak);
    *c = (at_checkerboard){0};
}

static void count_phases(at_checkerboard *c, const uint8_t *truth, const uint8_t *prediction,
                         int classes, int height, int width) {
    const int s = c->stride, h = height / s * s, w = width / s * s;
    for (int y = 0; y < h; y++) {
        int64_t *pixels = c->pixels + (ptrdiff_t)(y % s) * s,
                *hits = c->hits + (ptrdiff_t)(y % s) * s;
        for (int x = 0, phase = 0; x < w; x++, phase = phase + 1 == s ? 0 : phase + 1) {
            const size_t i = (size_t)y * (size_t)width + (size_t)x;
            if (truth[i] >= classes) continue;
            pixels[phase]++;
            hits[phase] += truth[i] == prediction[i];
        }
    }
}

at_status at_checkerboard_add(at_checkerboard *c, const uint8_t *truth, const uint8_t *prediction,
                              const float *prob, int classes, int height, int width,
                              at_error *err) {
    AT_TRY(at_measurable(height, width, err));
    if (c->stride == 1) return AT_OK;
    AT_TRY(at_spectrum_add(c, prob, classes, height, width, err));
    count_phases(c, truth, prediction, classes, height, width);
    return AT_OK;
}

void at_checkerboard_merge(at_checkerboard *c, const at_checkerboard *other) {
    assert(c->stride == other->stride);
    for (int i = 0; i < c->stride * c->stride; i++) {
        c->hits[i] += other->hits[i];
        c->pixels[i] += other->pixels[i];
    }
    for (int j = 0; j <= c->stride / 2; j++) {
        c->peak[j] += other->peak[j];
        c->base[j] += other->base[j];
    }
}

/* ---- results ---- */

/* Pixels and hits of the phase (y, x) modulo a period that divides the stride. */
static double phase_accuracy(const at_checkerboard *c, int period, int y, int x) {
    int64_t hits = 0, pixels = 0;
    for (int i = y; i < c->stride; i += period)
        for (int j = x; j < c->stride; j += period) {
            hits += c->hits[i * c->stride + j];
            pixels += c->pixels[i * c->stride + j];
        }
    return pixels ? (double)hits / (double)pixels : NAN;
}

double at_phase_gap(const at_checkerboard *c, int period) {
    assert(period > 1 && c->stride % period == 0);
    double low = 1, high = 0;
    for (int y = 0; y < period; y++)
        for (int x = 0; x < period; x++) {
            const double accuracy = phase_accuracy(c, period, y, x);
            if (isnan(accuracy)) return NAN;
            low = fmin(low, accuracy);
            high = fmax(high, accuracy);
        }
    return high - low;
}

static int common_divisor(int a, int b) {
    return b ? common_divisor(b, a % b) : a;
}

double at_spectral_peak(const at_checkerboard *c, int period) {
    assert(period > 1 && c->stride % period == 0);
    double peak = 0, base = 0;
    for (int j = 1; j <= c->stride / 2; j++) {
        if (c->stride / common_divisor(c->stride, j) != period) continue;
        peak += c->peak[j];
        base += c->base[j];
    }
    return base > 0 ? peak / base : peak > 0 ? INFINITY : NAN;
}
