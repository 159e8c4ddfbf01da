/* SPDX-License-Identifier: MIT */
/* Making a run ready, in an order in which nothing is written before everything that can be refused
 * has been: options, data, network, loss, loader, plan (memory), then the run's directory. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "train/network_private.h"
#include "train/trainer.h"

enum { SAMPLED = 200 }; /* images that mean and deviation are taken from */

/* ---- data ---- */

at_status at_train_open_data(const at_train_opts *o, at_dataset **d, at_error *err) {
    static const int none[1] = {0};
    const at_dataset_opts opts = {.path = o->data,
                                  .ignore = o->ignore_count ? o->ignore_count < 0 ? none : o->ignore
                                                            : NULL,
                                  .ignore_count = o->ignore_count > 0 ? o->ignore_count : 0,
                                  .classes = o->classes,
                                  .val_share = o->val_share > 0 ? o->val_share : -1,
                                  .seed = o->seed};
    return at_dataset_open(d, opts, err);
}

static at_status open_data(at_trainer *t, at_error *err) {
    const at_train_opts *o = &t->o;
    t->data = t->hooks.dataset;
    if (!t->data) {
        AT_TRY(at_train_open_data(o, &t->owned_data, err));
        t->data = t->owned_data;
    }
    t->train = at_dataset_split(t->data, "train");
    t->val = at_dataset_split(t->data, "val");
    if (!t->train || t->train->count < 1)
        return at_fail(err, AT_ERR_INPUT, "%s: there are no training images",
                       o->data ? o->data : "the synthetic set");
    t->val_is_train = !t->val || t->val->count < 1;
    if (t->val_is_train) t->val = t->train;
    return AT_OK;
}

static at_status check_masks(const at_split *s, at_error *err) {
    for (int i = 0; i < s->count; i++)
        if (s->samples[i].image && !s->samples[i].mask)
            return at_fail(err, AT_ERR_INPUT,
                           "%s: has no mask; training needs one for each image of split %s",
                           s->samples[i].image, s->name);
    return AT_OK;
}

/* Mean and deviation of evenly chosen training images. */
static at_status measure_images(at_trainer *t, at_error *err) {
    const int count = t->train->count < SAMPLED ? t->train->count : SAMPLED;
    at_sample *samples = calloc((size_t)count, sizeof *samples);
    at_class_stats *stats = calloc(1, sizeof *stats);
    at_status s = samples && stats ? AT_OK : at_fail_memory(err, "statistics", sizeof *stats);
    for (int i = 0; s == AT_OK && i < count; i++)
        samples[i] = t->train->samples[(int64_t)i * t->train->count / count];
    const at_split some = {.name = t->train->name, .count = count, .samples = samples};
    if (s == AT_OK) s = at_dataset_stats(t->data, &some, t->net.opts.in_channels, stats, err);
    for (int c = 0; s == AT_OK && c < t->net.opts.in_channels; c++) {
        t->net.mean[c] = stats->mean[c];
        t->net.std[c] = stats->std[c] > 1e-3 ? stats->std[c] : 1;
    }
    free(samples);
    free(stats);
    return s;
}

static at_status weigh_classes(at_trainer *t, at_error *err) {
    const int classes = t->net.opts.classes;
    at_class_weighting kind;
    AT_TRY(
        at_class_weights_parse(t->o.class_weights, classes, &kind, t->net.loss.class_weights, err));
    t->net.loss.weighted = kind != AT_CLASS_WEIGHTS_NONE;
    if (kind == AT_CLASS_WEIGHTS_NONE || kind == AT_CLASS_WEIGHTS_LIST) return AT_OK;
    at_class_stats *stats = calloc(1, sizeof *stats);
    if (!stats) return at_fail_memory(err, "statistics", sizeof *stats);
    const at_status s = at_dataset_stats(t->data, t->train, t->net.opts.in_channels, stats, err);
    if (s == AT_OK) at_class_weights(kind, stats, classes, t->net.loss.class_weights);
    free(stats);
    return s;
}

