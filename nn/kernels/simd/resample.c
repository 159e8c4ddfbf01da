/* SPDX-License-Identifier: MIT */
/* Resampling along one axis by a table of taps. Vertically, rows are blended as runs of floats;
 * horizontally, vectors lie along the channels. */
#include "nn/kernels/simd/vec.h"

#define INLINE static inline __attribute__((always_inline))

INLINE vf load(const float *p, int n) {
    return n == VW ? v_load(p) : v_load_n(p, n);
}

INLINE void store(float *p, vf v, int n) {
    if (n == VW)
        v_store(p, v);
    else
        v_store_n(p, v, n);
}

/* ---- vertical: a blend of rows ---- */

/* `vectors` vectors, or one of n < VW lanes. */
INLINE void blend(float *out, const float *x, ptrdiff_t row, at_taps t, int vectors, int n) {
    vf sum[4] = {0};
    for (int i = 0; i < t.count; i++) {
        const float *p = x + t.index[i] * row;
        for (int v = 0; v < vectors; v++) sum[v] += t.weight[i] * load(p + v * VW, n);
    }
    for (int v = 0; v < vectors; v++) store(out + v * VW, sum[v], n);
}

static void blend_run(float *out, const float *x, ptrdiff_t row, at_taps t, int64_t count) {
    int64_t i = 0;
    for (; i + 4 * VW <= count; i += 4 * VW) blend(out + i, x + i, row, t, 4, VW);
    for (; i + VW <= count; i += VW) blend(out + i, x + i, row, t, 1, VW);
    if (i < count) blend(out + i, x + i, row, t, 1, (int)(count - i));
}

void K(blend_rows)(float *out, const float *x, ptrdiff_t row, ptrdiff_t ld, at_taps t,
                   int64_t pixels, int c) {
    if (ld == c) {
        blend_run(out, x, row, t, pixels * c);
        return;
    }
    for (int64_t i = 0; i < pixels; i++) blend_run(out + i * c, x + i * ld, row, t, c);
}

/* ---- horizontal: each pixel a blend of pixels ---- */

/* n channels from the c-th on; `taps` is t.count, a constant where this is inlined for a few. */
INLINE void mix(float *out, const float *x, ptrdiff_t ld, at_taps t, int taps, bool add, int c,
                int n) {
    vf sum = add ? load(out + c, n) : (vf){0};
    for (int i = 0; i < taps; i++) sum += t.weight[i] * load(x + t.index[i] * ld + c, n);
    store(out + c, sum, n);
}

INLINE void mix_pixel(float *out, const float *x, ptrdiff_t ld, at_taps t, int taps, bool add,
                      int channels) {
    int c = 0;
    for (; c + VW <= channels; c += VW) mix(out, x, ld, t, taps, add, c, VW);
    if (c < channels) mix(out, x, ld, t, taps, add, c, channels - c);
}

void K(mix_pixels)(float *out, ptrdiff_t out_ld, const float *x, ptrdiff_t ld, const at_resample *r,
                   int c, bool add) {
    for (int o = 0; o < r->size; o++) {
        at_taps t = at_resample_taps(r, o);
        float *pixel = out + o * out_ld;
        if (t.count == 2)
            mix_pixel(pixel, x, ld, t, 2, add, c);
        else if (t.count == 4)
            mix_pixel(pixel, x, ld, t, 4, add, c);
        else
            mix_pixel(pixel, x, ld, t, t.count, add, c);
    }
}
