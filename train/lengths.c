/* SPDX-License-Identifier: MIT */
/* What nobody said: the crop, and how long to train. Both follow from the data and the network
 * alone, never from the machine, so that the same command trains the same network everywhere. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include "train/trainer.h"

enum { SAMPLED = 500, LARGEST_CROP = 320, MOST_WARMUP = 500 };

/* What about three quarters of an hour on two cores with wide vectors amount to. */
static const double budget_macs = 9e13;
enum { FEWEST_EPOCHS = 5, MOST_EPOCHS = 300 };

static int by_value(const void *a, const void *b) {
    return *(const int *)a - *(const int *)b;
}

static at_status median_size(const at_trainer *t, at_pair *out, at_error *err) {
    const int count = t->train->count < SAMPLED ? t->train->count : SAMPLED;
    int *sides = calloc(2 * (size_t)count, sizeof *sides);
    if (!sides) return at_fail_memory(err, "sizes of images", 0);
    at_status s = AT_OK;
    for (int i = 0; i < count && s == AT_OK; i++) {
        at_pair size = {0};
        s = at_dataset_size(t->data, &t->train->samples[(int64_t)i * t->train->count / count],
                            &size, err);
        sides[i] = size.h, sides[count + i] = size.w;
    }
    qsort(sides, (size_t)count, sizeof *sides, by_value);
    qsort(sides + count, (size_t)count, sizeof *sides, by_value);
    *out = (at_pair){sides[count / 2], sides[count + count / 2]};
    free(sides);
    return s;
}

/* Multiples of 32 train fastest: no level needs padding. */
static int crop_side(int side) {
    const int crop = side < LARGEST_CROP ? side : LARGEST_CROP;
    return crop >= 32 ? crop / 32 * 32 : crop;
}

at_status at_choose_crop(at_trainer *t, at_error *err) {
    at_pair size = t->o.resize;
    if (t->o.size.h) return AT_OK;
    if (!size.h) AT_TRY(median_size(t, &size, err));
    t->o.size = (at_pair){crop_side(size.h), crop_side(size.w)};
    return AT_OK;
}

/* Backward costs about two forwards. */
static int epochs_by_cost(const at_trainer *t) {
    const double epoch = 3 * at_plan_macs(t->plan) * t->batches;
    const double epochs = floor(budget_macs / (epoch > 1 ? epoch : 1));
    return epochs < FEWEST_EPOCHS ? FEWEST_EPOCHS
           : epochs > MOST_EPOCHS ? MOST_EPOCHS
                                  : (int)epochs;
}

void at_choose_length(at_trainer *t) {
    at_train_opts *o = &t->o;
    if (!o->epochs && !o->iterations && !(o->time_s > 0)) o->epochs = epochs_by_cost(t);
    const int64_t by_epochs = o->epochs ? o->epochs * t->steps : 0;
    int64_t total = o->iterations ? o->iterations : by_epochs;
    if (by_epochs && by_epochs < total) total = by_epochs;
    const int64_t epochs = total ? (total + t->steps - 1) / t->steps : INT_MAX;
    t->epochs = epochs < INT_MAX ? (int)epochs : INT_MAX;
    if (o->warmup < 0) {
        const int64_t share = total ? total / 20 : MOST_WARMUP / 5;
        o->warmup = (int)(share < MOST_WARMUP ? share : MOST_WARMUP);
    }
    t->schedule = (at_schedule){
        .kind = o->schedule, .lr = o->lr, .warmup = o->warmup, .total = total, .power = o->power};
    t->progress.iterations = total;
    t->progress.epochs = t->epochs == INT_MAX ? 0 : t->epochs;
    t->progress.batches = t->batches;
}
