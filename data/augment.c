/* SPDX-License-Identifier: MIT */
/* Augmentation in one resampling: scale, turn, flip and crop are one affine map from the output's
 * pixel centres back into the picture, where the image is read bilinearly and the mask at the
 * nearest pixel; both lie outside of the picture together, and are then the mean and AT_IGNORE.
 * Without scale and turn the map meets pixel centres exactly and copies. Colours are jittered
 * afterwards, on the picture's pixels only. Left out on purpose: low-pass filtering when shrinking
 * (bilinear reading of every other pixel at scale 0.5 is what others train with, too). */
#include <math.h>
#include <stdlib.h>

#include "data/data.h"

static const double PI = 3.14159265358979323846;

/* What was drawn. The order of drawing, and that all is drawn always, are part of the format: a
 * resumed or changed run must draw the same. */
typedef struct draws {
    double scale, turn; /* turn in radians */
    bool hflip, vflip;
    double place_x, place_y; /* of the crop, 0 .. 1 */
    double brightness, contrast, saturation, hue;
} draws;

static double between(at_rng *rng, double low, double high) {
    return low + (high - low) * (double)at_rng_uniform(rng);
}

/* torchvision's factor: even in [max(0, 1 - s), 1 + s]. */
static double factor(at_rng *rng, double strength) {
    return between(rng, fmax(0, 1 - strength), 1 + strength);
}

static draws draw(const at_augment *a, at_rng rng) {
    draws d;
    double low = a->scale_min > 0 ? a->scale_min : 1, high = a->scale_max > 0 ? a->scale_max : 1;
    d.scale = low == high ? low : exp(between(&rng, log(low), log(high)));
    if (low == high) at_rng_uniform(&rng);
    d.turn = between(&rng, -a->rotate, a->rotate) * PI / 180;
    d.hflip = (double)at_rng_uniform(&rng) < a->hflip;
    d.vflip = (double)at_rng_uniform(&rng) < a->vflip;
    d.place_x = at_rng_uniform(&rng);
    d.place_y = at_rng_uniform(&rng);
    d.brightness = factor(&rng, a->brightness);
    d.contrast = factor(&rng, a->contrast);
    d.saturation = factor(&rng, a->saturation);
    d.hue = between(&rng, -a->hue, a->hue);
    return d;
}

/* ---- the map ---- */

/* Source point = m * (x + 0.5, y + 0.5) + t; pixel (i, j) covers [i, i + 1) x [j, j + 1). */
typedef struct affine {
    double m[2][2], t[2];
} affine;

/* Where the crop begins in the scaled picture of `length`; a smaller picture lies anywhere inside.
 */
static double place(double length, int crop, double u) {
    return floor(u * (fabs(length - crop) + 1)) * (length < crop ? -1 : 1);
}

/* Out to in: about the crop's middle turned back, shifted into the scaled picture, scaled back, and
 * flipped. */
static affine make_map(const draws *d, int width, int height, at_pair size) {
    double sw = fmax(round(width * d->scale), 1), sh = fmax(round(height * d->scale), 1);
    double ax = width / sw, ay = height / sh, c = cos(d->turn), s = sin(d->turn);
    double cx = size.w / 2.0, cy = size.h / 2.0;
    double ox = place(sw, size.w, d->place_x) + cx, oy = place(sh, size.h, d->place_y) + cy;
    affine f = {{{ax * c, ax * s}, {-ay * s, ay * c}},
                {ax * (ox - c * cx - s * cy), ay * (oy + s * cx - c * cy)}};
    if (d->hflip) {
        f.m[0][0] = -f.m[0][0];
        f.m[0][1] = -f.m[0][1];
        f.t[0] = width - f.t[0];
    }
    if (d->vflip) {
        f.m[1][0] = -f.m[1][0];
        f.m[1][1] = -f.m[1][1];
        f.t[1] = height - f.t[1];
    }
    return f;
}

/* The image between the four pixels around (x, y) >= 0; at the border the outer ones stand in. */
static void read_bilinear(const at_image *image, double x, double y, float *out) {
    int x0 = (int)(x + 0.5) - 1, y0 = (int)(y + 0.5) - 1, x1 = x0 + 1, y1 = y0 + 1;
    float u = (float)(x - 0.5 - x0), v = (float)(y - 0.5 - y0);
    if (x0 < 0) x0 = 0;
    if (y0 < 0) y0 = 0;
    if (x1 >= image->width) x1 = image->width - 1;
    if (y1 >= image->height) y1 = image->height - 1;
    size_t n = (size_t)image->channels, row = (size_t)image->width * n;
    const uint8_t *top = image->data + (size_t)y0 * row, *bottom = image->data + (size_t)y1 * row;
    for (size_t c = 0; c < n; c++) {
        float a = top[(size_t)x0 * n + c], b = top[(size_t)x1 * n + c];
        float p = bottom[(size_t)x0 * n + c], q = bottom[(size_t)x1 * n + c];
        float up = a + (b - a) * u, low = p + (q - p) * u;
        out[c] = up + (low - up) * v;
    }
}

