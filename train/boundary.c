/* SPDX-License-Identifier: MIT */
/* Boundary F1 and boundary IoU. A class's boundary is that of its mask, and classes are worked on
 * in parallel, each with bit sets of its own. F1 comes by two rules:
 *   nearest  Csurka et al., BMVC 2013: a boundary pixel counts if the other map has one of the same
 *            class within the tolerance. Ignored pixels are taken out of the prediction.
 *   matched  as SegNet's published evaluation (Badrinarayanan et al., TPAMI 2017) has it: each
 *            pixel needs a partner of its own, and nothing is taken out of the prediction.
 * Boundary IoU is that of Cheng et al., CVPR 2021, over the whole split as IoU is. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/bits.h"
#include "train/measures_private.h"

at_status at_measurable(int height, int width, at_error *err) {
    if (height > 0 && width > 0 && (int64_t)height * width <= INT_MAX) return AT_OK;
    return at_fail(err, AT_ERR_INPUT, "a picture of %d x %d pixels can't be measured: at most %d",
                   height, width, INT_MAX);
}

at_status at_boundary_init(at_boundary *b, int classes, at_error *err) {
    *b = (at_boundary){.classes = classes, .of = calloc((size_t)classes, sizeof *b->of)};
    if (!b->of) return at_fail_memory(err, "boundary measures", (size_t)classes * sizeof *b->of);
    return AT_OK;
}

void at_boundary_free(at_boundary *b) {
    free(b->of);
    *b = (at_boundary){0};
}

/* ---- one class of one picture ---- */

enum { TRUTH, SHOWN, ALL, TRUTH_EDGE, SHOWN_EDGE, ALL_EDGE, WORK, OTHER, SHEETS };

/* Boundary pixels: of the truth, of the prediction, and how many of each are near the other's. */
typedef struct edges {
    int64_t truth, prediction, truth_near, prediction_near;
} edges;

typedef struct findings {
    edges by[AT_F1_RULES];
    int64_t both, either;
    at_status status;
} findings;

typedef struct job {
    const uint8_t *truth, *prediction;
    at_bits ignored;
    bool some_ignored;
    int64_t squared; /* of the tolerance */
    int side;        /* of the erosion */
    at_bits *sheets; /* [workers][SHEETS] */
    bool present[AT_MAX_CLASSES];
    findings *found; /* [classes] */
} job;

static void copy(at_bits *to, const at_bits *from) {
    memcpy(to->rows, from->rows, at_bits_words(from) * sizeof *to->rows);
}

static void draw_masks(const job *j, at_bits *s, int class) {
    at_bits_id(&s[TRUTH], j->truth, (uint8_t) class);
    at_bits_id(&s[ALL], j->prediction, (uint8_t) class);
    copy(&s[SHOWN], &s[ALL]);
    if (j->some_ignored) at_bits_subtract(&s[SHOWN], &j->ignored);
    at_bits_boundary(&s[TRUTH_EDGE], &s[TRUTH]);
    at_bits_boundary(&s[SHOWN_EDGE], &s[SHOWN]);
    if (j->some_ignored)
        at_bits_boundary(&s[ALL_EDGE], &s[ALL]);
    else
        copy(&s[ALL_EDGE], &s[SHOWN_EDGE]);
}

static void nearest(const job *j, at_bits *s, edges *e) {
    e->truth = at_bits_count(&s[TRUTH_EDGE]);
    e->prediction = at_bits_count(&s[SHOWN_EDGE]);
    if (!e->truth || !e->prediction) return;
    at_bits_dilate(&s[OTHER], &s[WORK], &s[TRUTH_EDGE], j->squared);
    e->prediction_near = at_bits_count_both(&s[SHOWN_EDGE], &s[OTHER]);
    at_bits_dilate(&s[OTHER], &s[WORK], &s[SHOWN_EDGE], j->squared);
    e->truth_near = at_bits_count_both(&s[TRUTH_EDGE], &s[OTHER]);
}

static at_status matched(const job *j, at_bits *s, edges *e, at_error *err) {
    int64_t pairs;
    AT_TRY(at_bits_match(&s[TRUTH_EDGE], &s[ALL_EDGE], j->squared, &pairs, err));
    *e = (edges){at_bits_count(&s[TRUTH_EDGE]), at_bits_count(&s[ALL_EDGE]), pairs, pairs};
    return AT_OK;
}

static void bands(const job *j, at_bits *s, findings *f) {
    at_bits_erode(&s[WORK], &s[TRUTH], j->side);
    at_bits_subtract(&s[TRUTH], &s[WORK]);
    at_bits_erode(&s[WORK], &s[SHOWN], j->side);
    at_bits_subtract(&s[SHOWN], &s[WORK]);
    f->both = at_bits_count_both(&s[TRUTH], &s[SHOWN]);
    f->either = at_bits_count_either(&s[TRUTH], &s[SHOWN]);
}

static void one_class(void *arg, int64_t class, int worker) {
    job *j = arg;
    findings *f = &j->found[class];
    at_bits *s = j->sheets + (ptrdiff_t)worker * SHEETS;
    if (!j->present[class]) return;
    draw_masks(j, s, (int)class);
    nearest(j, s, &f->by[AT_F1_NEAREST]);
    f->status = matched(j, s, &f->by[AT_F1_MATCHED], NULL);
    bands(j, s, f);
}

/* ---- from pixels to scores ---- */

