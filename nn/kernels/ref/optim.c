/* SPDX-License-Identifier: MIT */
/* Optimiser steps and reductions over parameters, plainly, and the class with the highest score. */
#include "nn/kernels/ref/ref.h"

#include <math.h>

void at_sgd_step_ref(const at_update *u) {
    for (int64_t i = 0; i < u->count; i++) {
        const float d = u->scale * u->g[i] + u->decay * u->w[i];
        u->m[i] = u->beta1 * u->m[i] + d;
        u->w[i] -= u->lr * (u->nesterov ? d + u->beta1 * u->m[i] : u->m[i]);
    }
}

void at_adam_step_ref(const at_update *u) {
    for (int64_t i = 0; i < u->count; i++) {
        const float d = u->scale * u->g[i] + u->decay * u->w[i];
        u->w[i] *= u->shrink;
        u->m[i] += u->rest1 * (d - u->m[i]);
        u->v[i] = u->beta2 * u->v[i] + u->rest2 * d * d;
        u->w[i] -= u->lr * u->m[i] / (sqrtf(u->v[i]) / u->root2 + u->eps);
    }
}

void at_lerp_ref(float *y, const float *x, float t, int64_t count) {
    for (int64_t i = 0; i < count; i++) y[i] += t * (x[i] - y[i]);
}

double at_sum_squares_ref(const float *x, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) sum += (double)x[i] * x[i];
    return sum;
}

void at_argmax_ref(uint8_t *out, const float *x, int classes, ptrdiff_t ld, int64_t pixels) {
    for (int64_t p = 0; p < pixels; p++) {
        int best = 0;
        for (int c = 1; c < classes; c++)
            if (x[p * ld + c] > x[p * ld + best]) best = c;
        out[p] = (uint8_t)best;
    }
}
