/* SPDX-License-Identifier: MIT */
/* Masks from Philox4x32-10 (Salmon et al., SC 2011), one element at a time. */
#include "nn/kernels/ref/ref.h"

static void philox(uint32_t c[4], const uint32_t key[2]) {
    for (uint32_t round = 0; round < 10; round++) {
        uint64_t p = 0xD2511F53ull * c[0], q = 0xCD9E8D57ull * c[2];
        uint32_t k0 = key[0] + round * 0x9E3779B9u, k1 = key[1] + round * 0xBB67AE85u;
        uint32_t next[4] = {(uint32_t)(q >> 32) ^ c[1] ^ k0, (uint32_t)q,
                            (uint32_t)(p >> 32) ^ c[3] ^ k1, (uint32_t)p};
        for (int i = 0; i < 4; i++) c[i] = next[i];
    }
}

void at_dropout_mask_ref(float *mask, const uint32_t key[2], const uint32_t counter[4],
                         uint64_t first, int64_t count, uint32_t threshold, float scale) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t e = first + (uint64_t)i;
        uint32_t block[4] = {counter[0] + (uint32_t)(16 * (e / 128) + e % 16), counter[1],
                             counter[2], counter[3]};
        philox(block, key);
        uint32_t word = block[e / 16 % 4], drawn = e % 128 < 64 ? word & 0xffff : word >> 16;
        mask[i] = drawn < threshold ? 0 : scale;
    }
}