/* NAN: no boundary in either. */
static double f1_of(const edges *e) {
    if (!e->truth && !e->prediction) return NAN;
    if (!e->truth_near || !e->prediction_near) return 0;
    const double recall = (double)e->truth_near / (double)e->truth;
    const double precision = (double)e->prediction_near / (double)e->prediction;
    return 2 * precision * recall / (precision + recall);
}

/* The picture's F1: the mean over its classes. Returns that over the classes of the truth. */
static double add_f1(at_boundary *b, const findings *found, at_f1_rule rule) {
    double truth = 0, any = 0;
    int truth_count = 0, any_count = 0;
    for (int k = 0; k < b->classes; k++) {
        const double f1 = f1_of(&found[k].by[rule]);
        if (isnan(f1)) continue;
        any += f1, any_count++;
        if (!found[k].by[rule].truth) continue;
        truth += f1, truth_count++;
        b->of[k].f1[rule] += f1;
        b->of[k].pictures += rule == AT_F1_NEAREST;
    }
    if (any_count) b->any_sum[rule] += any / any_count, b->any_pictures[rule]++;
    if (!truth_count) return NAN;
    b->truth_sum[rule] += truth / truth_count;
    b->truth_pictures[rule]++;
    return truth / truth_count;
}

static double add_iou(at_boundary *b, const findings *found) {
    double sum = 0;
    int count = 0;
    for (int k = 0; k < b->classes; k++) {
        if (!found[k].either) continue;
        b->of[k].both += found[k].both;
        b->of[k].either += found[k].either;
        sum += (double)found[k].both / (double)found[k].either;
        count++;
    }
    return count ? sum / count : NAN;
}

static at_boundary_score add_findings(at_boundary *b, const findings *found) {
    const at_boundary_score s = {add_f1(b, found, AT_F1_NEAREST), add_iou(b, found)};
    add_f1(b, found, AT_F1_MATCHED);
    return s;
}

/* ---- one picture ---- */

static at_status prepare(job *j, int classes, int height, int width, at_error *err) {
    const int workers = at_threads(), count = workers * SHEETS;
    const double diagonal = hypot(height, width);
    const double tolerance = AT_F1_TOLERANCE * diagonal;
    j->squared = (int64_t)(tolerance * tolerance + 1e-9); /* 0.0075 is not exact */
    j->side = (int)fmax(1, rint(AT_IOU_DILATION * diagonal));
    j->found = calloc((size_t)classes, sizeof *j->found);
    j->sheets = calloc((size_t)count, sizeof *j->sheets);
    if (!j->found || !j->sheets) return at_fail_memory(err, "boundaries of a picture", 0);
    AT_TRY(at_bits_new(&j->ignored, 1, height, width, err));
    AT_TRY(at_bits_new(j->sheets, count, height, width, err));
    at_bits_at_least(&j->ignored, j->truth, classes);
    j->some_ignored = at_bits_count(&j->ignored) > 0;
    for (int64_t i = 0; i < (int64_t)height * width; i++)
        j->present[j->truth[i]] = j->present[j->prediction[i]] = true;
    return AT_OK;
}

static at_status outcome(const job *j, int classes, at_error *err) {
    for (int k = 0; k < classes; k++)
        if (j->found[k].status != AT_OK) return at_fail_memory(err, "pairs of boundary pixels", 0);
    return AT_OK;
}

at_status at_boundary_add(at_boundary *b, const uint8_t *truth, const uint8_t *prediction,
                          int height, int width, at_boundary_score *score, at_error *err) {
    job j = {.truth = truth, .prediction = prediction};
    AT_TRY(at_measurable(height, width, err));
    at_status s = prepare(&j, b->classes, height, width, err);
    if (s == AT_OK) {
        at_parallel_for(b->classes, one_class, &j);
        s = outcome(&j, b->classes, err);
    }
    if (s == AT_OK) {
        const at_boundary_score got = add_findings(b, j.found);
        if (score) *score = got;
    }
    if (j.sheets) free(j.sheets[0].rows);
    free(j.sheets);
    free(j.found);
    free(j.ignored.rows);
    return s;
}

void at_boundary_merge(at_boundary *b, const at_boundary *other) {
    for (int r = 0; r < AT_F1_RULES; r++) {
        b->truth_sum[r] += other->truth_sum[r];
        b->any_sum[r] += other->any_sum[r];
        b->truth_pictures[r] += other->truth_pictures[r];
        b->any_pictures[r] += other->any_pictures[r];
        for (int k = 0; k < b->classes; k++) b->of[k].f1[r] += other->of[k].f1[r];
    }
    for (int k = 0; k < b->classes; k++) {
        b->of[k].pictures += other->of[k].pictures;
        b->of[k].both += other->of[k].both;
        b->of[k].either += other->of[k].either;
    }
}

/* ---- results ---- */

static double mean(double sum, int64_t count) {
    return count ? sum / (double)count : NAN;
}

double at_boundary_f1(const at_boundary *b, at_f1_rule rule, bool any) {
    return any ? mean(b->any_sum[rule], b->any_pictures[rule])
               : mean(b->truth_sum[rule], b->truth_pictures[rule]);
}

double at_boundary_class_f1(const at_boundary *b, at_f1_rule rule, int class) {
    return mean(b->of[class].f1[rule], b->of[class].pictures);
}

double at_boundary_class_iou(const at_boundary *b, int class) {
    return mean((double)b->of[class].both, b->of[class].either);
}

double at_boundary_iou(const at_boundary *b) {
    double sum = 0;
    int count = 0;
    for (int k = 0; k < b->classes; k++)
        if (b->of[k].either) sum += at_boundary_class_iou(b, k), count++;
    return mean(sum, count);
}
