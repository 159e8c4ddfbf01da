/* SPDX-License-Identifier: MIT */
/* A study done: costs, pilots, runs, times, one stage after the other; each stage is a list of runs
 * that child processes take from its front. Times come last and alone. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "train/study_private.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

typedef enum stage_kind { STAGE_COST, STAGE_PILOTS, STAGE_RUNS, STAGE_TIMES } stage_kind;

/* A study at work. */
typedef struct shop {
    at_study *s;
    const at_study_work *w;
    at_train_opts machine; /* of one child of the present stage */
    int threads;           /* of the machine */
    size_t memory;         /* free when the work began, or what it may have */

    stage_kind stage;
    at_study_run **list; /* the stage's runs; room for all. Costs: the first run of each variant */
    at_study_live *live; /* [jobs] */
    double *share;       /* [jobs]: of the run that is done */
    int count, done, failed;
    double begun, left_s, done_s; /* predicted seconds of all that is left, and done since */
} shop;

/* ---- telling ---- */

/* Predicted. */
static double seconds_of(const shop *h, const at_study_run *run) {
    return h->s->variants[run->variant].cost.run_s * (run->lr < 0 ? 1 : h->s->tune_share);
}

/* Predicted seconds go by faster or slower than the clock's; what is done says how much. */
static double eta(const shop *h) {
    double live = 0;
    for (int i = 0; i < h->w->jobs; i++)
        if (h->live[i].run) live += h->share[i] * seconds_of(h, h->live[i].run);
    const double done = h->done_s + live;
    if (h->stage == STAGE_COST) return NAN;
    return fmax(0, h->left_s - live) * (done > 0 ? (now() - h->begun) / done : 1);
}

static void tell(const shop *h, at_study_event event, const at_study_run *run, const char *text) {
    const at_study_progress p = {.event = event,
                                 .study = h->s,
                                 .run = run,
                                 .text = text,
                                 .done = h->done,
                                 .total = h->count,
                                 .eta_s = eta(h),
                                 .live = h->live,
                                 .live_count = h->w->jobs};
    if (h->w->progress) h->w->progress(h->w->arg, &p);
}

/* The run's place among those that are live; a free one if it is new. NULL without children. */
static int place_of(shop *h, const at_study_run *run) {
    int empty = -1;
    for (int i = h->w->jobs - 1; i >= 0; i--) {
        if (h->live[i].run == run) return i;
        if (!h->live[i].run) empty = i;
    }
    if (empty >= 0) h->live[empty] = (at_study_live){.run = run, .miou = NAN};
    return empty;
}

static void noted(void *arg, int index, const void *note) {
    shop *h = arg;
    const at_study_note *n = note;
    at_study_run *run = h->list[index];
    if (n->kind == AT_NOTE_COST) {
        h->s->variants[run->variant].cost = n->cost;
        return;
    }
    if (n->kind == AT_NOTE_TEXT) {
        tell(h, AT_STUDY_NOTE, run, n->text);
        return;
    }
    const int i = place_of(h, run);
    if (i >= 0) {
        at_study_live *l = &h->live[i];
        const double miou = n->kind == AT_NOTE_EPOCH && !isnan(n->miou) ? n->miou : l->miou;
        *l = (at_study_live){run, n->epoch, n->epochs, n->batch, n->batches, n->loss, miou};
        h->share[i] = n->share;
    }
    tell(h, AT_STUDY_STEP, run, NULL);
}

/* ---- in the children ---- */

static at_status cost(const shop *h, const at_study_run *run, const at_job_line *line,
                      at_error *err) {
    at_study_note n = {.kind = AT_NOTE_COST};
    at_train_opts o = at_study_run_opts(h->s, run);
    o.threads = h->machine.threads;
    o.max_mem_mb = h->machine.max_mem_mb;
    AT_TRY(at_study_cost_of(&o, h->s->split, NULL, 1, &n.cost, err));
    at_job_tell(line, &n, sizeof n);
    return AT_OK;
}

static at_status work(void *arg, int index, const at_job_line *line, at_error *err) {
    const shop *h = arg;
    const at_study_run *run = h->list[index];
    if (h->stage == STAGE_COST) return cost(h, run, line, err);
    if (h->stage == STAGE_TIMES) return at_study_time(h->s, run, &h->machine, err);
    return at_study_train(h->s, run, &h->machine, line, err);
}

/* ---- in the caller, when one is over ---- */

static void leave(shop *h, const at_study_run *run) {
    for (int i = 0; i < h->w->jobs; i++)
        if (h->live[i].run == run) {
            h->live[i] = (at_study_live){0};
            h->share[i] = 0;
        }
}

