/* SPDX-License-Identifier: MIT */
/* Probabilities and counted labels, for the tests of the losses. */
#ifndef AT_TESTS_NAIVE_LOSS_H
#define AT_TESTS_NAIVE_LOSS_H

#include <math.h>

#include "tests/check_op.h"

/* log p_k of pixel i. */
static inline double naive_log_p(const check_data *d, int64_t i, int k) {
    int c = d->in_shape[0].c;
    double sum = 0;
    for (int j = 0; j < c; j++) sum += exp(d->in[0][i * c + j]);
    return d->in[0][i * c + k] - log(sum);
}

static inline double naive_weight(const at_loss_opts *o, int k) {
    return o->class_weights != NULL ? (double)o->class_weights[k] : 1;
}

/* Pixel i's label, or -1 where it counts nowhere. */
static inline int naive_label(const check_data *d, const at_loss_opts *o, int64_t i) {
    for (int j = 0; j < o->ignore_count; j++)
        if (o->ignore[j] == d->labels[i]) return -1;
    return d->labels[i] < d->in_shape[0].c ? d->labels[i] : -1;
}

static inline int64_t naive_pixels(const check_data *d) {
    return at_shape_pixels(d->in_shape[0]);
}

#endif
