/* SPDX-License-Identifier: MIT */
/* Initial values of parameters, made in PyTorch's order from a stream named after the parameter, so
 * that neither the layout nor the rest of the network changes them. */
#include <math.h>
#include <string.h>

#include "nn/graph_private.h"
#include "nn/random.h"

/* One weight of a bilinear interpolation kernel of k taps (FCN's reference code: factor (k + 1) /
 * 2, centre on a tap if k is odd, else between two). */
static double bilinear_tap(int k, int i) {
    int factor = (k + 1) / 2;
    double centre = k % 2 ? factor - 1 : factor - 0.5;
    return 1 - fabs(i - centre) / factor;
}

/* In each group, channel a of the input feeds channel a mod `out` of the output, and where several
 * meet they are averaged: with as many outputs as inputs this is plain interpolation of each
 * channel. */
static float bilinear_value(const at_param_spec *s, const int at[4]) {
    int in = s->dims[0] / (s->init.groups > 0 ? s->init.groups : 1), out = s->dims[1];
    if (at[0] % in % out != at[1]) return 0;
    double share = in > out ? (double)out / in : 1;
    if (s->init.value != 0) share *= s->init.value;
    return (float)(share * bilinear_tap(s->dims[2], at[2]) * bilinear_tap(s->dims[3], at[3]));
}

/* Element i of a parameter with rank 4 (or less, padded with ones) to its coordinates. */
static void coordinates(const at_param_spec *s, int64_t i, int at[4]) {
    for (int d = 3; d >= 0; d--) {
        int n = d < s->rank ? s->dims[d] : 1;
        at[d] = (int)(i % n);
        i /= n;
    }
}

static void fill_normal(float *out, int64_t count, at_rng *r, const at_init *init) {
    double gain = init->value != 0 ? init->value : 1;
    float sd = (float)(gain * sqrt(2.0 / (init->fan_in > 0 ? init->fan_in : 1)));
    for (int64_t i = 0; i < count; i++) out[i] = sd * at_rng_normal(r);
}

/* ICNR: the factor^2 filters that make one block of output pixels begin equal, so that the layer
 * begins as convolution followed by nearest-neighbour interpolation. */
static void fill_icnr(const at_param_spec *s, float *out, at_rng *r) {
    int block = s->init.factor * s->init.factor;
    int64_t filter = (int64_t)s->dims[1] * s->dims[2] * s->dims[3];
    for (int o = 0; o < s->dims[0]; o += block) {
        float *first = out + o * filter;
        fill_normal(first, filter, r, &s->init);
        for (int j = 1; j < block && o + j < s->dims[0]; j++)
            memcpy(first + j * filter, first, (size_t)filter * sizeof *out);
    }
}

void at_init_fill(const at_param *p, uint64_t seed, float *out) {
    const at_param_spec *s = &p->spec;
    at_rng r = at_rng_make(seed, AT_RNG_INIT, at_hash(p->name), 0);
    switch (s->init.kind) {
    case AT_INIT_ZERO:
        memset(out, 0, (size_t)p->count * sizeof *out);
        return;
    case AT_INIT_CONSTANT:
        for (int64_t i = 0; i < p->count; i++) out[i] = s->init.value;
        return;
    case AT_INIT_HE_NORMAL:
        fill_normal(out, p->count, &r, &s->init);
        break;
    case AT_INIT_ICNR:
        fill_icnr(s, out, &r);
        break;
    case AT_INIT_UNIFORM:
        for (int64_t i = 0; i < p->count; i++)
            out[i] = at_rng_range(&r, -s->init.value, s->init.value);
        break;
    case AT_INIT_BILINEAR:
        for (int64_t i = 0; i < p->count; i++) {
            int at[4];
            coordinates(s, i, at);
            out[i] = bilinear_value(s, at);
        }
        break;
    }
}
