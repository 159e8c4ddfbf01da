/* SPDX-License-Identifier: MIT */
/* The files of a run beside its weights, and telling the caller what goes on. */
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "train/json_list.h"
#include "train/panels.h"
#include "train/run_private.h"
#include "train/trainer.h"

char *at_trainer_path(const at_trainer *t, const char *name) {
    return at_path_join(t->run, name);
}

void at_trainer_tell(at_trainer *t, at_train_event event, const char *text) {
    if (!t->hooks.progress) return;
    t->progress.event = event;
    t->progress.text = text;
    t->progress.run = t->run;
    t->progress.classes = &t->net.classes;
    t->hooks.progress(t->hooks.arg, &t->progress);
}

void at_trainer_say(at_trainer *t, at_train_event event, const char *format, ...) {
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    at_trainer_tell(t, event, text);
}

/* Appends a line to metrics.jsonl; takes over `line`. */
static at_status note(const at_trainer *t, json_t *line, at_error *err) {
    char *path = at_trainer_path(t, "metrics.jsonl");
    if (!path) {
        json_decref(line);
        return at_fail_memory(err, "a path", 0);
    }
    const at_status s = at_jsonl_append(path, line, err);
    free(path);
    return s;
}

/* ---- opening ---- */

static at_status save_config(const at_trainer *t, at_error *err) {
    at_train_opts o = t->o;
    /* So that the run can be resumed from anywhere. */
    char *data = o.data ? realpath(o.data, NULL) : NULL, *path = at_trainer_path(t, "config.json");
    if (data) o.data = data;
    json_t *j = at_train_opts_to_json(&o);
    at_status s = AT_ERR_MEMORY;
    if (j && path && json_object_set_new(j, "_version", json_string(ATROUS_VERSION)) == 0)
        s = at_json_save(path, j, err);
    else
        at_fail_memory(err, "config.json", 0);
    json_decref(j);
    free(path);
    free(data);
    return s;
}

/* Which pictures are in which split: where one was held out, this is the record of it. */
static at_status save_split(const at_trainer *t, const at_split *split, at_error *err) {
    if (!split->samples[0].image) return AT_OK; /* the synthetic set has no files */
    char *path = at_format("%s/splits/%s.txt", t->run, split->name);
    if (!path) return at_fail_memory(err, "a path", 0);
    const at_status s = at_split_write_list(split, path, err);
    free(path);
    return s;
}

static at_status make_dirs(const at_trainer *t, const char *name, at_error *err) {
    char *path = at_trainer_path(t, name);
    const at_status s = path ? at_make_dirs(path, err) : at_fail_memory(err, "a path", 0);
    free(path);
    return s;
}

static at_status new_run(at_trainer *t, at_error *err) {
    AT_TRY(at_run_new(t->o.runs, t->o.name, &t->result->run, err));
    t->run = t->result->run;
    AT_TRY(make_dirs(t, "weights", err));
    AT_TRY(make_dirs(t, "splits", err));
    AT_TRY(save_config(t, err));
    AT_TRY(save_split(t, t->train, err));
    if (!t->val_is_train) AT_TRY(save_split(t, t->val, err));
    return note(t,
                json_pack("{s:s,s:s,s:s,s:I,s:f,s:I,s:i,s:i}", "type", "start", "version",
                          ATROUS_VERSION, "model", t->net.model->name, "parameters",
                          (json_int_t)at_graph_trainable_count(t->net.graph), "macs",
                          at_plan_macs(t->plan), "train_bytes", (json_int_t)at_plan_bytes(t->plan),
                          "train_images", t->train->count, "val_images",
                          t->val_is_train ? 0 : t->val->count),
                err);
}

/* The clock at the stop that the checkpoint belongs to, if there was one. */
static double stop_time(const char *text, const at_position *at) {
    double time = 0;
    while (*text) {
        const size_t length = strcspn(text, "\n");
        json_t *j = json_loadb(text, length, 0, NULL);
        const char *type = json_string_value(json_object_get(j, "type"));
        if (type && strcmp(type, "stop") == 0 &&
            json_integer_value(json_object_get(j, "epoch")) == at->epoch + 1 &&
            json_integer_value(json_object_get(j, "batch")) == at->batch)
            time = json_number_value(json_object_get(j, "time_s"));
        json_decref(j);
        text += length + (text[length] == '\n');
    }
    return time;
}

static at_status cut_jsonl(at_trainer *t, const char *path, at_error *err) {
    char *text;
    size_t size;
    if (!at_path_exists(path)) return AT_OK;
    AT_TRY(at_file_read(path, 0, &text, &size, err));
    const double stopped = stop_time(text, &t->at);
    if (stopped > t->elapsed_before) t->elapsed_before = stopped;
    free(text);
    return at_jsonl_truncate(path, t->at.epoch, err);
}

static at_status cut_csv(at_trainer *t, const char *path, at_error *err) {
    if (!at_path_exists(path)) return AT_OK;
    AT_TRY(at_results_read(path, &t->rows, &t->row_count, err));
    while (t->row_count > 0 && t->rows[t->row_count - 1].epoch > t->at.epoch) t->row_count--;
    if (t->row_count) t->elapsed_before = t->rows[t->row_count - 1].time_s;
    return at_results_write(path, t->rows, t->row_count, err);
}

