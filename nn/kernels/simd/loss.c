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

static inline __attribute__((always_inline)) double entropy(float *lse, const float *x,
                                                            ptrdiff_t ld, const uint8_t *label,
                                                            const at_label_table *t, int64_t pixels,
                                                            int c, bool smoothing) {
    pixel_block b;
    vd total = {0};
    for (int64_t p = 0; p < pixels; p += VW, x += VW * ld, label += VW) {
        b.count = block_size(pixels - p);
        block_load(&b, x, ld, c);
        vi own_class = block_labels(label, b.count);
        vf hit = block_lookup(&b, t->hit, own_class);
        vf smooth = smoothing ? block_lookup(&b, t->smooth, own_class) : (vf){0};
        vf own = block_pick(&b, own_class, c), mixed = {0};
        if (smoothing) mixed = weighted(&b, t->weight, c);
        vf max = block_max(&b, c), log_sum = v_log(block_exp_sum(&b, max, c));
        v_store_n(lse + p, max + log_sum, b.count);
        vf loss = hit * ((max - own) + log_sum);
        if (smoothing) loss += smooth * (t->weight_sum * (max + log_sum) - mixed);
        vi counts = (hit != 0) | (smooth != 0);
        total += __builtin_convertvector(v_select(counts, loss, (vf){0}), vd);
    }
    return lanes_sum(&total);
}

double K(cross_entropy)(float *lse, const float *x, ptrdiff_t ld, const uint8_t *label,
                        const at_label_table *t, int64_t pixels, int c) {
    return t->weight != NULL ? entropy(lse, x, ld, label, t, pixels, c, true)
                             : entropy(lse, x, ld, label, t, pixels, c, false);
}

double K(focal)(float *lse, float *slope, const float *x, ptrdiff_t ld, const uint8_t *label,
                const float *hit_of, float gamma, int64_t pixels, int c) {
    pixel_block b;
    vd total = {0};
    for (int64_t p = 0; p < pixels; p += VW, x += VW * ld, label += VW) {
        b.count = block_size(pixels - p);
        block_load(&b, x, ld, c);
        vi own_class = block_labels(label, b.count);
        vf hit = block_lookup(&b, hit_of, own_class), own = block_pick(&b, own_class, c);
        vf max = block_exp(&b, c), mine = block_pick(&b, own_class, c), others = {0};
        for (int k = 0; k < c; k++) /* 1 - p without cancellation */
            others += (vf)((vi)b.x[k] & (own_class != k));
        vf sum = others + mine, log_sum = v_log(sum), log_p = (own - max) - log_sum;
        vf q = v_max(others / sum, v_set1(1e-20f)); /* at 0, q^(gamma - 1) may be infinite */
        vf log_q = v_log(q), factor = v_exp(gamma * log_q);
        vf down = gamma * (mine / sum) * v_exp((gamma - 1) * log_q) * log_p;
        v_store_n(lse + p, max + log_sum, b.count);
        v_store_n(slope + p, factor - down, b.count);
        vf loss = v_select(hit != 0, -(hit * factor * log_p), (vf){0});
        total += __builtin_convertvector(loss, vd);
    }
    return lanes_sum(&total);
}

/* ---- gradient ---- */

/* One pixel's numbers: dx_k = exp(x_k - lse) scale - [k = label] hit - smooth weight_k. */
typedef struct pixel_loss {
    float lse, scale, hit, smooth;
    int label;
} pixel_loss;

static inline pixel_loss pixel_loss_of(const float *lse, const float *slope, const uint8_t *label,
                                       const at_label_table *t, int64_t p) {
    float hit = t->hit[label[p]] * (slope != NULL ? slope[p] : 1), smooth = t->smooth[label[p]];
    return (pixel_loss){lse[p], hit + smooth * t->weight_sum, hit, smooth, label[p]};
}

