/* SPDX-License-Identifier: MIT */
/* A network against the truth of a split. Pictures are predicted as `at_predict` predicts them, and
 * measured at their own size. */
#ifndef AT_TRAIN_EVALUATE_H
#define AT_TRAIN_EVALUATE_H

#include "train/measures.h"
#include "train/metrics.h"
#include "train/predict.h"

/* What one image got; in order of the split. */
typedef struct at_image_score {
    const char *name;                  /* the sample's */
    double pixel_accuracy, miou, loss; /* NAN: nothing counted */
    int64_t pixels;
    at_boundary_score boundary; /* NAN without opts.measures */
} at_image_score;

/* Called after each image. `prediction` and the rest are valid during the call. */
typedef void at_evaluate_fn(void *arg, int done, int total, const at_image_score *score,
                            const at_image *image, const uint8_t *truth,
                            const at_prediction *prediction);

typedef struct at_evaluate_opts {
    at_predict_opts predict;
    bool measures;        /* also boundaries, objects, checkerboards: a few per cent of the time */
    at_evaluate_fn *each; /* NULL: nobody listens */
    void *arg;
    const volatile int *stop; /* not 0: return AT_ERR_STOPPED; NULL: never */
} at_evaluate_opts;

typedef struct at_evaluation {
    at_confusion confusion;
    at_metrics metrics;
    double loss; /* the network's loss, mean over images with a counted pixel */
    int images;
    at_image_score *scores; /* owned; names are the data set's */
    at_measures
        *measures; /* owned; NULL if not asked for; its operators' names are the network's */
} at_evaluation;

/* A sample without a mask, or a data set whose classes are not the network's, is AT_ERR_INPUT. */
at_status at_evaluate(at_network *net, const at_dataset *d, const at_split *s,
                      at_evaluate_opts opts, at_evaluation *out, at_error *err);
void at_evaluation_free(at_evaluation *e);

/* image,pixel_accuracy,miou,loss,pixels; with measures boundary_f1,boundary_iou */
at_status at_evaluation_save_csv(const at_evaluation *e, const char *path, at_error *err);
/* The object of `val --json`. NULL: out of memory. */
json_t *at_evaluation_to_json(const at_evaluation *e, const at_network *net, const char *split);

#endif