static at_status cost_ended(shop *h, const at_study_run *run, at_status status, const char *text,
                            at_error *err) {
    h->done++;
    tell(h, AT_STUDY_PLAN, run, NULL);
    if (status == AT_OK || status == AT_ERR_STOPPED) return AT_OK;
    /* What does not fit is the variant's, what is missing the data's. */
    if (status == AT_ERR_MEMORY)
        return at_fail(err, status, "variant %s: %s", h->s->variants[run->variant].name, text);
    return at_fail(err, status, "%s", text);
}

/* A child that was killed could not write down that it failed: its parent knows. A pilot is not
 * failed thereby, since its rate was not to blame. */
static at_status keep_reason(at_study_run *run, const char *text, at_error *err) {
    if (run->state >= AT_RUN_FAILED) return AT_OK;
    if (run->lr < 0) run->state = AT_RUN_FAILED;
    run->error = strdup(text);
    return run->error ? AT_OK : at_fail_memory(err, "a run's failure", 0);
}

static at_status ended(void *arg, int index, at_status status, const char *text, at_error *err) {
    shop *h = arg;
    at_study_run *run = h->list[index];
    const double run_s = seconds_of(h, run);
    leave(h, run);
    if (h->stage == STAGE_COST) return cost_ended(h, run, status, text, err);
    AT_TRY(at_study_run_read(run, err));
    if (status == AT_ERR_STOPPED) return AT_OK;
    if (status != AT_OK) AT_TRY(keep_reason(run, text, err));
    h->done++;
    h->left_s -= run_s;
    h->done_s += run_s;
    if (status != AT_OK) h->failed++;
    tell(h, status == AT_OK ? AT_STUDY_ENDS : AT_STUDY_FAILS, run, text);
    if (h->stage == STAGE_PILOTS) return AT_OK;
    AT_TRY(at_study_compare(h->s, err));
    return at_study_save(h->s, err);
}

/* ---- stages ---- */

/* Threads and memory are divided among the children of a stage. */
static at_status run_stage(shop *h, stage_kind stage, const char *text, int at_once,
                           at_error *err) {
    const at_train_opts *machine = h->w->machine;
    const int parts = at_once > 1 ? at_once : 1;
    h->stage = stage;
    h->done = 0;
    if (!h->count) return AT_OK;
    h->machine = *machine;
    h->machine.threads = h->threads / parts > 1 ? h->threads / parts : 1;
    if (parts > 1 && h->memory < SIZE_MAX)
        h->machine.max_mem_mb = (double)(h->memory / (size_t)parts) / 1e6;
    tell(h, stage == STAGE_COST ? AT_STUDY_PLAN : AT_STUDY_STAGE, NULL, text);
    const at_jobs j = {.count = h->count,
                       .at_once = at_once,
                       .work = work,
                       .noted = noted,
                       .ended = ended,
                       .arg = h,
                       .stop = h->w->stop};
    return at_jobs_run(&j, err);
}

static at_status shop_open(shop *h, at_study *s, const at_study_work *w, at_error *err) {
    const size_t runs = (size_t)(s->run_count + s->pilot_count + s->variant_count),
                 jobs = (size_t)w->jobs + 1;
    *h = (shop){.s = s, .w = w, .begun = now()};
    h->memory =
        w->machine->max_mem_mb > 0 ? (size_t)(w->machine->max_mem_mb * 1e6) : at_memory_available();
    AT_TRY(at_threads_set(w->machine->threads, err));
    h->threads = at_threads();
    h->list = calloc(runs, sizeof *h->list);
    h->live = calloc(jobs, sizeof *h->live);
    h->share = calloc(jobs, sizeof *h->share);
    return h->list && h->live && h->share ? AT_OK : at_fail_memory(err, "a study's work", 0);
}

static void shop_close(shop *h) {
    free(h->list);
    free(h->live);
    free(h->share);
}

/* ---- costs ---- */

static void list_unknown(shop *h) {
    const at_study *s = h->s;
    h->count = 0;
    for (int i = 0; i < s->variant_count; i++)
        if (!s->variants[i].cost.parameters) h->list[h->count++] = &s->runs[i];
}

/* The variant that affords fewest epochs decides for all. */
static at_status settle_epochs(at_study *s, at_error *err) {
    const at_train_opts *o = &s->variants[0].opts;
    int epochs = s->variants[0].cost.epochs;
    if (s->equal == AT_EQUAL_TIME || o->epochs || o->iterations) return AT_OK;
    for (int i = 0; i < s->variant_count; i++) {
        if (s->variants[i].opts.epochs || s->variants[i].opts.iterations) return AT_OK; /* axis */
        if (s->variants[i].cost.epochs < epochs) epochs = s->variants[i].cost.epochs;
    }
    for (int i = 0; i < s->variant_count; i++) {
        at_study_cost *c = &s->variants[i].cost;
        s->variants[i].opts.epochs = epochs;
        c->run_s *= (double)epochs / c->epochs;
        c->epochs = epochs;
    }
    return json_object_set_new(json_object_get(s->config, "options"), "epochs",
                               json_integer(epochs)) == 0
               ? AT_OK
               : at_fail_memory(err, "epochs", 0);
}

