/* SPDX-License-Identifier: MIT */
/* All measures of one network over one split. What the upsampling leaves behind is looked at on the
 * network's own grid: where it resizes pictures, the prediction is taken before it is brought back,
 * and the truth is resized instead (nearest). */
#include "train/measures.h"

#include <stdlib.h>

#include "nn/kernels/kernels.h"

at_status at_measures_new(at_measures **out, const at_network *net, at_error *err) {
    const int classes = net->opts.classes;
    int stride = 1;
    at_measures *m = *out = calloc(1, sizeof *m);
    if (!m) return at_fail_memory(err, "measures", sizeof *m);
    at_status s = at_boundary_init(&m->boundary, classes, err);
    if (s == AT_OK) s = at_trimap_init(&m->trimap, classes, err);
    if (s == AT_OK) s = at_objects_init(&m->objects, classes, err);
    if (s == AT_OK) s = at_network_stride(net, &stride, err);
    if (s == AT_OK) s = at_checkerboard_init(&m->checkerboard, stride, err);
    if (s == AT_OK) s = at_upsamplers(net->graph, &m->upsamplers, &m->upsampler_count, err);
    if (s == AT_OK) return AT_OK;
    at_measures_free(m);
    *out = NULL;
    return s;
}

void at_measures_free(at_measures *m) {
    if (!m) return;
    at_boundary_free(&m->boundary);
    at_trimap_free(&m->trimap);
    at_objects_free(&m->objects);
    at_checkerboard_free(&m->checkerboard);
    free(m->upsamplers);
    free(m);
}

/* ids [pixels] and truth [pixels] of the plane. */
static at_status add_plane(at_measures *m, const uint8_t *truth, const at_prediction *p,
                           uint8_t *ids, uint8_t *small, at_error *err) {
    const at_pair size = p->plane_size;
    const int k = p->classes;
    at_kernels_get()->argmax(ids, p->plane, k, k, (int64_t)size.h * size.w);
    AT_TRY(at_mask_resize(truth, p->width, p->height, small, size.w, size.h));
    return at_checkerboard_add(&m->checkerboard, small, ids, p->plane, k, size.h, size.w, err);
}

static at_status add_grid(at_measures *m, const uint8_t *truth, const at_prediction *p,
                          at_error *err) {
    if (!p->plane)
        return at_checkerboard_add(&m->checkerboard, truth, p->ids, p->prob, p->classes, p->height,
                                   p->width, err);
    const size_t pixels = (size_t)p->plane_size.h * (size_t)p->plane_size.w;
    uint8_t *both = malloc(2 * pixels);
    if (!both) return at_fail_memory(err, "a resized mask", 2 * pixels);
    const at_status s = add_plane(m, truth, p, both, both + pixels, err);
    free(both);
    return s;
}

at_status at_measures_add(at_measures *m, const uint8_t *truth, const at_prediction *p,
                          at_boundary_score *score, at_error *err) {
    AT_TRY(at_boundary_add(&m->boundary, truth, p->ids, p->height, p->width, score, err));
    AT_TRY(at_trimap_add(&m->trimap, truth, p->ids, p->height, p->width, err));
    AT_TRY(at_objects_add(&m->objects, truth, p->ids, p->height, p->width, err));
    return add_grid(m, truth, p, err);
}

void at_measures_merge(at_measures *m, const at_measures *other) {
    at_boundary_merge(&m->boundary, &other->boundary);
    at_trimap_merge(&m->trimap, &other->trimap);
    at_objects_merge(&m->objects, &other->objects);
    at_checkerboard_merge(&m->checkerboard, &other->checkerboard);
}

at_status at_measures_finish(at_measures *m, at_error *err) {
    return at_trimap_curve(&m->trimap, m->curve, err);
}
