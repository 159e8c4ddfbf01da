/* SPDX-License-Identifier: MIT */
/* Optimiser steps and reductions over parameters. The loops are plain: with restrict and this
 * file's flags the compiler makes vectors of them. Sums run in 16 lanes that are added in a fixed
 * order. */
#include "nn/kernels/simd/pixels.h"

enum { LANES = 16 };

void K(sgd_step)(const at_update *u) {
    float *restrict w = u->w, *restrict m = u->m;
    const float *restrict g = u->g;
    const float scale = u->scale, decay = u->decay, lr = u->lr, beta = u->beta1;
    const float own = u->nesterov ? 1.0f : 0.0f, past = u->nesterov ? beta : 1.0f;
    for (int64_t i = 0; i < u->count; i++) {
        const float d = scale * g[i] + decay * w[i];
        m[i] = beta * m[i] + d;
        w[i] -= lr * (own * d + past * m[i]);
    }
}

void K(adam_step)(const at_update *u) {
    float *restrict w = u->w, *restrict m = u->m, *restrict v = u->v;
    const float *restrict g = u->g;
    const float scale = u->scale, decay = u->decay, shrink = u->shrink, lr = u->lr, eps = u->eps;
    const float rest1 = u->rest1, beta2 = u->beta2, rest2 = u->rest2, inverse = 1 / u->root2;
    for (int64_t i = 0; i < u->count; i++) {
        const float d = scale * g[i] + decay * w[i];
        m[i] += rest1 * (d - m[i]);
        v[i] = beta2 * v[i] + rest2 * d * d;
        w[i] = shrink * w[i] - lr * m[i] / (sqrtf(v[i]) * inverse + eps);
    }
}

void K(lerp)(float *restrict y, const float *restrict x, float t, int64_t count) {
    for (int64_t i = 0; i < count; i++) y[i] += t * (x[i] - y[i]);
}

double K(sum_squares)(const float *x, int64_t count) {
    double lane[LANES] = {0}, sum = 0;
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (int j = 0; j < LANES; j++) lane[j] += (double)x[i + j] * (double)x[i + j];
    for (; i < count; i++) lane[i % LANES] += (double)x[i] * (double)x[i];
    for (int j = 0; j < LANES; j++) sum += lane[j];
    return sum;
}

void K(argmax)(uint8_t *out, const float *x, int classes, ptrdiff_t ld, int64_t pixels) {
    pixel_block b;
    for (int64_t p = 0; p < pixels; p += VW) {
        b.count = pixels - p < VW ? (int)(pixels - p) : VW;
        block_load(&b, x + p * ld, ld, classes);
        vf top = b.x[0];
        vi best = {0};
        for (int c = 1; c < classes; c++) {
            const vi more = b.x[c] > top;
            best = (best & ~more) | (c & more);
            top = v_select(more, b.x[c], top);
        }
        for (int i = 0; i < b.count; i++) out[p + i] = (uint8_t)best[i];
    }
}
