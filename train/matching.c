/* SPDX-License-Identifier: MIT */
/* A largest one-to-one matching between two sets of pixels that may lie some way apart: Hopcroft &
 * Karp, SIAM J. Comput. 2 (1973), begun with each pixel's nearest free partner. The graph is never
 * written down: within a row the partners of a pixel are neighbours in the sorted list, so each is
 * found by one search a row. The Berkeley benchmark's correspondPixels also looks for the cheapest
 * matching; how many pixels it matches, all that F1 asks for, follows from a pixel left over
 * costing a hundred times the farthest pair. */
#include <stdlib.h>

#include "train/bits.h"

enum { FREE = -1, DEAD = -1 };

/* Where the walk over a pixel's partners stands. */
typedef struct cursor {
    int row; /* index into spans */
    int at;  /* next partner; -1: the row is not begun */
} cursor;

typedef struct span {
    int dy, reach;
} span;

typedef struct side {
    int count;
    int *x, *y, *mate;
    int *first; /* [height + 1] the first pixel of each row */
} side;

typedef struct pairing {
    side a, b;
    int height, span_count;
    span *spans; /* nearest rows first */
    int *level;  /* of a's pixels in the present layering */
    cursor *cursors;
    int *queue, *path, *via; /* [a.count] */
    int64_t pairs;
} pairing;

/* ---- making ---- */

static bool side_new(side *s, const at_bits *set, int count) {
    int n = 0;
    *s = (side){.count = count};
    s->x = malloc(3 * (size_t)count * sizeof *s->x);
    s->first = malloc(((size_t)set->height + 1) * sizeof *s->first);
    if (!s->x || !s->first) return false;
    s->y = s->x + count, s->mate = s->y + count;
    for (int y = 0; y < set->height; y++) {
        s->first[y] = n;
        for (size_t j = 0; j < set->words; j++)
            for (uint64_t word = at_bits_row(set, y)[j]; word; word &= word - 1) {
                s->x[n] = (int)j * 64 + __builtin_ctzll(word);
                s->y[n] = y;
                s->mate[n++] = FREE;
            }
    }
    s->first[set->height] = n;
    return true;
}

static bool spans_new(pairing *p, int64_t squared) {
    const int radius = at_root(squared);
    p->spans = malloc((2 * (size_t)radius + 1) * sizeof *p->spans);
    if (!p->spans) return false;
    for (int i = 0; i <= radius; i++) {
        const int reach = at_root(squared - (int64_t)i * i);
        p->spans[p->span_count++] = (span){i, reach};
        if (i) p->spans[p->span_count++] = (span){-i, reach};
    }
    return true;
}

static bool pairing_new(pairing *p, const at_bits *a, int a_count, const at_bits *b, int b_count,
                        int64_t squared) {
    *p = (pairing){.height = a->height};
    if (!side_new(&p->a, a, a_count) || !side_new(&p->b, b, b_count) || !spans_new(p, squared))
        return false;
    const size_t n = (size_t)a_count;
    p->level = malloc(4 * n * sizeof *p->level);
    p->cursors = malloc(n * sizeof *p->cursors);
    if (!p->level || !p->cursors) return false;
    p->queue = p->level + n, p->path = p->queue + n, p->via = p->path + n;
    return true;
}

static void pairing_free(pairing *p) {
    free(p->a.x);
    free(p->a.first);
    free(p->b.x);
    free(p->b.first);
    free(p->spans);
    free(p->level);
    free(p->cursors);
}

/* ---- the graph ---- */

/* The first of b's pixels from..end whose x is not below `low`. */
static int search(const side *b, int from, int end, int low) {
    while (from < end) {
        const int middle = from + (end - from) / 2;
        if (b->x[middle] < low)
            from = middle + 1;
        else
            end = middle;
    }
    return from;
}

