/* SPDX-License-Identifier: MIT */
/* A study: the same training with one or more things varied, several seeds each, so that what is
 * measured is the thing and not the luck. An axis is an option and the values it takes (or a
 * preset's bundles of options); the product of the axes gives the variants; a run is a variant and a
 * seed. Runs of one seed see the same pictures, crops and augmentations, and parameters of one name
 * begin with the same numbers.
 *
 *   runs/NAME/study.json      what is asked: options, axes, seeds; all else follows from it
 *             runs/           the single runs, each a run directory (run.h), and in it also
 *                             measures.json and per_image.csv of the last epoch's weights,
 *                             times.json, measured while nothing else ran, or failure.json
 *             pilots/         short runs that chose learning rates
 *             runs.csv  pairs.csv  report.md  report.html
 *
 * Runs are trained in child processes; a study that was broken off, however, goes on where it was. */
#ifndef AT_TRAIN_STUDY_H
#define AT_TRAIN_STUDY_H

#include "train/options.h"
#include "train/statistics.h"

enum {
    AT_STUDY_MEASURES = 64,
    AT_MAX_AXES = 8,
    AT_MAX_VARIANTS = 256,
    AT_MAX_SEEDS = 1000,
    AT_MAX_LRS = 16
};

/* ---- what is asked ---- */

typedef enum at_study_equal { AT_EQUAL_EPOCHS = 0, AT_EQUAL_TIME } at_study_equal;

/* An axis as people write it. */
typedef struct at_axis_text {
    const char *name;   /* "rates"; NULL: `values` is "rates=2,2,2:1,2,3" */
    const char *values; /* parted by `separator` */
    char separator;
} at_axis_text;

typedef struct at_study_opts {
    at_train_opts base; /* what does not vary; .seed is the first seed, .runs and .name the place */
    bool fresh;         /* a new study in NAME, NAME2, ...; else the study of that name goes on */
    int axis_count;
    at_axis_text axes[AT_MAX_AXES];
    const char *preset; /* NULL: none */
    int seeds;          /* seed, seed + 1, ...; 0: 3, or as many as the study has */
    at_study_equal equal;
    const char *tune_lr; /* "0.001,0.003": for each variant the best of these; NULL: base.lr */
    double tune_share;   /* a pilot's length over a run's; 0: 0.2 */
    const char *split;   /* what the last epoch is measured on; NULL: val */
    /* Names of options that somebody said, as flags spell them. A study that goes on holds these
     * against what it has, and a preset does not overrule them. */
    const char *const *said;
    int said_count;
} at_study_opts;

/* A ready-made question. */
typedef struct at_study_preset {
    const char *name, *summary;
    const char *json; /* {"options": {...}, "axes": [...]}, as in study.json */
} at_study_preset;
extern const at_study_preset at_study_presets[]; /* ends with a NULL name */

/* ---- a study ---- */

/* What a run costs on this machine, measured without training. Zero: not known. */
typedef struct at_study_cost {
    int64_t parameters;
    double macs;         /* of the inference of one picture */
    size_t peak_bytes;   /* of training, as planned */
    double step_s;       /* one batch: forward, loss, backward, optimiser */
    double inference_s;  /* one picture of the measured split */
    int epochs, batches; /* of a run, 0: not limited by epochs; of an epoch */
    int val_pictures;    /* of a validation */
    double run_s;        /* predicted: a whole run that has the machine for itself */
} at_study_cost;

typedef struct at_variant {
    char *name;                      /* "bilinear", "unet / rates=1,2,3": unique */
    char *slug;                      /* the same for names of directories */
    const char *values[AT_MAX_AXES]; /* on each axis */
    at_train_opts opts;              /* all but seed, runs and name */
    at_study_cost cost;
    int lr; /* which of the study's learning rates the pilots chose; -1: none (yet) */
} at_variant;

typedef enum at_run_state {
    AT_RUN_PLANNED = 0, /* nothing is there */
    AT_RUN_UNFINISHED,  /* broken off: goes on from its last epoch */
    AT_RUN_FAILED,      /* `error` says why; tried again when the study goes on */
    AT_RUN_TRAINED,     /* measured but for its times */
    AT_RUN_DONE,
    AT_RUN_STATES
} at_run_state;
extern const char *const at_run_state_names[AT_RUN_STATES];

typedef struct at_study_run {
    int variant;
    uint64_t seed;
    int lr;    /* a pilot: which of the study's learning rates; else -1 */
    char *dir; /* "runs/NAME/runs/bilinear-seed0"; NULL while the study has no place */
    at_run_state state;
    char *error;                  /* FAILED; of a pilot also while it is UNFINISHED */
    json_t *measures;             /* TRAINED, DONE: measures.json */
    double train_s, inference_ms; /* DONE; otherwise NAN */
    int epochs_done;              /* UNFINISHED */
} at_study_run;

typedef struct at_study_pair {
    int a, b;            /* variants */
    const char *measure; /* one of the study's */
    at_paired test;      /* a - b, over the seeds that both have */
    double p_adjusted;   /* Holm, over all pairs of the measure */
} at_study_pair;

