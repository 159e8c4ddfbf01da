/* SPDX-License-Identifier: MIT */
/* `data check`: every pair is loaded, and what is wrong or odd is listed, instead of stopping at
 * the first. Beyond single files: classes that never occur, the same picture in two splits (by a
 * hash of its pixels), and splits that share a sequence of frames, whose neighbours look alike. */
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

/* What loading one sample told. */
typedef struct seen {
    const at_sample *sample;
    int split;
    uint64_t hash;  /* of the pixels; 0: not readable */
    char *trouble;  /* malloc'ed error text; NULL: fine */
    bool no_memory; /* not even for that */
} seen;

typedef struct checker {
    const at_dataset *set;
    int count;
    seen *seen;
    int64_t pixels[AT_MAX_SPLITS][AT_MAX_CLASSES];
    pthread_mutex_t lock;
    at_findings *out;
    at_error *err;
} checker;

static at_status report(checker *c, at_severity severity, const char *file, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static at_status report(checker *c, at_severity severity, const char *file, const char *format,
                        ...) {
    char text[AT_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return at_findings_add(c->out, severity, file, text, c->err);
}

/* ---- single samples ---- */

/* FNV-1a over eight bytes a step. */
static uint64_t hash_image(const at_image *image) {
    uint64_t h = 0xcbf29ce484222325u ^ ((uint64_t)image->width << 32 | (uint64_t)image->height), v;
    size_t n = (size_t)image->width * (size_t)image->height * (size_t)image->channels, i = 0;
    for (; n - i >= sizeof v; i += sizeof v) {
        memcpy(&v, image->data + i, sizeof v);
        h = (h ^ v) * 0x100000001b3u;
        h ^= h >> 29;
    }
    for (; i < n; i++) h = (h ^ image->data[i]) * 0x100000001b3u;
    return h | 1; /* never 0 */
}

static void look_at(void *arg, int64_t index, int worker) {
    checker *c = arg;
    seen *s = &c->seen[index];
    at_image image;
    uint8_t *mask;
    at_error err = {0};
    (void)worker;
    if (at_dataset_load(c->set, s->sample, 3, &image, &mask, &err)) {
        s->trouble = at_substring(err.text, strlen(err.text));
        s->no_memory = !s->trouble;
        return;
    }
    s->hash = hash_image(&image);
    int64_t counts[AT_MAX_CLASSES] = {0};
    size_t pixels = (size_t)image.width * (size_t)image.height;
    for (size_t p = 0; p < pixels && mask; p++) counts[mask[p]]++;
    pthread_mutex_lock(&c->lock);
    for (int k = 0; k < AT_MAX_CLASSES; k++) c->pixels[s->split][k] += counts[k];
    pthread_mutex_unlock(&c->lock);
    at_image_free(&image);
    free(mask);
}

/* The text begins with the file it speaks of, which a finding names by itself. */
static at_status report_trouble(checker *c, const seen *s) {
    const char *files[2] = {s->sample->mask, s->sample->image};
    for (int i = 0; i < 2; i++) {
        size_t n = files[i] ? strlen(files[i]) : 0;
        if (n && strncmp(s->trouble, files[i], n) == 0 && s->trouble[n] == ':')
            return report(c, AT_FINDING_ERROR, files[i], "%s",
                          s->trouble + n + 1 + (s->trouble[n + 1] == ' '));
    }
    return report(c, AT_FINDING_ERROR, s->sample->image, "%s", s->trouble);
}

static at_status check_samples(checker *c) {
    at_parallel_for(c->count, look_at, c);
    for (int i = 0; i < c->count; i++) {
        const seen *s = &c->seen[i];
        if (s->no_memory) return at_fail_memory(c->err, "findings", AT_ERROR_TEXT);
        if (s->trouble) AT_TRY(report_trouble(c, s));
    }
    return AT_OK;
}

/* ---- classes ---- */

static at_status check_classes(checker *c) {
    const at_dataset *d = c->set;
    for (int k = 0; k < d->classes.count; k++) {
        bool ever = false;
        for (int s = 0; s < d->split_count; s++) ever = ever || c->pixels[s][k];
        if (!ever) {
            AT_TRY(report(c, AT_FINDING_WARNING, NULL, "class %d (%s) occurs in no mask", k,
                          d->classes.items[k].name));
            continue;
        }
        for (int s = 0; s < d->split_count; s++) {
            bool has_masks = d->splits[s].count && d->splits[s].samples[0].mask;
            if (has_masks && !c->pixels[s][k])
                AT_TRY(report(c, AT_FINDING_WARNING, NULL, "class %d (%s) occurs in no mask of %s",
                              k, d->classes.items[k].name, d->splits[s].name));
        }
    }
    return AT_OK;
}

/* ---- the same picture twice ---- */

static int by_hash(const void *a, const void *b) {
    const seen *x = *(const seen *const *)a, *y = *(const seen *const *)b;
    if (x->hash != y->hash) return x->hash < y->hash ? -1 : 1;
    return x < y ? -1 : x > y;
}

static const char *file_of(const seen *s) {
    return s->sample->image ? s->sample->image : s->sample->name;
}

static at_status check_twins(checker *c) {
    const seen **sorted = malloc((size_t)c->count * sizeof *sorted);
    if (!sorted) return at_fail_memory(c->err, "findings", (size_t)c->count * sizeof *sorted);
    for (int i = 0; i < c->count; i++) sorted[i] = &c->seen[i];
    qsort(sorted, (size_t)c->count, sizeof *sorted, by_hash);
    at_status status = AT_OK;
    for (int i = 1; i < c->count && !status; i++) {
        const seen *a = sorted[i - 1], *b = sorted[i];
        if (!a->hash || a->hash != b->hash) continue;
        bool leak = a->split != b->split;
        status = report(
            c, leak ? AT_FINDING_ERROR : AT_FINDING_WARNING, file_of(b),
            "the same picture as %s of %s%s", file_of(a), c->set->splits[a->split].name,
            leak ? ": what is learnt by heart there is counted as understood here; take one out"
                 : "; it counts twice");
    }
    free(sorted);
    return status;
}

/* ---- sequences of frames ---- */

/* The name without its last run of digits: frames of one film share it. 0: no digits, or nothing
 * else. */
static size_t sequence_length(const char *name) {
    size_t end = strlen(name);
    while (end > 0 && (name[end - 1] < '0' || name[end - 1] > '9')) end--;
    while (end > 0 && name[end - 1] >= '0' && name[end - 1] <= '9') end--;
    return name[end] ? end : 0;
}

/* A split's folder in front of the name (where names had to be told apart) is not part of it. */
static const char *bare_name(const checker *c, const seen *s) {
    const char *split = c->set->splits[s->split].name, *name = s->sample->name;
    size_t n = strlen(split);
    return strncmp(name, split, n) == 0 && name[n] == '/' ? name + n + 1 : name;
}

typedef struct frame {
    const char *name;
    size_t length; /* of the sequence's name */
    int split;
} frame;

static int by_sequence(const void *a, const void *b) {
    const frame *x = a, *y = b;
    size_t n = x->length < y->length ? x->length : y->length;
    int order = strncmp(x->name, y->name, n);
    if (order) return order;
    return x->length < y->length ? -1 : x->length > y->length;
}

static at_status report_sequence(checker *c, const frame *f, const int *counts) {
    int train = -1, other = -1;
    for (int s = 0; s < c->set->split_count; s++) {
        if (!counts[s]) continue;
        if (strcmp(c->set->splits[s].name, "train") == 0)
            train = s;
        else if (other < 0)
            other = s;
    }
    if (train < 0 || other < 0) return AT_OK;
    return report(
        c, AT_FINDING_WARNING, NULL,
        "%d images of %s are of a sequence ('%.*s...') that also gives %d of train: neighbouring "
        "frames look alike, so %s looks better than new pictures will; hold out whole sequences "
        "(\"group\" in dataset.json)",
        counts[other], c->set->splits[other].name, (int)f->length, f->name, counts[train],
        c->set->splits[other].name);
}

static at_status walk_sequences(checker *c, const frame *frames, int count) {
    int sequences = 0;
    for (int i = 0; i < count; i++)
        sequences += i == 0 || by_sequence(&frames[i - 1], &frames[i]) != 0;
    /* One prefix for all is a way of naming, and as many as images tell nothing. */
    if (sequences < 2 || sequences * 4 > count) return AT_OK;
    for (int i = 0, end; i < count; i = end) {
        int counts[AT_MAX_SPLITS] = {0};
        for (end = i; end < count && by_sequence(&frames[i], &frames[end]) == 0; end++)
            counts[frames[end].split]++;
        AT_TRY(report_sequence(c, &frames[i], counts));
    }
    return AT_OK;
}

static at_status check_sequences(checker *c) {
    frame *frames = malloc((size_t)c->count * sizeof *frames);
    if (!frames) return at_fail_memory(c->err, "findings", (size_t)c->count * sizeof *frames);
    int count = 0;
    for (int i = 0; i < c->count; i++) {
        const seen *s = &c->seen[i];
        const char *name = bare_name(c, s);
        size_t length = sequence_length(name);
        if (length && s->sample->image && !s->sample->group)
            frames[count++] = (frame){name, length, s->split};
    }
    qsort(frames, (size_t)count, sizeof *frames, by_sequence);
    at_status status = walk_sequences(c, frames, count);
    free(frames);
    return status;
}

/* ---- all of it ---- */

static at_status check_all(checker *c) {
    const at_findings *listed = &c->set->findings;
    for (int i = 0; i < listed->count; i++)
        AT_TRY(report(c, listed->items[i].severity, listed->items[i].file, "%s",
                      listed->items[i].text));
    AT_TRY(check_samples(c));
    AT_TRY(check_classes(c));
    AT_TRY(check_twins(c));
    return check_sequences(c);
}

at_status at_dataset_check(const at_dataset *d, at_findings *out, at_error *err) {
    checker c = {.set = d, .out = out, .err = err};
    *out = (at_findings){0};
    for (int k = 0; k < d->split_count; k++) c.count += d->splits[k].count;
    c.seen = calloc((size_t)c.count + 1, sizeof *c.seen);
    if (!c.seen) return at_fail_memory(err, "findings", (size_t)c.count * sizeof *c.seen);
    for (int k = 0, n = 0; k < d->split_count; k++)
        for (int i = 0; i < d->splits[k].count; i++, n++)
            c.seen[n] = (seen){.sample = &d->splits[k].samples[i], .split = k};
    pthread_mutex_init(&c.lock, NULL);
    at_status status = check_all(&c);
    pthread_mutex_destroy(&c.lock);
    for (int i = 0; i < c.count; i++) free(c.seen[i].trouble);
    free(c.seen);
    if (status) at_findings_free(out);
    return status;
}