/* The next partner of a's pixel u; -1: no more. */
static int next_partner(const pairing *p, int u, cursor *c) {
    for (; c->row < p->span_count; c->row++, c->at = -1) {
        const span s = p->spans[c->row];
        const int y = p->a.y[u] + s.dy, x = p->a.x[u];
        if (y < 0 || y >= p->height) continue;
        const int end = p->b.first[y + 1];
        if (c->at < 0) c->at = search(&p->b, p->b.first[y], end, x - s.reach);
        if (c->at < end && p->b.x[c->at] - x <= s.reach) return c->at++;
    }
    return -1;
}

static void begin_near(pairing *p) {
    for (int u = 0; u < p->a.count; u++) {
        cursor c = {0, -1};
        int64_t best_squared = INT64_MAX;
        int best = -1;
        for (int v; (v = next_partner(p, u, &c)) >= 0;) {
            const int64_t dx = p->b.x[v] - p->a.x[u], dy = p->b.y[v] - p->a.y[u];
            if (dy * dy >= best_squared) break; /* rows come nearest first */
            if (p->b.mate[v] == FREE && dx * dx + dy * dy < best_squared)
                best_squared = dx * dx + dy * dy, best = v;
        }
        if (best < 0) continue;
        p->a.mate[u] = best;
        p->b.mate[best] = u;
        p->pairs++;
    }
}

/* Levels of a's pixels by alternating steps from free ones, as far as the nearest free pixel of b.
 * False if none can be reached: the matching is as large as can be. */
static bool layer(pairing *p) {
    int head = 0, tail = 0, found = -1;
    for (int u = 0; u < p->a.count; u++) {
        p->cursors[u] = (cursor){0, -1};
        p->level[u] = p->a.mate[u] == FREE ? 0 : DEAD;
        if (p->a.mate[u] == FREE) p->queue[tail++] = u;
    }
    while (head < tail) {
        const int u = p->queue[head++];
        if (found >= 0 && p->level[u] > found) break;
        cursor c = {0, -1};
        for (int v; (v = next_partner(p, u, &c)) >= 0;) {
            const int w = p->b.mate[v];
            if (w == FREE)
                found = p->level[u];
            else if (p->level[w] == DEAD) {
                p->level[w] = p->level[u] + 1;
                p->queue[tail++] = w;
            }
        }
    }
    return found >= 0;
}

/* Looks along the layers for a path from the free pixel `root` to a free one, and turns it over. */
static void augment(pairing *p, int root) {
    int depth = 0;
    p->path[0] = root;
    while (depth >= 0) {
        const int u = p->path[depth], v = next_partner(p, u, &p->cursors[u]);
        if (v < 0) {
            p->level[u] = DEAD;
            depth--;
            continue;
        }
        const int w = p->b.mate[v];
        p->via[depth] = v;
        if (w == FREE) break;
        if (p->level[w] == p->level[u] + 1) p->path[++depth] = w;
    }
    if (depth < 0) return;
    p->pairs++;
    for (; depth >= 0; depth--) {
        p->b.mate[p->via[depth]] = p->path[depth];
        p->a.mate[p->path[depth]] = p->via[depth];
    }
}

at_status at_bits_match(const at_bits *a, const at_bits *b, int64_t squared, int64_t *pairs,
                        at_error *err) {
    const int64_t a_count = at_bits_count(a), b_count = at_bits_count(b);
    pairing p;
    *pairs = 0;
    if (a_count == 0 || b_count == 0) return AT_OK;
    /* Paths begin at free pixels of the first set: let there be few. */
    if (a_count > b_count) return at_bits_match(b, a, squared, pairs, err);
    const bool ready = pairing_new(&p, a, (int)a_count, b, (int)b_count, squared);
    if (ready) {
        begin_near(&p);
        while (layer(&p))
            for (int u = 0; u < p.a.count; u++)
                if (p.a.mate[u] == FREE) augment(&p, u);
        *pairs = p.pairs;
    }
    pairing_free(&p);
    return ready ? AT_OK : at_fail_memory(err, "pairs of boundary pixels", (size_t)a_count * 40);
}
