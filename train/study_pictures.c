/* SPDX-License-Identifier: MIT */
/* Pictures of a study: chosen by the scores that the runs left (per_image.csv), predicted again
 * from their weights. Only the best ranked SHOWN variants are shown, for a page stays a page. */
#include "train/study_pictures.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/measures.h"
#include "train/study_private.h"
#include "train/train.h"
#include "train/window.h"

enum { SHOWN = 24, THUMBNAIL = 200, SMALLEST_SIDE = 32, LARGEST_SIDE = 128, NEAR = 4 };

/* Work in progress. */
typedef struct maker {
    const at_study *s;
    const char *place; /* of the data; NULL: where the study had it */
    const volatile int *stop;
    at_study_pictures *out;
    int seed; /* counted from 0 */
    at_train_opts o;
    at_dataset *data;
    const at_split *split;
    int shown, order[SHOWN]; /* variants */
    int chosen[AT_MOST_SCENES];
    uint8_t *truth[AT_MOST_SCENES];      /* whole pictures */
    uint8_t *ids[AT_MOST_SCENES][SHOWN]; /* the same, predicted */
} maker;

static const at_study_run *run_of(const maker *m, int variant) {
    return &m->s->runs[m->seed * m->s->variant_count + variant];
}

static bool measured(const at_study_run *r) {
    return r->state >= AT_RUN_TRAINED;
}

/* ---- which seed, which variants ---- */

static at_status choose_seed(maker *m, at_error *err) {
    const at_study *s = m->s;
    int order[AT_MAX_VARIANTS], most = 0;
    for (int i = 0; i < s->seed_count; i++) {
        int count = 0;
        for (int v = 0; v < s->variant_count; v++)
            count += measured(&s->runs[i * s->variant_count + v]);
        if (count > most) most = count, m->seed = i;
    }
    if (!most) return at_fail(err, AT_ERR_INPUT, "no run is measured yet");
    at_study_rank(s, "miou", order);
    for (int i = 0; i < s->variant_count && m->shown < SHOWN; i++)
        if (measured(run_of(m, order[i]))) m->order[m->shown++] = order[i];
    return AT_OK;
}

/* ---- which pictures ---- */

/* The boundary F1 in a row of per_image.csv: the last field but one. NAN: none. */
static double row_score(char *row) {
    char *last = strrchr(row, ',');
    if (!last) return NAN;
    *last = '\0';
    const char *field = strrchr(row, ',');
    return field && field[1] ? strtod(field + 1, NULL) : NAN;
}

static at_status read_scores(const at_study_run *r, double *scores, int count, at_error *err) {
    char *path = at_study_path(r, "per_image.csv"), *text;
    size_t size;
    if (!path) return at_fail_memory(err, "a path", 0);
    at_status s = at_file_read(path, 0, &text, &size, err);
    free(path);
    AT_TRY(s);
    char *rest = text;
    strsep(&rest, "\n"); /* the head */
    for (int i = 0; i < count; i++) {
        char *row = strsep(&rest, "\n");
        scores[i] = row ? row_score(row) : NAN;
    }
    free(text);
    return AT_OK;
}

/* How much variants differ; of a single one, how bad it is. -1: nothing known. */
static double interest(const double *scores, int variants, int count, int picture) {
    double x[SHOWN];
    int n = 0;
    for (int v = 0; v < variants; v++) {
        x[n] = scores[(size_t)v * (size_t)count + (size_t)picture];
        n += !isnan(x[n]);
    }
    return n > 1 ? at_deviation(x, n) : n == 1 && variants == 1 ? 1 - x[0] : -1;
}

/* One after the other the best that is left; neighbours of one that was chosen are much like it in
 * a sequence of frames, and are passed over. */
static void choose_best(maker *m, const double *scores, int count) {
    const int apart = count / 16;
    for (int n = 0; n < AT_MOST_SCENES; n++) {
        int best = -1;
        double most = -2;
        for (int i = 0; i < count; i++) {
            bool near = false;
            for (int k = 0; k < n; k++) near |= abs(i - m->chosen[k]) <= apart;
            const double v = near ? -2 : interest(scores, m->shown, count, i);
            if (v > most) most = v, best = i;
        }
        if (best < 0) return;
        m->chosen[n] = best;
        m->out->scene_count = n + 1;
    }
}

static at_status choose_pictures(maker *m, at_error *err) {
    const int count = m->split->count;
    const size_t cells = (size_t)count * (size_t)m->shown;
    double *scores = calloc(cells, sizeof *scores);
    if (!scores) return at_fail_memory(err, "scores of pictures", cells * sizeof *scores);
    at_status s = AT_OK;
    for (int v = 0; s == AT_OK && v < m->shown; v++)
        s = read_scores(run_of(m, m->order[v]), scores + (size_t)v * (size_t)count, count, err);
    if (s == AT_OK) choose_best(m, scores, count);
    free(scores);
    return s;
}

