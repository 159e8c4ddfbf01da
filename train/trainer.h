/* SPDX-License-Identifier: MIT */
/* A training run in progress: its state, and the parts that act on it. setup.c makes one ready,
 * loop.c trains, validate.c measures, checkpoint.c saves and restores, chores.c keeps the run's
 * files. */
#ifndef AT_TRAIN_TRAINER_H
#define AT_TRAIN_TRAINER_H

#include "train/train.h"
#include "train/tune.h"

/* Where the run stands: with the parameters and the optimiser's state, all that decides what comes
 * next. Saved in last.safetensors. */
typedef struct at_position {
    int epoch;                 /* epochs that are over */
    int batch;                 /* batches of the present one that are over */
    int64_t iteration;         /* steps of the optimiser */
    double loss_sum, norm_sum; /* over the present epoch's batches and steps */
    int64_t losses, norms;
    double best_miou;           /* -1: never validated */
    int best_epoch, since_best; /* since_best counts validations */
    bool collapsed;             /* the last validation was warned of */
} at_position;

typedef struct at_trainer {
    at_train_opts o; /* resolved */
    at_train_hooks hooks;
    at_train_result *result;
    at_train_progress progress;

    at_dataset *owned_data; /* NULL if the caller's is used */
    const at_dataset *data;
    const at_split *train, *val;
    bool val_is_train; /* there is no other */

    at_network net;
    at_node *image, *target, *loss;
    at_plan *plan;
    at_loader *loader;
    at_optim *optim;
    at_ema *ema;       /* NULL: none */
    at_tuning *tuning; /* --conv tune; NULL otherwise */
    at_schedule schedule;

    at_position at;
    int batches;   /* of an epoch */
    int64_t steps; /* of an epoch */
    int epochs;    /* of the run; INT_MAX where time alone limits it */
    char *run;     /* belongs to *result */
    bool resumed;

    at_epoch_row *rows; /* of results.csv, row_count of them */
    int row_count;
    at_metrics metrics; /* of the last validation */
    double val_loss;

    double begun, elapsed_before; /* seconds: the clock at the start, and of earlier sessions */
    double epoch_seconds, val_seconds; /* of the last epoch's training, of the last validation */
    int64_t begun_iteration;
    int epoch_images;
} at_trainer;

/* ---- setup.c ---- */
at_status at_trainer_setup(at_trainer *t, at_error *err);
void at_trainer_free(at_trainer *t);
/* Steps of it, for those who want a training step and no run: the loss behind t->net's graph; the
 * plan for t->o's batch and crop; the optimiser. */
at_status at_trainer_append_loss(at_trainer *t, at_error *err);
at_status at_trainer_make_plan(at_trainer *t, at_error *err);
/* What --conv tune remembers, and of a run that is resumed what it began with. */
at_status at_trainer_open_tuning(at_trainer *t, const at_st_file *f, at_error *err);
at_status at_trainer_make_optimiser(at_trainer *t, at_error *err);

/* ---- lengths.c: what nobody said ---- */
/* The crop, from the sizes of the training images. */
at_status at_choose_crop(at_trainer *t, at_error *err);
/* Epochs, schedule and warm-up, once the plan and the loader exist. */
void at_choose_length(at_trainer *t);

/* ---- loop.c ---- */
at_status at_trainer_run(at_trainer *t, at_error *err);
double at_trainer_elapsed(const at_trainer *t);

/* ---- trouble.c: values that are not finite ---- */
/* Finds node and image behind a loss that is not finite; always an error. */
at_status at_explain_loss(at_trainer *t, const at_batch *b, at_error *err);
at_status at_explain_gradient(const at_trainer *t, const at_batch *b, at_error *err);

/* ---- validate.c ---- */
/* Measures the network (its average, if there is one), keeps the best, draws panels. */
at_status at_trainer_validate(at_trainer *t, at_error *err);

/* ---- checkpoint.c ---- */
at_status at_checkpoint_save(const at_trainer *t, at_error *err);
/* The network alone, then the rest: setup needs the network before the optimiser exists. */
at_status at_checkpoint_open(at_trainer *t, at_st_file *f, at_error *err);
at_status at_checkpoint_restore(at_trainer *t, const at_st_file *f, at_error *err);
/* The ways of convolving that the run began with: learnt by t->tuning. */
at_status at_checkpoint_tuning(at_trainer *t, const at_st_file *f, at_error *err);
char *at_checkpoint_path(const at_trainer *t);

/* ---- chores.c ---- */
/* A new run's directory and config.json, or an old one's tables cut back to the checkpoint. */
at_status at_trainer_open_run(at_trainer *t, at_error *err);
/* An epoch is over: results.csv, metrics.jsonl, results.svg. */
at_status at_trainer_record(at_trainer *t, at_error *err);
at_status at_trainer_record_stop(at_trainer *t, at_error *err);
at_status at_trainer_show_batch(at_trainer *t, const at_batch *b, int index, at_error *err);
/* Tells the caller; text may be NULL. */
void at_trainer_tell(at_trainer *t, at_train_event event, const char *text);
void at_trainer_say(at_trainer *t, at_train_event event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* run/name; malloc'ed. */
char *at_trainer_path(const at_trainer *t, const char *name);

#endif
