/* SPDX-License-Identifier: MIT */
/* Validation during training: the average of the weights where there is one; the best is kept,
 * panels are drawn, and a network that answers one class everywhere is reported. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/panels.h"
#include "train/trainer.h"

enum { PANELS = 3 };

typedef struct listener {
    at_trainer *t;
    at_status status; /* of the panels */
    at_error err;
} listener;

/* Panels are of the first image, the one in the middle and the last. */
static int panel_of(int image, int total) {
    for (int i = 0; i < PANELS && i < total; i++) {
        const int shown = total <= PANELS ? i : (int)((int64_t)i * (total - 1) / (PANELS - 1));
        if (image == shown) return i;
    }
    return -1;
}

static void draw(listener *l, int panel, const at_image_score *score, const at_image *image,
                 const uint8_t *truth, const uint8_t *ids) {
    char *title =
        at_format("%s  epoch %d  pixel accuracy %.3f  mIoU %.3f", score->name, l->t->at.epoch + 1,
                  isnan(score->pixel_accuracy) ? 0 : score->pixel_accuracy,
                  isnan(score->miou) ? 0 : score->miou);
    char *name = at_format("val_pred%d.png", panel),
         *path = name ? at_trainer_path(l->t, name) : NULL;
    if (title && path)
        l->status = at_panel_prediction(path, &l->t->net, title, image, truth, ids, &l->err);
    else
        l->status = at_fail_memory(&l->err, "a panel", 0);
    free(title);
    free(name);
    free(path);
}

static void each(void *arg, int done, int total, const at_image_score *score, const at_image *image,
                 const uint8_t *truth, const at_prediction *p) {
    listener *l = arg;
    const int panel = panel_of(done - 1, total);
    if (panel >= 0 && l->status == AT_OK) draw(l, panel, score, image, truth, p->ids);
    l->t->progress.batch = done;
    l->t->progress.batches = total;
    l->t->progress.elapsed_s = at_trainer_elapsed(l->t);
    at_trainer_tell(l->t, AT_TRAIN_VAL, NULL);
    l->t->progress.batches = l->t->batches;
}

/* Nearly everything is one class, and nearly nothing of the others is found. */
static void watch_collapse(at_trainer *t) {
    const at_metrics *m = &t->metrics;
    const bool collapsed = m->top_share > 0.95 && m->others_found < 0.2 && m->majority_accuracy < 1;
    if (collapsed && !t->at.collapsed && (t->at.epoch >= 1 || t->epochs <= 2))
        at_trainer_say(t, AT_TRAIN_WARNING,
                       "%.1f %% of the predictions are \"%s\", and of all other classes only %.1f "
                       "%% is found: the network "
                       "is collapsing to one class. Try --class-weights median, a lower --lr, or "
                       "check the masks with data check",
                       100 * m->top_share, t->net.classes.items[m->top_class].name,
                       100 * m->others_found);
    t->at.collapsed = collapsed && (t->at.epoch >= 1 || t->epochs <= 2);
}

static at_status keep_metrics(at_trainer *t, at_error *err) {
    const at_metrics *m = &t->metrics;
    json_decref(t->net.metrics);
    t->net.metrics =
        json_pack("{s:s,s:i,s:f,s:f,s:f,s:f,s:f,s:o}", "split", t->val->name, "epoch",
                  t->at.epoch + 1, "miou", m->miou, "pixel_accuracy", m->pixel_accuracy,
                  "mean_accuracy", m->mean_accuracy, "fwiou", m->fwiou, "mean_dice", m->mean_dice,
                  "loss", isfinite(t->val_loss) ? json_real(t->val_loss) : json_null());
    return t->net.metrics ? AT_OK : at_fail_memory(err, "measures", 0);
}

static at_status keep_best(at_trainer *t, const at_evaluation *e, at_error *err) {
    t->progress.best = t->metrics.miou > t->at.best_miou;
    t->at.since_best++;
    if (!t->progress.best) return AT_OK;
    t->at.best_miou = t->metrics.miou;
    t->at.best_epoch = t->at.epoch + 1;
    t->at.since_best = 0;
    char *weights = at_trainer_path(t, "weights/best.safetensors"),
         *matrix = at_trainer_path(t, "confusion_matrix.svg");
    at_status s = weights && matrix ? at_network_save(&t->net, weights, err)
                                    : at_fail_memory(err, "a path", 0);
    if (s == AT_OK) s = at_confusion_save_svg(matrix, &e->confusion, &t->net.classes, err);
    free(weights);
    free(matrix);
    return s;
}

static at_status measure(at_trainer *t, at_error *err) {
    listener l = {.t = t};
    at_evaluation e;
    const at_evaluate_opts opts = {
        .predict = {.precision = t->o.precision, .conv = t->o.conv, .tuning = t->tuning},
        .each = each,
        .arg = &l,
        .stop = t->hooks.stop};
    AT_TRY(at_evaluate(&t->net, t->data, t->val, opts, &e, err));
    t->metrics = e.metrics;
    t->val_loss = e.loss;
    t->progress.metrics = &t->metrics;
    at_status s = l.status;
    if (s != AT_OK && err) *err = l.err;
    if (s == AT_OK) s = keep_metrics(t, err);
    if (s == AT_OK) s = keep_best(t, &e, err);
    at_evaluation_free(&e);
    if (s == AT_OK) watch_collapse(t);
    return s;
}

at_status at_trainer_validate(at_trainer *t, at_error *err) {
    if (t->ema) at_ema_swap(t->ema);
    const at_status s = measure(t, err);
    if (t->ema) at_ema_swap(t->ema);
    return s;
}
