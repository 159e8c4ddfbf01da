/* SPDX-License-Identifier: MIT */
/* What a study's reports say in sentences, whatever they are written in. */
#ifndef AT_TRAIN_STUDY_WORDS_H
#define AT_TRAIN_STUDY_WORDS_H

#include "train/study.h"

enum { AT_SENTENCE = 512, AT_MOST_SENTENCES = 28 };

typedef void at_say(void *arg, const char *sentence);

/* What was made equal and what was not, one sentence or two at a time. */
void at_study_say_fairness(const at_study *s, at_say *say, void *arg);
/* What to think of so few seeds; nothing where there are three or more. */
void at_study_say_caution(const at_study *s, at_say *say, void *arg);
/* How differences, intervals and p came about; "" where there are no pairs. */
void at_study_explain_pairs(const at_study *s, char text[AT_SENTENCE]);
/* Pairs of a measure; *differ: how many are told apart. */
int at_study_count_pairs(const at_study *s, const char *measure, int *differ);
/* Does the option of that name vary? */
bool at_study_varies(const at_study *s, const char *name);
/* "the built-in synthetic set" or the data's path. */
const char *at_study_data(const at_study *s);
/* The preset; NULL: none. */
const at_study_preset *at_study_preset_of(const at_study *s);
/* The last part of its directory's path. */
const char *at_study_title(const at_study *s);
/* Beside mIoU in a ranking, and in a table of their own; NULL ends. The others are in runs.csv. */
extern const char *const at_study_ranked[], *const at_study_further[];
/* Those of the list that the study has, at most 8; how many. */
int at_study_present(const at_study *s, const char *const *names, const char *out[8]);
/* The line about a measure. */
const char *at_measure_help(const char *measure);

#endif
