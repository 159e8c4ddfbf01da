/* SPDX-License-Identifier: MIT */
/* What the convolution kernels compute, as plainly as it can be said. */
#include "nn/kernels/ref/ref.h"

enum { NR = 5 };

static void put(const at_conv_tile *t, int i, int j, double sum) {
    ptrdiff_t at = i * t->out_ld + j;
    if (t->add) sum += at_ref_load(t->out, at, t->bf16);
    at_ref_store(t->out, at, t->relu && sum < 0 ? 0 : (float)sum, t->bf16);
}

void at_conv_tile_ref(const at_conv_tile *t) {
    const float *a = t->a, *w = t->w;
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < t->n; j++) {
            double sum = t->bias != NULL ? t->bias[j] : 0;
            for (int s = 0; s < t->taps; s++)
                for (int l = 0; l < t->k; l++)
                    sum += (double)a[t->tap_a[s] + i * t->a_ld + l] * w[t->tap_w[s] + l * NR + j];
            put(t, i, j, sum);
        }
}

void at_conv_dot_ref(const at_conv_tile *t) {
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < t->n; j++) {
            double sum = t->bias != NULL ? t->bias[j] : 0;
            for (int s = 0; s < t->taps; s++)
                for (int l = 0; l < t->k; l++)
                    sum += (double)at_ref_load(t->a, t->tap_a[s] + i * t->a_ld + l, true) *
                           at_ref_load(t->w, t->tap_w[s] + (l / 2 * NR + j) * 2 + l % 2, true);
            put(t, i, j, sum);
        }
}

void at_conv_dw_tile_ref(const at_conv_dw_tile *t) {
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < t->n; j++) {
            double sum = 0;
            for (int r = 0; r < t->rows; r++)
                for (int p = 0; p < t->pixels; p++)
                    sum += (double)t->x[r * t->x_row + p * t->x_ld + i] *
                           t->dy[r * t->dy_row + p * t->dy_ld + j];
            t->dw[i * t->dw_ld + j] += (float)sum;
        }
}

void at_depthwise_ref(const at_depthwise *t) {
    for (int i = 0; i < t->pixels; i++)
        for (int j = 0; j < t->c; j++) {
            double sum = t->bias[j];
            for (int s = 0; s < t->taps; s++)
                sum += (double)t->a[t->tap_a[s] + i * t->a_ld + j] * t->w[t->tap_w[s] + j];
            float *out = &t->out[i * t->out_ld + j];
            if (t->add) sum += *out;
            *out = t->relu && sum < 0 ? 0 : (float)sum;
        }
}

void at_depthwise_dw_ref(const at_depthwise_dw *t) {
    for (int j = 0; j < t->c; j++) {
        double sum = 0;
        for (int r = 0; r < t->rows; r++)
            for (int p = 0; p < t->pixels; p++)
                sum += (double)t->x[r * t->x_row + p * t->x_ld + j] *
                       t->dy[r * t->dy_row + p * t->dy_ld + j];
        t->dw[j] += (float)sum;
    }
}

void at_pixel_sum_ref(float *sum, const float *x, ptrdiff_t ld, int64_t pixels, int c) {
    for (int j = 0; j < c; j++) {
        double s = 0;
        for (int64_t p = 0; p < pixels; p++) s += x[p * ld + j];
        sum[j] += (float)s;
    }
}
