/* SPDX-License-Identifier: MIT */
/* The exact Euclidean distance transform by lower envelopes of parabolas, after Felzenszwalb &
 * Huttenlocher, Theory of Computing 8 (2012), in whole numbers: the distance to the nearest seed
 * within each column first, then along each row the parabola of whichever column is nearest.
 * Distances beyond `limit` are not told apart, so columns that have none nearer drop out. */
#include <assert.h>
#include <stdlib.h>

#include "train/measures_private.h"

enum { BLOCK = 64 }; /* columns a task: whole cache lines */

typedef struct transform {
    const uint8_t *seeds;
    int height, width, limit;
    int32_t *out;   /* [height, width] distances within columns, then squared distances */
    int32_t *stack; /* [workers][3 * width] */
} transform;

static void down(const transform *t, int y, int first, int end) {
    const size_t row = (size_t)y * (size_t)t->width;
    const int32_t *above = t->out + row - t->width;
    for (int x = first; x < end; x++) {
        const int32_t next = y ? above[x] + 1 : t->limit;
        t->out[row + (size_t)x] = t->seeds[row + (size_t)x] ? 0 : next < t->limit ? next : t->limit;
    }
}

static void up(const transform *t, int y, int first, int end) {
    int32_t *row = t->out + (size_t)y * (size_t)t->width;
    for (int x = first; x < end; x++)
        if (row[t->width + x] + 1 < row[x]) row[x] = row[t->width + x] + 1;
}

static void columns(void *arg, int64_t block, int worker) {
    const transform *t = arg;
    (void)worker;
    const int first = (int)block * BLOCK, end = t->width - first < BLOCK ? t->width : first + BLOCK;
    for (int y = 0; y < t->height; y++) down(t, y, first, end);
    for (int y = t->height - 2; y >= 0; y--) up(t, y, first, end);
}

/* The first x at which column b's parabola is below that of column a < b. */
static int64_t overtakes(const int32_t *g, int64_t a, int64_t b) {
    const int64_t rise = b * b - a * a + (int64_t)g[b] * g[b] - (int64_t)g[a] * g[a];
    return rise < 0 ? 0 : rise / (2 * (b - a)) + 1;
}

static void row(void *arg, int64_t y, int worker) {
    const transform *t = arg;
    const int w = t->width;
    int32_t *line = t->out + (size_t)y * (size_t)w;
    int32_t *g = t->stack + (size_t)worker * 3 * (size_t)w, *column = g + w, *from = column + w;
    int count = 0;
    for (int x = 0; x < w; x++) {
        g[x] = line[x];
        if (g[x] >= t->limit) continue;
        int64_t begins = 0;
        while (count && (begins = overtakes(g, column[count - 1], x)) <= from[count - 1]) count--;
        if (count == 0) begins = 0;
        if (begins >= w) continue;
        column[count] = x;
        from[count++] = (int32_t)begins;
    }
    const int64_t most = (int64_t)t->limit * t->limit;
    for (int x = w - 1; x >= 0; x--) {
        while (count && from[count - 1] > x) count--;
        const int64_t dx = count ? x - column[count - 1] : 0, dy = count ? g[column[count - 1]] : 0;
        line[x] = (int32_t)(count && dx * dx + dy * dy < most ? dx * dx + dy * dy : most);
    }
}

at_status at_distance_squared(const uint8_t *seeds, int height, int width, int limit, int32_t *out,
                              at_error *err) {
    assert(limit >= 1 && limit <= 32768);
    AT_TRY(at_measurable(height, width, err));
    const size_t words = 3 * (size_t)width * (size_t)at_threads();
    transform t = {seeds, height, width, limit, out, malloc(words * sizeof *t.stack)};
    if (!t.stack) return at_fail_memory(err, "distances", words * sizeof *t.stack);
    at_parallel_for((width + BLOCK - 1) / BLOCK, columns, &t);
    at_parallel_for(height, row, &t);
    free(t.stack);
    return AT_OK;
}
