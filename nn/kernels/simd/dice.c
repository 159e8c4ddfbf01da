/* SPDX-License-Identifier: MIT */
/* Soft Dice: sums of probabilities, and the gradient through the softmax. */
#include "nn/kernels/simd/pixels.h"

static int block_size(int64_t left) {
    return left < VW ? (int)left : VW;
}

void K(dice_sums)(float *lse, double *prob, double *inter, const float *x, ptrdiff_t ld,
                  const uint8_t *label, const float *hit, int64_t pixels, int c) {
    pixel_block b;
    vf total[MAX_CLASSES];
    memset(total, 0, (size_t)c * sizeof *total);
    for (int64_t p = 0; p < pixels; p += VW, x += VW * ld, label += VW) {
        b.count = block_size(pixels - p);
        block_load(&b, x, ld, c);
        vi own_class = block_labels(label, b.count), counts = block_lookup(&b, hit, own_class) != 0;
        vf max = block_exp(&b, c), sum = block_sum(&b, c), own = block_pick(&b, own_class, c) / sum;
        v_store_n(lse + p, max + v_log(sum), b.count);
        vf share = 1.0f / sum;
        for (int k = 0; k < c; k++) total[k] += (vf)((vi)(b.x[k] * share) & counts);
        for (int i = 0; i < b.count; i++)
            if (counts[i] && label[i] < c) inter[label[i]] += (double)own[i];
    }
    for (int k = 0; k < c; k++)
        for (int i = 0; i < VW; i++) prob[k] += (double)total[k][i];
}

void K(ddice)(float *dx, ptrdiff_t dx_ld, const float *x, ptrdiff_t ld, const float *lse,
              const uint8_t *label, const float *hit, const float *base, const float *extra,
              int64_t pixels, int c, bool add) {
    pixel_block b;
    for (int64_t p = 0; p < pixels; p += VW, x += VW * ld, dx += VW * dx_ld, label += VW) {
        b.count = block_size(pixels - p);
        block_load(&b, x, ld, c);
        vf log_sum = v_load_n(lse + p, b.count), mean = {0};
        vi own = block_labels(label, b.count), counts = block_lookup(&b, hit, own) != 0;
        for (int k = 0; k < c; k++) {
            b.x[k] = v_exp(b.x[k] - log_sum);
            vf g = base[k] + (vf)((vi)v_set1(extra[k]) & (own == k));
            mean += b.x[k] * g;
        }
        for (int k = 0; k < c; k++) {
            vf g = base[k] + (vf)((vi)v_set1(extra[k]) & (own == k));
            b.x[k] = (vf)((vi)(b.x[k] * (g - mean)) & counts);
        }
        block_store(&b, dx, dx_ld, c, add);
    }
}