typedef struct at_study {
    char *dir; /* NULL: it has no place yet, and will find one at parent/name */
    char *parent, *name;
    json_t *config; /* study.json; owns what strings below point to */
    int axis_count;
    const char *axes[AT_MAX_AXES];
    int variant_count;
    at_variant *variants; /* the last axis varies fastest */
    int seed_count;
    uint64_t first_seed;
    at_study_equal equal;
    const char *split;
    int lr_count; /* learning rates to choose from; 0: one for all */
    const char *lrs[AT_MAX_LRS];
    double tune_share;
    int run_count, pilot_count;
    at_study_run *runs;   /* by seed, then variant: whole seeds are done first */
    at_study_run *pilots; /* by variant, then learning rate */
    /* at_study_read fills in from here on. */
    /* "miou", "pixel_accuracy", those of at_measure_list that any run has, "mean_accuracy" */
    int measure_count;
    const char *measures[AT_STUDY_MEASURES];
    int pair_count;
    at_study_pair *pairs; /* by measure, then a, then b */
} at_study;

/* Makes a study of what is asked, or takes up the one of that name, and works out variants and
 * runs. Writes nothing. What makes no sense is AT_ERR_USAGE; so is an option said that contradicts
 * the study's, naming it. More seeds, and more values on an axis, are welcome. */
at_status at_study_open(at_study **s, const at_study_opts *o, at_error *err);
/* An existing one, to look at. */
at_status at_study_load(at_study **s, const char *dir, at_error *err);
void at_study_free(at_study *s);

/* Reads what the runs left behind: states, measures, chosen learning rates; compares variants. */
at_status at_study_read(at_study *s, at_error *err);

/* ---- work ---- */

typedef enum at_study_event {
    AT_STUDY_PLAN,  /* the costs of one variant more are known */
    AT_STUDY_STAGE, /* text: what begins now */
    AT_STUDY_STEP,  /* something moved on: see `live` */
    AT_STUDY_ENDS,  /* `run` ended well */
    AT_STUDY_FAILS, /* `run` failed: text */
    AT_STUDY_NOTE,  /* text, about `run` */
} at_study_event;

/* A run that is being trained. */
typedef struct at_study_live {
    const at_study_run *run; /* NULL: a free place */
    int epoch, epochs;       /* epochs 0: limited by time */
    int batch, batches;
    double loss, miou; /* NAN: none yet */
} at_study_live;

typedef struct at_study_progress {
    at_study_event event;
    const at_study *study;
    const at_study_run *run;
    const char *text;
    int done, total; /* of this stage */
    double eta_s;    /* of the whole study; NAN: not known */
    const at_study_live *live;
    int live_count;
} at_study_progress;

typedef struct at_study_work {
    int jobs; /* child processes at the same time, each with its share of the threads; 0: no
               * children, everything in this process */
    const at_train_opts *machine; /* threads, loader threads, cache and memory to use now */
    void (*progress)(void *arg, const at_study_progress *p); /* NULL: nobody listens */
    void *arg;
    const volatile int *stop; /* not 0: save, stop, AT_ERR_STOPPED; NULL: never */
} at_study_work;

/* What each variant costs: builds it, plans its memory, runs a training step and an inference.
 * Without epochs, iterations and time in the options, settles the epochs: as many as at_train would
 * choose for the variant that affords fewest. */
at_status at_study_plan(at_study *s, const at_study_work *w, at_error *err);
/* {"runs": [{"variant", "axes", "seed", "parameters", "macs", "peak_bytes", "predicted_s"}]}; what
 * is done already costs 0 s. NULL: out of memory. */
json_t *at_study_plan_to_json(const at_study *s);
/* Predicted, pilots among them, by one job after the other. */
double at_study_seconds_left(const at_study *s);

/* Does what is left to do, and rewrites the tables after each run. A run that fails does not keep
 * the others: they are counted in *failed. Only one process may work on a study. */
at_status at_study_do(at_study *s, const at_study_work *w, int *failed, at_error *err);

/* ---- results ---- */

/* A measure of a run, "train_s" or "inference_ms"; NAN where there is none. */
double at_study_value(const at_study_run *r, const char *measure);
/* Over the seeds of a variant: how many have the measure, mean and deviation (NAN below 2). */
typedef struct at_study_summary {
    int n;
    double mean, deviation;
} at_study_summary;
at_study_summary at_study_summarise(const at_study *s, int variant, const char *measure);
/* Variants by falling mean of a measure; those without one last. `order` has room for all. */
void at_study_rank(const at_study *s, const char *measure, int *order);

/* Is the difference told apart at 5 %, after correction? */
bool at_study_differs(const at_study_pair *p);
/* "a higher", "b higher", "3 seeds can't tell these apart". */
enum { AT_VERDICT_TEXT = 64 };
const char *at_study_verdict(const at_study_pair *p, char text[AT_VERDICT_TEXT]);

/* runs.csv, pairs.csv, report.md, and report.html without pictures. */
at_status at_study_save(const at_study *s, at_error *err);
/* report.html with pictures of where variants differ most, predicted now from the weights of the
 * runs, in the threads that are set; where that can't be done the page says why. `data`: where the
 * data set is; NULL: where the study had it. `stop` as in at_study_work. */
at_status at_study_save_report(const at_study *s, const char *data, const volatile int *stop,
                               at_error *err);
/* {"study", "runs", "pairs"}: the tables as JSON; null is what does not exist. NULL: out of memory.
 */
json_t *at_study_to_json(const at_study *s);

/* The command that trains what these options say, for a shell: what differs from the defaults.
 * malloc'ed; NULL: out of memory. */
char *at_train_command(const at_train_opts *o);

#endif
