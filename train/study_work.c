/* SPDX-License-Identifier: MIT */
/* A run of a study, in a process of its own: an ordinary training run, resumed where it was broken
 * off, and then what its last weights are worth. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nn/kernels/kernels.h"
#include "train/json_list.h"
#include "train/study_private.h"
#include "train/train.h"

static at_status save_json(const at_study_run *r, const char *file, json_t *j, at_error *err) {
    char *path = at_study_path(r, file);
    const at_status s = j && path ? at_json_save(path, j, err) : at_fail_memory(err, file, 0);
    json_decref(j);
    free(path);
    return s;
}

static void remove_file(const at_study_run *r, const char *file) {
    char *path = at_study_path(r, file);
    if (path) remove(path); /* a file, or a directory that is empty */
    free(path);
}

/* ---- telling ---- */

typedef struct teller {
    const at_job_line *line;
    double last; /* when a step was told of */
} teller;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double share_done(const at_train_progress *p) {
    if (p->iterations) return (double)p->iteration / (double)p->iterations;
    return isfinite(p->eta_s) && p->elapsed_s > 0 ? p->elapsed_s / (p->elapsed_s + p->eta_s) : 0;
}

static void on_progress(void *arg, const at_train_progress *p) {
    teller *t = arg;
    at_study_note n = {.kind = AT_NOTE_STEP,
                       .epoch = p->epoch,
                       .epochs = p->epochs,
                       .batch = p->batch,
                       .batches = p->batches,
                       .loss = p->loss,
                       .miou = p->metrics ? p->metrics->miou : NAN,
                       .share = share_done(p)};
    if (p->event == AT_TRAIN_EPOCH) {
        n.kind = AT_NOTE_EPOCH;
    } else if (p->event == AT_TRAIN_WARNING) {
        n.kind = AT_NOTE_TEXT;
        snprintf(n.text, sizeof n.text, "%s", p->text);
    } else if (p->event != AT_TRAIN_STEP || now() < t->last + 0.2)
        return;
    t->last = now();
    at_job_tell(t->line, &n, sizeof n);
}

/* ---- training ---- */

static void set_machine(at_train_opts *o, const at_train_opts *machine) {
    o->threads = machine->threads;
    o->loader_threads = machine->loader_threads;
    o->cache_mb = machine->cache_mb;
    o->max_mem_mb = machine->max_mem_mb;
}

/* A run that was killed before its config.json was written leaves a directory that a new run would
 * not take: it goes if it holds nothing. */
static at_status clear_place(const at_study_run *r, at_error *err) {
    static const char *const remains[] = {"weights", "splits", "config.json.tmp", "failure.json"};
    for (size_t i = 0; i < sizeof remains / sizeof *remains; i++) remove_file(r, remains[i]);
    if (rmdir(r->dir) == 0 || errno == ENOENT) return AT_OK;
    return at_fail(err, AT_ERR_IO, "%s: is in the way of a run: %s", r->dir, strerror(errno));
}

/* `parent` and *keep own strings of the options. */
static at_status run_opts(const at_study *s, const at_study_run *r, at_train_opts *o, char **parent,
                          json_t **keep, at_error *err) {
    char *config = at_study_path(r, "config.json");
    if (!config) return at_fail_memory(err, "a path", 0);
    const bool begun = at_path_exists(config);
    free(config);
    if (begun) return at_train_resume_opts(r->dir, o, keep, err);
    AT_TRY(clear_place(r, err));
    const char *slash = strrchr(r->dir, '/');
    *parent = strndup(r->dir, (size_t)(slash - r->dir));
    if (!*parent) return at_fail_memory(err, "a path", 0);
    *o = at_study_run_opts(s, r);
    o->runs = *parent;
    o->name = slash + 1;
    return AT_OK;
}

/* ---- what came out ---- */

/* {"bf1": 0.5, ...}; null is what does not exist. */
static json_t *flat_measures(const at_evaluation *e) {
    double values[AT_MEASURES];
    json_t *j = json_object();
    if (e->measures) at_measures_flat(e->measures, values);
    for (int i = 0; e->measures && i < AT_MEASURES; i++)
        at_json_put(&j, at_measure_list[i].name,
                    isfinite(values[i]) ? json_real(values[i]) : json_null());
    return j;
}

static json_t *describe(const at_evaluation *e, const at_network *net, const char *split,
                        const at_train_result *result) {
    json_t *j = at_evaluation_to_json(e, net, split);
    at_json_put(&j, "epochs", json_integer(result->epochs));
    at_json_put(&j, "iterations", json_integer(result->iterations));
    at_json_put(&j, "seconds", json_real(result->seconds));
    at_json_put(&j, "measures", flat_measures(e));
    return j;
}

static at_status keep_evaluation(const at_study_run *r, const at_evaluation *e,
                                 const at_network *net, const char *split,
                                 const at_train_result *result, at_error *err) {
    char *path = at_study_path(r, "per_image.csv");
    const at_status s =
        path ? at_evaluation_save_csv(e, path, err) : at_fail_memory(err, "a path", 0);
    free(path);
    return s == AT_OK ? save_json(r, "measures.json", describe(e, net, split, result), err) : s;
}