/* ---- predictions ---- */

static at_status predict(maker *m, at_predictor *p, const at_network *net, int scene, int place,
                         at_error *err) {
    at_image image = {0};
    at_prediction got = {0};
    const at_sample *sample = &m->split->samples[m->chosen[scene]];
    at_status s = at_dataset_load(m->data, sample, net->opts.in_channels, &image, NULL, err);
    if (s == AT_OK) s = at_predict(p, &image, 0, &got, err);
    if (s == AT_OK) {
        m->ids[scene][place] = got.ids;
        got.ids = NULL;
    }
    at_prediction_free(&got);
    at_image_free(&image);
    return s;
}

static at_status predict_all(maker *m, int place, at_error *err) {
    const at_study_run *run = run_of(m, m->order[place]);
    const at_train_opts o = at_study_run_opts(m->s, run);
    at_network net = {0};
    at_predictor *p = NULL;
    char *path = at_study_path(run, "weights/last.safetensors");
    at_status s = path ? at_network_load(&net, path, err) : at_fail_memory(err, "a path", 0);
    const at_predict_opts opts = {.precision = o.precision, .conv = o.conv};
    if (s == AT_OK) s = at_predictor_new(&p, &net, opts, err);
    for (int i = 0; s == AT_OK && i < m->out->scene_count; i++)
        s = predict(m, p, &net, i, place, err);
    at_predictor_free(p);
    at_network_free(&net);
    free(path);
    return s;
}

/* ---- windows ---- */

/* More where many are right and many wrong, most of all near an edge of the truth. */
static at_status weigh(const maker *m, int scene, at_pair size, int32_t *weights, at_error *err) {
    const size_t pixels = (size_t)size.h * (size_t)size.w;
    const uint8_t *truth = m->truth[scene];
    int32_t *far = malloc(pixels * sizeof *far);
    uint8_t *edges = calloc(pixels, 1);
    at_status s = far && edges ? AT_OK : at_fail_memory(err, "a window", pixels * sizeof *far);
    for (size_t i = 0; s == AT_OK && i < pixels; i++) {
        const size_t right = (i + 1) % (size_t)size.w ? i + 1 : i,
                     below = i + (size_t)size.w < pixels ? i + (size_t)size.w : i;
        edges[i] = truth[i] != truth[right] || truth[i] != truth[below];
    }
    if (s == AT_OK) s = at_distance_squared(edges, size.h, size.w, NEAR, far, err);
    for (size_t i = 0; s == AT_OK && i < pixels; i++) {
        int wrong = 0;
        for (int v = 0; v < m->shown; v++) wrong += m->ids[scene][v][i] != truth[i];
        const int parted = m->shown > 1 ? wrong * (m->shown - wrong) : wrong;
        const bool counts = truth[i] < m->out->classes.count;
        weights[i] = counts ? parted * (far[i] < NEAR * NEAR ? 3 : 1) : 0;
    }
    free(far);
    free(edges);
    return s;
}

static uint8_t *cut_ids(const at_scene *c, const uint8_t *ids) {
    uint8_t *out = malloc((size_t)c->side * (size_t)c->side);
    for (int i = 0; out && i < c->side; i++)
        memcpy(out + (size_t)i * (size_t)c->side,
               ids + (size_t)(c->y + i) * (size_t)c->size.w + (size_t)c->x, (size_t)c->side);
    return out;
}

static at_status cut_image(at_scene *c, const at_image *image, at_error *err) {
    const size_t row = (size_t)c->side * 3, bytes = row * (size_t)c->side;
    c->cut = (at_image){c->side, c->side, 3, malloc(bytes)};
    if (!c->cut.data) return at_fail_memory(err, "a picture", bytes);
    for (int i = 0; i < c->side; i++)
        memcpy(c->cut.data + (size_t)i * row,
               image->data + ((size_t)(c->y + i) * (size_t)image->width + (size_t)c->x) * 3, row);
    return AT_OK;
}

static at_status cut(maker *m, int scene, const at_image *image, at_error *err) {
    at_scene *c = &m->out->scenes[scene];
    const double scale = fmin(1, (double)THUMBNAIL / image->width);
    AT_TRY(at_image_resize(image, (int)fmax(1, round(image->width * scale)),
                           (int)fmax(1, round(image->height * scale)), &c->whole, err));
    AT_TRY(cut_image(c, image, err));
    c->truth = cut_ids(c, m->truth[scene]);
    c->ids = calloc((size_t)m->out->variants, sizeof *c->ids);
    bool ok = c->truth && c->ids;
    for (int v = 0; ok && v < m->shown; v++)
        ok = (c->ids[m->order[v]] = cut_ids(c, m->ids[scene][v])) != NULL;
    return ok ? AT_OK : at_fail_memory(err, "a picture", 0);
}

