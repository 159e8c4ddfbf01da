/* SPDX-License-Identifier: MIT */
/* What runs left behind. The files of a run's directory say how far it is:
 *   none                 planned             config.json           begun, and broken off
 *   failure.json         failed, begun or    measures.json         trained and measured
 *                        not                 and times.json        done */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/run.h"
#include "train/study_private.h"

char *at_study_path(const at_study_run *r, const char *file) {
    return at_path_join(r->dir, file);
}

/* *j: the file's JSON; NULL if there is no file. */
static at_status load_json(const at_study_run *r, const char *file, json_t **j, at_error *err) {
    char *path = at_study_path(r, file);
    *j = NULL;
    if (!path) return at_fail_memory(err, "a path", 0);
    const at_status s = at_path_exists(path) ? at_json_load(path, j, err) : AT_OK;
    free(path);
    return s;
}

static void forget(at_study_run *r) {
    free(r->error);
    json_decref(r->measures);
    r->state = AT_RUN_PLANNED;
    r->error = NULL;
    r->measures = NULL;
    r->train_s = r->inference_ms = NAN;
    r->epochs_done = 0;
}

static at_status read_failure(at_study_run *r, at_error *err) {
    json_t *j;
    AT_TRY(load_json(r, "failure.json", &j, err));
    if (!j) return AT_OK;
    const char *text = json_string_value(json_object_get(j, "error"));
    r->state = AT_RUN_FAILED;
    r->error = strdup(text ? text : "unknown");
    json_decref(j);
    return r->error ? AT_OK : at_fail_memory(err, "a run's failure", 0);
}

static at_status count_epochs(at_study_run *r, at_error *err) {
    at_epoch_row *rows;
    char *path = at_study_path(r, "results.csv");
    if (!path) return at_fail_memory(err, "a path", 0);
    at_status s = AT_OK;
    if (at_path_exists(path) && (s = at_results_read(path, &rows, &r->epochs_done, err)) == AT_OK)
        free(rows);
    free(path);
    return s;
}

static at_status read_beginning(at_study_run *r, at_error *err) {
    char *path = at_study_path(r, "config.json");
    if (!path) return at_fail_memory(err, "a path", 0);
    const bool begun = at_path_exists(path);
    free(path);
    if (begun) r->state = AT_RUN_UNFINISHED;
    if (begun) AT_TRY(count_epochs(r, err));
    return read_failure(r, err);
}

static at_status read_times(at_study_run *r, at_error *err) {
    json_t *j;
    AT_TRY(load_json(r, "times.json", &j, err));
    if (!j) return AT_OK;
    r->state = AT_RUN_DONE;
    r->train_s = json_number_value(json_object_get(j, "train_s"));
    r->inference_ms = json_number_value(json_object_get(j, "inference_ms"));
    json_decref(j);
    return AT_OK;
}

at_status at_study_run_read(at_study_run *r, at_error *err) {
    forget(r);
    if (!r->dir) return AT_OK;
    AT_TRY(load_json(r, "measures.json", &r->measures, err));
    if (!r->measures) return read_beginning(r, err);
    r->state = AT_RUN_TRAINED;
    return read_times(r, err);
}

/* What a run costs is a variant's; any of its runs knows it. */
static at_status read_cost(at_variant *v, const at_study_run *r, at_error *err) {
    json_t *j;
    AT_TRY(load_json(r, "times.json", &j, err));
    v->cost =
        (at_study_cost){.parameters = json_integer_value(json_object_get(j, "parameters")),
                        .macs = json_number_value(json_object_get(j, "macs")),
                        .peak_bytes = (size_t)json_integer_value(json_object_get(j, "peak_bytes")),
                        .step_s = 1e-3 * json_number_value(json_object_get(j, "step_ms")),
                        .inference_s = 1e-3 * json_number_value(json_object_get(j, "inference_ms")),
                        .epochs = (int)json_integer_value(json_object_get(j, "epochs")),
                        .batches = (int)json_integer_value(json_object_get(j, "batches")),
                        .val_pictures = (int)json_integer_value(json_object_get(j, "val_pictures")),
                        .run_s = json_number_value(json_object_get(j, "run_s"))};
    json_decref(j);
    return AT_OK;
}

/* ---- learning rates ---- */

/* The best of a variant's pilots; -1 while one is missing. */
static int best_pilot(const at_study_run *pilots, int count) {
    int best = -1;
    for (int i = 0; i < count; i++) {
        if (pilots[i].state < AT_RUN_FAILED) return -1;
        const double miou = at_study_value(&pilots[i], "miou");
        if (!isnan(miou) && (best < 0 || miou > at_study_value(&pilots[best], "miou"))) best = i;
    }
    return best;
}

static bool all_failed(const at_study_run *pilots, int count) {
    for (int i = 0; i < count; i++)
        if (pilots[i].state != AT_RUN_FAILED) return false;
    return count > 0;
}

at_status at_study_choose_lrs(at_study *s, at_error *err) {
    for (int i = 0; s->lr_count && i < s->variant_count; i++) {
        const at_study_run *pilots = s->pilots + (ptrdiff_t)i * s->lr_count;
        s->variants[i].lr = best_pilot(pilots, s->lr_count);
        if (all_failed(pilots, s->lr_count))
            return at_fail(err, AT_ERR_INPUT,
                           "%s: training failed with every rate of --tune-lr; with %s: %s",
                           s->variants[i].name, s->lrs[0], pilots[0].error);
    }
    return AT_OK;
}

/* ---- all of it ---- */

at_status at_study_read(at_study *s, at_error *err) {
    for (int i = 0; i < s->pilot_count; i++) AT_TRY(at_study_run_read(&s->pilots[i], err));
    for (int i = 0; i < s->run_count; i++) {
        at_study_run *r = &s->runs[i];
        AT_TRY(at_study_run_read(r, err));
        if (r->state == AT_RUN_DONE && !s->variants[r->variant].cost.parameters)
            AT_TRY(read_cost(&s->variants[r->variant], r, err));
    }
    AT_TRY(at_study_choose_lrs(s, err));
    return at_study_compare(s, err);
}
