/* SPDX-License-Identifier: MIT */
/* Cross-entropy and focal loss over softmax probabilities, and their gradient. */
#include "nn/kernels/simd/pixels.h"

void K(count_labels)(int64_t *count, const uint8_t *label, int64_t pixels) {
    int32_t lanes[4][256] = {{0}}; /* four, so that runs of one label don't wait for themselves */
    int64_t i = 0;
    for (; i + 4 <= pixels; i += 4)
        for (int l = 0; l < 4; l++) lanes[l][label[i + l]]++;
    for (; i < pixels; i++) lanes[0][label[i]]++;
    for (int k = 0; k < 256; k++) count[k] += lanes[0][k] + lanes[1][k] + lanes[2][k] + lanes[3][k];
}

static int block_size(int64_t left) {
    return left < VW ? (int)left : VW;
}

/* Sum over classes of weight * x. */
static vf weighted(const pixel_block *b, const float *weight, int c) {
    vf sum = {0};
    for (int k = 0; k < c; k++) sum += weight[k] * b->x[k];
    return sum;
}

double K(cross_entropy)(float *lse, const float *x, ptrdiff_t ld, const uint8_t *label,
                        const at_label_table *t, int64_t pixels, int c) {
    pixel_block b;
    vd total = {0};
    for (int64_t p = 0; p < pixels; p += VW, x += VW * ld, label += VW) {
        b.count = block_size(pixels - p);
        block_load(&b, x, ld, c);
        vf hit = block_lookup(&b, t->hit, label), smooth = block_lookup(&b, t->smooth, label);
        vf own = block_pick(&b, label, c), mixed = {0};
        if (t->weight != NULL) mixed = weighted(&b, t->weight, c);
        vf max = block_exp(&b, c), log_sum = v_log(block_sum(&b, c));
        v_store_n(lse + p, max + log_sum, b.count);
        vf loss = hit * ((max - own) + log_sum);
        if (t->weight != NULL) loss += smooth * (t->weight_sum * (max + log_sum) - mixed);
        vi counts = (hit != 0) | (smooth != 0);
        total += __builtin_convertvector(v_select(counts, loss, (vf){0}), vd);
    }
    return lanes_sum(&total);
}

static vf power(vf log_q, float gamma) {
    return v_exp(gamma * log_q);
}

double K(focal)(float *lse, float *slope, const float *x, ptrdiff_t ld, const uint8_t *label,
                const float *hit_of, float gamma, int64_t pixels, int c) {
    pixel_block b;
    vd total = {0};
    for (int64_t p = 0; p < pixels; p += VW, x += VW * ld, label += VW) {
        b.count = block_size(pixels - p);
        block_load(&b, x, ld, c);
        vf hit = block_lookup(&b, hit_of, label), own = block_pick(&b, label, c);
        vf max = block_exp(&b, c), mine = block_pick(&b, label, c);
        for (int i = 0; i < b.count; i++)
            if (label[i] < c) b.x[label[i]][i] = 0; /* what is left: 1 - p without cancellation */
        vf others = block_sum(&b, c), sum = others + mine;
        vf log_p = (own - max) - v_log(sum), least = v_set1(1e-20f);
        vf q = others / sum; /* kept above 0, where q^(gamma - 1) may be infinite */
        vf log_q = v_log(v_select(q < least, least, q));
        vf factor = power(log_q, gamma);
        vf down = gamma * (mine / sum) * power(log_q, gamma - 1) * log_p;
        v_store_n(lse + p, max + v_log(sum), b.count);
        v_store_n(slope + p, factor - down, b.count);
        vf loss = v_select(hit != 0, -(hit * factor * log_p), (vf){0});
        total += __builtin_convertvector(loss, vd);
    }
    return lanes_sum(&total);
}

/* ---- gradient: lanes along the classes; with the log of the sum there is nothing to reduce
 * -------- */

typedef struct pixel_loss {
    float lse, scale, hit, smooth;
    int label;
} pixel_loss;

static inline __attribute__((always_inline)) void
dclasses(float *dx, const float *x, pixel_loss l, const float *weight, bool add, int k, int n) {
    const vi lane = AT_LANES;
    vf d = v_exp(v_load_n(x + k, n) - l.lse) * l.scale;
    d -= (vf)((vi)v_set1(l.hit) & (lane + k == l.label));
    if (weight != NULL) d -= l.smooth * v_load_n(weight + k, n);
    v_store_n(dx + k, add ? v_load_n(dx + k, n) + d : d, n);
}

void K(dcross_entropy)(float *dx, ptrdiff_t dx_ld, const float *x, ptrdiff_t ld, const float *lse,
                       const float *slope, const uint8_t *label, const at_label_table *t,
                       int64_t pixels, int c, bool add) {
    for (int64_t p = 0; p < pixels; p++, dx += dx_ld, x += ld) {
        float hit = t->hit[label[p]], smooth = t->smooth[label[p]];
        if (hit == 0 && smooth == 0) {
            if (!add) memset(dx, 0, (size_t)c * sizeof *dx);
            continue;
        }
        if (slope != NULL) hit *= slope[p];
        pixel_loss l = {lse[p], hit + smooth * t->weight_sum, hit, smooth, label[p]};
        int k = 0;
        for (; k + VW <= c; k += VW) dclasses(dx, x, l, t->weight, add, k, VW);
        if (k < c) dclasses(dx, x, l, t->weight, add, k, c - k);
    }
}
