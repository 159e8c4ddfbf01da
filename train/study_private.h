/* SPDX-License-Identifier: MIT */
/* A study from the inside. study_axes.c reads axes and makes variants, study_config.c and
 * study_continue.c keep study.json, study.c puts a study together, study_state.c reads what
 * runs left behind, study_pairs.c compares, study_cost.c and study_work.c are what child processes
 * do, study_do.c has it done, study_tables.c, study_report.c and study_html.c write it down. */
#ifndef AT_TRAIN_STUDY_PRIVATE_H
#define AT_TRAIN_STUDY_PRIVATE_H

#include "data/data.h"
#include "train/jobs.h"
#include "train/study.h"
#include "train/study_pictures.h"

/* ---- study_axes.c ---- */

/* {"name", "values": [{"label", "options"}]} of an axis in words. New reference. */
at_status at_axis_parse(const at_axis_text *text, json_t **axis, at_error *err);
/* s->axes and s->variants, from s->config. */
at_status at_study_make_variants(at_study *s, at_error *err);

/* ---- study_config.c: study.json; study_continue.c: what is said later held against it ---- */

extern const char at_study_format[];
extern const char *const at_study_equals[]; /* names of at_study_equal */

/* study.json of a new study. New reference. */
at_status at_study_config_new(const at_study_opts *o, json_t **config, at_error *err);
/* Takes more seeds and values into the study's own; what contradicts it is AT_ERR_USAGE. `dir` names
 * the study in errors. */
at_status at_study_config_continue(json_t *config, const at_study_opts *o, const char *dir,
                                   at_error *err);
bool at_study_said(const at_study_opts *o, const char *name);
/* Is the option one of place or session, so that it may differ whenever the study goes on? */
bool at_study_is_passing(const char *name);
/* "0.001,0.003" to a list of texts, each a good --lr. New reference. */
at_status at_study_parse_lrs(const char *text, json_t **list, at_error *err);

/* ---- study.c ---- */

/* Makes the study's directory, where it has none. */
at_status at_study_place(at_study *s, at_error *err);
/* Writes study.json. */
at_status at_study_save_config(const at_study *s, at_error *err);
/* The options of a run, but for where it is kept. */
at_train_opts at_study_run_opts(const at_study *s, const at_study_run *r);

/* ---- study_state.c ---- */

/* The state of one run, from its files. */
at_status at_study_run_read(at_study_run *r, at_error *err);
/* r->dir/file; malloc'ed; NULL: out of memory. */
char *at_study_path(const at_study_run *r, const char *file);
/* The best pilot of each variant; at_variant.lr stays -1 while pilots are missing. A variant whose
 * pilots all failed is AT_ERR_INPUT. */
at_status at_study_choose_lrs(at_study *s, at_error *err);

/* ---- study_pairs.c ---- */

/* s->measures and s->pairs, from the runs' measures. */
at_status at_study_compare(at_study *s, at_error *err);

/* ---- study_cost.c ---- */

/* Builds and plans what `o` would train and times a step and an inference. `weights`: a file to
 * load; NULL: freshly initialised. The times are the shortest of at least `least` repetitions. */
at_status at_study_cost_of(const at_train_opts *o, const char *split, const char *weights,
                           int least, at_study_cost *cost, at_error *err);

/* ---- study_work.c: in child processes ---- */

typedef enum at_note_kind { AT_NOTE_STEP, AT_NOTE_EPOCH, AT_NOTE_TEXT, AT_NOTE_COST } at_note_kind;

/* What a child tells. */
typedef struct at_study_note {
    at_note_kind kind;
    int epoch, epochs, batch, batches; /* STEP, EPOCH */
    double loss, miou;
    double share;       /* of the run that is done, 0 .. 1 */
    at_study_cost cost; /* COST */
    char text[1024];    /* TEXT */
} at_study_note;

/* Begins the run or goes on with it, then measures what its last epoch left: measures.json. An
 * error other than AT_ERR_STOPPED is kept in failure.json. `machine`: threads, cache and memory. */
at_status at_study_train(const at_study *s, const at_study_run *r, const at_train_opts *machine,
                         const at_job_line *line, at_error *err);
/* times.json of a trained run. */
at_status at_study_time(const at_study *s, const at_study_run *r, const at_train_opts *machine,
                        at_error *err);

/* ---- study_tables.c, study_report.c: files in the study's directory ---- */

at_status at_study_save_runs(const at_study *s, at_error *err);
at_status at_study_save_pairs(const at_study *s, at_error *err);
at_status at_study_save_markdown(const at_study *s, const char *path, at_error *err);
/* report.html (study_html.c). `pictures` may be NULL: `no_pictures` says why. */
at_status at_study_save_html(const at_study *s, const at_study_pictures *pictures,
                             const char *no_pictures, at_error *err);

#endif
