/* SPDX-License-Identifier: MIT */
/* Where to look closer, and edges as paths. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/window.h"

/* Sums of all weights above and to the left: [height + 1, width + 1]. */
static void integrate(const int32_t *weights, int height, int width, int64_t *sums) {
    const size_t row = (size_t)width + 1;
    memset(sums, 0, row * sizeof *sums);
    for (int y = 0; y < height; y++) {
        int64_t line = 0;
        int64_t *to = sums + ((size_t)y + 1) * row;
        to[0] = 0;
        for (int x = 0; x < width; x++) {
            line += weights[(size_t)y * (size_t)width + (size_t)x];
            to[x + 1] = to[x + 1 - (ptrdiff_t)row] + line;
        }
    }
}

at_status at_window_best(const int32_t *weights, int height, int width, int side, int *y, int *x,
                         at_error *err) {
    const size_t row = (size_t)width + 1, bytes = ((size_t)height + 1) * row * sizeof(int64_t);
    int64_t *sums = malloc(bytes), best = -1;
    assert(side > 0 && side <= height && side <= width);
    if (!sums) return at_fail_memory(err, "a window", bytes);
    integrate(weights, height, width, sums);
    for (int i = 0; i + side <= height; i++)
        for (int j = 0; j + side <= width; j++) {
            const int64_t *top = sums + (size_t)i * row + j, *bottom = top + (size_t)side * row;
            const int64_t sum = bottom[side] - bottom[0] - top[side] + top[0];
            if (sum > best) best = sum, *y = i, *x = j;
        }
    free(sums);
    return AT_OK;
}

/* ---- edges ---- */

/* Writes the path, or only counts its bytes (at NULL). */
static size_t put_run(char *at, int x, int y, char direction, int length) {
    char text[48];
    const int n = snprintf(text, sizeof text, "M%d %d%c%d", x, y, direction, length);
    if (at) memcpy(at, text, (size_t)n);
    return (size_t)n;
}

/* Steps between ids[y - dy][x - dx] and ids[y][x], joined along the other direction. */
static size_t put_edges(char *at, const uint8_t *ids, int height, int width, bool across) {
    const int lines = across ? height : width, along = across ? width : height;
    const ptrdiff_t back = across ? width : 1;
    size_t used = 0;
    for (int l = 1; l < lines; l++)
        for (int i = 0, from = 0; i <= along; i++) {
            const ptrdiff_t p = across ? (ptrdiff_t)l * width + i : (ptrdiff_t)i * width + l;
            if (i < along && ids[p] != ids[p - back]) continue;
            if (i > from)
                used += put_run(at ? at + used : NULL, across ? from : l, across ? l : from,
                                across ? 'h' : 'v', i - from);
            from = i + 1;
        }
    return used;
}

char *at_window_edges(const uint8_t *ids, int height, int width) {
    const size_t size =
        put_edges(NULL, ids, height, width, true) + put_edges(NULL, ids, height, width, false);
    char *path = malloc(size + 1);
    if (!path) return NULL;
    const size_t used = put_edges(path, ids, height, width, true);
    put_edges(path + used, ids, height, width, false);
    path[size] = '\0';
    return path;
}
