/* SPDX-License-Identifier: MIT */
/* The kinds of text an option may have. Where a kind is said to be unset at zero, such a field has
 * no text and is not written to config.json. */
#ifndef AT_TRAIN_OPTION_TEXT_H
#define AT_TRAIN_OPTION_TEXT_H

#include "train/options.h"

typedef enum at_option_type {
    AT_OPT_STRING,  /* const char *; unset: NULL */
    AT_OPT_INT,     /* int */
    AT_OPT_COUNT,   /* int; unset: 0 */
    AT_OPT_COUNT64, /* int64_t; unset: 0 */
    AT_OPT_SEED,    /* uint64_t */
    AT_OPT_REAL,    /* double */
    AT_OPT_AMOUNT,  /* double; unset: 0 */
    AT_OPT_TIME,    /* double, seconds, "1h30m"; unset: 0 */
    AT_OPT_SWITCH,  /* bool */
    AT_OPT_PAIR,    /* at_pair, "HxW" or "N"; unset: 0, 0 */
    AT_OPT_RANGE,   /* two doubles, "a,b" or "a" */
    AT_OPT_CHOICE,  /* an enum; names from choice(i), NULL past the end */
    AT_OPT_IGNORE,  /* the list of ignored ids, or "none" */
    AT_OPT_RATES,   /* the list of dilation rates */
} at_option_type;

#endif
