/* SPDX-License-Identifier: MIT */
/* The training room's front door: everything between a graph, a data set and files on disk.
 *
 *   at_train_opts o = at_train_defaults();
 *   o.data = "camvid", o.model = "unet";
 *   at_status s = at_train(&o, (at_train_hooks){0}, &result, &err);
 *
 * Nothing here prints; a callback is told what goes on. */
#ifndef AT_TRAIN_TRAIN_H
#define AT_TRAIN_TRAIN_H

#include "train/bench.h"
#include "train/class_weights.h"
#include "train/evaluate.h"
#include "train/gradients.h"
#include "train/metrics.h"
#include "train/network.h"
#include "train/optim.h"
#include "train/options.h"
#include "train/predict.h"
#include "train/run.h"
#include "train/run_report.h"
#include "train/schedule.h"
#include "train/statistics.h"
#include "train/study.h"

typedef enum at_train_event {
    AT_TRAIN_STARTS,  /* once, when all is ready: run, text, planned memory */
    AT_TRAIN_STEP,    /* after each batch */
    AT_TRAIN_VAL,     /* after each validated image: batch of batches */
    AT_TRAIN_EPOCH,   /* an epoch is over, its checkpoint written: row, metrics if validated */
    AT_TRAIN_NOTE,    /* text worth a line: class weights, what --init did, notes of the data set */
    AT_TRAIN_WARNING, /* text: predictions collapse to one class, ... */
} at_train_event;

/* Valid during the call. */
typedef struct at_train_progress {
    at_train_event event;
    const char *run;   /* the run's directory */
    const char *text;  /* STARTS, NOTE, WARNING */
    int epoch, epochs; /* 1 .. epochs; epochs 0: not known (a run limited by time) */
    int batch, batches;
    int64_t iteration, iterations; /* optimiser steps done, and of the whole run; 0: not known */
    double loss;                   /* of this batch */
    double lr, grad_norm;
    double images_s;           /* over the last seconds */
    double data_s, batch_s;    /* seconds of this batch spent waiting for data, and computing */
    double elapsed_s, eta_s;   /* of the run; eta NAN while unknown */
    size_t train_bytes;        /* planned memory */
    double macs;               /* of one forward of one batch */
    int64_t parameters;        /* trained ones */
    const at_epoch_row *row;   /* EPOCH */
    const at_metrics *metrics; /* EPOCH: NULL if not validated */
    const at_classes *classes;
    bool best; /* EPOCH: the best so far */
} at_train_progress;

typedef struct at_train_hooks {
    void (*progress)(void *arg, const at_train_progress *p); /* NULL: silence */
    void *arg;
    const volatile int *stop;  /* set it (from a signal handler too) to stop cleanly; NULL: never */
    const at_dataset *dataset; /* already open; NULL: opened as the options say */
} at_train_hooks;

typedef enum at_train_end { AT_END_LENGTH = 0, AT_END_PATIENCE, AT_END_TIME } at_train_end;

typedef struct at_train_result {
    char *run; /* malloc'ed; set as soon as there is a directory, on errors too */
    at_train_end end;
    int epochs, best_epoch; /* best_epoch 0: never validated */
    int64_t iterations;
    double seconds, best_miou;
    at_metrics last; /* of the last validation */
} at_train_result;

/* Trains. What is not set is chosen, told (NOTE) and written to the run's config.json: the crop,
 * and if neither epochs, iterations nor time is set, as many epochs as cost about three quarters of
 * an hour on two cores, reckoned from multiply-accumulates so that the choice is the same
 * everywhere.
 *
 * A checkpoint is written after each epoch, atomically. hooks.stop lets the optimiser step end,
 * writes a checkpoint in mid-epoch and returns AT_ERR_STOPPED. With opts.resume the run continues
 * to the same bits as if it had never stopped (but for clock times), whenever and however it was
 * killed; the options come from the run's config.json (at_train_resume_opts). The first loss or
 * gradient that is not finite ends the run with AT_ERR_INPUT naming node and image; the last
 * checkpoint stays. A plan that does not fit is AT_ERR_MEMORY before anything else happens. */
at_status at_train(const at_train_opts *opts, at_train_hooks hooks, at_train_result *result,
                   at_error *err);
void at_train_result_free(at_train_result *r);

/* The data set that a run with these options opens; none given: the synthetic one. */
at_status at_train_open_data(const at_train_opts *o, at_dataset **d, at_error *err);

/* The options of an existing run, resume set to it. On top of them a caller may change epochs,
 * time, iterations, patience, threads and other machine options. *keep owns the strings:
 * json_decref it when *o is no longer used. */
at_status at_train_resume_opts(const char *run, at_train_opts *o, json_t **keep, at_error *err);

#endif
