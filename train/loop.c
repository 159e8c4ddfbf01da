/* SPDX-License-Identifier: MIT */
/* The loop: batches to steps, steps to epochs. A run may end or be stopped between two steps of the
 * optimiser only, so a saved position never holds half a gradient. */
#include <limits.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "train/trainer.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

double at_trainer_elapsed(const at_trainer *t) {
    return t->elapsed_before + now() - t->begun;
}

static bool asked_to_stop(const at_trainer *t) {
    return t->hooks.stop && *t->hooks.stop;
}

/* Time is up when what is left would go into the last validation. */
static bool time_is_up(const at_trainer *t) {
    return t->o.time_s > 0 && at_trainer_elapsed(t) + t->val_seconds >= t->o.time_s;
}

static bool enough(const at_trainer *t) {
    return t->o.iterations && t->at.iteration >= t->o.iterations;
}

static double rate(const at_trainer *t) {
    if (!t->schedule.total)
        return at_schedule_lr_at(&t->schedule, t->at.iteration,
                                 at_trainer_elapsed(t) / t->o.time_s);
    return at_schedule_lr(&t->schedule, t->at.iteration);
}

/* Seconds that are left, judging by what was done since the run was begun or resumed. */
static double time_left(const at_trainer *t) {
    if (!t->schedule.total) return fmax(0, t->o.time_s - at_trainer_elapsed(t));
    const int64_t done = t->at.iteration - t->begun_iteration;
    if (done < 3) return NAN;
    return (now() - t->begun) / (double)done * (double)(t->schedule.total - t->at.iteration);
}

static void fill(at_trainer *t, const at_batch *b) {
    const at_tensor image = at_plan_value(t->plan, t->image),
                    target = at_plan_value(t->plan, t->target);
    const int64_t pixels = (int64_t)b->count * b->size.h * b->size.w;
    memcpy(image.data, b->images, (size_t)(pixels * image.shape.c) * sizeof(float));
    memcpy(target.data, b->masks, (size_t)pixels);
}

/* Forward and backward of one batch; the loss joins the epoch's. */
static at_status one_batch(at_trainer *t, at_batch *b, at_error *err) {
    const double from = now();
    AT_TRY(at_loader_next(t->loader, b, err));
    const double loaded = now();
    if (t->at.epoch == 0 && t->at.batch < 3 && !t->resumed)
        AT_TRY(at_trainer_show_batch(t, b, t->at.batch, err));
    at_plan_set_iteration(t->plan, t->o.seed,
                          (uint64_t)t->at.epoch * (uint64_t)t->batches + (uint64_t)t->at.batch);
    fill(t, b);
    at_plan_forward(t->plan);
    const double loss = (double)*at_f32(at_plan_value(t->plan, t->loss));
    if (!isfinite(loss)) return at_explain_loss(t, b, err);
    at_plan_backward(t->plan);
    t->at.batch++;
    t->at.loss_sum += loss;
    t->at.losses++;
    t->epoch_images += b->count;
    t->progress.loss = loss;
    t->progress.data_s = loaded - from;
    t->progress.batch_s = now() - loaded;
    return AT_OK;
}

static void tell_step(at_trainer *t, double lr, double norm, int images) {
    at_train_progress *p = &t->progress;
    const double seconds = p->data_s + p->batch_s;
    const double speed = images / (seconds > 1e-9 ? seconds : 1e-9);
    /* Smoothed over about ten batches. */
    p->images_s = p->images_s > 0 ? 0.9 * p->images_s + 0.1 * speed : speed;
    p->epoch = t->at.epoch + 1;
    p->batch = t->at.batch;
    p->iteration = t->at.iteration;
    p->lr = lr;
    p->grad_norm = norm;
    p->elapsed_s = at_trainer_elapsed(t);
    p->eta_s = time_left(t);
    at_trainer_tell(t, AT_TRAIN_STEP, NULL);
}

