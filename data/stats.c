/* SPDX-License-Identifier: MIT */
/* Counting over a split: pixels by class, where classes are present, mean and spread of the
 * channels. All sums are whole numbers, so the order in which threads add them can't change the
 * result. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

typedef struct counter {
    const at_dataset *set;
    const at_split *split;
    int channels;
    at_class_stats *out;
    uint64_t sum[4], squares[4], values; /* of bytes, per channel */
    int failed;                          /* the first sample that failed; split->count: none */
    at_error error;
    pthread_mutex_t lock;
} counter;

static void add_mask(at_class_stats *out, const uint8_t *mask, size_t pixels) {
    int64_t counts[AT_MAX_CLASSES] = {0}, counted;
    for (size_t p = 0; p < pixels; p++) counts[mask[p]]++;
    counted = (int64_t)pixels - counts[AT_IGNORE];
    out->ignored += counts[AT_IGNORE];
    for (int k = 0; k < AT_IGNORE; k++) {
        if (!counts[k]) continue;
        out->pixels[k] += counts[k];
        out->image_pixels[k] += counted;
        out->images[k]++;
    }
}

static void add_size(at_class_stats *out, at_pair size) {
    bool first = out->largest.h == 0;
    if (first || size.h < out->smallest.h) out->smallest.h = size.h;
    if (first || size.w < out->smallest.w) out->smallest.w = size.w;
    if (size.h > out->largest.h) out->largest.h = size.h;
    if (size.w > out->largest.w) out->largest.w = size.w;
}

static void add_image(counter *c, const at_image *image, const uint8_t *mask) {
    uint64_t sum[4] = {0}, squares[4] = {0};
    size_t pixels = (size_t)image->width * (size_t)image->height;
    const uint8_t *p = image->data;
    for (size_t i = 0; i < pixels; i++)
        for (int k = 0; k < c->channels; k++, p++) {
            sum[k] += *p;
            squares[k] += (unsigned)*p * *p;
        }
    pthread_mutex_lock(&c->lock);
    for (int k = 0; k < c->channels; k++) {
        c->sum[k] += sum[k];
        c->squares[k] += squares[k];
    }
    c->values += pixels;
    add_size(c->out, (at_pair){image->height, image->width});
    if (mask) add_mask(c->out, mask, pixels);
    pthread_mutex_unlock(&c->lock);
}

static void count_one(void *arg, int64_t index, int worker) {
    counter *c = arg;
    at_image image;
    uint8_t *mask;
    at_error err = {0};
    (void)worker;
    if (at_dataset_load(c->set, &c->split->samples[index], c->channels, &image, &mask, &err)) {
        pthread_mutex_lock(&c->lock);
        if (index < c->failed) {
            c->failed = (int)index;
            c->error = err;
        }
        pthread_mutex_unlock(&c->lock);
        return;
    }
    add_image(c, &image, mask);
    at_image_free(&image);
    free(mask);
}

at_status at_dataset_stats(const at_dataset *d, const at_split *s, int channels,
                           at_class_stats *out, at_error *err) {
    memset(out, 0, sizeof *out);
    counter c = {.set = d, .split = s, .channels = channels, .out = out, .failed = s->count};
    pthread_mutex_init(&c.lock, NULL);
    at_parallel_for(s->count, count_one, &c);
    pthread_mutex_destroy(&c.lock);
    if (c.failed < s->count) return at_fail(err, c.error.status, "%s", c.error.text);
    for (int k = 0; k < channels && c.values; k++) {
        double n = (double)c.values, mean = (double)c.sum[k] / n;
        out->mean[k] = mean / 255;
        out->std[k] = sqrt(fmax((double)c.squares[k] / n - mean * mean, 0)) / 255;
    }
    return AT_OK;
}
