/* SPDX-License-Identifier: MIT */
/* Batches, made ahead by threads of its own.
 *
 * A ring of slots holds the batch in use and those after it. Workers take single samples, in order,
 * so that several of them share a batch; a slot is ready when its last sample is done. What is in a
 * batch depends on (seed, epoch, sample) alone: the order comes from the shuffle stream of the
 * epoch, each augmentation from the stream of (epoch, sample), and every sample has its own place
 * in the batch. So neither the number of threads nor where an epoch is entered can change a byte.
 *
 * `made` counts batches given a slot, `freed` batches the caller is done with: freed <= made <=
 * freed + depth. All of it under one lock; samples are worked on outside. */
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "data/cache.h"

enum { MAX_DEPTH = 4, MAX_THREADS = 256 };

/* A batch's place in an epoch. */
typedef struct part {
    int first, count; /* in the order of samples */
    at_pair size;
} part;

typedef struct slot {
    float *images;
    uint8_t *masks;
    int *samples;
    int count, taken, done; /* samples: of the batch, begun, finished */
    at_pair size;
    int failed; /* the first place that failed; INT_MAX: none */
    at_error error;
} slot;

struct at_loader {
    at_loader_opts opts;
    at_cache *cache;
    int part_count;
    part *parts;
    int *order; /* samples of this epoch */
    int epoch, depth;
    slot slots[MAX_DEPTH];

    pthread_mutex_t lock;
    pthread_cond_t work, ready; /* for workers; for the caller */
    int made, freed, next;      /* next: the batch the caller gets next */
    int busy;                   /* samples being worked on */
    bool stopped, ended;        /* no new work; threads are to leave */
    at_error sticky;
    int thread_count;
    pthread_t threads[MAX_THREADS];
};

/* ---- samples ---- */

static at_status fill(at_loader *l, slot *s, int place, at_error *err) {
    static const at_augment none = {0};
    const at_loader_opts *o = &l->opts;
    int sample = s->samples[place];
    at_decoded d;
    AT_TRY(at_cache_get(l->cache, sample, &d, err));
    at_status status;
    bool whole = d.image.height == s->size.h && d.image.width == s->size.w;
    if (whole || (o->train && o->crop.h)) {
        at_rng rng = at_rng_make(o->seed, AT_RNG_AUGMENT, (uint64_t)l->epoch, (uint64_t)sample);
        size_t pixels = (size_t)s->size.h * (size_t)s->size.w, at = (size_t)place * pixels;
        status =
            at_augment_apply(o->train ? &o->augment : &none, rng, &d.image, d.mask, o->mean, o->std,
                             s->size, s->images + at * (size_t)o->channels, s->masks + at, err);
    } else {
        status = at_fail(err, AT_ERR_INPUT, "%s: its size changed while it was in use",
                         o->split->samples[sample].image);
    }
    at_cache_release(&d);
    return status;
}

/* ---- workers ---- */

/* Gives the next batch a slot. */
static void open_slot(at_loader *l) {
    const part *p = &l->parts[l->made];
    slot *s = &l->slots[l->made % l->depth];
    memcpy(s->samples, l->order + p->first, (size_t)p->count * sizeof *s->samples);
    s->count = p->count;
    s->size = p->size;
    s->taken = s->done = 0;
    s->failed = INT_MAX;
    l->made++;
}

/* The slot with the earliest sample not begun yet, opened if need be; NULL: nothing to do now. */
static slot *find_work(at_loader *l) {
    if (l->stopped) return NULL;
    for (int i = l->freed; i < l->made; i++) {
        slot *s = &l->slots[i % l->depth];
        if (s->taken < s->count) return s;
    }
    if (l->made == l->part_count || l->made - l->freed == l->depth) return NULL;
    open_slot(l);
    return &l->slots[(l->made - 1) % l->depth];
}

