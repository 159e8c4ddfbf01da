/* SPDX-License-Identifier: MIT */
/* Resizing with half-pixel centres: output pixel i looks at (i + 0.5) * in / out in the input.
 *
 * Pictures: a triangle filter, one axis after the other. Enlarging it is bilinear interpolation;
 * shrinking it grows with the factor, so that every input pixel counts and nothing flickers (as
 * PyTorch's interpolate with antialias=True). Masks: nearest, in integers, so that no rounding of
 * floats can shift a label. */
#include <math.h>
#include <stdlib.h>

#include "data/decode.h"

/* Which input pixels make output pixel i: count[i] of them from first[i] on, weights at i * taps.
 */
typedef struct filter {
    int *first, *count;
    float *weights;
    int taps;
} filter;

static void filter_free(filter *f) {
    free(f->first);
    free(f->count);
    free(f->weights);
}

static void fill_filter(filter *f, int in, int out) {
    double scale = (double)in / out, radius = fmax(scale, 1.0);
    for (int i = 0; i < out; i++) {
        double center = (i + 0.5) * scale, sum = 0;
        int first = (int)fmax(floor(center - radius + 0.5), 0.0);
        int end = (int)fmin(floor(center + radius + 0.5), (double)in);
        float *w = f->weights + (size_t)i * (size_t)f->taps;
        for (int j = first; j < end; j++) {
            double d = fmax(1.0 - fabs(j + 0.5 - center) / radius, 0.0);
            w[j - first] = (float)d;
            sum += d;
        }
        for (int j = first; j < end; j++) w[j - first] = (float)(w[j - first] / sum);
        f->first[i] = first;
        f->count[i] = end - first;
    }
}

static at_status filter_make(filter *f, int in, int out, at_error *err) {
    f->taps = 2 * (int)ceil(fmax((double)in / out, 1.0)) + 1;
    size_t bytes = (size_t)out * (size_t)f->taps * sizeof(float);
    f->first = malloc((size_t)out * sizeof(int));
    f->count = malloc((size_t)out * sizeof(int));
    f->weights = malloc(bytes);
    if (!f->first || !f->count || !f->weights) return at_fail_memory(err, "resizing", bytes);
    fill_filter(f, in, out);
    return AT_OK;
}

/* One row, [width, channels] bytes to [out_width, channels] floats. */
static void resize_row(const filter *fx, const uint8_t *in, int channels, int out_width,
                       float *out) {
    for (int x = 0; x < out_width; x++) {
        const float *w = fx->weights + (size_t)x * (size_t)fx->taps;
        const uint8_t *p = in + (size_t)fx->first[x] * (size_t)channels;
        float sum[4] = {0};
        for (int j = 0; j < fx->count[x]; j++)
            for (int c = 0; c < channels; c++) sum[c] += w[j] * p[j * channels + c];
        for (int c = 0; c < channels; c++) *out++ = sum[c];
    }
}

/* Input rows are squeezed once each and kept, as floats, while output rows still look at them:
 * `ring` holds fy->taps rows, input row j in slot j mod taps. sum: one row of the output. */
static void resize_rows(const at_image *in, const filter *fx, const filter *fy, at_image *out,
                        float *ring, float *sum) {
    size_t n = (size_t)out->width * (size_t)out->channels;
    size_t in_row = (size_t)in->width * (size_t)in->channels;
    int done = 0;
    for (int y = 0; y < out->height; y++) {
        int first = fy->first[y], end = first + fy->count[y];
        for (; done < end; done++)
            resize_row(fx, in->data + (size_t)done * in_row, in->channels, out->width,
                       ring + (size_t)(done % fy->taps) * n);
        for (size_t i = 0; i < n; i++) sum[i] = 0.5f;
        for (int j = first; j < end; j++) {
            float w = fy->weights[(size_t)y * (size_t)fy->taps + (size_t)(j - first)];
            const float *row = ring + (size_t)(j % fy->taps) * n;
            for (size_t i = 0; i < n; i++) sum[i] += w * row[i];
        }
        uint8_t *to = out->data + (size_t)y * n;
        for (size_t i = 0; i < n; i++) to[i] = (uint8_t)(sum[i] < 255 ? sum[i] : 255);
    }
}

static at_status resize_with(const at_image *in, const filter *fx, const filter *fy, at_image *out,
                             at_error *err) {
    size_t n = (size_t)out->width * (size_t)out->channels;
    size_t bytes = n * (size_t)(fy->taps + 1) * sizeof(float);
    float *ring = malloc(bytes);
    if (!ring) return at_fail_memory(err, "resizing", bytes);
    resize_rows(in, fx, fy, out, ring, ring + n * (size_t)fy->taps);
    free(ring);
    return AT_OK;
}

at_status at_image_resize(const at_image *in, int width, int height, at_image *out, at_error *err) {
    filter fx = {0}, fy = {0};
    *out = (at_image){0};
    AT_TRY(at_check_pixels("resizing", width < 0 ? 0 : (uint64_t)width,
                           height < 0 ? 0 : (uint64_t)height, err));
    at_status status = filter_make(&fx, in->width, width, err);
    if (!status) status = filter_make(&fy, in->height, height, err);
    if (!status) status = at_image_alloc(width, height, in->channels, out, err);
    if (!status) status = resize_with(in, &fx, &fy, out, err);
    if (status) at_image_free(out);
    filter_free(&fx);
    filter_free(&fy);
    return status;
}

/* floor((i + 0.5) * in / out) */
static int nearest(int i, int in, int out) {
    return (int)((2 * (int64_t)i + 1) * in / (2 * (int64_t)out));
}

at_status at_mask_resize(const uint8_t *in, int width, int height, uint8_t *out, int out_width,
                         int out_height) {
    if (width < 1 || height < 1 || out_width < 1 || out_height < 1) return AT_ERR_INPUT;
    for (int y = 0; y < out_height; y++) {
        const uint8_t *row = in + (size_t)nearest(y, height, out_height) * (size_t)width;
        for (int x = 0; x < out_width; x++) *out++ = row[nearest(x, width, out_width)];
    }
    return AT_OK;
}
