/* SPDX-License-Identifier: MIT */
/* Resampling along one axis by a table of taps. Vertically, rows are blended as runs of floats;
 * horizontally, vectors lie along the channels. */
#include "nn/kernels/simd/vec.h"

#define INLINE static inline __attribute__((always_inline))

/* What an element is, and whether it is added to: constants where these are inlined. */
typedef struct kind {
    bool in, out, add, stream; /* bf16, bf16 */
} kind;

/* Calls f(..., kind) with a constant. */
#define FOR_KIND(out, x, add, f, ...)                                                              \
    do {                                                                                           \
        if ((x).bf16 && (out).bf16)                                                                \
            f(__VA_ARGS__, (kind){true, true, add, false});                                        \
        else if ((x).bf16)                                                                         \
            f(__VA_ARGS__, (kind){true, false, add, false});                                       \
        else if ((out).bf16)                                                                       \
            f(__VA_ARGS__, (kind){false, true, add, false});                                       \
        else if ((out).stream && !(add))                                                           \
            f(__VA_ARGS__, (kind){false, false, false, true});                                     \
        else                                                                                       \
            f(__VA_ARGS__, (kind){false, false, add, false});                                      \
    } while (0)

/* ---- vertical: a blend of rows ---- */

/* `vectors` vectors, or one of n < VW lanes. */
INLINE void blend(void *out, const void *x, ptrdiff_t row, at_taps t, int vectors, int n, kind k) {
    vf sum[4] = {0};
    for (int v = 0; v < vectors && k.add; v++)
        sum[v] = v_load_any(v_element(out, v * VW, k.out), n, k.out);
    for (int i = 0; i < t.count; i++)
        for (int v = 0; v < vectors; v++)
            sum[v] +=
                t.weight[i] * v_load_any(v_element(x, t.index[i] * row + v * VW, k.in), n, k.in);
    for (int v = 0; v < vectors; v++)
        if (k.stream && n == VW)
            v_stream((float *)out + v * VW, sum[v]);
        else
            v_store_any(v_element(out, v * VW, k.out), sum[v], n, k.out);
}

/* Floats up to where vectors are aligned. */
INLINE int64_t unaligned(const void *out, int64_t count) {
    const int64_t n = -(int64_t)((uintptr_t)out / sizeof(float)) & (VW - 1);
    return n < count ? n : count;
}

INLINE void blend_run(void *out, const void *x, ptrdiff_t row, at_taps t, int64_t count, kind k) {
    int64_t i = k.stream ? unaligned(out, count) : 0;
    if (i > 0) blend(out, x, row, t, 1, (int)i, k);
    for (; i + 4 * VW <= count; i += 4 * VW)
        blend(v_element(out, i, k.out), v_element(x, i, k.in), row, t, 4, VW, k);
    for (; i + VW <= count; i += VW)
        blend(v_element(out, i, k.out), v_element(x, i, k.in), row, t, 1, VW, k);
    if (i < count)
        blend(v_element(out, i, k.out), v_element(x, i, k.in), row, t, 1, (int)(count - i), k);
}

INLINE void blend_all(at_line out, at_line x, ptrdiff_t row, at_taps t, int64_t pixels, int c,
                      kind k) {
    if (x.ld == c && out.ld == c) {
        blend_run(v_element(out.data, 0, k.out), x.data, row, t, pixels * c, k);
        return;
    }
    for (int64_t i = 0; i < pixels; i++)
        blend_run(v_element(out.data, i * out.ld, k.out), v_element(x.data, i * x.ld, k.in), row, t,
                  c, k);
}

void K(blend_rows)(at_line out, at_line x, ptrdiff_t row, at_taps t, int64_t pixels, int c,
                   bool add) {
    FOR_KIND(out, x, add, blend_all, out, x, row, t, pixels, c);
}

/* ---- horizontal: each pixel a blend of pixels ---- */

/* n channels from the c-th on; `taps` is t.count, a constant where this is inlined for a few. */
INLINE void mix(void *out, at_line x, at_taps t, int taps, int c, int n, kind k) {
    void *to = v_element(out, c, k.out);
    vf sum = k.add ? v_load_any(to, n, k.out) : (vf){0};
    for (int i = 0; i < taps; i++)
        sum += t.weight[i] * v_load_any(v_element(x.data, t.index[i] * x.ld + c, k.in), n, k.in);
    v_store_any(to, sum, n, k.out);
}

INLINE void mix_pixel(void *out, at_line x, at_taps t, int taps, int channels, kind k) {
    int c = 0;
    for (; c + VW <= channels; c += VW) mix(out, x, t, taps, c, VW, k);
    if (c < channels) mix(out, x, t, taps, c, channels - c, k);
}

INLINE void mix_all(at_line out, at_line x, const at_resample *r, int c, kind k) {
    for (int o = 0; o < r->size; o++) {
        at_taps t = at_resample_taps(r, o);
        void *pixel = v_element(out.data, o * out.ld, k.out);
        if (t.count == 2)
            mix_pixel(pixel, x, t, 2, c, k);
        else if (t.count == 4)
            mix_pixel(pixel, x, t, 4, c, k);
        else
            mix_pixel(pixel, x, t, t.count, c, k);
    }
}

void K(mix_pixels)(at_line out, at_line x, const at_resample *r, int c, bool add) {
    FOR_KIND(out, x, add, mix_all, out, x, r, c);
}
