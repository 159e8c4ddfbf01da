/* SPDX-License-Identifier: MIT */
/* What a run's page tells: its tables as they lie there, and its weights measured and shown again. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/run_page.h"
#include "train/train.h"

enum { SHOWN_WIDTH = 240 };

/* ---- tables ---- */

static at_status read_rows(at_run_page *p, at_error *err) {
    char *path = at_path_join(p->dir, "results.csv");
    if (!path) return at_fail_memory(err, "a path", 0);
    at_status s = AT_OK;
    if (at_path_exists(path)) s = at_results_read(path, &p->rows, &p->row_count, err);
    free(path);
    return s;
}

static void read_line(at_run_page *p, const char *line, size_t length) {
    json_t *j = json_loadb(line, length, 0, NULL);
    const char *type = json_string_value(json_object_get(j, "type"));
    const json_t *iteration = json_object_get(j, "iteration");
    if (json_is_integer(iteration)) p->iteration = json_integer_value(iteration);
    if (type && strcmp(type, "start") == 0 && !p->start) p->start = json_incref(j);
    json_decref(j);
}

static at_status read_lines(at_run_page *p, at_error *err) {
    char *path = at_path_join(p->dir, "metrics.jsonl"), *text = NULL;
    size_t size;
    if (!path) return at_fail_memory(err, "a path", 0);
    at_status s = AT_OK;
    if (at_path_exists(path)) s = at_file_read(path, 0, &text, &size, err);
    for (const char *line = text; line && *line;) {
        const size_t length = strcspn(line, "\n");
        read_line(p, line, length);
        line += length + (line[length] == '\n');
    }
    free(text);
    free(path);
    return s;
}

/* Validations since the best. */
static int since_best(const at_run_page *p) {
    double best = -1;
    int since = 0;
    for (int i = 0; i < p->row_count; i++) {
        if (isnan(p->rows[i].miou)) continue;
        since = p->rows[i].miou > best ? 0 : since + 1;
        best = fmax(best, p->rows[i].miou);
    }
    return since;
}

bool at_run_is_over(const at_run_page *p) {
    const at_epoch_row *last = p->row_count ? &p->rows[p->row_count - 1] : NULL;
    if (!last) return false;
    if (p->o.patience && since_best(p) >= p->o.patience) return true;
    if (p->o.epochs && last->epoch >= p->o.epochs) return true;
    if (p->o.iterations && p->iteration >= p->o.iterations) return true;
    /* A run limited by time leaves what its last validation would take. */
    return p->o.time_s > 0 && last->time_s >= 0.9 * p->o.time_s;
}

/* ---- measuring ---- */

static at_status load_weights(at_run_page *p, at_error *err) {
    static const char *const names[] = {"best", "last"};
    for (int i = 0; i < 2; i++) {
        char *path = at_format("%s/weights/%s.safetensors", p->dir, names[i]);
        if (!path) return at_fail_memory(err, "a path", 0);
        const bool there = at_path_exists(path);
        p->weights = names[i];
        const at_status s = there ? at_network_load(&p->net, path, err) : AT_OK;
        free(path);
        if (there) return s;
    }
    return at_fail(err, AT_ERR_INPUT, "no weights are saved yet");
}

static at_status open_data(at_run_page *p, at_error *err) {
    at_train_opts o = p->o;
    p->data = p->opts.dataset;
    if (p->data) return AT_OK;
    if (p->opts.data) o.data = p->opts.data;
    AT_TRY(at_train_open_data(&o, &p->own_data, err));
    p->data = p->own_data;
    return AT_OK;
}

/* What is measured where nobody says: val, or all there is if that is nothing. */
static at_status find_split(at_run_page *p, const at_split **split, at_error *err) {
    const at_split *val = at_dataset_split(p->data, "val");
    const char *usual = val && val->count > 0 ? "val" : "train";
    AT_TRY(at_dataset_find_split(p->data, p->opts.split ? p->opts.split : usual, split, err));
    p->split = (*split)->name;
    return AT_OK;
}

static void each(void *arg, int done, int total, const at_image_score *score, const at_image *image,
                 const uint8_t *truth, const at_prediction *prediction) {
    const at_run_page *p = arg;
    (void)score, (void)image, (void)truth, (void)prediction;
    if (p->opts.progress) p->opts.progress(p->opts.arg, done, total);
}

/* ---- pictures ---- */

typedef struct ranked {
    int index;
    double miou;
} ranked;

static int by_miou(const void *a, const void *b) {
    const double x = ((const ranked *)a)->miou, y = ((const ranked *)b)->miou;
    if (isnan(x) || isnan(y)) return isnan(x) - isnan(y);
    return (x > y) - (x < y);
}

