/* SPDX-License-Identifier: MIT */
/* Max pooling and unpooling, vectors along the channels. Each kernel is one function of a window
 * (or place) and up to VW channels, inlined with constants for the windows that networks use and for
 * the type of the planes. */
#include "nn/kernels/simd/axis.h"
#include "nn/kernels/simd/vec.h"

#define INLINE static inline __attribute__((always_inline))

typedef uint8_t vb __attribute__((vector_size(VW)));

INLINE vi codes(const uint8_t *p, int n) {
    vb b = {0};
    if (n == VW)
        memcpy(&b, p, VW);
    else
        for (int i = 0; i < n; i++) b[i] = p[i];
    return __builtin_convertvector(b, vi);
}

INLINE void store_codes(uint8_t *p, vi v, int n) {
    vb b = __builtin_convertvector(v, vb);
    if (n == VW)
        memcpy(p, &b, VW);
    else
        for (int i = 0; i < n; i++) p[i] = b[i];
}

INLINE void *large_at(const at_pool *p, int y, int x, int c, bool bf16) {
    return v_element(p->large, ((ptrdiff_t)y * p->w + x) * p->large_ld + c, bf16);
}

INLINE void *small_at(const at_pool *p, int y, int x, int c, bool bf16) {
    return v_element(p->small, ((ptrdiff_t)y * p->out_w + x) * p->small_ld + c, bf16);
}

INLINE uint8_t *code_at(const at_pool *p, int y, int x) {
    return p->code + ((ptrdiff_t)y * p->out_w + x) * p->code_ld;
}

/* ---- maximum ---- */

/* A window's taps inside the plane: rows x columns from x, `code` being the first one's. */
typedef struct window {
    const void *x;
    ptrdiff_t row, column; /* elements from tap to tap */
    int rows, columns, code, code_row;
} window;

INLINE void max_channels(void *y, uint8_t *code, window w, int c, int n, bool bf16) {
    vf best = v_load_any(v_element(w.x, c, bf16), n, bf16);
    vi at = w.code - (vi){0};
    for (int i = 0; i < w.rows; i++)
        for (int j = i == 0; j < w.columns; j++) {
            vf v = v_load_any(v_element(w.x, i * w.row + j * w.column + c, bf16), n, bf16);
            vi better = (v > best) | (v != v);
            best = v_select(better, v, best);
            at = (at & ~better) | ((w.code + i * w.code_row + j) & better);
        }
    v_store_any(v_element(y, c, bf16), best, n, bf16);
    if (code != NULL) store_codes(code + c, at, n);
}

INLINE void max_window(void *y, uint8_t *code, window w, int channels, bool bf16) {
    int c = 0;
    for (; c + VW <= channels; c += VW) max_channels(y, code, w, c, VW, bf16);
    if (c < channels) max_channels(y, code, w, c, channels - c, bf16);
}

INLINE void max_row(const at_pool *p, int row, bool bf16) {
    pool_axis h = axis_h(p), w = axis_w(p);
    span si = axis_taps(h, row);
    int y = axis_start(h, row) + si.first * h.dilation, rows = si.last - si.first;
    for (int o = 0; o < p->out_w; o++) {
        span sj = axis_taps(w, o);
        int x = axis_start(w, o) + sj.first * w.dilation, columns = sj.last - sj.first;
        void *out = small_at(p, row, o, 0, bf16);
        uint8_t *code = p->code != NULL ? code_at(p, row, o) : NULL;
        window v = {large_at(p, y, x, 0, bf16),
                    (ptrdiff_t)p->w * p->large_ld * h.dilation,
                    p->large_ld * w.dilation,
                    rows,
                    columns,
                    si.first * w.kernel + sj.first,
                    w.kernel};
        if (rows == 2 && columns == 2 && w.kernel == 2)
            max_window(out, code, (window){v.x, v.row, v.column, 2, 2, v.code, 2}, p->c, bf16);
        else if (rows == 3 && columns == 3 && w.kernel == 3)
            max_window(out, code, (window){v.x, v.row, v.column, 3, 3, v.code, 3}, p->c, bf16);
        else
            max_window(out, code, v, p->c, bf16);
    }
}

