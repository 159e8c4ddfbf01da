/* SPDX-License-Identifier: MIT */
/* A bias's gradient: the sum of the output's, strip by strip, the strips added in order in double. */
#include <string.h>

#include "layers/conv.h"
#include "layers/strips.h"

size_t at_bias_grad_work_bytes(at_shape dy) {
    return (size_t)at_strip_count(dy, AT_STRIP_PIXELS) * (size_t)dy.c * sizeof(float);
}

static void sum_strip(const at_step *s, const at_strip *p) {
    float *part = (float *)s->work + p->index * p->cols;
    memset(part, 0, (size_t)p->cols * sizeof *part);
    at_kernels_get()->pixel_sum(part, p->t[0].data, p->t[0].ld, p->rows, (int)p->cols);
}

void at_bias_grad(const at_step *s, float *db) {
    const float *parts = s->work;
    at_shape dy = s->d_out.shape;
    at_for_strips(s, sum_strip, AT_STRIP_PIXELS, &s->d_out, 1, 0);
    for (int c = 0; c < dy.c; c++) {
        double sum = 0;
        for (int64_t i = 0; i < at_strip_count(dy, AT_STRIP_PIXELS); i++)
            sum += parts[i * dy.c + c];
        db[c] += (float)sum;
    }
}