/* n classes from the k-th on: lanes along the classes. */
static inline __attribute__((always_inline)) void
dclasses(float *dx, const float *x, pixel_loss l, const float *weight, bool add, int k, int n) {
    const vi lane = AT_LANES;
    vf d = v_exp(v_load_n(x + k, n) - l.lse) * l.scale;
    d -= (vf)((vi)v_set1(l.hit) & (lane + k == l.label));
    if (weight != NULL) d -= l.smooth * v_load_n(weight + k, n);
    v_store_n(dx + k, add ? v_load_n(dx + k, n) + d : d, n);
}

static void dpixels(float *dx, ptrdiff_t dx_ld, const float *x, ptrdiff_t ld, const float *lse,
                    const float *slope, const uint8_t *label, const at_label_table *t,
                    int64_t pixels, int c, bool add) {
    for (int64_t p = 0; p < pixels; p++, dx += dx_ld, x += ld) {
        if (t->hit[label[p]] == 0 && t->smooth[label[p]] == 0) {
            if (!add) memset(dx, 0, (size_t)c * sizeof *dx);
            continue;
        }
        pixel_loss l = pixel_loss_of(lse, slope, label, t, p);
        int k = 0;
        for (; k + VW <= c; k += VW) dclasses(dx, x, l, t->weight, add, k, VW);
        if (k < c) dclasses(dx, x, l, t->weight, add, k, c - k);
    }
}

/* With few classes, dense: VW pixels are c full vectors. For each: which of the pixels and which
 * class a lane is, and the class's weight. */
enum { FLAT_CLASSES = 32 };

typedef struct flat {
    vi pixel[FLAT_CLASSES], class[FLAT_CLASSES];
    vf weight[FLAT_CLASSES];
} flat;

static void flat_init(flat *f, const float *weight, int c) {
    for (int i = 0; i < c * VW; i++) {
        f->pixel[i / VW][i % VW] = i / c;
        f->class[i / VW][i % VW] = i % c;
        f->weight[i / VW][i % VW] = weight != NULL ? weight[i % c] : 0;
    }
}

static void dflat(float *dx, const float *x, const float *lse, const float *slope,
                  const uint8_t *label, const at_label_table *t, const flat *f, int c, bool add) {
    vi own = block_labels(label, VW);
    vf hit = v_gather(t->hit, own), smooth = v_gather(t->smooth, own), log_sum = v_load(lse);
    vi counts = (hit != 0) | (smooth != 0);
    if (slope != NULL) hit *= v_load(slope);
    vf scale = hit + smooth * t->weight_sum;
    for (int v = 0; v < c; v++, x += VW, dx += VW) {
        vi at = f->pixel[v];
        vf d = v_exp(v_load(x) - __builtin_shuffle(log_sum, at)) * __builtin_shuffle(scale, at);
        vi mine = __builtin_shuffle(own, at) == f->class[v];
        d -= (vf)((vi)__builtin_shuffle(hit, at) & mine);
        if (t->weight != NULL) d -= __builtin_shuffle(smooth, at) * f->weight[v];
        d = (vf)((vi)d & __builtin_shuffle(counts, at));
        v_store(dx, add ? v_load(dx) + d : d);
    }
}

void K(dcross_entropy)(float *dx, ptrdiff_t dx_ld, const float *x, ptrdiff_t ld, const float *lse,
                       const float *slope, const uint8_t *label, const at_label_table *t,
                       int64_t pixels, int c, bool add) {
    int64_t p = 0;
    if (VW > 4 && ld == c && dx_ld == c && c <= FLAT_CLASSES && pixels >= VW) {
        flat f;
        flat_init(&f, t->weight, c);
        for (; p + VW <= pixels; p += VW)
            dflat(dx + p * c, x + p * c, lse + p, slope != NULL ? slope + p : NULL, label + p, t,
                  &f, c, add);
    }
    dpixels(dx + p * dx_ld, dx_ld, x + p * ld, ld, lse + p, slope != NULL ? slope + p : NULL,
            label + p, t, pixels - p, c, add);
}