void K(max_pool)(const at_pool *p, int row) {
    if (p->bf16)
        max_row(p, row, true);
    else
        max_row(p, row, false);
}

/* ---- scatter ---- */

/* One window, all of whose places are its own: rows x columns of them are inside. */
INLINE void own_channels(const at_pool *p, int oy, int ox, int rows, int columns, int kernel_w,
                         int c, int n, bool bf16, bool stream) {
    void *y = large_at(p, oy * p->kernel_h, ox * kernel_w, c, bf16);
    vf v = v_load_any(small_at(p, oy, ox, c, bf16), n, bf16);
    vi at = codes(code_at(p, oy, ox) + c, n);
    ptrdiff_t row = (ptrdiff_t)p->w * p->large_ld, ld = p->large_ld;
    bool add = p->add;
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < columns; j++) {
            void *place = v_element(y, i * row + j * ld, bf16);
            vf here = (vf)((vi)v & (at == i * kernel_w + j));
            if (stream)
                v_stream(place, here);
            else
                v_store_any(place, add ? v_load_any(place, n, bf16) + here : here, n, bf16);
        }
}

INLINE void own_window(const at_pool *p, int oy, int ox, int rows, int columns, int kernel_w,
                       bool bf16, bool stream) {
    int c = 0;
    for (; c + VW <= p->c; c += VW)
        own_channels(p, oy, ox, rows, columns, kernel_w, c, VW, bf16, stream);
    if (c < p->c) own_channels(p, oy, ox, rows, columns, kernel_w, c, p->c - c, bf16, false);
}

static void zero_places(const at_pool *p, int y0, int y1, int x0) {
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < p->w; x++)
            memset(large_at(p, y, x, 0, p->bf16), 0, (size_t)p->c * (p->bf16 ? 2 : 4));
}

INLINE void scatter_tiled(const at_pool *p, int y0, int y1, bool bf16) {
    const bool stream = p->stream && !bf16 && !p->add && v_aligned(p->large, p->large_ld, p->c);
    int y = y0;
    for (int oy = y0 / p->kernel_h; oy < p->out_h && y < y1; oy++) {
        int rows = y + p->kernel_h <= y1 ? p->kernel_h : y1 - y;
        for (int ox = 0; ox < p->out_w; ox++) {
            int left = p->w - ox * p->kernel_w;
            int columns = left < p->kernel_w ? left : p->kernel_w;
            if (rows != 2 || columns != 2 || p->kernel_w != 2)
                own_window(p, oy, ox, rows, columns, p->kernel_w, bf16, false);
            else if (stream)
                own_window(p, oy, ox, 2, 2, 2, bf16, true);
            else
                own_window(p, oy, ox, 2, 2, 2, bf16, false);
        }
        if (!p->add) zero_places(p, y, y + rows, p->out_w * p->kernel_w);
        y += rows;
    }
    if (!p->add) zero_places(p, y, y1, 0);
}

/* A place and the windows that meet it. */
INLINE void place_channels(const at_pool *p, int y, int x, span sy, span sx, bool sum, int c, int n,
                           bool bf16) {
    pool_axis h = axis_h(p), w = axis_w(p);
    void *place = large_at(p, y, x, c, bf16);
    vf total = {0};
    for (int oy = sy.first; oy < sy.last; oy++) {
        int i = axis_tap(h, oy, y);
        for (int ox = sx.first; i >= 0 && ox < sx.last; ox++) {
            int j = axis_tap(w, ox, x);
            if (j < 0) continue;
            vi mine = codes(code_at(p, oy, ox) + c, n) == i * w.kernel + j;
            vf v = v_load_any(small_at(p, oy, ox, c, bf16), n, bf16);
            total = v_select(mine, sum ? total + v : v, total);
        }
    }
    v_store_any(place, p->add ? v_load_any(place, n, bf16) + total : total, n, bf16);
}

