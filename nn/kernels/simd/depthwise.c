/* SPDX-License-Identifier: MIT */
/* Depthwise convolution and sums over pixels: every channel on its own, so vectors run along the
 * channels and each column of vectors walks over all pixels with its weights in registers or L1. */
#include "nn/kernels/simd/vec.h"

/* Column j of one pixel; n < VW at the end of the channels. */
static inline void depthwise_vector(const at_depthwise *t, int i, int j) {
    const float *a = t->a + i * t->a_ld + j;
    float *out = t->out + i * t->out_ld + j;
    vf sum = v_load(t->bias + j);
    for (int s = 0; s < t->taps; s++)
        sum += v_load(a + t->tap_a[s]) * v_load(t->w + t->tap_w[s] + j);
    if (t->add) sum += v_load(out);
    v_store(out, t->relu ? v_max0(sum) : sum);
}

static inline void depthwise_scalar(const at_depthwise *t, int i, int j) {
    const float *a = t->a + i * t->a_ld + j;
    float *out = t->out + i * t->out_ld + j, sum = t->bias[j];
    for (int s = 0; s < t->taps; s++) sum += a[t->tap_a[s]] * t->w[t->tap_w[s] + j];
    if (t->add) sum += *out;
    *out = t->relu && sum < 0 ? 0 : sum;
}

void K(depthwise)(const at_depthwise *t) {
    int whole = t->c / VW * VW;
    for (int i = 0; i < t->pixels; i++) {
        for (int j = 0; j < whole; j += VW) depthwise_vector(t, i, j);
        for (int j = whole; j < t->c; j++) depthwise_scalar(t, i, j);
    }
}

static inline void dw_vector(const at_depthwise_dw *t, int j) {
    vf sum = {0};
    for (int r = 0; r < t->rows; r++) {
        const float *x = t->x + r * t->x_row + j, *dy = t->dy + r * t->dy_row + j;
        for (int p = 0; p < t->pixels; p++)
            sum += v_load(x + p * t->x_ld) * v_load(dy + p * t->dy_ld);
    }
    v_store(t->dw + j, v_load(t->dw + j) + sum);
}

static inline void dw_scalar(const at_depthwise_dw *t, int j) {
    float sum = 0;
    for (int r = 0; r < t->rows; r++) {
        const float *x = t->x + r * t->x_row + j, *dy = t->dy + r * t->dy_row + j;
        for (int p = 0; p < t->pixels; p++) sum += x[p * t->x_ld] * dy[p * t->dy_ld];
    }
    t->dw[j] += sum;
}

void K(depthwise_dw)(const at_depthwise_dw *t) {
    int whole = t->c / VW * VW;
    for (int j = 0; j < whole; j += VW) dw_vector(t, j);
    for (int j = whole; j < t->c; j++) dw_scalar(t, j);
}

void K(pixel_sum)(float *sum, const float *x, ptrdiff_t ld, int64_t pixels, int c) {
    int whole = c / VW * VW;
    for (int j = 0; j < whole; j += VW) {
        vf s = {0};
        for (int64_t p = 0; p < pixels; p++) s += v_load(x + p * ld + j);
        v_store(sum + j, v_load(sum + j) + s);
    }
    for (int j = whole; j < c; j++) {
        float s = 0;
        for (int64_t p = 0; p < pixels; p++) s += x[p * ld + j];
        sum[j] += s;
    }
}
