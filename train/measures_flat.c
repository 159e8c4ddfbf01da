/* SPDX-License-Identifier: MIT */
/* The measures as a row of numbers, for tables that compare networks. */
#include <assert.h>
#include <math.h>

#include "train/measures_private.h"

const at_measure at_measure_list[AT_MEASURES] = {
    {"bf1", 1, "boundary F1, nearest pixel, classes of the truth"},
    {"bf1_matched", 1, "boundary F1, one to one, classes of truth or prediction (SegNet)"},
    {"boundary_iou", 1, "boundary IoU, band of 2 % of the diagonal"},
    {"trimap1", 1, "mIoU less than 1 pixel from an edge of the truth"},
    {"trimap2", 1, "mIoU less than 2 pixels from an edge"},
    {"trimap3", 1, "mIoU less than 3 pixels from an edge"},
    {"trimap4", 1, "mIoU less than 4 pixels from an edge"},
    {"trimap8", 1, "mIoU less than 8 pixels from an edge"},
    {"trimap16", 1, "mIoU less than 16 pixels from an edge"},
    {"trimap32", 1, "mIoU less than 32 pixels from an edge"},
    {"recall_small", 1, "objects found whose root of area is below 16 pixels"},
    {"recall_under_8", 1, "objects found, root of area below 8"},
    {"recall_8_16", 1, "objects found, 8 to 16"},
    {"recall_16_32", 1, "objects found, 16 to 32"},
    {"recall_32_64", 1, "objects found, 32 to 64"},
    {"recall_from_64", 1, "objects found, 64 and more"},
    {"error_boundary", -1, "share of pixels: wrong and less than 3 pixels from an edge"},
    {"error_interior", -1, "share of pixels: wrong and farther away"},
    {"overlap", -1, "unevenness of the most uneven transposed convolution's overlap"},
    {"polyphase", -1, "the largest spread of a trained upsampling kernel's sums over phases"},
    {"spectral_peak", -1, "the strongest frequency of the grid in the logits, over its neighbours"},
    {"phase_gap2", -1, "accuracy by pixel phase modulo 2: largest difference"},
    {"phase_gap", -1, "accuracy by pixel phase modulo the network's stride: largest difference"},
};

static double recall(const at_measures *m, int first, int last) {
    const at_object_bin b = at_objects_sum(&m->objects, first, last);
    return at_object_recall(&b);
}

/* The larger one; NAN is less than anything. */
static double larger(double a, double b) {
    return isnan(a) || b > a ? b : a;
}

double at_largest_peak(const at_checkerboard *c) {
    double peak = NAN;
    for (int period = 2; period <= c->stride; period++)
        if (c->stride % period == 0) peak = larger(peak, at_spectral_peak(c, period));
    return peak;
}

double at_stride_gap(const at_checkerboard *c, int period) {
    return c->stride > 1 && c->stride % period == 0 ? at_phase_gap(c, period) : NAN;
}

static double *flat_checkerboard(const at_measures *m, double *v) {
    double overlap = 0, polyphase = 0;
    for (int i = 0; i < m->upsampler_count; i++) {
        overlap = larger(overlap, m->upsamplers[i].overlap);
        polyphase = larger(polyphase, m->upsamplers[i].polyphase);
    }
    *v++ = overlap;
    *v++ = polyphase;
    *v++ = at_largest_peak(&m->checkerboard);
    *v++ = at_stride_gap(&m->checkerboard, 2);
    *v++ = at_stride_gap(&m->checkerboard, m->checkerboard.stride);
    return v;
}

void at_measures_flat(const at_measures *m, double values[AT_MEASURES]) {
    double *v = values;
    *v++ = at_boundary_f1(&m->boundary, AT_F1_NEAREST, false);
    *v++ = at_boundary_f1(&m->boundary, AT_F1_MATCHED, true);
    *v++ = at_boundary_iou(&m->boundary);
    for (int i = 0; i < AT_TRIMAP_WIDTHS; i++) *v++ = m->curve[i].miou;
    *v++ = recall(m, 0, 1);
    for (int i = 0; i < AT_OBJECT_BINS; i++) *v++ = recall(m, i, i);
    at_trimap_errors(&m->trimap, &v[0], &v[1]);
    v = flat_checkerboard(m, v + 2);
    assert(v == values + AT_MEASURES);
    (void)v;
}
