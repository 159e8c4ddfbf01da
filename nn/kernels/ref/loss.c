/* SPDX-License-Identifier: MIT */
/* What the loss kernels compute, as plainly as it can be said, in double. */
#include <math.h>

#include "nn/kernels/ref/ref.h"

void at_count_labels_ref(int64_t *count, const uint8_t *label, int64_t pixels) {
    for (int64_t i = 0; i < pixels; i++) count[label[i]]++;
}

static double log_sum_exp(const float *x, int c) {
    double max = x[0], sum = 0;
    for (int k = 1; k < c; k++) max = fmax(max, x[k]);
    for (int k = 0; k < c; k++) sum += exp(x[k] - max);
    return max + log(sum);
}

double at_cross_entropy_ref(float *lse, const float *x, ptrdiff_t ld, const uint8_t *label,
                            const at_label_table *t, int64_t pixels, int c) {
    double total = 0;
    for (int64_t p = 0; p < pixels; p++, x += ld) {
        double log_sum = log_sum_exp(x, c);
        float hit = t->hit[label[p]], smooth = t->smooth[label[p]];
        lse[p] = (float)log_sum;
        if (hit != 0) total += hit * (log_sum - x[label[p]]);
        for (int k = 0; k < c && smooth != 0 && t->weight != NULL; k++)
            total += smooth * t->weight[k] * (log_sum - x[k]);
    }
    return total;
}

double at_focal_ref(float *lse, float *slope, const float *x, ptrdiff_t ld, const uint8_t *label,
                    const float *hit, float gamma, int64_t pixels, int c) {
    double total = 0;
    for (int64_t i = 0; i < pixels; i++, x += ld) {
        double log_sum = log_sum_exp(x, c), own = label[i] < c ? x[label[i]] : 0;
        double log_p = own - log_sum, p = exp(log_p), q = fmax(-expm1(log_p), 1e-20);
        lse[i] = (float)log_sum;
        slope[i] = (float)(pow(q, gamma) - gamma * p * pow(q, gamma - 1) * log_p);
        if (hit[label[i]] != 0) total -= hit[label[i]] * pow(q, gamma) * log_p;
    }
    return total;
}

void at_dice_sums_ref(float *lse, double *prob, double *inter, const float *x, ptrdiff_t ld,
                      const uint8_t *label, const float *hit, int64_t pixels, int c) {
    for (int64_t p = 0; p < pixels; p++, x += ld) {
        double log_sum = log_sum_exp(x, c);
        lse[p] = (float)log_sum;
        for (int k = 0; k < c && hit[label[p]] != 0; k++) {
            prob[k] += exp(x[k] - log_sum);
            if (k == label[p]) inter[k] += exp(x[k] - log_sum);
        }
    }
}

void at_dcross_entropy_ref(float *dx, ptrdiff_t dx_ld, const float *x, ptrdiff_t ld,
                           const float *lse, const float *slope, const uint8_t *label,
                           const at_label_table *t, int64_t pixels, int c, bool add) {
    for (int64_t p = 0; p < pixels; p++, x += ld, dx += dx_ld)
        for (int k = 0; k < c; k++) {
            double hit = t->hit[label[p]], smooth = t->smooth[label[p]], d = 0;
            if (hit != 0 || smooth != 0) {
                hit *= slope != NULL ? slope[p] : 1;
                d = exp((double)x[k] - lse[p]) * (hit + smooth * t->weight_sum);
                if (k == label[p]) d -= hit;
                if (t->weight != NULL) d -= smooth * t->weight[k];
            }
            dx[k] = (float)((add ? dx[k] : 0) + d);
        }
}

void at_ddice_ref(float *dx, ptrdiff_t dx_ld, const float *x, ptrdiff_t ld, const float *lse,
                  const uint8_t *label, const float *hit, const float *base, const float *extra,
                  int64_t pixels, int c, bool add) {
    for (int64_t p = 0; p < pixels; p++, x += ld, dx += dx_ld) {
        double mean = 0;
        for (int k = 0; k < c; k++)
            mean += exp((double)x[k] - lse[p]) * (base[k] + (k == label[p] ? extra[k] : 0));
        for (int k = 0; k < c; k++) {
            double g = base[k] + (k == label[p] ? extra[k] : 0);
            double d = exp((double)x[k] - lse[p]) * (g - mean);
            dx[k] = (float)((add ? dx[k] : 0) + (hit[label[p]] != 0 ? d : 0));
        }
    }
}
