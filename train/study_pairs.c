/* SPDX-License-Identifier: MIT */
/* Variants held against each other: seeds are the unit, differences are taken seed by seed, and
 * Holm's correction is over all pairs of one measure. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/measures.h"
#include "train/study_private.h"

/* Before those of at_measure_list and behind them; in every measures.json. */
static const char *const first[] = {"miou", "pixel_accuracy"}, *const last[] = {"mean_accuracy"};
enum { FIRST = 2, LAST = 1 };
static_assert(FIRST + AT_MEASURES + LAST <= AT_STUDY_MEASURES, "room for all measures");
static const double level = 0.05, confidence = 0.95;

/* ---- measures ---- */

double at_study_value(const at_study_run *r, const char *measure) {
    if (strcmp(measure, "train_s") == 0) return r->train_s;
    if (strcmp(measure, "inference_ms") == 0) return r->inference_ms;
    const json_t *v = json_object_get(r->measures, measure);
    if (!v) v = json_object_get(json_object_get(r->measures, "measures"), measure);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Does any run have it? */
static bool exists(const at_study *s, const char *measure) {
    for (int i = 0; i < s->run_count; i++)
        if (!isnan(at_study_value(&s->runs[i], measure))) return true;
    return false;
}

static void list_measures(at_study *s) {
    s->measure_count = 0;
    for (int i = 0; i < FIRST; i++) s->measures[s->measure_count++] = first[i];
    for (int i = 0; i < AT_MEASURES; i++)
        if (exists(s, at_measure_list[i].name))
            s->measures[s->measure_count++] = at_measure_list[i].name;
    for (int i = 0; i < LAST; i++)
        if (exists(s, last[i])) s->measures[s->measure_count++] = last[i];
}

/* ---- pairs ---- */

static const at_study_run *run_of(const at_study *s, int seed, int variant) {
    return &s->runs[seed * s->variant_count + variant];
}

/* `x` and `y` have room for all seeds. */
static void test_pair(const at_study *s, at_study_pair *p, double *x, double *y) {
    int n = 0;
    for (int i = 0; i < s->seed_count; i++) {
        x[n] = at_study_value(run_of(s, i, p->a), p->measure);
        y[n] = at_study_value(run_of(s, i, p->b), p->measure);
        n += !isnan(x[n]) && !isnan(y[n]);
    }
    p->test = at_paired_test(x, y, n, confidence);
}

/* All pairs of one measure, and their correction. `room`: doubles, 2 * seeds and 2 * pairs. */
static void test_measure(const at_study *s, at_study_pair *pairs, int count, double *room) {
    double *p = room + 2 * s->seed_count, *adjusted = p + count;
    for (int i = 0; i < count; i++) {
        test_pair(s, &pairs[i], room, room + s->seed_count);
        p[i] = pairs[i].test.p;
    }
    at_holm(p, adjusted, count);
    for (int i = 0; i < count; i++) pairs[i].p_adjusted = adjusted[i];
}

static void name_pairs(const at_study *s, at_study_pair *pairs, const char *measure) {
    for (int a = 0; a < s->variant_count; a++)
        for (int b = a + 1; b < s->variant_count; b++)
            *pairs++ = (at_study_pair){.a = a, .b = b, .measure = measure};
}

at_status at_study_compare(at_study *s, at_error *err) {
    list_measures(s);
    const int count = s->variant_count * (s->variant_count - 1) / 2;
    const size_t all = (size_t)count * (size_t)s->measure_count;
    free(s->pairs);
    s->pair_count = 0;
    s->pairs = calloc(all + 1, sizeof *s->pairs);
    double *room = calloc(2 * (size_t)(s->seed_count + count), sizeof *room);
    if (s->pairs && room) {
        s->pair_count = (int)all;
        for (int m = 0; m < s->measure_count; m++) {
            at_study_pair *pairs = s->pairs + (ptrdiff_t)m * count;
            name_pairs(s, pairs, s->measures[m]);
            test_measure(s, pairs, count, room);
        }
    }
    const bool ok = s->pairs && room;
    free(room);
    return ok ? AT_OK : at_fail_memory(err, "pairs of variants", all * sizeof *s->pairs);
}

/* ---- words ---- */

bool at_study_differs(const at_study_pair *p) {
    return p->p_adjusted < level; /* false for NAN */
}

const char *at_study_verdict(const at_study_pair *p, char text[AT_VERDICT_TEXT]) {
    if (at_study_differs(p))
        snprintf(text, AT_VERDICT_TEXT, "%s higher", p->test.mean > 0 ? "a" : "b");
    else if (p->test.n == 0)
        snprintf(text, AT_VERDICT_TEXT, "no seed has both");
    else
        snprintf(text, AT_VERDICT_TEXT, "%d seed%s can't tell these apart", p->test.n,
                 p->test.n == 1 ? "" : "s");
    return text;
}

/* ---- variants ---- */

at_study_summary at_study_summarise(const at_study *s, int variant, const char *measure) {
    double x[AT_MAX_SEEDS];
    int n = 0;
    for (int i = 0; i < s->seed_count; i++) {
        x[n] = at_study_value(run_of(s, i, variant), measure);
        n += !isnan(x[n]);
    }
    return (at_study_summary){n, at_mean(x, n), at_deviation(x, n)};
}

void at_study_rank(const at_study *s, const char *measure, int *order) {
    double mean[AT_MAX_VARIANTS];
    for (int i = 0; i < s->variant_count; i++) {
        mean[i] = at_study_summarise(s, i, measure).mean;
        int k = i;
        for (; k > 0 && !isnan(mean[i]) && !(mean[order[k - 1]] >= mean[i]); k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}
