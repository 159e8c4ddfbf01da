/* SPDX-License-Identifier: MIT */
/* Resampling along one axis by a table of taps. Vertically, rows are blended as runs of floats;
 * horizontally, vectors lie along the channels. */
#include "nn/kernels/simd/vec.h"

#define INLINE static inline __attribute__((always_inline))

/* ---- vertical: a blend of rows ---- */

/* `vectors` vectors, or one of n < VW lanes. */
INLINE void blend(float *out, const void *x, ptrdiff_t row, at_taps t, int vectors, int n,
                  bool bf16) {
    vf sum[4] = {0};
    for (int i = 0; i < t.count; i++)
        for (int v = 0; v < vectors; v++)
            sum[v] +=
                t.weight[i] * v_load_any(v_element(x, t.index[i] * row + v * VW, bf16), n, bf16);
    for (int v = 0; v < vectors; v++) v_store_any(out + v * VW, sum[v], n, false);
}

INLINE void blend_run(float *out, const void *x, ptrdiff_t row, at_taps t, int64_t count,
                      bool bf16) {
    int64_t i = 0;
    for (; i + 4 * VW <= count; i += 4 * VW)
        blend(out + i, v_element(x, i, bf16), row, t, 4, VW, bf16);
    for (; i + VW <= count; i += VW) blend(out + i, v_element(x, i, bf16), row, t, 1, VW, bf16);
    if (i < count) blend(out + i, v_element(x, i, bf16), row, t, 1, (int)(count - i), bf16);
}

INLINE void blend_all(float *out, const void *x, ptrdiff_t row, ptrdiff_t ld, at_taps t,
                      int64_t pixels, int c, bool bf16) {
    if (ld == c) {
        blend_run(out, x, row, t, pixels * c, bf16);
        return;
    }
    for (int64_t i = 0; i < pixels; i++)
        blend_run(out + i * c, v_element(x, i * ld, bf16), row, t, c, bf16);
}

void K(blend_rows)(float *out, const void *x, bool bf16, ptrdiff_t row, ptrdiff_t ld, at_taps t,
                   int64_t pixels, int c) {
    if (bf16)
        blend_all(out, x, row, ld, t, pixels, c, true);
    else
        blend_all(out, x, row, ld, t, pixels, c, false);
}

/* ---- horizontal: each pixel a blend of pixels ---- */

/* n channels from the c-th on; `taps` is t.count, a constant where this is inlined for a few. */
INLINE void mix(void *out, const float *x, ptrdiff_t ld, at_taps t, int taps, bool add, int c,
                int n, bool bf16) {
    void *to = v_element(out, c, bf16);
    vf sum = add ? v_load_any(to, n, bf16) : (vf){0};
    for (int i = 0; i < taps; i++)
        sum += t.weight[i] * v_load_any(x + t.index[i] * ld + c, n, false);
    v_store_any(to, sum, n, bf16);
}

INLINE void mix_pixel(void *out, const float *x, ptrdiff_t ld, at_taps t, int taps, bool add,
                      int channels, bool bf16) {
    int c = 0;
    for (; c + VW <= channels; c += VW) mix(out, x, ld, t, taps, add, c, VW, bf16);
    if (c < channels) mix(out, x, ld, t, taps, add, c, channels - c, bf16);
}

INLINE void mix_all(void *out, ptrdiff_t out_ld, const float *x, ptrdiff_t ld, const at_resample *r,
                    int c, bool add, bool bf16) {
    for (int o = 0; o < r->size; o++) {
        at_taps t = at_resample_taps(r, o);
        void *pixel = v_element(out, o * out_ld, bf16);
        if (t.count == 2)
            mix_pixel(pixel, x, ld, t, 2, add, c, bf16);
        else if (t.count == 4)
            mix_pixel(pixel, x, ld, t, 4, add, c, bf16);
        else
            mix_pixel(pixel, x, ld, t, t.count, add, c, bf16);
    }
}

void K(mix_pixels)(void *out, bool bf16, ptrdiff_t out_ld, const float *x, ptrdiff_t ld,
                   const at_resample *r, int c, bool add) {
    if (bf16)
        mix_all(out, out_ld, x, ld, r, c, add, true);
    else
        mix_all(out, out_ld, x, ld, r, c, add, false);
}
