/* SPDX-License-Identifier: MIT */
/* Sentences about a study. They say what was made equal, what was not, and what the seeds cannot
 * tell apart, before anybody reads a winner out of a table. */
#include "train/study_words.h"

#include <string.h>

#include "train/figures.h"
#include "train/measures.h"

const char *const at_study_ranked[] = {"pixel_accuracy", "bf1", "boundary_iou", NULL};
const char *const at_study_further[] = {
    "trimap2",   "recall_small",  "error_boundary", "error_interior",
    "polyphase", "spectral_peak", "phase_gap",      NULL};

/* ---- what was asked ---- */

bool at_study_varies(const at_study *s, const char *name) {
    for (int a = 0; a < s->axis_count; a++)
        if (strcmp(s->axes[a], name) == 0) return true;
    return false;
}

const char *at_study_data(const at_study *s) {
    const char *data = s->variants[0].opts.data;
    return data ? data : "the built-in synthetic set";
}

const at_study_preset *at_study_preset_of(const at_study *s) {
    const char *name = json_string_value(json_object_get(s->config, "preset"));
    for (const at_study_preset *p = at_study_presets; name && p->name; p++)
        if (strcmp(p->name, name) == 0) return p;
    return NULL;
}

const char *at_study_title(const at_study *s) {
    const char *slash = strrchr(s->dir, '/');
    return slash ? slash + 1 : s->dir;
}

/* ---- what is equal ---- */

static void equal_length(const at_study *s, char text[AT_SENTENCE]) {
    const at_train_opts *o = &s->variants[0].opts;
    char time[AT_FIGURE];
    if (at_study_varies(s, "epochs") || at_study_varies(s, "iterations") ||
        at_study_varies(s, "time"))
        snprintf(text, AT_SENTENCE, "How long runs train is one of the things that vary.");
    else if (s->equal == AT_EQUAL_TIME)
        snprintf(text, AT_SENTENCE,
                 "Equal time: each run trains for %s, so what is faster sees more epochs. Runs "
                 "beside other jobs get less done: compare such a study only with itself.",
                 at_figure_duration(time, o->time_s));
    else if (o->iterations)
        snprintf(text, AT_SENTENCE,
                 "Equal length: each run makes %lld steps; what is slower takes longer.",
                 (long long)o->iterations);
    else
        snprintf(text, AT_SENTENCE, "Equal epochs: each run makes %d; what is slower takes longer.",
                 o->epochs);
}

static void equal_rate(const at_study *s, char text[AT_SENTENCE]) {
    if (at_study_varies(s, "lr"))
        snprintf(text, AT_SENTENCE, "The learning rate is one of the things that vary.");
    else if (!s->lr_count)
        snprintf(text, AT_SENTENCE,
                 "One learning rate for all, %g: a variant that wants another one is at a "
                 "disadvantage (--tune-lr).",
                 s->variants[0].opts.lr);
    else
        snprintf(text, AT_SENTENCE,
                 "Each variant has the best of %d learning rates: pilots of %.0f %% of a run's "
                 "length with a seed of their own (%llu), judged by mIoU on the validation split.",
                 s->lr_count, 100 * s->tune_share, (unsigned long long)s->pilots[0].seed);
}

static void equal_cost(const at_study *s, char text[AT_SENTENCE]) {
    const at_match match = s->variants[0].opts.net.match;
    if (match == AT_MATCH_NONE)
        snprintf(text, AT_SENTENCE,
                 "Parameters and multiply-accumulates are what the variants need; the table tells "
                 "them (--match makes them alike).");
    else
        snprintf(text, AT_SENTENCE,
                 "Decoders are as wide as it takes for all variants to have the same %s.",
                 match == AT_MATCH_PARAMS ? "number of parameters" : "multiply-accumulates");
}

static void measured_on(const at_study *s, char text[AT_SENTENCE]) {
    const bool seen = strcmp(s->split, "val") == 0 && s->lr_count;
    snprintf(text, AT_SENTENCE,
             "Measured on split %s, with the weights of the last epoch, not of the best one.%s",
             s->split, seen ? " The pilots saw that split too." : "");
}

void at_study_say_fairness(const at_study *s, at_say *say, void *arg) {
    static void (*const sentences[])(const at_study *, char *) = {equal_length, equal_rate,
                                                                  equal_cost, measured_on};
    char text[AT_SENTENCE];
    say(arg, "Runs of one seed see the same pictures, crops and augmentations in the same order, "
             "and parameters of one name begin with the same numbers.");
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        sentences[i](s, text);
        say(arg, text);
    }
    say(arg, "Training time is the steps' alone, and like inference time measured after training, "
             "with nothing else running: seconds of all steps, milliseconds of one picture. Memory "
             "is what training plans; MACs are those of one picture's inference.");
}

/* ---- what the seeds say ---- */

void at_study_say_caution(const at_study *s, at_say *say, void *arg) {
    if (s->seed_count == 1)
        say(arg, "One seed is luck: differences have no interval, and nothing can be told apart. "
                 "Give --seeds 3 or more.");
    if (s->seed_count == 2)
        say(arg, "With two seeds an interval reaches 12.7 standard errors to each side: only what "
                 "is enormous shows.");
}

int at_study_count_pairs(const at_study *s, const char *measure, int *differ) {
    int count = 0;
    *differ = 0;
    for (int i = 0; i < s->pair_count; i++) {
        if (strcmp(s->pairs[i].measure, measure) != 0) continue;
        count++;
        *differ += at_study_differs(&s->pairs[i]);
    }
    return count;
}

void at_study_explain_pairs(const at_study *s, char text[AT_SENTENCE]) {
    int differ;
    const int pairs = at_study_count_pairs(s, "miou", &differ);
    text[0] = '\0';
    if (!pairs) return;
    snprintf(text, AT_SENTENCE,
             "Differences are taken seed by seed (first minus second); intervals are Student's, 95 "
             "%% for each pair by itself; p is corrected for all pairs of a measure (%d) by Holm's "
             "method, and a pair is told apart where p < 0.05: %d of %d are.",
             pairs, differ, pairs);
}

/* ---- measures ---- */

static bool has(const at_study *s, const char *measure) {
    for (int i = 0; i < s->measure_count; i++)
        if (strcmp(s->measures[i], measure) == 0) return true;
    return false;
}

int at_study_present(const at_study *s, const char *const *names, const char *out[8]) {
    int count = 0;
    for (; *names && count < 8; names++)
        if (has(s, *names)) out[count++] = *names;
    return count;
}

const char *at_measure_help(const char *measure) {
    for (int i = 0; i < AT_MEASURES; i++)
        if (strcmp(at_measure_list[i].name, measure) == 0) return at_measure_list[i].help;
    return "";
}