/* Whatever an interrupted epoch left behind goes; it will come again, bit by bit. */
static at_status old_run(at_trainer *t, at_error *err) {
    t->run = t->result->run = strdup(t->o.resume);
    char *csv = t->run ? at_trainer_path(t, "results.csv") : NULL;
    char *jsonl = t->run ? at_trainer_path(t, "metrics.jsonl") : NULL;
    at_status s = csv && jsonl ? cut_csv(t, csv, err) : at_fail_memory(err, "a path", 0);
    if (s == AT_OK) s = cut_jsonl(t, jsonl, err);
    free(csv);
    free(jsonl);
    return s == AT_OK ? make_dirs(t, "weights", err) : s;
}

at_status at_trainer_open_run(at_trainer *t, at_error *err) {
    return t->o.resume ? old_run(t, err) : new_run(t, err);
}

/* ---- recording ---- */

static json_t *real_or_null(double v) {
    return isfinite(v) ? json_real(v) : json_null();
}

static json_t *class_ious(const at_trainer *t) {
    if (!t->progress.metrics) return json_null();
    json_t *list = json_array();
    for (int c = 0; c < t->metrics.classes; c++)
        at_json_add(&list, real_or_null(t->metrics.of[c].iou));
    return list;
}

static at_epoch_row make_row(const at_trainer *t) {
    const bool measured = t->progress.metrics != NULL;
    const at_metrics *m = &t->metrics;
    return (at_epoch_row){.epoch = t->at.epoch + 1,
                          .time_s = at_trainer_elapsed(t),
                          .train_loss = t->at.losses ? t->at.loss_sum / (double)t->at.losses : NAN,
                          .val_loss = measured ? t->val_loss : NAN,
                          .miou = measured ? m->miou : NAN,
                          .pixel_accuracy = measured ? m->pixel_accuracy : NAN,
                          .mean_accuracy = measured ? m->mean_accuracy : NAN,
                          .lr = t->progress.lr,
                          .mean_dice = measured ? m->mean_dice : NAN,
                          .fwiou = measured ? m->fwiou : NAN,
                          .grad_norm = t->at.norms ? t->at.norm_sum / (double)t->at.norms : NAN};
}

static json_t *epoch_line(const at_trainer *t, const at_epoch_row *r) {
    const double images_s = t->epoch_seconds > 0 ? t->epoch_images / t->epoch_seconds : 0;
    return json_pack("{s:s,s:i,s:I,s:f,s:o,s:o,s:o,s:o,s:o,s:f,s:o,s:o,s:o,s:f,s:b,s:o}", "type",
                     "epoch", "epoch", r->epoch, "iteration", (json_int_t)t->at.iteration, "time_s",
                     r->time_s, "train/loss", real_or_null(r->train_loss), "val/loss",
                     real_or_null(r->val_loss), "val/miou", real_or_null(r->miou),
                     "val/pixel_accuracy", real_or_null(r->pixel_accuracy), "val/mean_accuracy",
                     real_or_null(r->mean_accuracy), "lr", r->lr, "val/mean_dice",
                     real_or_null(r->mean_dice), "val/fwiou", real_or_null(r->fwiou),
                     "train/grad_norm", real_or_null(r->grad_norm), "images_s", images_s, "best",
                     t->progress.best, "val/iou", class_ious(t));
}

static at_status add_row(at_trainer *t, at_error *err) {
    at_epoch_row *rows = realloc(t->rows, ((size_t)t->row_count + 1) * sizeof *rows);
    if (!rows) return at_fail_memory(err, "rows of results.csv", 0);
    t->rows = rows;
    t->rows[t->row_count++] = make_row(t);
    return AT_OK;
}

at_status at_trainer_record(at_trainer *t, at_error *err) {
    AT_TRY(add_row(t, err));
    char *csv = at_trainer_path(t, "results.csv"), *svg = at_trainer_path(t, "results.svg");
    at_status s = csv && svg ? at_results_write(csv, t->rows, t->row_count, err)
                             : at_fail_memory(err, "a path", 0);
    if (s == AT_OK) s = at_results_save_svg(svg, t->rows, t->row_count, err);
    if (s == AT_OK) s = note(t, epoch_line(t, &t->rows[t->row_count - 1]), err);
    free(csv);
    free(svg);
    return s;
}

at_status at_trainer_record_stop(at_trainer *t, at_error *err) {
    return note(t,
                json_pack("{s:s,s:i,s:i,s:I,s:f}", "type", "stop", "epoch", t->at.epoch + 1,
                          "batch", t->at.batch, "iteration", (json_int_t)t->at.iteration, "time_s",
                          at_trainer_elapsed(t)),
                err);
}

at_status at_trainer_show_batch(at_trainer *t, const at_batch *b, int index, at_error *err) {
    char *name = at_format("train_batch%d.png", index),
         *path = name ? at_trainer_path(t, name) : NULL;
    const at_status s =
        path ? at_panel_batch(path, &t->net, b->images, b->masks, b->count, b->size, err)
             : at_fail_memory(err, "a path", 0);
    free(name);
    free(path);
    return s;
}