/* Fills image (0 .. 255), mask, and which pixels lie inside of the picture. */
static void resample(const affine *f, const at_image *image, const uint8_t *mask, at_pair size,
                     float *out_image, uint8_t *out_mask, uint8_t *inside) {
    for (int y = 0; y < size.h; y++)
        for (int x = 0; x < size.w; x++, inside++, out_mask++, out_image += image->channels) {
            double u = x + 0.5, v = y + 0.5;
            double sx = f->m[0][0] * u + f->m[0][1] * v + f->t[0];
            double sy = f->m[1][0] * u + f->m[1][1] * v + f->t[1];
            *inside = sx >= 0 && sy >= 0 && sx < image->width && sy < image->height;
            *out_mask = AT_IGNORE;
            if (!*inside) continue;
            read_bilinear(image, sx, sy, out_image);
            if (mask) *out_mask = mask[(size_t)sy * (size_t)image->width + (size_t)sx];
        }
}

/* ---- colours: v is 0 .. 255 ---- */

/* Comparisons become single instructions; fminf and its like are calls, for the sake of NaN. */
static float smaller(float a, float b) {
    return a < b ? a : b;
}

static float larger(float a, float b) {
    return a > b ? a : b;
}

static float clamp(float v, float most) {
    return smaller(larger(v, 0), most);
}

static float grey(const float *v, int channels) {
    return channels == 1 ? v[0] : 0.299f * v[0] + 0.587f * v[1] + 0.114f * v[2];
}

/* Each channel to `to` + (v - to) * f. */
static void blend(float *v, int colors, float to, float f) {
    for (int c = 0; c < colors; c++) v[c] = clamp(to + (v[c] - to) * f, 255);
}

/* Turns the colour circle by `turn` of a whole, -1 .. 1: HSV's hue, here 0 .. 6, by the formula
 * channel = V - V S max(0, min(k, 4 - k, 1)), k = (5, 3 or 1) + hue modulo 6. */
static void shift_hue(float *v, float turn) {
    static const float from[3] = {5, 3, 1};
    float high = larger(v[0], larger(v[1], v[2])), low = smaller(v[0], smaller(v[1], v[2]));
    float d = high - low, h;
    if (d <= 0) return;
    if (high == v[0])
        h = (v[1] - v[2]) / d; /* -1 .. 1 */
    else
        h = high == v[1] ? 2 + (v[2] - v[0]) / d : 4 + (v[0] - v[1]) / d;
    h += 6 * turn + 12; /* positive */
    for (int c = 0; c < 3; c++) {
        float k = from[c] + h;
        k -= (float)(6 * (int)(k / 6));
        v[c] = high - d * clamp(smaller(k, 4 - k), 1);
    }
}

/* In this order, whatever torchvision would have shuffled; contrast is about the mean of the grey.
 */
static void jitter(const draws *d, int channels, size_t pixels, float *image,
                   const uint8_t *inside) {
    int colors = channels == 1 ? 1 : 3;
    double sum = 0;
    size_t count = 0;
    for (size_t p = 0; p < pixels; p++) {
        float *v = image + p * (size_t)channels;
        if (!inside[p]) continue;
        blend(v, colors, 0, (float)d->brightness);
        sum += grey(v, channels);
        count++;
    }
    float mean = count ? (float)(sum / (double)count) : 0;
    for (size_t p = 0; p < pixels; p++) {
        float *v = image + p * (size_t)channels;
        if (!inside[p]) continue;
        blend(v, colors, mean, (float)d->contrast);
        if (colors < 3) continue;
        blend(v, colors, grey(v, channels), (float)d->saturation);
        if (d->hue != 0) shift_hue(v, (float)d->hue);
    }
}

/* (v / 255 - mean) / std; what lies outside becomes the mean, which is 0. */
static void normalize(int channels, size_t pixels, const double mean[4], const double std[4],
                      float *image, const uint8_t *inside) {
    float scale[4], shift[4];
    for (int c = 0; c < channels; c++) {
        double s = std[c] > 0 ? std[c] : 1;
        scale[c] = (float)(1 / (255 * s));
        shift[c] = (float)(-mean[c] / s);
    }
    for (size_t p = 0; p < pixels; p++)
        for (int c = 0; c < channels; c++, image++)
            *image = inside[p] ? *image * scale[c] + shift[c] : 0;
}

at_status at_augment_apply(const at_augment *a, at_rng rng, const at_image *image,
                           const uint8_t *mask, const double mean[4], const double std[4],
                           at_pair size, float *out_image, uint8_t *out_mask, at_error *err) {
    size_t pixels = (size_t)size.h * (size_t)size.w;
    uint8_t *inside = malloc(pixels);
    if (!inside) return at_fail_memory(err, "augmentation", pixels);
    draws d = draw(a, rng);
    affine f = make_map(&d, image->width, image->height, size);
    resample(&f, image, mask, size, out_image, out_mask, inside);
    if (a->brightness > 0 || a->contrast > 0 || a->saturation > 0 || a->hue > 0)
        jitter(&d, image->channels, pixels, out_image, inside);
    normalize(image->channels, pixels, mean, std, out_image, inside);
    free(inside);
    return AT_OK;
}
