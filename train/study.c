/* SPDX-License-Identifier: MIT */
/* A study put together from study.json: variants, runs, pilots, and where they live. */
#include "train/study.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/run.h"
#include "train/study_private.h"

const char *const at_run_state_names[AT_RUN_STATES] = {"planned", "unfinished", "failed", "trained",
                                                       "done"};

/* ---- parts ---- */

static void free_runs(at_study_run *runs, int count) {
    for (int i = 0; i < count; i++) {
        free(runs[i].dir);
        free(runs[i].error);
        json_decref(runs[i].measures);
    }
    free(runs);
}

void at_study_free(at_study *s) {
    if (!s) return;
    for (int i = 0; i < s->variant_count; i++) {
        free(s->variants[i].name);
        free(s->variants[i].slug);
    }
    free(s->variants);
    free_runs(s->runs, s->run_count);
    free_runs(s->pilots, s->pilot_count);
    free(s->pairs);
    free(s->dir);
    free(s->parent);
    free(s->name);
    json_decref(s->config);
    free(s);
}

/* Pilots' seed: none of the study's, so that the choice of a learning rate has not seen what it is
 * judged by. */
static uint64_t pilot_seed(const at_study *s) {
    return s->first_seed + 1000000;
}

static at_study_run *new_runs(int count, at_error *err) {
    at_study_run *runs = calloc((size_t)count + 1, sizeof *runs);
    if (!runs) at_fail_memory(err, "runs", (size_t)count * sizeof *runs);
    for (int i = 0; runs && i < count; i++)
        runs[i] = (at_study_run){.lr = -1, .train_s = NAN, .inference_ms = NAN};
    return runs;
}

static at_status make_runs(at_study *s, at_error *err) {
    const int runs = s->seed_count * s->variant_count, pilots = s->lr_count * s->variant_count;
    s->runs = new_runs(runs, err);
    s->pilots = s->runs ? new_runs(pilots, err) : NULL;
    if (!s->pilots) return AT_ERR_MEMORY;
    s->run_count = runs, s->pilot_count = pilots;
    for (int i = 0; i < runs; i++) {
        s->runs[i].variant = i % s->variant_count;
        s->runs[i].seed = s->first_seed + (uint64_t)(i / s->variant_count);
    }
    for (int i = 0; i < pilots; i++) {
        s->pilots[i].variant = i / s->lr_count;
        s->pilots[i].lr = i % s->lr_count;
        s->pilots[i].seed = pilot_seed(s);
    }
    return AT_OK;
}

/* Where runs live, once the study has a place. */
static at_status place_runs(at_study *s, at_error *err) {
    for (int i = 0; i < s->run_count + s->pilot_count; i++) {
        at_study_run *r = i < s->run_count ? &s->runs[i] : &s->pilots[i - s->run_count];
        const char *slug = s->variants[r->variant].slug;
        r->dir = r->lr < 0
                     ? at_format("%s/runs/%s-seed%llu", s->dir, slug, (unsigned long long)r->seed)
                     : at_format("%s/pilots/%s-lr%s", s->dir, slug, s->lrs[r->lr]);
        if (!r->dir) return at_fail_memory(err, "a path", 0);
    }
    return AT_OK;
}

static void read_lrs(at_study *s) {
    const json_t *lrs = json_object_get(s->config, "tune_lr");
    while (s->lr_count < AT_MAX_LRS && s->lr_count < (int)json_array_size(lrs)) {
        s->lrs[s->lr_count] = json_string_value(json_array_get(lrs, (size_t)s->lr_count));
        s->lr_count++;
    }
    s->tune_share = json_number_value(json_object_get(s->config, "tune_share"));
}

/* Everything that follows from s->config. */
static at_status unfold(at_study *s, at_error *err) {
    const char *equal = json_string_value(json_object_get(s->config, "equal"));
    s->equal = equal && strcmp(equal, at_study_equals[AT_EQUAL_TIME]) == 0 ? AT_EQUAL_TIME
                                                                           : AT_EQUAL_EPOCHS;
    s->split = json_string_value(json_object_get(s->config, "split"));
    s->seed_count = (int)json_integer_value(json_object_get(s->config, "seeds"));
    read_lrs(s);
    AT_TRY(at_study_make_variants(s, err));
    s->first_seed = s->variants[0].opts.seed;
    AT_TRY(make_runs(s, err));
    return s->dir ? place_runs(s, err) : AT_OK;
}

/* ---- reading study.json ---- */

static bool is_axis(const json_t *axis) {
    const json_t *values = json_object_get(axis, "values");
    if (!json_is_string(json_object_get(axis, "name")) || json_array_size(values) == 0)
        return false;
    for (size_t i = 0; i < json_array_size(values); i++) {
        const json_t *v = json_array_get(values, i);
        if (!json_is_string(json_object_get(v, "label")) ||
            !json_is_object(json_object_get(v, "options")))
            return false;
    }
    return true;
}

