/* SPDX-License-Identifier: MIT */
/* What a run costs: its network is built and planned as training would, one step and one inference
 * are timed on random numbers. Before a study this predicts; after a run, with nothing beside it,
 * it is the measurement. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "train/study_private.h"
#include "train/trainer.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the network, as training has it ---- */

static at_status find_splits(at_trainer *t, at_error *err) {
    t->train = at_dataset_split(t->data, "train");
    if (!t->train || t->train->count < 1)
        return at_fail(err, AT_ERR_INPUT, "%s: there are no training images",
                       t->o.data ? t->o.data : "the synthetic set");
    t->val = at_dataset_split(t->data, "val");
    if (!t->val || t->val->count < 1) t->val = t->train;
    return AT_OK;
}

/* Class weights do not change what the loss costs: ones stand for them. */
static void set_loss(at_trainer *t) {
    at_loss_spec *loss = &t->net.loss;
    *loss = (at_loss_spec){
        .kind = t->o.loss, .label_smoothing = t->o.label_smoothing, .gamma = t->o.gamma};
    loss->weighted = strcmp(t->o.class_weights, "none") != 0;
    for (int c = 0; c < t->net.opts.classes; c++) loss->class_weights[c] = 1;
}

static at_status make_network(at_trainer *t, const char *weights, at_error *err) {
    const at_model *m = at_model_find(t->o.model);
    if (weights) return at_network_load(&t->net, weights, err);
    if (!m) return at_fail(err, AT_ERR_USAGE, "there is no model \"%s\"", t->o.model);
    AT_TRY(at_network_new(&t->net, m, t->o.net, at_dataset_classes(t->data), t->o.seed, err));
    set_loss(t);
    return AT_OK;
}

/* Up to the plan; batches are counted as the loader would. */
static at_status make_ready(at_trainer *t, const char *weights, at_error *err) {
    AT_TRY(find_splits(t, err));
    AT_TRY(make_network(t, weights, err));
    AT_TRY(at_trainer_append_loss(t, err));
    AT_TRY(at_choose_crop(t, err));
    if (t->o.batch > t->train->count) t->o.batch = t->train->count;
    t->batches = t->train->count / t->o.batch;
    t->steps = (t->batches + t->o.accumulate - 1) / t->o.accumulate;
    AT_TRY(at_trainer_open_tuning(t, &(at_st_file){0}, err));
    AT_TRY(at_trainer_make_plan(t, err));
    AT_TRY(at_trainer_make_optimiser(t, err));
    at_choose_length(t);
    return AT_OK;
}

/* ---- the clock ---- */

enum { MOST_REPEATS = 25 };

/* The least of `least` repetitions or more, for about a second: whatever else runs on the machine
 * only ever adds. One goes before, unmeasured, unless one is enough and took long. */
static double time_of(void (*body)(void *), void *arg, int least) {
    double shortest = INFINITY;
    const double begin = now();
    body(arg);
    if (least == 1 && now() > begin + 0.5) return now() - begin;
    for (int n = 0; n < least || (n < MOST_REPEATS && now() < begin + 0.3 * least); n++) {
        const double from = now();
        body(arg);
        shortest = fmin(shortest, now() - from);
    }
    return shortest;
}

static void fill(at_plan *plan, const at_node *image, const at_node *target, int classes) {
    at_rng rng = at_rng_make(0, AT_RNG_TEST, 0, 0);
    const at_tensor x = at_plan_value(plan, image);
    for (int64_t i = 0; i < at_shape_pixels(x.shape); i++)
        for (int c = 0; c < x.shape.c; c++) at_f32(x)[i * x.ld + c] = at_rng_range(&rng, -2, 2);
    const at_tensor y = target ? at_plan_value(plan, target) : (at_tensor){0};
    for (int64_t i = 0; y.data && i < at_shape_pixels(y.shape); i++)
        ((uint8_t *)y.data)[i] = (uint8_t)at_rng_below(&rng, (uint32_t)classes);
}

static void train_batch(void *arg) {
    at_trainer *t = arg;
    at_plan_forward(t->plan);
    at_optim_zero_grad(t->optim);
    at_plan_backward(t->plan);
    at_optim_step(t->optim, 1e-9, 1);
    if (t->ema) at_ema_update(t->ema, 1);
}

static void infer(void *arg) {
    at_plan_forward(arg);
}

/* One picture of the split, at the size the network sees. */
static at_status time_inference(at_trainer *t, const at_split *split, int least,
                                at_study_cost *cost, at_error *err) {
    at_pair size = t->o.resize;
    at_plan *plan;
    if (!size.h) AT_TRY(at_dataset_size(t->data, &split->samples[0], &size, err));
    const at_plan_opts p = {.batch = 1,
                            .height = size.h,
                            .width = size.w,
                            .mode = AT_INFER,
                            .precision = t->o.precision,
                            .conv = t->o.conv,
                            .tuning = t->tuning,
                            .output = at_graph_output(t->net.graph),
                            .max_bytes = (size_t)(t->o.max_mem_mb * 1e6)};
    AT_TRY(at_plan_new(&plan, t->net.graph, p, err));
    fill(plan, t->image, NULL, t->net.opts.classes);
    cost->macs = at_plan_macs(plan);
    cost->inference_s = time_of(infer, plan, least);
    at_plan_free(plan);
    return AT_OK;
}

/* ---- a prediction ---- */

static double predict(const at_trainer *t, const at_study_cost *c) {
    if (t->o.time_s > 0) return t->o.time_s;
    const double batches = (double)t->schedule.total * t->o.accumulate;
    const double validations = ceil((double)t->epochs / t->o.val_every) + 1;
    return batches * c->step_s + validations * c->val_pictures * c->inference_s;
}

static at_status measure(at_trainer *t, const at_split *split, int least, at_study_cost *c,
                         at_error *err) {
    c->parameters = at_graph_trainable_count(t->net.graph);
    c->peak_bytes = at_plan_bytes(t->plan);
    c->epochs = t->progress.epochs;
    c->batches = t->batches;
    c->val_pictures = t->val->count;
    fill(t->plan, t->image, t->target, t->net.opts.classes);
    c->step_s = time_of(train_batch, t, least);
    at_plan_free(t->plan);
    t->plan = NULL;
    AT_TRY(time_inference(t, split, least, c, err));
    c->run_s = predict(t, c);
    return AT_OK;
}

at_status at_study_cost_of(const at_train_opts *o, const char *split, const char *weights,
                           int least, at_study_cost *cost, at_error *err) {
    at_trainer *t = calloc(1, sizeof *t);
    const at_split *measured;
    *cost = (at_study_cost){0};
    if (!t) return at_fail_memory(err, "a trainer", sizeof *t);
    t->o = *o;
    at_status s = at_threads_set(o->threads, err);
    if (s == AT_OK) s = at_train_open_data(o, &t->owned_data, err);
    t->data = t->owned_data;
    if (s == AT_OK) s = at_dataset_find_split(t->data, split, &measured, err);
    if (s == AT_OK) s = make_ready(t, weights, err);
    if (s == AT_OK) s = measure(t, measured, least, cost, err);
    at_trainer_free(t);
    free(t);
    return s;
}
