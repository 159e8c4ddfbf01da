/* SPDX-License-Identifier: MIT */
/* Average pooling, vectors along the channels. Planes of floats only. */
#include "nn/kernels/simd/axis.h"
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

/* What window o counts along its axis. */
static int counted(pool_axis a, int o, bool exclude_pad) {
    int start = axis_start(a, o), end = start + a.kernel;
    if (!exclude_pad) return (end < a.size + a.pad ? end : a.size + a.pad) - start;
    return (end < a.size ? end : a.size) - (start > 0 ? start : 0);
}

/* out (+)= scale * sum of rows x columns pixels from x. */
INLINE void mean_channels(float *out, const float *x, ptrdiff_t row, ptrdiff_t ld, int rows,
                          int columns, float scale, bool add, int n) {
    vf sum = {0};
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) sum += load(x + i * row + j * ld, n);
    sum *= scale;
    store(out, add ? load(out, n) + sum : sum, n);
}

INLINE void mean_window(float *out, const float *x, ptrdiff_t row, ptrdiff_t ld, int rows,
                        int columns, float scale, bool add, int channels) {
    int c = 0;
    for (; c + VW <= channels; c += VW)
        mean_channels(out + c, x + c, row, ld, rows, columns, scale, add, VW);
    if (c < channels)
        mean_channels(out + c, x + c, row, ld, rows, columns, scale, add, channels - c);
}

void K(avg_pool)(const at_pool *p, int row) {
    pool_axis h = axis_h(p), w = axis_w(p);
    span si = axis_taps(h, row);
    int y = axis_start(h, row) + si.first, rows = si.last - si.first;
    int high = counted(h, row, p->exclude_pad);
    ptrdiff_t ld = p->large_ld, line = ld * p->w;
    for (int o = 0; o < p->out_w; o++) {
        span sj = axis_taps(w, o);
        int x = axis_start(w, o) + sj.first, columns = sj.last - sj.first;
        float scale = 1.0f / (float)(high * counted(w, o, p->exclude_pad));
        float *out = (float *)p->small + ((ptrdiff_t)row * p->out_w + o) * p->small_ld;
        const float *in = (const float *)p->large + y * line + x * ld;
        if (rows == 2 && columns == 2)
            mean_window(out, in, line, ld, 2, 2, scale, p->add, p->c);
        else
            mean_window(out, in, line, ld, rows, columns, scale, p->add, p->c);
    }
}

/* A place of the large plane: the windows that cover it, each weighed by its size. */
INLINE void place_channels(const at_pool *p, float *place, span sy, span sx, int c, int n) {
    pool_axis h = axis_h(p), w = axis_w(p);
    const float *small = p->small;
    vf sum = {0};
    for (int oy = sy.first; oy < sy.last; oy++) {
        int high = counted(h, oy, p->exclude_pad);
        for (int ox = sx.first; ox < sx.last; ox++) {
            float scale = 1.0f / (float)(high * counted(w, ox, p->exclude_pad));
            sum += scale * load(small + ((ptrdiff_t)oy * p->out_w + ox) * p->small_ld + c, n);
        }
    }
    store(place + c, p->add ? load(place + c, n) + sum : sum, n);
}

void K(davg_pool)(const at_pool *p, int y) {
    span sy = axis_windows(axis_h(p), y);
    for (int x = 0; x < p->w; x++) {
        span sx = axis_windows(axis_w(p), x);
        float *place = (float *)p->large + ((ptrdiff_t)y * p->w + x) * p->large_ld;
        int c = 0;
        for (; c + VW <= p->c; c += VW) place_channels(p, place, sy, sx, c, VW);
        if (c < p->c) place_channels(p, place, sy, sx, c, p->c - c);
    }
}
