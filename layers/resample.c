/* SPDX-License-Identifier: MIT */
#include "layers/resample.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TAPS = 4 };

/* The taps of one output pixel; weights sum to 1. Taps that fall on one pixel, at the borders, are
 * added up. */
typedef struct tap_list {
    int count, index[MAX_TAPS];
    double weight[MAX_TAPS];
} tap_list;

static void tap(tap_list *t, int index, int in, double weight) {
    index = index < 0 ? 0 : index < in ? index : in - 1;
    if (weight == 0) return;
    if (t->count > 0 && t->index[t->count - 1] == index) {
        t->weight[t->count - 1] += weight;
        return;
    }
    t->index[t->count] = index;
    t->weight[t->count++] = weight;
}

/* In single precision, because PyTorch's choice between two pixels is made in it. */
static int nearest(int in, int out, int o) {
    if (in == out) return o;
    float scale = (float)in / (float)out;
    int i = (int)floorf((float)o * scale);
    return i < in ? i : in - 1;
}

static double coordinate(bool align_corners, int in, int out, int o) {
    if (align_corners) return out > 1 ? (double)o * (in - 1) / (out - 1) : 0;
    return (o + 0.5) * in / out - 0.5;
}

/* Keys' cubic convolution kernel at distance d from the pixel (Keys 1981, equation 4). */
static double cubic(double d) {
    const double a = -0.75;
    d = fabs(d);
    if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
    return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0;
}

static tap_list taps_of(at_interp_mode mode, bool align_corners, int in, int out, int o) {
    tap_list t = {0};
    double x = coordinate(align_corners, in, out, o);
    int i = (int)floor(x);
    switch (mode) {
    case AT_NEAREST:
        tap(&t, nearest(in, out, o), in, 1);
        break;
    case AT_BILINEAR:
        tap(&t, i, in, 1 - (x - i));
        tap(&t, i + 1, in, x - i);
        break;
    case AT_BICUBIC:
        for (int k = i - 1; k <= i + 2; k++) tap(&t, k, in, cubic(x - k));
        break;
    }
    return t;
}

/* Room for `size` results with `count` taps in all. */
static at_status axis_alloc(at_axis *a, int size, size_t count, int32_t **begin, int32_t **index,
                            float **weight, at_error *err) {
    size_t words = (size_t)size + 1 + 2 * count;
    *a = (at_axis){.block = calloc(words, sizeof(int32_t))};
    if (a->block == NULL) return at_fail_memory(err, "a resampling table", 4 * words);
    *begin = a->block;
    *index = *begin + size + 1;
    *weight = (float *)(*index + count);
    a->taps = (at_resample){size, *begin, *index, *weight};
    return AT_OK;
}

at_status at_axis_make(at_axis *a, at_interp_mode mode, bool align_corners, int in, int out,
                       at_error *err) {
    int32_t *begin, *index;
    float *weight;
    AT_TRY(axis_alloc(a, out, (size_t)out * MAX_TAPS, &begin, &index, &weight, err));
    for (int o = 0; o < out; o++) {
        tap_list t = taps_of(mode, align_corners, in, out, o);
        begin[o + 1] = begin[o] + t.count;
        for (int k = 0; k < t.count; k++) {
            index[begin[o] + k] = t.index[k];
            weight[begin[o] + k] = (float)t.weight[k];
        }
    }
    return AT_OK;
}

at_status at_axis_transpose(at_axis *a, const at_axis *from, int in, at_error *err) {
    const at_resample *f = &from->taps;
    int32_t *begin, *index, count = f->begin[f->size];
    float *weight;
    AT_TRY(axis_alloc(a, in, (size_t)count, &begin, &index, &weight, err));
    for (int32_t k = 0; k < count; k++) begin[f->index[k] + 1]++;
    for (int i = 0; i < in; i++) begin[i + 1] += begin[i];
    /* begin[i] serves as the place of i's next tap, which moves it one on: then it is begin[i + 1].
     */
    for (int o = 0; o < f->size; o++)
        for (int32_t k = f->begin[o]; k < f->begin[o + 1]; k++) {
            int32_t at = begin[f->index[k]]++;
            index[at] = o;
            weight[at] = f->weight[k];
        }
    for (int i = in; i > 0; i--) begin[i] = begin[i - 1];
    begin[0] = 0;
    return AT_OK;
}

void at_axis_free(at_axis *a) {
    free(a->block);
    *a = (at_axis){0};
}

/* ---- rows ---- */

size_t at_resampler_scratch(at_shape from, at_shape to) {
    size_t blended = (size_t)from.w * (size_t)from.c, stretched = (size_t)to.w * (size_t)from.c;
    stretched *= AT_RESAMPLER_KEEPS;
    return blended > stretched ? blended : stretched;
}

at_resampler at_resampler_make(at_tensor from, int image, const at_resample *y,
                               const at_resample *x, float *scratch) {
    return (at_resampler){from, image, y, x, scratch, {-1, -1, -1, -1}};
}

static at_line source_row(const at_resampler *r, int row) {
    const ptrdiff_t line = (ptrdiff_t)r->image * r->from.shape.h + row;
    return (at_line){.data = at_element(r->from, line * r->from.shape.w * r->from.ld),
                     .ld = r->from.ld,
                     .bf16 = r->from.dtype == AT_BF16};
}

/* Row `row` of the source, stretched to the result's width: which of the kept ones it is. */
static int stretched(at_resampler *r, int row) {
    const int slot = row % AT_RESAMPLER_KEEPS, c = r->from.shape.c;
    if (r->kept[slot] != row) {
        const at_line to = {.data = r->scratch + (ptrdiff_t)slot * r->x->size * c, .ld = c};
        at_kernels_get()->mix_pixels(to, source_row(r, row), r->x, c, false);
        r->kept[slot] = row;
    }
    return slot;
}

/* Taps lie in a row: as many as are kept don't get into each other's way. */
static void stretch_first(at_resampler *r, at_taps t, at_line to, bool add) {
    const int c = r->from.shape.c, w = r->x->size;
    int32_t slots[AT_RESAMPLER_KEEPS];
    for (int i = 0; i < t.count; i++) slots[i] = stretched(r, t.index[i]);
    at_kernels_get()->blend_rows(to, (at_line){.data = r->scratch, .ld = c}, (ptrdiff_t)w * c,
                                 (at_taps){slots, t.weight, t.count}, w, c, add);
}

static void blend_first(at_resampler *r, at_taps t, at_line to, bool add) {
    const at_kernels *k = at_kernels_get();
    const at_shape in = r->from.shape;
    at_line row = {.data = r->scratch, .ld = in.c};
    memset(r->kept, -1, sizeof r->kept);
    if (t.count == 1 && t.weight[0] == 1)
        row = source_row(r, t.index[0]);
    else
        k->blend_rows(row, source_row(r, 0), in.w * r->from.ld, t, in.w, in.c, false);
    k->mix_pixels(to, row, r->x, in.c, add);
}

void at_resampler_row(at_resampler *r, int y, at_line to, bool add) {
    const at_taps t = at_resample_taps(r->y, y);
    if (r->y->size > r->from.shape.h && t.count <= AT_RESAMPLER_KEEPS)
        stretch_first(r, t, to, add);
    else
        blend_first(r, t, to, add);
}
