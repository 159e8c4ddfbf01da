/* SPDX-License-Identifier: MIT */
/* What was found fastest: a table from the description of a problem ("forward 2x90x120x64 ...") to
 * the name of a way of computing it. Plans with AT_CONV_TUNE ask it first and tell it what they have
 * timed, so that the same table makes the same plans. Where it is kept is the caller's business. */
#ifndef AT_NN_TUNING_H
#define AT_NN_TUNING_H

#include <jansson.h>
#include <stdbool.h>

typedef struct at_tuning at_tuning;

at_tuning *at_tuning_new(void); /* NULL: out of memory */
void at_tuning_free(at_tuning *t);

/* The way remembered for a problem, or NULL. It may come from a file: check that it exists. */
const char *at_tuning_find(const at_tuning *t, const char *problem);

/* A plan uses this way; `timed`: it was found just now. False: out of memory. */
bool at_tuning_use(at_tuning *t, const char *problem, const char *way, bool timed);

/* Takes over the strings of an object, in the place of what is known; what else is in it is passed
 * over. False: out of memory. */
bool at_tuning_learn(at_tuning *t, const json_t *ways);

/* Objects of problem: way, borrowed: what plans used, and what of it was timed for them. */
const json_t *at_tuning_used(const at_tuning *t);
const json_t *at_tuning_timed(const at_tuning *t);

#endif
