/* SPDX-License-Identifier: MIT */
/* The measures as JSON: three objects, whatever has no value null. */
#include <math.h>

#include "train/json_list.h"
#include "train/measures_private.h"

static json_t *number(double v) {
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *identity(const at_classes *classes, int k) {
    const char *name = classes && k < classes->count ? classes->items[k].name : "";
    return json_pack("{s:i,s:s}", "id", k, "name", name);
}

/* ---- boundary ---- */

static json_t *boundary_classes(const at_boundary *b, const at_classes *classes) {
    json_t *list = json_array();
    for (int k = 0; k < b->classes; k++) {
        json_t *of = identity(classes, k);
        at_json_put(&of, "f1", number(at_boundary_class_f1(b, AT_F1_NEAREST, k)));
        at_json_put(&of, "f1_matched", number(at_boundary_class_f1(b, AT_F1_MATCHED, k)));
        at_json_put(&of, "iou", number(at_boundary_class_iou(b, k)));
        at_json_put(&of, "images", json_integer(b->of[k].pictures));
        at_json_add(&list, of);
    }
    return list;
}

static json_t *trimap(const at_measures *m) {
    json_t *list = json_array();
    for (int i = 0; i < AT_TRIMAP_WIDTHS; i++) {
        const at_trimap_point *p = &m->curve[i];
        at_json_add(&list, json_pack("{s:i,s:o,s:o,s:I}", "width", p->width, "miou",
                                     number(p->miou), "pixel_accuracy", number(p->pixel_accuracy),
                                     "pixels", (json_int_t)p->pixels));
    }
    return list;
}

static json_t *errors(const at_measures *m) {
    double boundary, interior;
    at_trimap_errors(&m->trimap, &boundary, &interior);
    return json_pack("{s:i,s:o,s:o}", "width", AT_ERROR_WIDTH, "boundary", number(boundary),
                     "interior", number(interior));
}

static json_t *boundary(const at_measures *m, const at_classes *classes) {
    const at_boundary *b = &m->boundary;
    json_t *j = json_object();
    at_json_put(&j, "f1", number(at_boundary_f1(b, AT_F1_NEAREST, false)));
    at_json_put(&j, "f1_any", number(at_boundary_f1(b, AT_F1_NEAREST, true)));
    at_json_put(&j, "f1_matched", number(at_boundary_f1(b, AT_F1_MATCHED, true)));
    at_json_put(&j, "f1_matched_truth", number(at_boundary_f1(b, AT_F1_MATCHED, false)));
    at_json_put(&j, "tolerance", json_real(AT_F1_TOLERANCE));
    at_json_put(&j, "iou", number(at_boundary_iou(b)));
    at_json_put(&j, "dilation", json_real(AT_IOU_DILATION));
    at_json_put(&j, "classes", boundary_classes(b, classes));
    at_json_put(&j, "trimap", trimap(m));
    at_json_put(&j, "error", errors(m));
    return j;
}

/* ---- objects ---- */

static json_t *bin(const at_object_bin *b, int i) {
    const int to = at_object_limits[i];
    return json_pack("{s:i,s:o,s:I,s:I,s:o,s:o}", "from", i ? at_object_limits[i - 1] : 0, "to",
                     to ? json_integer(to) : json_null(), "objects", (json_int_t)b->objects,
                     "found", (json_int_t)b->found, "recall", number(at_object_recall(b)), "share",
                     number(at_object_share(b)));
}

static json_t *all_bins(const at_objects *o) {
    json_t *list = json_array();
    for (int i = 0; i < AT_OBJECT_BINS; i++) {
        const at_object_bin b = at_objects_sum(o, i, i);
        at_json_add(&list, bin(&b, i));
    }
    return list;
}

static json_t *class_bins(const at_object_bin *of) {
    json_t *list = json_array();
    for (int i = 0; i < AT_OBJECT_BINS; i++) at_json_add(&list, bin(&of[i], i));
    return list;
}

static json_t *object_classes(const at_objects *o, const at_classes *classes) {
    json_t *list = json_array();
    for (int k = 0; k < o->classes; k++) {
        json_t *of = identity(classes, k);
        at_json_put(&of, "sizes", class_bins(o->of[k]));
        at_json_add(&list, of);
    }
    return list;
}

static json_t *objects(const at_measures *m, const at_classes *classes) {
    const at_object_bin all = at_objects_sum(&m->objects, 0, AT_OBJECT_BINS - 1);
    const at_object_bin small = at_objects_sum(&m->objects, 0, 1);
    return json_pack("{s:o,s:o,s:o,s:o}", "recall", number(at_object_recall(&all)), "recall_small",
                     number(at_object_recall(&small)), "sizes", all_bins(&m->objects), "classes",
                     object_classes(&m->objects, classes));
}

/* ---- checkerboard ---- */

static json_t *periods(const at_checkerboard *c) {
    json_t *list = json_array();
    for (int p = 2; p <= c->stride; p++)
        if (c->stride % p == 0)
            at_json_add(&list, json_pack("{s:i,s:o,s:o}", "period", p, "spectral_peak",
                                         number(at_spectral_peak(c, p)), "phase_gap",
                                         number(at_phase_gap(c, p))));
    return list;
}

static json_t *operators(const at_measures *m) {
    json_t *list = json_array();
    for (int i = 0; i < m->upsampler_count; i++) {
        const at_upsampler *u = &m->upsamplers[i];
        at_json_add(&list, json_pack("{s:s,s:s,s:[i,i],s:[i,i],s:o,s:o}", "name", u->node, "op",
                                     u->op, "kernel", u->kernel.h, u->kernel.w, "stride",
                                     u->stride.h, u->stride.w, "overlap", number(u->overlap),
                                     "polyphase", number(u->polyphase)));
    }
    return list;
}

static json_t *checkerboard(const at_measures *m) {
    const at_checkerboard *c = &m->checkerboard;
    return json_pack("{s:i,s:o,s:o,s:o,s:o}", "stride", c->stride, "spectral_peak",
                     number(at_largest_peak(c)), "phase_gap", number(at_stride_gap(c, c->stride)),
                     "periods", periods(c), "operators", operators(m));
}

void at_measures_put_json(json_t **j, const at_measures *m, const at_classes *classes) {
    at_json_put(j, "boundary", boundary(m, classes));
    at_json_put(j, "objects", objects(m, classes));
    at_json_put(j, "checkerboard", checkerboard(m));
}
