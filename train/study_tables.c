/* SPDX-License-Identifier: MIT */
/* A study as tables: what it will cost (JSON), runs.csv, pairs.csv. Columns and their order are a
 * promise; an empty field is a number that does not exist (yet). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/csv.h"
#include "train/json_list.h"
#include "train/study_private.h"

/* ---- the plan ---- */

static json_t *axes_of(const at_study *s, const at_variant *v) {
    json_t *axes = json_object();
    for (int i = 0; i < s->axis_count; i++)
        at_json_put(&axes, s->axes[i], json_string(v->values[i]));
    return axes;
}

/* What is left of a run. */
static double seconds_left(const at_study_run *r, const at_study_cost *c) {
    if (r->state >= AT_RUN_TRAINED) return 0;
    return c->epochs ? c->run_s * fmax(0, 1 - (double)r->epochs_done / c->epochs) : c->run_s;
}

double at_study_seconds_left(const at_study *s) {
    double sum = 0;
    for (int i = 0; i < s->run_count; i++)
        sum += seconds_left(&s->runs[i], &s->variants[s->runs[i].variant].cost);
    for (int i = 0; i < s->pilot_count; i++)
        if (s->pilots[i].state < AT_RUN_FAILED)
            sum += s->tune_share * s->variants[s->pilots[i].variant].cost.run_s;
    return sum;
}

json_t *at_study_plan_to_json(const at_study *s) {
    json_t *runs = json_array();
    for (int i = 0; i < s->run_count; i++) {
        const at_study_run *r = &s->runs[i];
        const at_variant *v = &s->variants[r->variant];
        at_json_add(&runs, json_pack("{s:s,s:o,s:I,s:I,s:f,s:I,s:f}", "variant", v->name, "axes",
                                     axes_of(s, v), "seed", (json_int_t)r->seed, "parameters",
                                     (json_int_t)v->cost.parameters, "macs", v->cost.macs,
                                     "peak_bytes", (json_int_t)v->cost.peak_bytes, "predicted_s",
                                     seconds_left(r, &v->cost)));
    }
    return json_pack("{s:o}", "runs", runs);
}

/* ---- CSV ---- */

static void put(FILE *f, double v) {
    if (isfinite(v))
        fprintf(f, ",%.9g", v);
    else
        fputc(',', f);
}

static at_status begin(const at_study *s, const char *name, at_file_writer *w, at_error *err) {
    char *path = at_path_join(s->dir, name);
    const at_status status = path ? at_file_begin(w, path, err) : at_fail_memory(err, "a path", 0);
    free(path);
    return status;
}

/* Whole numbers up to 2^53 as such. */
static void put_count(FILE *f, double v) {
    if (v > 0)
        fprintf(f, ",%.0f", v);
    else
        fputc(',', f);
}

static void run_row(FILE *f, const at_study *s, const at_study_run *r) {
    const at_variant *v = &s->variants[r->variant];
    for (int i = 0; i < s->axis_count; i++) {
        at_csv_field(f, v->values[i]);
        fputc(',', f);
    }
    fprintf(f, "%llu,%s", (unsigned long long)r->seed, at_run_state_names[r->state]);
    put_count(f, (double)v->cost.parameters);
    put_count(f, v->cost.macs);
    put(f, r->train_s);
    put(f, r->inference_ms);
    put_count(f, (double)v->cost.peak_bytes);
    for (int m = 0; m < s->measure_count; m++) put(f, at_study_value(r, s->measures[m]));
    fputc('\n', f);
}

at_status at_study_save_runs(const at_study *s, at_error *err) {
    at_file_writer w;
    AT_TRY(begin(s, "runs.csv", &w, err));
    for (int i = 0; i < s->axis_count; i++) {
        at_csv_field(w.stream, s->axes[i]);
        fputc(',', w.stream);
    }
    fputs("seed,status,parameters,macs,train_s,inference_ms,peak_bytes", w.stream);
    for (int m = 0; m < s->measure_count; m++) {
        fputc(',', w.stream);
        at_csv_field(w.stream, s->measures[m]);
    }
    fputc('\n', w.stream);
    for (int i = 0; i < s->run_count; i++) run_row(w.stream, s, &s->runs[i]);
    return at_file_commit(&w, err);
}

static void pair_row(FILE *f, const at_study *s, const at_study_pair *p) {
    char verdict[AT_VERDICT_TEXT];
    at_csv_field(f, s->variants[p->a].name);
    fputc(',', f);
    at_csv_field(f, s->variants[p->b].name);
    fputc(',', f);
    at_csv_field(f, p->measure);
    put(f, p->test.mean);
    put(f, p->test.low);
    put(f, p->test.high);
    put(f, p->p_adjusted);
    fprintf(f, ",%d,", p->test.n);
    at_csv_field(f, at_study_verdict(p, verdict));
    fputc('\n', f);
}

at_status at_study_save_pairs(const at_study *s, at_error *err) {
    at_file_writer w;
    AT_TRY(begin(s, "pairs.csv", &w, err));
    fputs("a,b,measure,mean_difference,ci_low,ci_high,p_adjusted,seeds,verdict\n", w.stream);
    for (int i = 0; i < s->pair_count; i++) pair_row(w.stream, s, &s->pairs[i]);
    return at_file_commit(&w, err);
}

/* ---- JSON ---- */

static json_t *real_or_null(double v) {
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *run_to_json(const at_study *s, const at_study_run *r) {
    const at_variant *v = &s->variants[r->variant];
    json_t *j =
        json_pack("{s:s,s:o,s:I,s:s,s:I,s:f,s:o,s:o,s:I}", "variant", v->name, "axes",
                  axes_of(s, v), "seed", (json_int_t)r->seed, "status",
                  at_run_state_names[r->state], "parameters", (json_int_t)v->cost.parameters,
                  "macs", v->cost.macs, "train_s", real_or_null(r->train_s), "inference_ms",
                  real_or_null(r->inference_ms), "peak_bytes", (json_int_t)v->cost.peak_bytes);
    for (int m = 0; m < s->measure_count; m++)
        at_json_put(&j, s->measures[m], real_or_null(at_study_value(r, s->measures[m])));
    if (r->error) at_json_put(&j, "error", json_string(r->error));
    return j;
}

static json_t *pair_to_json(const at_study *s, const at_study_pair *p) {
    char verdict[AT_VERDICT_TEXT];
    return json_pack("{s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:i,s:s}", "a", s->variants[p->a].name, "b",
                     s->variants[p->b].name, "measure", p->measure, "mean_difference",
                     real_or_null(p->test.mean), "ci_low", real_or_null(p->test.low), "ci_high",
                     real_or_null(p->test.high), "p_adjusted", real_or_null(p->p_adjusted), "seeds",
                     p->test.n, "verdict", at_study_verdict(p, verdict));
}

json_t *at_study_to_json(const at_study *s) {
    json_t *runs = json_array(), *pairs = json_array();
    for (int i = 0; i < s->run_count; i++) at_json_add(&runs, run_to_json(s, &s->runs[i]));
    for (int i = 0; i < s->pair_count; i++) at_json_add(&pairs, pair_to_json(s, &s->pairs[i]));
    return json_pack("{s:s,s:o,s:o}", "study", s->dir, "runs", runs, "pairs", pairs);
}