/* The worst two, two from the middle, the best two; how many these are. */
static int choose(const at_evaluation *e, ranked *order, int chosen[AT_RUN_PICTURES]) {
    const int n = e->images, places[AT_RUN_PICTURES] = {0, 1, n / 2 - 1, n / 2, n - 2, n - 1};
    int count = 0, last = -1;
    for (int i = 0; i < n; i++) order[i] = (ranked){i, e->scores[i].miou};
    qsort(order, (size_t)n, sizeof *order, by_miou);
    for (int i = 0; i < AT_RUN_PICTURES; i++) {
        if (places[i] <= last || places[i] >= n) continue;
        last = places[i];
        chosen[count++] = order[last].index;
    }
    return count;
}

static at_status shrink(at_run_picture *out, const at_image *image, const uint8_t *truth,
                        const uint8_t *ids, at_error *err) {
    const double scale = fmin(1, (double)SHOWN_WIDTH / image->width);
    const int w = (int)fmax(1, round(image->width * scale)),
              h = (int)fmax(1, round(image->height * scale));
    AT_TRY(at_image_resize(image, w, h, &out->image, err));
    out->truth = malloc((size_t)w * (size_t)h);
    out->ids = malloc((size_t)w * (size_t)h);
    if (!out->truth || !out->ids) return at_fail_memory(err, "a picture", (size_t)w * (size_t)h);
    at_mask_resize(truth, image->width, image->height, out->truth, w, h);
    at_mask_resize(ids, image->width, image->height, out->ids, w, h);
    return AT_OK;
}

static at_status show(at_run_page *p, at_predictor *predictor, const at_split *split, int index,
                      at_error *err) {
    at_run_picture *out = &p->pictures[p->picture_count++];
    const at_sample *sample = &split->samples[index];
    const at_image_score *score = &p->e.scores[index];
    at_image fed = {0}, colour = {0};
    at_prediction got = {0};
    uint8_t *truth = NULL;
    *out = (at_run_picture){
        .name = sample->name, .miou = score->miou, .pixel_accuracy = score->pixel_accuracy};
    at_status s = at_dataset_load(p->data, sample, p->net.opts.in_channels, &fed, &truth, err);
    if (s == AT_OK) s = at_predict(predictor, &fed, 0, &got, err);
    if (s == AT_OK) s = at_dataset_load(p->data, sample, 3, &colour, NULL, err);
    if (s == AT_OK) s = shrink(out, &colour, truth, got.ids, err);
    at_prediction_free(&got);
    at_image_free(&fed);
    at_image_free(&colour);
    free(truth);
    return s;
}

static at_status show_some(at_run_page *p, const at_split *split, const at_predict_opts *opts,
                           at_error *err) {
    int chosen[AT_RUN_PICTURES];
    ranked *order = calloc((size_t)p->e.images, sizeof *order);
    at_predictor *predictor = NULL;
    if (!order) return at_fail_memory(err, "pictures", 0);
    const int count = choose(&p->e, order, chosen);
    free(order);
    at_status s = at_predictor_new(&predictor, &p->net, *opts, err);
    for (int i = 0; s == AT_OK && i < count; i++) s = show(p, predictor, split, chosen[i], err);
    at_predictor_free(predictor);
    return s;
}

static at_status measure(at_run_page *p, at_error *err) {
    const at_split *split;
    AT_TRY(load_weights(p, err));
    AT_TRY(open_data(p, err));
    AT_TRY(find_split(p, &split, err));
    const at_evaluate_opts opts = {.predict = {.precision = p->o.precision, .conv = p->o.conv},
                                   .measures = true,
                                   .each = each,
                                   .arg = p,
                                   .stop = p->opts.stop};
    AT_TRY(at_evaluate(&p->net, p->data, split, opts, &p->e, err));
    AT_TRY(show_some(p, split, &opts.predict, err));
    p->measured = true;
    return AT_OK;
}

/* ---- all of it ---- */

at_status at_run_page_read(at_run_page *p, at_error *err) {
    AT_TRY(at_train_resume_opts(p->dir, &p->o, &p->config, err));
    AT_TRY(read_rows(p, err));
    AT_TRY(read_lines(p, err));
    const at_status s = measure(p, &p->why);
    /* Weights or data that can't be read are no reason to go without the rest. */
    if (s == AT_OK || s == AT_ERR_INPUT || s == AT_ERR_IO) return AT_OK;
    if (err) *err = p->why;
    return s;
}

void at_run_page_free(at_run_page *p) {
    for (int i = 0; i < p->picture_count; i++) {
        at_image_free(&p->pictures[i].image);
        free(p->pictures[i].truth);
        free(p->pictures[i].ids);
    }
    at_evaluation_free(&p->e);
    at_network_free(&p->net);
    at_dataset_free(p->own_data);
    free(p->rows);
    json_decref(p->start);
    json_decref(p->config);
}
