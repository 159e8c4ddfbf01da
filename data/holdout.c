/* SPDX-License-Identifier: MIT */
/* A validation split for sets without one: whole groups, drawn by the seed, until the share is
 * reached. Which groups depends on the seed and the sorted list of groups, on nothing else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

/* A sample on its own is a group of its name. */
static const char *group_of(const at_sample *s) {
    return s->group ? s->group : s->name;
}

static int by_group(const void *a, const void *b) {
    const at_sample *x = *(at_sample *const *)a, *y = *(at_sample *const *)b;
    int order = strcmp(group_of(x), group_of(y));
    if (order) return order;
    return x->group && y->group ? 0 : (x->group != NULL) - (y->group != NULL);
}

typedef struct groups {
    int count, samples;
    at_sample **sorted; /* by group */
    int *start;         /* of each group in sorted; count + 1 of them */
    int *order;         /* of drawing */
} groups;

static void groups_free(groups *g) {
    free(g->sorted);
    free(g->start);
    free(g->order);
}

static at_status groups_make(const at_split *split, groups *g, at_error *err) {
    size_t n = (size_t)split->count;
    g->samples = split->count;
    g->sorted = malloc(n * sizeof *g->sorted);
    g->start = malloc((n + 1) * sizeof *g->start);
    g->order = malloc(n * sizeof *g->order);
    if (!g->sorted || !g->start || !g->order)
        return at_fail_memory(err, "groups", n * sizeof *g->sorted);
    for (int i = 0; i < split->count; i++) g->sorted[i] = &split->samples[i];
    qsort(g->sorted, n, sizeof *g->sorted, by_group);
    for (int i = 0; i < split->count; i++) {
        if (i > 0 && by_group(&g->sorted[i - 1], &g->sorted[i]) == 0) continue;
        g->order[g->count] = g->count;
        g->start[g->count++] = i;
    }
    g->start[g->count] = split->count;
    return AT_OK;
}

/* Marks samples until `want` of them are held out; never the last group. */
static int draw(groups *g, uint64_t seed, int want, const at_split *split, bool *held) {
    at_rng rng = at_rng_make(seed, AT_RNG_SPLIT, 0, 0);
    int count = 0;
    at_rng_shuffle(&rng, g->order, g->count);
    for (int k = 0; k < g->count - 1 && count < want; k++)
        for (int i = g->start[g->order[k]]; i < g->start[g->order[k] + 1]; i++) {
            held[g->sorted[i] - split->samples] = true;
            count++;
        }
    return count;
}

/* Moves the marked samples to `val`, both sides in their old order. */
static at_status move(at_split *train, at_split *val, const bool *held, int count, at_error *err) {
    val->samples = malloc((size_t)count * sizeof *val->samples);
    if (!val->samples) return at_fail_memory(err, "samples", (size_t)count * sizeof *val->samples);
    int kept = 0;
    for (int i = 0; i < train->count; i++) {
        if (held[i])
            val->samples[val->count++] = train->samples[i];
        else
            train->samples[kept++] = train->samples[i];
    }
    train->count = kept;
    return AT_OK;
}

static at_status hold_out(at_builder *b, groups *g, at_split *train, double share) {
    int want = (int)lround(share * train->count), all = train->count;
    bool *held = calloc((size_t)train->count, sizeof *held);
    at_split *val;
    if (!held) return at_fail_memory(b->err, "samples", (size_t)train->count);
    int count = draw(g, b->set->seed, want < 1 ? 1 : want, train, held);
    at_status status = AT_OK;
    if (count > 0) {
        status = at_builder_split(b, "val", &val);
        if (!status) status = move(train, val, held, count, b->err);
        at_text_add(&b->set->notes, "no val split: %d of %d images%s held out by seed %llu\n",
                    count, all, b->spec->group ? ", in whole groups," : "",
                    (unsigned long long)b->set->seed);
    }
    free(held);
    return status;
}

at_status at_holdout(at_builder *b, double share) {
    at_dataset *d = b->set;
    at_split *train = NULL;
    for (int i = 0; i < d->split_count; i++) {
        if (strcmp(d->splits[i].name, "val") == 0) return AT_OK;
        if (strcmp(d->splits[i].name, "train") == 0) train = &d->splits[i];
    }
    if (share < 0 || !train || train->count < 2) return AT_OK;
    if (!(share < 1))
        return at_fail(b->err, AT_ERR_USAGE, "the share held out for validation must be below 1");
    groups g = {0};
    at_status status = groups_make(train, &g, b->err);
    if (!status) status = hold_out(b, &g, train, share > 0 ? share : 0.2);
    groups_free(&g);
    return status;
}
