/* SPDX-License-Identifier: MIT */
/* conv_dot with AMX: 2 x 2 tiles of 16 x 16 sums stay in registers, and two tiles of pixels and two
 * of weights, all loaded from where they lie, make four products. Tiles 0 to 3 are sums (rows of
 * pixels by columns of channels), 4 and 5 pixels, 6 and 7 weights. */
#include "nn/kernels/amx/tiles.h"
#include "nn/kernels/bf16.h"
#include "nn/kernels/list.h"

enum { MR = 2 * TILE_ROWS, NR = 2 * TILE_ROWS };

void at_conv_dot_amx(const at_conv_tile *t);

/* Sets the tiles' sizes, which also clears them. Done in each call: a child process, for one, begins
 * without what its parent had set. */
static void configure(int rows, int step) {
    int first = rows < TILE_ROWS ? rows : TILE_ROWS, second = rows - first;
    tile_config c = {.palette = 1};
    for (int i = 0; i < TILES; i++) {
        bool low = i == 0 || i == 1 || i == 4;
        c.rows[i] = (uint8_t)(i >= 6 ? step / 2 : low ? first : second > 0 ? second : 1);
        c.bytes[i] = (uint16_t)(i == 4 || i == 5 ? 2 * step : TILE_BYTES);
    }
    tile_configure(&c);
}

/* The products of one piece of channels. */
#define PRODUCTS(both_rows, both_columns)                                                          \
    do {                                                                                           \
        tile_load(4, a, a_row);                                                                    \
        tile_load(6, w, w_row);                                                                    \
        tile_dot(0, 4, 6);                                                                         \
        if (both_columns) {                                                                        \
            tile_load(7, w + 2 * TILE_ROWS, w_row);                                                \
            tile_dot(1, 4, 7);                                                                     \
        }                                                                                          \
        if (both_rows) {                                                                           \
            tile_load(5, a + TILE_ROWS * t->a_ld, a_row);                                          \
            tile_dot(2, 5, 6);                                                                     \
            if (both_columns) tile_dot(3, 5, 7);                                                   \
        }                                                                                          \
    } while (0)

#define SUMS(name, both_rows, both_columns)                                                        \
    static void name(const at_conv_tile *t, int step) {                                            \
        long a_row = 2 * t->a_ld, w_row = 4 * NR;                                                  \
        for (int s = 0; s < t->taps; s++)                                                          \
            for (int l = 0; l < t->k; l += step) {                                                 \
                const uint16_t *a = (const uint16_t *)t->a + t->tap_a[s] + l;                      \
                const uint16_t *w = (const uint16_t *)t->w + t->tap_w[s] + (ptrdiff_t)l * NR;      \
                PRODUCTS(both_rows, both_columns);                                                 \
            }                                                                                      \
    }

SUMS(sums_one, false, false)
SUMS(sums_wide, false, true)
SUMS(sums_high, true, false)
SUMS(sums_four, true, true)

static void put(const at_conv_tile *t, int i, const float *sums) {
    uint16_t *narrow = (uint16_t *)t->out + i * t->out_ld;
    float *wide = (float *)t->out + i * t->out_ld;
    for (int j = 0; j < t->n; j++) {
        float sum = sums[j] + (t->bias != NULL ? t->bias[j] : 0);
        if (t->add) sum += t->bf16 ? at_bf16_widened(narrow[j]) : wide[j];
        if (t->relu && sum < 0) sum = 0;
        if (t->bf16)
            narrow[j] = at_bf16_narrowed(sum);
        else
            wide[j] = sum;
    }
}

void at_conv_dot_amx(const at_conv_tile *t) {
    float sums[MR][NR];
    bool high = t->m > TILE_ROWS, wide = t->n > TILE_ROWS;
    int step = at_dot_step(t->k);
    configure(t->m, step);
    (high ? wide ? sums_four : sums_high : wide ? sums_wide : sums_one)(t, step);
    tile_store(0, sums[0], sizeof sums[0]);
    tile_store(1, &sums[0][TILE_ROWS], sizeof sums[0]);
    if (high) {
        tile_store(2, sums[TILE_ROWS], sizeof sums[0]);
        tile_store(3, &sums[TILE_ROWS][TILE_ROWS], sizeof sums[0]);
    }
    for (int i = 0; i < t->m; i++) put(t, i, sums[i]);
}