static void *run_worker(void *arg) {
    at_loader *l = arg;
    pthread_mutex_lock(&l->lock);
    while (!l->ended) {
        slot *s = find_work(l);
        if (!s) {
            pthread_cond_wait(&l->work, &l->lock);
            continue;
        }
        int place = s->taken++;
        l->busy++;
        pthread_mutex_unlock(&l->lock);
        at_error err = {0};
        at_status status = fill(l, s, place, &err);
        pthread_mutex_lock(&l->lock);
        l->busy--;
        s->done++;
        if (status && place < s->failed) {
            s->failed = place;
            s->error = err;
        }
        if (s->done == s->count || l->stopped) pthread_cond_broadcast(&l->ready);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* Signals are for the program's own thread. */
static at_status start_threads(at_loader *l, at_error *err) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int code = 0;
    while (l->thread_count < l->opts.threads && !code) {
        code = pthread_create(&l->threads[l->thread_count], NULL, run_worker, l);
        if (!code) l->thread_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code ? at_fail(err, AT_ERR_MEMORY, "cannot start a loader thread: %s", strerror(code))
                : AT_OK;
}

/* ---- the caller's side ---- */

int at_loader_batches(const at_loader *l) {
    return l->part_count;
}

void at_loader_start(at_loader *l, int epoch, int first_batch) {
    int n = l->opts.split->count;
    pthread_mutex_lock(&l->lock);
    l->stopped = true;
    while (l->busy > 0) pthread_cond_wait(&l->ready, &l->lock);
    for (int i = 0; i < n; i++) l->order[i] = i;
    if (l->opts.train) {
        at_rng rng = at_rng_make(l->opts.seed, AT_RNG_SHUFFLE, (uint64_t)epoch, 0);
        at_rng_shuffle(&rng, l->order, n);
    }
    if (first_batch < 0) first_batch = 0;
    if (first_batch > l->part_count) first_batch = l->part_count;
    l->epoch = epoch;
    l->made = l->freed = l->next = first_batch;
    l->sticky = (at_error){0};
    l->stopped = false;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
}

static at_status give(at_loader *l, at_batch *batch) {
    slot *s = &l->slots[l->next % l->depth];
    while (l->made <= l->next || s->done < s->count) pthread_cond_wait(&l->ready, &l->lock);
    if (s->failed < INT_MAX) {
        l->sticky = s->error;
        return s->error.status;
    }
    l->next++;
    *batch = (at_batch){s->count, s->size, s->images, s->masks, s->samples};
    return AT_OK;
}

at_status at_loader_next(at_loader *l, at_batch *batch, at_error *err) {
    at_error failed = {0};
    *batch = (at_batch){0};
    pthread_mutex_lock(&l->lock);
    at_status status = l->sticky.status;
    l->freed = l->next; /* the batch given before is the caller's no longer */
    pthread_cond_broadcast(&l->work);
    if (!status && l->next < l->part_count) status = give(l, batch);
    if (status) failed = l->sticky;
    pthread_mutex_unlock(&l->lock);
    return status ? at_fail(err, failed.status, "%s", failed.text) : AT_OK;
}

/* ---- planning an epoch ---- */

/* Sizes of all samples as they will be fed: [split count]. */
static at_status find_sizes(const at_loader_opts *o, at_pair *sizes, at_error *err) {
    at_pair fixed = o->train && o->crop.h ? o->crop : o->resize;
    for (int i = 0; i < o->split->count; i++) {
        sizes[i] = fixed;
        if (fixed.h == 0)
            AT_TRY(at_dataset_size(o->dataset, &o->split->samples[i], &sizes[i], err));
        if (o->train && (sizes[i].h != sizes[0].h || sizes[i].w != sizes[0].w))
            return at_fail(
                err, AT_ERR_INPUT,
                "%s is %dx%d and %s %dx%d: images to train on must be brought to one size; "
                "use --size HxW (crops) or --resize HxW",
                o->split->samples[0].image, sizes[0].w, sizes[0].h, o->split->samples[i].image,
                sizes[i].w, sizes[i].h);
    }
    return AT_OK;
}

static void plan_training(at_loader *l, at_pair size) {
    int n = l->opts.split->count, batch = l->opts.batch < n ? l->opts.batch : n;
    l->part_count = n / batch;
    for (int i = 0; i < l->part_count; i++) l->parts[i] = (part){i * batch, batch, size};
}

/* Whole images in order; a batch ends where it is full, or where the size changes. */
static void plan_in_order(at_loader *l, const at_pair *sizes) {
    for (int i = 0; i < l->opts.split->count; i++) {
        part *last = l->part_count ? &l->parts[l->part_count - 1] : NULL;
        bool same = last && last->size.h == sizes[i].h && last->size.w == sizes[i].w;
        if (same && last->count < l->opts.batch)
            last->count++;
        else
            l->parts[l->part_count++] = (part){i, 1, sizes[i]};
    }
}

static at_status plan(at_loader *l, at_error *err) {
    size_t n = (size_t)l->opts.split->count;
    l->parts = malloc(n * sizeof *l->parts);
    l->order = malloc(n * sizeof *l->order);
    at_pair *sizes = malloc(n * sizeof *sizes);
    if (!sizes || !l->parts || !l->order) {
        free(sizes);
        return at_fail_memory(err, "a loader", n * sizeof *l->parts);
    }
    at_status status = find_sizes(&l->opts, sizes, err);
    if (status) {
        free(sizes);
        return status;
    }
    if (l->opts.train)
        plan_training(l, sizes[0]);
    else
        plan_in_order(l, sizes);
    free(sizes);
    return AT_OK;
}

/* Slots that hold the largest batch: four of them, fewer if they are large. */
static at_status make_slots(at_loader *l, at_error *err) {
    size_t pixels = 0, few = (size_t)1 << 26;
    int most = 1;
    for (int i = 0; i < l->part_count; i++) {
        const part *p = &l->parts[i];
        size_t need = (size_t)p->count * (size_t)p->size.h * (size_t)p->size.w;
        if (need > pixels) pixels = need;
        if (p->count > most) most = p->count;
    }
    size_t bytes = pixels * (size_t)l->opts.channels * sizeof(float);
    l->depth = bytes <= few ? MAX_DEPTH : bytes <= 4 * few ? 3 : 2;
    for (int i = 0; i < l->depth; i++) {
        slot *s = &l->slots[i];
        s->images = malloc(bytes);
        s->masks = malloc(pixels);
        s->samples = malloc((size_t)most * sizeof *s->samples);
        if (!s->images || !s->masks || !s->samples)
            return at_fail_memory(err, "batches; use a smaller --batch or --size", bytes);
    }
    return AT_OK;
}

static at_status check_opts(const at_loader_opts *o, at_error *err) {
    bool pairs = (o->crop.h > 0) == (o->crop.w > 0) && (o->resize.h > 0) == (o->resize.w > 0);
    if (o->split->count == 0)
        return at_fail(err, AT_ERR_INPUT, "the split '%s' has no images", o->split->name);
    if (o->batch < 1 || o->crop.h < 0 || o->crop.w < 0 || o->resize.h < 0 || o->resize.w < 0 ||
        !pairs)
        return at_fail(err, AT_ERR_USAGE, "a loader of batch %d, crop %dx%d, resize %dx%d",
                       o->batch, o->crop.h, o->crop.w, o->resize.h, o->resize.w);
    if ((int64_t)o->crop.h * o->crop.w > AT_MAX_PIXELS ||
        (int64_t)o->resize.h * o->resize.w > AT_MAX_PIXELS)
        return at_fail(err, AT_ERR_USAGE, "crop %dx%d, resize %dx%d: too many pixels", o->crop.h,
                       o->crop.w, o->resize.h, o->resize.w);
    return AT_OK;
}

static at_status build(at_loader *l, at_error *err) {
    const at_loader_opts *o = &l->opts;
    AT_TRY(plan(l, err));
    l->made = l->freed = l->next = l->part_count; /* nothing comes before the first start */
    AT_TRY(make_slots(l, err));
    AT_TRY(
        at_cache_new(&l->cache, o->dataset, o->split, o->channels, o->resize, o->cache_bytes, err));
    return start_threads(l, err);
}

at_status at_loader_new(at_loader **out, at_loader_opts opts, at_error *err) {
    *out = NULL;
    AT_TRY(check_opts(&opts, err));
    at_loader *l = calloc(1, sizeof *l);
    if (!l) return at_fail_memory(err, "a loader", sizeof *l);
    if (opts.threads < 1) opts.threads = 1;
    if (opts.threads > MAX_THREADS) opts.threads = MAX_THREADS;
    l->opts = opts;
    l->stopped = true; /* until the first start */
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    at_status status = build(l, err);
    if (status) {
        at_loader_free(l);
        return status;
    }
    *out = l;
    return AT_OK;
}

void at_loader_free(at_loader *l) {
    if (!l) return;
    pthread_mutex_lock(&l->lock);
    l->stopped = l->ended = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->thread_count; i++) pthread_join(l->threads[i], NULL);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->ready);
    pthread_mutex_destroy(&l->lock);
    for (int i = 0; i < MAX_DEPTH; i++) {
        free(l->slots[i].images);
        free(l->slots[i].masks);
        free(l->slots[i].samples);
    }
    at_cache_free(l->cache);
    free(l->parts);
    free(l->order);
    free(l);
}
