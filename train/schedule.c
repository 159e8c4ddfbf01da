/* SPDX-License-Identifier: MIT */
/* Learning rate schedules. Poly is DeepLab's (Chen et al. 2016, section 4.1.2), cosine Loshchilov &
 * Hutter's without restarts. The warm-up never reaches the full rate in its own steps, so that the
 * first iteration after it is the peak. */
#include "train/schedule.h"

#include <math.h>

const char *const at_schedule_names[AT_SCHEDULE_COUNT] = {"poly", "cosine", "step", "constant"};

static double decay_at(const at_schedule *s, int64_t past_warmup, int64_t length, double t) {
    switch (s->kind) {
    case AT_SCHEDULE_POLY:
        return pow(1 - t, s->power > 0 ? s->power : 0.9);
    case AT_SCHEDULE_COSINE:
        return 0.5 * (1 + cos(acos(-1.0) * t));
    case AT_SCHEDULE_STEP: {
        const double gamma = s->gamma > 0 ? s->gamma : 0.1;
        double steps = floor(3 * t);
        if (s->every > 0)
            steps = (double)(past_warmup / s->every);
        else if (length > 0)
            steps = (double)(3 * past_warmup / length);
        return pow(gamma, steps);
    }
    default:
        return 1;
    }
}

static double rate(const at_schedule *s, int64_t iteration, int64_t length, double t) {
    const int64_t past = iteration > s->warmup ? iteration - s->warmup : 0;
    t = t < 0 ? 0 : t > 1 ? 1 : t;
    const double warm =
        iteration < s->warmup ? (double)(iteration + 1) / (double)(s->warmup + 1) : 1;
    return s->lr * warm * decay_at(s, past, length, t);
}

double at_schedule_lr(const at_schedule *s, int64_t iteration) {
    const int64_t length = s->total - s->warmup;
    const int64_t past = iteration > s->warmup ? iteration - s->warmup : 0;
    return rate(s, iteration, length, length > 0 ? (double)past / (double)length : 0);
}

double at_schedule_lr_at(const at_schedule *s, int64_t iteration, double t) {
    return rate(s, iteration, 0, t);
}