at_status at_study_plan(at_study *s, const at_study_work *w, at_error *err) {
    shop h;
    AT_TRY(at_study_read(s, err));
    at_status status = shop_open(&h, s, w, err);
    if (status == AT_OK) {
        list_unknown(&h);
        status = run_stage(&h, STAGE_COST, "planning", w->jobs ? 1 : 0, err);
    }
    if (status == AT_OK) status = settle_epochs(s, err);
    shop_close(&h);
    return status;
}

/* ---- all of it ---- */

static void list_runs(shop *h, at_study_run *runs, int count, at_run_state from, at_run_state to) {
    h->count = 0;
    for (int i = 0; i < count; i++)
        if (runs[i].state >= from && runs[i].state <= to) h->list[h->count++] = &runs[i];
}

static double predicted(const at_study *s, const at_study_run *runs, int count, double share) {
    double sum = 0;
    for (int i = 0; i < count; i++)
        if (runs[i].state < AT_RUN_TRAINED) sum += share * s->variants[runs[i].variant].cost.run_s;
    return sum;
}

/* Without an answer from each pilot no rate is chosen, and none is made up. */
static at_status check_pilots(const at_study *s, at_error *err) {
    for (int i = 0; i < s->pilot_count; i++) {
        const at_study_run *p = &s->pilots[i];
        if (p->state >= AT_RUN_FAILED) continue;
        return at_fail(
            err, AT_ERR_IO,
            "%s, pilot with learning rate %s: %s; when the study goes on (--name %s), so "
            "does the pilot",
            s->variants[p->variant].name, s->lrs[p->lr], p->error ? p->error : "no end",
            strrchr(s->dir, '/') + 1);
    }
    return AT_OK;
}

static at_status do_stages(shop *h, at_error *err) {
    at_study *s = h->s;
    h->left_s = predicted(s, s->runs, s->run_count, 1) +
                predicted(s, s->pilots, s->pilot_count, s->tune_share);
    list_runs(h, s->pilots, s->pilot_count, AT_RUN_PLANNED, AT_RUN_UNFINISHED);
    AT_TRY(run_stage(h, STAGE_PILOTS, "pilots that choose learning rates", h->w->jobs, err));
    AT_TRY(check_pilots(s, err));
    AT_TRY(at_study_choose_lrs(s, err));
    h->failed = 0; /* a rate that is too high is an answer */
    list_runs(h, s->runs, s->run_count, AT_RUN_PLANNED, AT_RUN_FAILED);
    AT_TRY(run_stage(h, STAGE_RUNS, "training", h->w->jobs, err));
    list_runs(h, s->runs, s->run_count, AT_RUN_TRAINED, AT_RUN_TRAINED);
    return run_stage(h, STAGE_TIMES, "measuring times, one run after the other", h->w->jobs ? 1 : 0,
                     err);
}

/* Somebody who was just killed may take a moment to die. */
static at_status lock(const at_study *s, int *fd, at_error *err) {
    char *path = at_path_join(s->dir, ".lock");
    if (!path) return at_fail_memory(err, "a path", 0);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    free(path);
    if (*fd < 0) return at_fail(err, AT_ERR_IO, "%s: cannot write: %s", s->dir, strerror(errno));
    for (int i = 0; i < 100; i++) {
        if (flock(*fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return AT_OK;
        usleep(50000);
    }
    close(*fd);
    return at_fail(err, AT_ERR_INPUT, "%s: another process is at work on this study", s->dir);
}

static at_status do_locked(at_study *s, const at_study_work *w, int *failed, at_error *err) {
    shop h;
    AT_TRY(at_study_read(s, err));
    AT_TRY(at_study_save(s, err)); /* so that there are tables to look at, whatever happens */
    at_status status = shop_open(&h, s, w, err);
    if (status == AT_OK) status = do_stages(&h, err);
    *failed = h.failed;
    shop_close(&h);
    if (status != AT_OK && status != AT_ERR_STOPPED) return status;
    at_error unread = {0};
    at_status saved =
        at_study_compare(s, &unread) == AT_OK ? at_study_save(s, &unread) : unread.status;
    if (saved == AT_OK && status == AT_OK) saved = at_study_save_report(s, NULL, w->stop, &unread);
    if (saved == AT_OK || status != AT_OK) return status;
    if (err) *err = unread;
    return saved;
}

at_status at_study_do(at_study *s, const at_study_work *w, int *failed, at_error *err) {
    int fd = -1;
    *failed = 0;
    AT_TRY(at_study_place(s, err));
    AT_TRY(lock(s, &fd, err));
    at_status status = at_study_save_config(s, err);
    if (status == AT_OK) status = do_locked(s, w, failed, err);
    close(fd);
    return status;
}