static at_status evaluate(const at_study_run *r, at_network *net, const at_train_opts *o,
                          const at_dataset *d, const char *name, const at_job_line *line,
                          const at_train_result *result, at_error *err) {
    const at_evaluate_opts opts = {.predict = {.precision = o->precision, .conv = o->conv},
                                   .measures = r->lr < 0,
                                   .stop = line->stop};
    const at_split *split = at_dataset_split(d, name);
    at_evaluation e;
    if (!split)
        return at_fail(err, AT_ERR_USAGE, "--split %s: the data set has no such split", name);
    AT_TRY(at_evaluate(net, d, split, opts, &e, err));
    const at_status s = keep_evaluation(r, &e, net, name, result, err);
    at_evaluation_free(&e);
    return s;
}

/* Of the last epoch, not the best on val: that one was chosen by what would measure it. */
static at_status measure(const at_study *s, const at_study_run *r, const at_train_opts *o,
                         const at_dataset *d, const at_job_line *line,
                         const at_train_result *result, at_error *err) {
    at_network net = {0};
    const char *split = r->lr < 0 ? s->split : at_dataset_split(d, "val") ? "val" : "train";
    char *path = at_study_path(r, "weights/last.safetensors");
    at_status status = path ? at_network_load(&net, path, err) : at_fail_memory(err, "a path", 0);
    if (status == AT_OK) status = evaluate(r, &net, o, d, split, line, result, err);
    at_network_free(&net);
    free(path);
    return status;
}

static at_status train_and_measure(const at_study *s, const at_study_run *r, const at_train_opts *o,
                                   const at_job_line *line, at_error *err) {
    teller t = {.line = line};
    at_train_result result;
    at_dataset *d;
    AT_TRY(at_threads_set(o->threads, err));
    AT_TRY(at_train_open_data(o, &d, err));
    const at_train_hooks hooks = {
        .progress = on_progress, .arg = &t, .stop = line->stop, .dataset = d};
    at_status status = at_train(o, hooks, &result, err);
    if (status == AT_OK) status = measure(s, r, o, d, line, &result, err);
    at_train_result_free(&result);
    at_dataset_free(d);
    return status;
}

/* Is it to be kept that the run failed? Of a pilot only what its learning rate did: that a disk was
 * full must not cost a rate its chance. */
static bool is_answer(const at_study_run *r, at_status status) {
    if (r->lr >= 0) return status == AT_ERR_INPUT;
    return status != AT_OK && status != AT_ERR_STOPPED;
}

at_status at_study_train(const at_study *s, const at_study_run *r, const at_train_opts *machine,
                         const at_job_line *line, at_error *err) {
    at_train_opts o;
    at_error own = {0};
    char *parent = NULL;
    json_t *keep = NULL;
    remove_file(r, "failure.json");
    at_status status = run_opts(s, r, &o, &parent, &keep, &own);
    if (status == AT_OK) {
        set_machine(&o, machine);
        status = train_and_measure(s, r, &o, line, &own);
    }
    if (is_answer(r, status) && at_make_dirs(r->dir, NULL) == AT_OK)
        save_json(r, "failure.json", json_pack("{s:s}", "error", own.text), NULL);
    if (err) *err = own;
    json_decref(keep);
    free(parent);
    return status;
}

/* ---- times ---- */

/* Seconds that the run's batches take, without validation, pictures and waiting for data. */
static double training_seconds(const at_study_run *r, const at_train_opts *o,
                               const at_study_cost *c) {
    const double steps = json_number_value(json_object_get(r->measures, "iterations")),
                 epochs = json_number_value(json_object_get(r->measures, "epochs"));
    return fmin(steps * o->accumulate, epochs * c->batches) * c->step_s;
}

static at_status save_times(const at_study_run *r, const at_train_opts *o, const at_study_cost *c,
                            at_error *err) {
    char cpu[128];
    at_cpu_name(cpu, sizeof cpu);
    return save_json(r, "times.json",
                     json_pack("{s:f,s:f,s:I,s:I,s:f,s:f,s:f,s:i,s:i,s:i,s:{s:s,s:s,s:i}}",
                               "train_s", training_seconds(r, o, c), "inference_ms",
                               1e3 * c->inference_s, "peak_bytes", (json_int_t)c->peak_bytes,
                               "parameters", (json_int_t)c->parameters, "macs", c->macs, "step_ms",
                               1e3 * c->step_s, "run_s", c->run_s, "epochs", c->epochs, "batches",
                               c->batches, "val_pictures", c->val_pictures, "cpu", "name", cpu,
                               "level", at_kernels_get()->level, "threads", at_threads()),
                     err);
}

at_status at_study_time(const at_study *s, const at_study_run *r, const at_train_opts *machine,
                        at_error *err) {
    at_train_opts o;
    json_t *keep;
    at_study_cost cost;
    AT_TRY(at_train_resume_opts(r->dir, &o, &keep, err));
    set_machine(&o, machine);
    char *weights = at_study_path(r, "weights/last.safetensors");
    at_status status = weights ? at_study_cost_of(&o, s->split, weights, 3, &cost, err)
                               : at_fail_memory(err, "a path", 0);
    if (status == AT_OK) status = save_times(r, &o, &cost, err);
    json_decref(keep);
    free(weights);
    return status;
}