static void tell_weights(at_trainer *t) {
    at_class_weighting kind;
    float list[AT_MAX_CLASSES];
    if (!t->net.loss.weighted) return;
    if (at_class_weights_parse(t->o.class_weights, t->net.opts.classes, &kind, list, NULL) != AT_OK)
        return;
    char text[2048];
    int used = snprintf(text, sizeof text, "class weights, %s:", at_class_weights_formula(kind));
    for (int c = 0; c < t->net.opts.classes && used < (int)sizeof text - 64; c++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s %.40s %.4g", c ? "," : "",
                         t->net.classes.items[c].name, (double)t->net.loss.class_weights[c]);
    at_trainer_tell(t, AT_TRAIN_NOTE, text);
}

/* ---- network ---- */

/* Weights to start from; their normalisation too, if they say which it was. */
static at_status load_init(at_trainer *t, char **said, at_error *err) {
    at_st_file f = {0};
    at_network from = {0};
    at_load_report report;
    if (!t->o.init) return AT_OK;
    AT_TRY(at_st_open(&f, t->o.init, err));
    at_status s = at_weights_load_partial(t->net.graph, &f, &report, err);
    if (s == AT_OK && report.loaded == 0)
        s = at_fail(
            err, AT_ERR_INPUT,
            "%s: nothing in it fits the network, so these are weights of another one; first "
            "difference: %.*s",
            t->o.init, (int)strcspn(report.text, "\n"), report.text);
    if (s == AT_OK && at_network_read_metadata(&from, &f, NULL) == AT_OK &&
        from.opts.in_channels == t->net.opts.in_channels) {
        memcpy(t->net.mean, from.mean, sizeof from.mean);
        memcpy(t->net.std, from.std, sizeof from.std);
    }
    if (s == AT_OK)
        *said = at_format(
            "started from %s: %d parameters loaded, %d not in the file, %d of another shape%s%s",
            t->o.init, report.loaded, report.missing, report.mismatched, report.text[0] ? "\n" : "",
            report.text);
    at_network_free(&from);
    at_st_close(&f);
    return s;
}

static at_status new_network(at_trainer *t, char **said, at_error *err) {
    const at_train_opts *o = &t->o;
    const at_model *model = at_model_find(o->model);
    if (!model) {
        char names[512] = "";
        for (int i = 0; at_model_list[i]; i++)
            snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", i ? ", " : "",
                     at_model_list[i]->name);
        return at_fail(err, AT_ERR_USAGE, "there is no model \"%s\"; there are %s", o->model,
                       names);
    }
    at_network *net = &t->net;
    AT_TRY(at_network_new(net, model, o->net, at_dataset_classes(t->data), o->seed, err));
    net->resize = o->resize;
    net->split_seed = o->seed, net->val_share = o->val_share;
    const int *ignore = at_dataset_ignore(t->data, &net->ignore_count);
    if (net->ignore_count > AT_MAX_CLASSES) net->ignore_count = AT_MAX_CLASSES;
    for (int i = 0; i < net->ignore_count; i++) net->ignore[i] = ignore[i];
    net->loss =
        (at_loss_spec){.kind = o->loss, .label_smoothing = o->label_smoothing, .gamma = o->gamma};
    AT_TRY(measure_images(t, err));
    AT_TRY(weigh_classes(t, err));
    return load_init(t, said, err);
}

at_status at_trainer_append_loss(at_trainer *t, at_error *err) {
    at_graph *g = t->net.graph;
    t->image = at_graph_find(g, "image");
    t->loss = at_loss_build(g, at_graph_output(g), &t->net.loss);
    t->target = at_graph_find(g, "target");
    return at_graph_status(g, err);
}

/* ---- machinery ---- */

static at_status make_loader(at_trainer *t, at_error *err) {
    at_train_opts *o = &t->o;
    if (o->batch > t->train->count) o->batch = t->train->count;
    at_loader_opts l = {.dataset = t->data,
                        .split = t->train,
                        .batch = o->batch,
                        .channels = t->net.opts.in_channels,
                        .resize = o->resize,
                        .crop = o->size,
                        .train = true,
                        .augment = o->augment,
                        .seed = o->seed,
                        .threads = o->loader_threads,
                        .cache_bytes = (size_t)(o->cache_mb * 1e6)};
    memcpy(l.mean, t->net.mean, sizeof l.mean);
    memcpy(l.std, t->net.std, sizeof l.std);
    AT_TRY(at_loader_new(&t->loader, l, err));
    t->batches = at_loader_batches(t->loader);
    t->steps = (t->batches + o->accumulate - 1) / o->accumulate;
    return AT_OK;
}