static at_status choose_window(maker *m, int scene, at_error *err) {
    at_scene *c = &m->out->scenes[scene];
    const int shorter = c->size.h < c->size.w ? c->size.h : c->size.w;
    const size_t bytes = (size_t)c->size.h * (size_t)c->size.w * sizeof(int32_t);
    int32_t *weights = malloc(bytes);
    if (!weights) return at_fail_memory(err, "a window", bytes);
    c->side = 2 * shorter / 5;
    if (c->side < SMALLEST_SIDE) c->side = SMALLEST_SIDE;
    if (c->side > LARGEST_SIDE) c->side = LARGEST_SIDE;
    if (c->side > shorter) c->side = shorter;
    at_status s = weigh(m, scene, c->size, weights, err);
    if (s == AT_OK) s = at_window_best(weights, c->size.h, c->size.w, c->side, &c->y, &c->x, err);
    free(weights);
    return s;
}

static at_status finish_scene(maker *m, int scene, at_error *err) {
    at_image image = {0};
    AT_TRY(choose_window(m, scene, err));
    at_status s =
        at_dataset_load(m->data, &m->split->samples[m->chosen[scene]], 3, &image, NULL, err);
    if (s == AT_OK) s = cut(m, scene, &image, err);
    at_image_free(&image);
    return s;
}

/* ---- all of it ---- */

static at_status load_truth(maker *m, int scene, at_error *err) {
    at_scene *c = &m->out->scenes[scene];
    const at_sample *sample = &m->split->samples[m->chosen[scene]];
    at_image image = {0};
    c->name = strdup(sample->name);
    if (!c->name) return at_fail_memory(err, "a name", 0);
    AT_TRY(at_dataset_load(m->data, sample, 1, &image, &m->truth[scene], err));
    c->size = (at_pair){image.height, image.width};
    at_image_free(&image);
    return m->truth[scene] ? AT_OK
                           : at_fail(err, AT_ERR_INPUT, "%s: has no mask any more", sample->name);
}

static at_status copy_classes(maker *m, at_error *err) {
    json_t *j = at_classes_to_json(at_dataset_classes(m->data));
    const at_status s =
        j ? at_classes_from_json(j, &m->out->classes, err) : at_fail_memory(err, "classes", 0);
    json_decref(j);
    return s;
}

static at_status open_data(maker *m, at_error *err) {
    m->o = at_study_run_opts(m->s, run_of(m, m->order[0]));
    if (m->place) m->o.data = m->place;
    AT_TRY(at_train_open_data(&m->o, &m->data, err));
    m->split = at_dataset_split(m->data, m->s->split);
    if (!m->split || m->split->count < 1)
        return at_fail(err, AT_ERR_INPUT, "the data has no split %s any more", m->s->split);
    return copy_classes(m, err);
}

static at_status make(maker *m, at_error *err) {
    AT_TRY(choose_seed(m, err));
    m->out->seed = m->s->first_seed + (uint64_t)m->seed;
    AT_TRY(open_data(m, err));
    AT_TRY(choose_pictures(m, err));
    for (int i = 0; i < m->out->scene_count; i++) AT_TRY(load_truth(m, i, err));
    for (int v = 0; v < m->shown; v++) {
        if (m->stop && *m->stop) return at_fail(err, AT_ERR_STOPPED, "stopped");
        AT_TRY(predict_all(m, v, err));
    }
    for (int i = 0; i < m->out->scene_count; i++) AT_TRY(finish_scene(m, i, err));
    return AT_OK;
}

at_status at_study_pictures_make(const at_study *s, const char *data, const volatile int *stop,
                                 at_study_pictures **out, at_error *err) {
    maker *m = calloc(1, sizeof *m);
    *out = calloc(1, sizeof **out);
    at_status status = m && *out ? AT_OK : at_fail_memory(err, "pictures", sizeof *m);
    if (status == AT_OK) {
        *m = (maker){.s = s, .place = data, .stop = stop, .out = *out};
        m->out->variants = s->variant_count;
        status = make(m, err);
        at_dataset_free(m->data);
        for (int i = 0; i < AT_MOST_SCENES; i++) {
            free(m->truth[i]);
            for (int v = 0; v < SHOWN; v++) free(m->ids[i][v]);
        }
    }
    free(m);
    if (status == AT_OK) return AT_OK;
    at_study_pictures_free(*out);
    *out = NULL;
    return status;
}

void at_study_pictures_free(at_study_pictures *p) {
    if (!p) return;
    for (int i = 0; i < AT_MOST_SCENES; i++) {
        at_scene *c = &p->scenes[i];
        for (int v = 0; c->ids && v < p->variants; v++) free(c->ids[v]);
        free(c->ids);
        free(c->truth);
        free(c->name);
        at_image_free(&c->whole);
        at_image_free(&c->cut);
    }
    at_classes_free(&p->classes);
    free(p);
}
