/* SPDX-License-Identifier: MIT */
/* The eight tile registers of AMX (Intel 64 manual, volume 1, chapter 18): up to 16 rows of 64
 * bytes. The names of tiles are literals. With AT_TILES_EMULATED they are arrays of plain C, by
 * which a test runs the kernels on any machine. */
#ifndef AT_NN_KERNELS_AMX_TILES_H
#define AT_NN_KERNELS_AMX_TILES_H

#include <stdint.h>
#include <string.h>

enum { TILES = 8, TILE_ROWS = 16, TILE_BYTES = 64 };

/* Palette 1: bytes of a row and rows, tile by tile. */
typedef struct tile_config {
    uint8_t palette, start_row, reserved[14];
    uint16_t bytes[16];
    uint8_t rows[16];
} tile_config;

#ifdef AT_TILES_EMULATED
#include "nn/kernels/bf16.h"

static tile_config tiles_now;
static union {
    float f[TILE_BYTES / 4];
    uint16_t h[TILE_BYTES / 2];
} tiles[TILES][TILE_ROWS];

static inline void tile_configure(const tile_config *c) {
    tiles_now = *c;
    memset(tiles, 0, sizeof tiles);
}
static inline void tile_load(int t, const void *from, long stride) {
    for (int r = 0; r < tiles_now.rows[t]; r++)
        memcpy(&tiles[t][r], (const char *)from + r * stride, tiles_now.bytes[t]);
}
static inline void tile_store(int t, void *to, long stride) {
    for (int r = 0; r < tiles_now.rows[t]; r++)
        memcpy((char *)to + r * stride, &tiles[t][r], tiles_now.bytes[t]);
}
static inline void tile_dot(int c, int a, int b) {
    for (int i = 0; i < tiles_now.rows[c]; i++)
        for (int k = 0; k < tiles_now.bytes[a] / 4; k++)
            for (int j = 0; j < tiles_now.bytes[c] / 4; j++)
                for (int half = 0; half < 2; half++)
                    tiles[c][i].f[j] += at_bf16_widened(tiles[a][i].h[2 * k + half]) *
                                        at_bf16_widened(tiles[b][k].h[2 * j + half]);
}
#else
#include <immintrin.h>

/* The compiler's own intrinsics don't say that they read memory. */
#define tile_barrier() __asm__ volatile("" ::: "memory")

static inline void tile_configure(const tile_config *c) {
    tile_barrier();
    _tile_loadconfig(c);
}
#define tile_load(t, from, stride) _tile_loadd(t, from, stride)
#define tile_store(t, to, stride) _tile_stored(t, to, stride)
#define tile_dot(c, a, b) _tile_dpbf16ps(c, a, b)
#endif

#endif