at_status at_trainer_make_plan(at_trainer *t, at_error *err) {
    const at_train_opts *o = &t->o;
    const at_plan_opts p = {.batch = o->batch,
                            .height = o->size.h,
                            .width = o->size.w,
                            .mode = AT_TRAIN,
                            .precision = o->precision,
                            .conv = o->conv,
                            .tuning = t->tuning,
                            .recompute = o->recompute,
                            .output = t->loss,
                            .max_bytes = (size_t)(o->max_mem_mb * 1e6)};
    AT_TRY(at_plan_new(&t->plan, t->net.graph, p, err));
    at_tune_save(t->tuning);
    return AT_OK;
}

at_status at_trainer_open_tuning(at_trainer *t, const at_st_file *f, at_error *err) {
    if (t->o.conv != AT_CONV_TUNE) return AT_OK;
    AT_TRY(at_tune_open(&t->tuning, err));
    return f->buffer ? at_checkpoint_tuning(t, f, err) : AT_OK;
}

at_status at_trainer_make_optimiser(at_trainer *t, at_error *err) {
    AT_TRY(at_optim_new(&t->optim, t->net.graph, t->o.optim, err));
    return t->o.ema > 0 ? at_ema_new(&t->ema, t->net.graph, t->o.ema, err) : AT_OK;
}

static void tell_start(at_trainer *t) {
    at_train_progress *p = &t->progress;
    p->train_bytes = at_plan_bytes(t->plan);
    p->macs = at_plan_macs(t->plan);
    p->parameters = at_graph_trainable_count(t->net.graph);
    if (!t->resumed && at_dataset_notes(t->data)[0])
        at_trainer_tell(t, AT_TRAIN_NOTE, at_dataset_notes(t->data));
    if (t->val_is_train)
        at_trainer_tell(t, AT_TRAIN_WARNING,
                        "there is no validation split: the measures are of the training images");
    if (!t->resumed) tell_weights(t);
    at_trainer_say(t, AT_TRAIN_STARTS, "%s on %d images, crop %dx%d, batch %d", t->net.model->name,
                   t->train->count, t->o.size.h, t->o.size.w, t->o.batch);
}

/* `f`: the checkpoint, empty for a new run. */
static at_status make_ready(at_trainer *t, at_st_file *f, char **said, at_error *err) {
    AT_TRY(at_threads_set(t->o.threads, err));
    AT_TRY(open_data(t, err));
    AT_TRY(check_masks(t->train, err));
    AT_TRY(check_masks(t->val, err));
    AT_TRY(at_checkpoint_open(t, f, err));
    if (!f->buffer) AT_TRY(new_network(t, said, err));
    if (at_dataset_classes(t->data)->count != t->net.opts.classes)
        return at_fail(err, AT_ERR_INPUT,
                       "%s: the data have %d classes, the run's network %d; have the data changed?",
                       t->o.resume, at_dataset_classes(t->data)->count, t->net.opts.classes);
    AT_TRY(at_trainer_append_loss(t, err));
    AT_TRY(at_choose_crop(t, err));
    AT_TRY(make_loader(t, err));
    AT_TRY(at_trainer_open_tuning(t, f, err));
    AT_TRY(at_trainer_make_plan(t, err));
    AT_TRY(at_trainer_make_optimiser(t, err));
    at_choose_length(t);
    if (f->buffer) AT_TRY(at_checkpoint_restore(t, f, err));
    return at_trainer_open_run(t, err);
}

at_status at_trainer_setup(at_trainer *t, at_error *err) {
    at_st_file f = {0};
    char *said = NULL;
    t->at.best_miou = -1;
    const at_status s = make_ready(t, &f, &said, err);
    at_st_close(&f);
    if (s == AT_OK && said) at_trainer_tell(t, AT_TRAIN_NOTE, said);
    if (s == AT_OK) tell_start(t);
    free(said);
    return s;
}

void at_trainer_free(at_trainer *t) {
    at_plan_free(t->plan);
    at_loader_free(t->loader);
    at_optim_free(t->optim);
    at_ema_free(t->ema);
    at_tune_close(t->tuning);
    at_network_free(&t->net);
    at_dataset_free(t->owned_data);
    free(t->rows);
}