/* One step of the optimiser: up to `accumulate` batches. */
static at_status one_step(at_trainer *t, at_error *err) {
    at_batch b = {0};
    int batches = 0;
    at_optim_zero_grad(t->optim);
    for (; batches < t->o.accumulate && t->at.batch < t->batches; batches++)
        AT_TRY(one_batch(t, &b, err));
    const double lr = rate(t), norm = at_optim_step(t->optim, lr, 1.0 / batches);
    if (!isfinite(norm)) return at_explain_gradient(t, &b, err);
    t->at.iteration++;
    t->at.norm_sum += norm;
    t->at.norms++;
    if (t->ema) at_ema_update(t->ema, t->at.iteration);
    tell_step(t, lr, norm, b.count);
    return AT_OK;
}

static at_status stop_here(at_trainer *t, at_error *err) {
    AT_TRY(at_checkpoint_save(t, err));
    AT_TRY(at_trainer_record_stop(t, err));
    return at_fail(err, AT_ERR_STOPPED,
                   "stopped in epoch %d after %d of %d batches; continue with --resume %s",
                   t->at.epoch + 1, t->at.batch, t->batches, t->run);
}

static at_status train_epoch(at_trainer *t, at_error *err) {
    const double from = now();
    t->epoch_images = 0;
    if (t->at.batch < t->batches) at_loader_start(t->loader, t->at.epoch, t->at.batch);
    for (int steps = 0; t->at.batch < t->batches && !enough(t); steps++) {
        if (steps && time_is_up(t)) break; /* an epoch has at least one step */
        if (asked_to_stop(t)) return stop_here(t, err);
        AT_TRY(one_step(t, err));
    }
    t->progress.lr = rate(t);
    t->epoch_seconds = now() - from;
    return AT_OK;
}

static bool out_of_patience(const at_trainer *t) {
    return t->o.patience && t->at.since_best >= t->o.patience;
}

static bool last_epoch(const at_trainer *t) {
    return t->at.epoch + 1 >= t->epochs || enough(t) || time_is_up(t);
}

static void next_epoch(at_trainer *t) {
    t->at.epoch++;
    t->at.batch = 0;
    t->at.loss_sum = t->at.norm_sum = 0;
    t->at.losses = t->at.norms = 0;
}

/* Validation, tables, and the checkpoint last: it is what makes the epoch count. */
static at_status end_epoch(at_trainer *t, at_error *err) {
    t->progress.metrics = NULL;
    t->progress.best = false;
    t->val_loss = NAN;
    t->net.epoch = t->at.epoch + 1;
    if (last_epoch(t) || (t->at.epoch + 1) % t->o.val_every == 0) {
        const double from = now();
        const at_status s = at_trainer_validate(t, err);
        if (s == AT_ERR_STOPPED) return stop_here(t, err);
        if (s != AT_OK) return s;
        t->val_seconds = now() - from;
    }
    AT_TRY(at_trainer_record(t, err));
    next_epoch(t);
    return at_checkpoint_save(t, err);
}

static void finish(at_trainer *t, at_train_end end) {
    at_train_result *r = t->result;
    r->end = end;
    r->epochs = t->at.epoch;
    r->iterations = t->at.iteration;
    r->best_epoch = t->at.best_epoch;
    r->best_miou = t->at.best_miou > 0 ? t->at.best_miou : 0;
    r->seconds = at_trainer_elapsed(t);
    r->last = t->metrics;
}

at_status at_trainer_run(at_trainer *t, at_error *err) {
    bool timed_out = false;
    t->begun = now();
    t->begun_iteration = t->at.iteration;
    while (t->at.epoch < t->epochs && !enough(t) && !out_of_patience(t) && !timed_out) {
        AT_TRY(train_epoch(t, err));
        timed_out = time_is_up(t);
        AT_TRY(end_epoch(t, err));
        timed_out = timed_out || (t->progress.metrics && time_is_up(t));
        t->progress.row = &t->rows[t->row_count - 1];
        t->progress.elapsed_s = at_trainer_elapsed(t);
        t->progress.eta_s = time_left(t);
        at_trainer_tell(t, AT_TRAIN_EPOCH, NULL);
    }
    finish(t, timed_out ? AT_END_TIME : out_of_patience(t) ? AT_END_PATIENCE : AT_END_LENGTH);
    return AT_OK;
}
