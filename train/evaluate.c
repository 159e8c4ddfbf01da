/* SPDX-License-Identifier: MIT */
/* Evaluation over a split, one image at a time: memory is that of the largest image. The loss is
 * that of the network's spec, computed by the loss operators themselves on the logarithm of the
 * predicted probabilities, which are logits of the same softmax, whatever tiles or mirrorings they
 * came from. */
#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/csv.h"
#include "train/json_list.h"

/* A graph that holds nothing but the loss. */
typedef struct criterion {
    at_graph *graph;
    at_node *logits, *target, *loss;
    at_plan *plan;
    at_pair size;
} criterion;

static void criterion_free(criterion *c) {
    at_plan_free(c->plan);
    at_graph_free(c->graph);
}

/* Freed by the caller, on errors too. */
static at_status criterion_new(criterion *c, const at_network *net, at_error *err) {
    *c = (criterion){.graph = at_graph_new()};
    if (!c->graph) return at_fail_memory(err, "the loss", 0);
    c->logits = at_input(c->graph, "logits", net->opts.classes);
    c->loss = at_loss_build(c->graph, c->logits, &net->loss);
    c->target = at_graph_find(c->graph, "target");
    return at_graph_finish(c->graph, err);
}

static at_status criterion_plan(criterion *c, at_pair size, at_error *err) {
    if (c->plan && c->size.h == size.h && c->size.w == size.w) return AT_OK;
    at_plan_free(c->plan);
    c->plan = NULL;
    c->size = size;
    return at_plan_new(
        &c->plan, c->graph,
        (at_plan_opts){.batch = 1, .height = size.h, .width = size.w, .output = c->loss}, err);
}

typedef struct logarithm {
    at_tensor to;
    const float *prob;
} logarithm;

static void log_line(void *arg, int64_t line, int worker) {
    const logarithm *l = arg;
    (void)worker;
    const int w = l->to.shape.w, k = l->to.shape.c;
    for (int x = 0; x < w; x++) {
        const int64_t pixel = line * w + x;
        for (int c = 0; c < k; c++)
            at_f32(l->to)[pixel * l->to.ld + c] = logf(fmaxf(l->prob[pixel * k + c], 1e-37f));
    }
}

static at_status criterion_loss(criterion *c, const at_prediction *p, const uint8_t *truth,
                                double *loss, at_error *err) {
    AT_TRY(criterion_plan(c, (at_pair){p->height, p->width}, err));
    logarithm l = {at_plan_value(c->plan, c->logits), p->prob};
    at_parallel_for(p->height, log_line, &l);
    memcpy(at_plan_value(c->plan, c->target).data, truth, (size_t)p->width * (size_t)p->height);
    at_plan_forward(c->plan);
    *loss = (double)*at_f32(at_plan_value(c->plan, c->loss));
    return AT_OK;
}

/* ---- one image ---- */

typedef struct run {
    at_network *net;
    const at_dataset *data;
    const at_split *split;
    at_evaluate_opts opts;
    at_predictor *predictor;
    criterion criterion;
    at_confusion one; /* of the present image */
    at_evaluation *out;
    int counted; /* images with a loss */
} run;

static at_status score_image(run *r, int i, const at_image *image, const uint8_t *truth,
                             const at_prediction *p, at_error *err) {
    at_image_score *score = &r->out->scores[i];
    at_metrics m;
    at_confusion_clear(&r->one);
    at_confusion_add(&r->one, truth, p->ids, (int64_t)p->width * p->height);
    at_confusion_merge(&r->out->confusion, &r->one);
    at_metrics_from(&r->one, &m);
    *score = (at_image_score){r->split->samples[i].name, NAN, NAN, NAN, m.pixels, {NAN, NAN}};
    if (m.pixels) {
        score->pixel_accuracy = m.pixel_accuracy;
        score->miou = m.miou;
        AT_TRY(criterion_loss(&r->criterion, p, truth, &score->loss, err));
        r->out->loss += score->loss;
        r->counted++;
    }
    if (r->out->measures)
        AT_TRY(at_measures_add(r->out->measures, truth, p, &score->boundary, err));
    r->out->images++;
    if (r->opts.each) r->opts.each(r->opts.arg, i + 1, r->split->count, score, image, truth, p);
    return AT_OK;
}

