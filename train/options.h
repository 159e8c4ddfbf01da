/* SPDX-License-Identifier: MIT */
/* Everything a training run can be told, as one struct and one table. The table names each option
 * as flags and config files spell it, and drives both: text to field, field to text, JSON to struct
 * and back. Strings are borrowed: what is passed in must outlive the struct. */
#ifndef AT_TRAIN_OPTIONS_H
#define AT_TRAIN_OPTIONS_H

#include "train/network.h"
#include "train/optim.h"
#include "train/schedule.h"

typedef struct at_train_opts {
    /* data */
    const char *data; /* NULL: the synthetic set */
    int ignore_count; /* 0: what the layout states; -1: none */
    int ignore[AT_MAX_CLASSES];
    int classes; /* 0: from the data */
    double val_share;
    at_pair resize;  /* 0: as they are */
    at_pair size;    /* crop; 0: chosen from the images' sizes and written to the run's config */
    double cache_mb; /* decoded images kept in memory; 0: the loader's choice */
    /* augmentation */
    at_augment augment;
    /* network */
    const char *model;
    at_model_opts net; /* classes and channels are filled in from the data */
    const char *init;  /* weights to start from, as far as they fit; NULL: none */
    /* optimisation */
    at_optim_opts optim;
    double lr;
    at_schedule_kind schedule;
    double power;
    int warmup; /* iterations; -1: a twentieth of the run, at most 500 */
    at_loss_kind loss;
    const char *class_weights; /* as at_class_weights_parse reads it */
    double label_smoothing, gamma;
    int batch, accumulate;
    double ema; /* decay; 0: none */
    /* how long. The first that is set ends the run; none set: epochs by cost, see at_train */
    int epochs;
    int64_t iterations;
    double time_s;
    int patience;  /* validations without a better mIoU before stopping; 0: never */
    int val_every; /* epochs */
    /* machine */
    uint64_t seed;
    int threads, loader_threads; /* 0: all; 0: 1 */
    at_precision precision;
    at_conv_choice conv;
    bool recompute;    /* drop values after forward and compute them once more in backward */
    double max_mem_mb; /* for a plan; 0: what is free */
    /* run */
    const char *runs, *name;
    const char *resume; /* a run directory to continue; NULL: a new run */
} at_train_opts;

at_train_opts at_train_defaults(void);

/* What suits the synthetic set where nobody says otherwise; ends with a NULL name. */
typedef struct at_train_suit {
    const char *name, *text;
} at_train_suit;
extern const at_train_suit at_train_synthetic[];

typedef struct at_train_option {
    const char *name;  /* "weight-decay": --weight-decay and "weight-decay" in config.json */
    const char *value; /* what stands for the value in help: "N", "HxW", "sgd|adam|adamw"; NULL: a
                          switch */
    const char *group; /* "data", "augmentation", "network", "optimisation", "length", "machine",
                          "run" */
    const char *help;  /* one line */
    /* The rest is private: the kind of text, the field, its limits, names of choices. */
    int type;
    size_t offset;
    double low, high;
    const char *(*choice)(int i);
} at_train_option;

/* Ends with a NULL name. */
extern const at_train_option at_train_options[];

/* Sets one option from text; a switch takes NULL, "true" or "false". AT_ERR_USAGE names the option,
 * the text and what is possible. */
at_status at_train_set(at_train_opts *o, const char *name, const char *text, at_error *err);
/* The option's present value as at_train_set would read it; "" where nothing is set. malloc'ed. */
char *at_train_get(const at_train_opts *o, const char *name);

/* config.json: every option that is set, under its name. NULL: out of memory. */
json_t *at_train_opts_to_json(const at_train_opts *o);
/* Sets what `j` names; unknown names are AT_ERR_USAGE, except those that begin with "_". Strings
 * stay j's: keep the reference while *o is used. */
at_status at_train_opts_from_json(at_train_opts *o, json_t *j, at_error *err);

#endif