INLINE void scatter_rows(const at_pool *p, int y0, int y1, bool sum, bool bf16) {
    for (int y = y0; y < y1; y++) {
        span sy = axis_windows(axis_h(p), y);
        for (int x = 0; x < p->w; x++) {
            span sx = axis_windows(axis_w(p), x);
            int c = 0;
            for (; c + VW <= p->c; c += VW) place_channels(p, y, x, sy, sx, sum, c, VW, bf16);
            if (c < p->c) place_channels(p, y, x, sy, sx, sum, c, p->c - c, bf16);
        }
    }
}

void K(max_scatter)(const at_pool *p, int y0, int y1, bool sum) {
    if (at_pool_tiled(p) && p->bf16)
        scatter_tiled(p, y0, y1, true);
    else if (at_pool_tiled(p))
        scatter_tiled(p, y0, y1, false);
    else if (p->bf16)
        scatter_rows(p, y0, y1, sum, true);
    else
        scatter_rows(p, y0, y1, sum, false);
}

/* ---- gather ---- */

/* Lanes in which a window after (oy, ox) took the place (y, x) too. */
INLINE vi beaten(const at_pool *p, int oy, int ox, int y, int x, int c, int n) {
    pool_axis h = axis_h(p), w = axis_w(p);
    span sy = axis_windows(h, y), sx = axis_windows(w, x);
    vi lost = {0};
    for (int qy = oy; qy < sy.last; qy++) {
        int i = axis_tap(h, qy, y);
        for (int qx = qy == oy ? ox + 1 : sx.first; i >= 0 && qx < sx.last; qx++) {
            int j = axis_tap(w, qx, x);
            if (j >= 0) lost |= codes(code_at(p, qy, qx) + c, n) == i * w.kernel + j;
        }
    }
    return lost;
}

INLINE void gather_channels(const at_pool *p, int oy, int ox, span si, span sj, int kernel_w,
                            bool alone, int c, int n, bool bf16) {
    void *out = small_at(p, oy, ox, c, bf16);
    vi at = codes(code_at(p, oy, ox) + c, n);
    vf v = {0};
    for (int i = si.first; i < si.last; i++)
        for (int j = sj.first; j < sj.last; j++) {
            int y = axis_start(axis_h(p), oy) + i * p->dilation_h;
            int x = axis_start(axis_w(p), ox) + j * p->dilation_w;
            vi mine = at == i * kernel_w + j;
            if (!alone) mine &= ~beaten(p, oy, ox, y, x, c, n);
            v = v_select(mine, v_load_any(large_at(p, y, x, c, bf16), n, bf16), v);
        }
    v_store_any(out, p->add ? v_load_any(out, n, bf16) + v : v, n, bf16);
}

INLINE void gather_window(const at_pool *p, int oy, int ox, span si, span sj, int kernel_w,
                          bool alone, bool bf16) {
    int c = 0;
    for (; c + VW <= p->c; c += VW)
        gather_channels(p, oy, ox, si, sj, kernel_w, alone, c, VW, bf16);
    if (c < p->c) gather_channels(p, oy, ox, si, sj, kernel_w, alone, c, p->c - c, bf16);
}

INLINE void gather_row(const at_pool *p, int row, bool bf16) {
    bool alone = at_pool_tiled(p);
    span si = axis_taps(axis_h(p), row), two = {0, 2};
    for (int o = 0; o < p->out_w; o++) {
        span sj = axis_taps(axis_w(p), o);
        bool whole = si.first == 0 && si.last == 2 && sj.first == 0 && sj.last == 2;
        if (alone && whole && p->kernel_w == 2)
            gather_window(p, row, o, two, two, 2, true, bf16);
        else
            gather_window(p, row, o, si, sj, p->kernel_w, alone, bf16);
    }
}

void K(max_gather)(const at_pool *p, int row) {
    if (p->bf16)
        gather_row(p, row, true);
    else
        gather_row(p, row, false);
}
