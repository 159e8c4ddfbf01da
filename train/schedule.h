/* SPDX-License-Identifier: MIT */
/* The learning rate as a pure function of the iteration, so that resuming needs no state. */
#ifndef AT_TRAIN_SCHEDULE_H
#define AT_TRAIN_SCHEDULE_H

#include <stdint.h>

typedef enum at_schedule_kind {
    AT_SCHEDULE_POLY = 0, /* lr (1 - t)^power */
    AT_SCHEDULE_COSINE,   /* lr (1 + cos(pi t)) / 2 */
    AT_SCHEDULE_STEP,     /* lr gamma^(number of whole steps so far) */
    AT_SCHEDULE_CONSTANT,
    AT_SCHEDULE_COUNT
} at_schedule_kind;
extern const char *const at_schedule_names[AT_SCHEDULE_COUNT];

typedef struct at_schedule {
    at_schedule_kind kind;
    double lr;      /* the highest */
    int64_t warmup; /* iterations over which lr rises linearly: lr (i + 1) / (warmup + 1) */
    int64_t total;  /* iterations of the run, warm-up included; 0: unknown, no decay */
    double power;   /* poly; 0: 0.9 */
    double gamma;   /* step; 0: 0.1 */
    int64_t every;  /* step: iterations; 0: a third of the run */
} at_schedule;

/* The rate of iteration i = 0, 1, ...; t is the share of the iterations after warm-up that is past.
 */
double at_schedule_lr(const at_schedule *s, int64_t iteration);

/* The same for a run limited by time: t is given, 0 .. 1. */
double at_schedule_lr_at(const at_schedule *s, int64_t iteration, double t);

#endif