static bool is_study(const json_t *j) {
    const char *format = json_string_value(json_object_get(j, "format"));
    const json_t *axes = json_object_get(j, "axes"), *lrs = json_object_get(j, "tune_lr");
    const json_int_t seeds = json_integer_value(json_object_get(j, "seeds"));
    bool ok = format && strcmp(format, at_study_format) == 0 && seeds > 0 &&
              seeds <= AT_MAX_SEEDS && json_is_string(json_object_get(j, "split")) &&
              json_is_object(json_object_get(j, "options")) && json_array_size(axes) > 0 &&
              json_array_size(axes) <= AT_MAX_AXES;
    for (size_t i = 0; ok && i < json_array_size(axes); i++) ok = is_axis(json_array_get(axes, i));
    for (size_t i = 0; ok && i < json_array_size(lrs); i++)
        ok = json_is_string(json_array_get(lrs, i));
    return ok;
}

static at_status load_config(at_study *s, at_error *err) {
    char *path = at_path_join(s->dir, "study.json");
    if (!path) return at_fail_memory(err, "a path", 0);
    at_status status = at_json_load(path, &s->config, err);
    if (status == AT_OK && !is_study(s->config))
        status =
            at_fail(err, AT_ERR_INPUT,
                    "%s: no study of this version, or damaged: begin another with --name", path);
    free(path);
    return status;
}

/* ---- opening ---- */

static at_status new_study(at_study **out, at_error *err) {
    *out = calloc(1, sizeof **out);
    return *out ? AT_OK : at_fail_memory(err, "a study", sizeof **out);
}

/* NULL s->dir unless a study of the name is there; anything else of that name is in the way. */
static at_status find_old(at_study *s, at_error *err) {
    char *dir = at_path_join(s->parent, s->name), *file = at_format("%s/study.json", dir);
    at_status status = dir && file ? AT_OK : at_fail_memory(err, "a path", 0);
    if (status == AT_OK && at_path_exists(file)) {
        s->dir = dir;
        dir = NULL;
    } else if (status == AT_OK && at_path_exists(dir) && rmdir(dir) != 0)
        status = at_fail(err, AT_ERR_USAGE,
                         "%s: is there and is no study: choose another --name, or leave --name out",
                         dir);
    free(dir);
    free(file);
    return status;
}

static at_status open_study(at_study *s, const at_study_opts *o, at_error *err) {
    s->parent = strdup(o->base.runs);
    s->name = strdup(o->base.name);
    if (!s->parent || !s->name) return at_fail_memory(err, "a path", 0);
    if (!o->fresh) AT_TRY(find_old(s, err));
    if (s->dir) {
        AT_TRY(load_config(s, err));
        AT_TRY(at_study_config_continue(s->config, o, s->dir, err));
    } else
        AT_TRY(at_study_config_new(o, &s->config, err));
    return unfold(s, err);
}

at_status at_study_open(at_study **s, const at_study_opts *o, at_error *err) {
    AT_TRY(new_study(s, err));
    const at_status status = open_study(*s, o, err);
    if (status == AT_OK) return AT_OK;
    at_study_free(*s);
    *s = NULL;
    return status;
}

static at_status load(at_study *s, const char *dir, at_error *err) {
    s->dir = strdup(dir);
    if (!s->dir) return at_fail_memory(err, "a path", 0);
    for (size_t n = strlen(s->dir); n > 1 && s->dir[n - 1] == '/'; n--) s->dir[n - 1] = '\0';
    AT_TRY(load_config(s, err));
    AT_TRY(unfold(s, err));
    return at_study_read(s, err);
}

at_status at_study_load(at_study **s, const char *dir, at_error *err) {
    AT_TRY(new_study(s, err));
    const at_status status = load(*s, dir, err);
    if (status == AT_OK) return AT_OK;
    at_study_free(*s);
    *s = NULL;
    return status;
}

/* ---- a place on disk ---- */

at_status at_study_place(at_study *s, at_error *err) {
    if (s->dir) return AT_OK;
    AT_TRY(at_run_new(s->parent, s->name, &s->dir, err));
    return place_runs(s, err);
}

at_status at_study_save_config(const at_study *s, at_error *err) {
    char *path = at_path_join(s->dir, "study.json");
    const at_status status =
        path ? at_json_save(path, s->config, err) : at_fail_memory(err, "a path", 0);
    free(path);
    return status;
}

/* A share of what the run would have, at least one. */
static int64_t part(double share, int64_t of) {
    const int64_t n = llround(share * (double)of);
    return n > 0 ? n : 1;
}

at_train_opts at_study_run_opts(const at_study *s, const at_study_run *r) {
    const at_variant *v = &s->variants[r->variant];
    at_train_opts o = v->opts;
    o.seed = r->seed;
    const int lr = r->lr >= 0 ? r->lr : v->lr;
    if (lr >= 0) at_train_set(&o, "lr", s->lrs[lr], NULL);
    if (r->lr < 0) return o;
    if (o.epochs) o.epochs = (int)part(s->tune_share, o.epochs);
    if (o.iterations) o.iterations = part(s->tune_share, o.iterations);
    o.time_s *= s->tune_share;
    return o;
}
