/* SPDX-License-Identifier: MIT */
/* Decoding costs more than augmenting, so decoded (and resized) samples stay in memory while the
 * budget lasts: first come, first kept, nothing is thrown out. What is kept can't change what is
 * delivered, only how fast. A kept sample never changes, so it is read without a lock. */
#include "data/cache.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct at_cache {
    const at_dataset *set;
    const at_split *split;
    int channels;
    at_pair resize;
    size_t budget, used;
    at_decoded *items; /* one a sample; image.data NULL: not kept */
    pthread_mutex_t lock;
};

/* Bytes that new things may take without swapping; 1 GiB where the system doesn't tell. */
static size_t free_memory(void) {
    unsigned long long kib = 1 << 20;
    char line[128];
    FILE *f = fopen("/proc/meminfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "MemAvailable: %llu kB", &kib) == 1) break;
    if (f) fclose(f);
    return (size_t)kib * 1024;
}

at_status at_cache_new(at_cache **out, const at_dataset *set, const at_split *split, int channels,
                       at_pair resize, size_t budget, at_error *err) {
    at_cache *c = calloc(1, sizeof *c);
    at_decoded *items = calloc((size_t)split->count + 1, sizeof *items);
    *out = NULL;
    if (!c || !items) {
        free(c);
        free(items);
        return at_fail_memory(err, "a cache", (size_t)split->count * sizeof *items);
    }
    *c = (at_cache){
        .set = set, .split = split, .channels = channels, .resize = resize, .items = items};
    c->budget = budget ? budget : free_memory() / 4;
    pthread_mutex_init(&c->lock, NULL);
    *out = c;
    return AT_OK;
}

void at_cache_free(at_cache *c) {
    if (!c) return;
    for (int i = 0; i < c->split->count; i++) {
        at_image_free(&c->items[i].image);
        free(c->items[i].mask);
    }
    pthread_mutex_destroy(&c->lock);
    free(c->items);
    free(c);
}

void at_cache_release(at_decoded *d) {
    if (!d->kept) {
        at_image_free(&d->image);
        free(d->mask);
    }
    *d = (at_decoded){0};
}

static at_status resize(const at_cache *c, at_decoded *d, at_error *err) {
    int width = c->resize.w, height = c->resize.h;
    at_image image;
    if (height == 0 || (d->image.width == width && d->image.height == height)) return AT_OK;
    if (d->mask) {
        size_t bytes = (size_t)width * (size_t)height;
        uint8_t *mask = malloc(bytes);
        if (!mask) return at_fail_memory(err, "a mask", bytes);
        at_mask_resize(d->mask, d->image.width, d->image.height, mask, width, height);
        free(d->mask);
        d->mask = mask;
    }
    AT_TRY(at_image_resize(&d->image, width, height, &image, err));
    at_image_free(&d->image);
    d->image = image;
    return AT_OK;
}

/* Keeps it if there is room. Two threads may have decoded the same sample: the first one's stays.
 */
static void keep(at_cache *c, int sample, at_decoded *d) {
    size_t pixels = (size_t)d->image.width * (size_t)d->image.height;
    size_t bytes = pixels * (size_t)(d->image.channels + (d->mask != NULL));
    pthread_mutex_lock(&c->lock);
    if (!c->items[sample].image.data && bytes <= c->budget - c->used) {
        c->used += bytes;
        d->kept = true;
        c->items[sample] = *d;
    }
    pthread_mutex_unlock(&c->lock);
}

at_status at_cache_get(at_cache *c, int sample, at_decoded *out, at_error *err) {
    pthread_mutex_lock(&c->lock);
    *out = c->items[sample];
    pthread_mutex_unlock(&c->lock);
    if (out->image.data) return AT_OK;
    AT_TRY(at_dataset_load(c->set, &c->split->samples[sample], c->channels, &out->image, &out->mask,
                           err));
    at_status status = resize(c, out, err);
    if (status)
        at_cache_release(out);
    else
        keep(c, sample, out);
    return status;
}