static at_status evaluate_image(run *r, int i, at_error *err) {
    const at_sample *sample = &r->split->samples[i];
    at_image image = {0};
    uint8_t *truth = NULL;
    at_prediction p = {0};
    at_status s = at_dataset_load(r->data, sample, r->net->opts.in_channels, &image, &truth, err);
    if (s == AT_OK && !truth)
        s = at_fail(err, AT_ERR_INPUT,
                    "%s: has no mask, so there is nothing to measure against; predict needs none",
                    sample->name);
    const unsigned want = AT_WANT_PROB | (r->opts.measures ? AT_WANT_PLANE : 0);
    if (s == AT_OK) s = at_predict(r->predictor, &image, want, &p, err);
    if (s == AT_OK) s = score_image(r, i, &image, truth, &p, err);
    at_prediction_free(&p);
    at_image_free(&image);
    free(truth);
    return s;
}

/* ---- a split ---- */

static at_status check(const at_network *net, const at_dataset *d, const at_split *s,
                       at_error *err) {
    const int classes = at_dataset_classes(d)->count;
    if (s->count < 1) return at_fail(err, AT_ERR_INPUT, "split %s is empty", s->name);
    if (classes != net->opts.classes)
        return at_fail(err, AT_ERR_INPUT,
                       "the network knows %d classes, the data set %d: these weights were trained "
                       "on other data",
                       net->opts.classes, classes);
    return AT_OK;
}

static at_status prepare(run *r, at_error *err) {
    r->out->scores = calloc((size_t)r->split->count, sizeof *r->out->scores);
    if (!r->out->scores) return at_fail_memory(err, "scores of images", 0);
    AT_TRY(at_confusion_init(&r->out->confusion, r->net->opts.classes, err));
    AT_TRY(at_confusion_init(&r->one, r->net->opts.classes, err));
    AT_TRY(criterion_new(&r->criterion, r->net, err));
    if (r->opts.measures) AT_TRY(at_measures_new(&r->out->measures, r->net, err));
    return at_predictor_new(&r->predictor, r->net, r->opts.predict, err);
}

static at_status all_images(run *r, at_error *err) {
    for (int i = 0; i < r->split->count; i++) {
        if (r->opts.stop && *r->opts.stop)
            return at_fail(err, AT_ERR_STOPPED, "stopped while validating");
        AT_TRY(evaluate_image(r, i, err));
    }
    return AT_OK;
}

at_status at_evaluate(at_network *net, const at_dataset *d, const at_split *split,
                      at_evaluate_opts opts, at_evaluation *out, at_error *err) {
    *out = (at_evaluation){0};
    AT_TRY(check(net, d, split, err));
    run r = {.net = net, .data = d, .split = split, .opts = opts, .out = out};
    at_status s = prepare(&r, err);
    if (s == AT_OK) s = all_images(&r, err);
    if (s == AT_OK && out->measures) s = at_measures_finish(out->measures, err);
    if (s == AT_OK) {
        at_metrics_from(&out->confusion, &out->metrics);
        out->loss = r.counted ? out->loss / r.counted : NAN;
    } else
        at_evaluation_free(out);
    at_predictor_free(r.predictor);
    criterion_free(&r.criterion);
    at_confusion_free(&r.one);
    return s;
}

void at_evaluation_free(at_evaluation *e) {
    at_confusion_free(&e->confusion);
    free(e->scores);
    at_measures_free(e->measures);
    *e = (at_evaluation){0};
}

/* ---- reports ---- */

static void put(FILE *f, double v) {
    if (isfinite(v))
        fprintf(f, ",%.9g", v);
    else
        fputc(',', f);
}

at_status at_evaluation_save_csv(const at_evaluation *e, const char *path, at_error *err) {
    at_file_writer w;
    AT_TRY(at_file_begin(&w, path, err));
    fprintf(w.stream, "image,pixel_accuracy,miou,loss,pixels%s\n",
            e->measures ? ",boundary_f1,boundary_iou" : "");
    for (int i = 0; i < e->images; i++) {
        const at_image_score *s = &e->scores[i];
        at_csv_field(w.stream, s->name);
        put(w.stream, s->pixel_accuracy);
        put(w.stream, s->miou);
        put(w.stream, s->loss);
        fprintf(w.stream, ",%lld", (long long)s->pixels);
        if (e->measures) {
            put(w.stream, s->boundary.f1);
            put(w.stream, s->boundary.iou);
        }
        fputc('\n', w.stream);
    }
    return at_file_commit(&w, err);
}

json_t *at_evaluation_to_json(const at_evaluation *e, const at_network *net, const char *split) {
    json_t *j = at_metrics_to_json(&e->metrics, &e->confusion, &net->classes, split, e->images);
    at_json_put(&j, "loss", isfinite(e->loss) ? json_real(e->loss) : json_null());
    if (e->measures) at_measures_put_json(&j, e->measures, &net->classes);
    return j;
}
