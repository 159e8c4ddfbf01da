/* SPDX-License-Identifier: MIT */
/* Philox4x32-10 as a keyed function of a counter. (a, b) is first put through the cipher itself
 * under the seed, which is a bijection: within one seed, different (purpose, a, b) never share a
 * block. A stream is 2^34 words long. */
#include "nn/random.h"

#include <assert.h>
#include <math.h>

static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u; /* Weyl sequence of the golden ratio */
        k1 += 0xBB67AE85u; /* and of sqrt(3) - 1 */
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

at_rng at_rng_make(uint64_t seed, at_purpose purpose, uint64_t a, uint64_t b) {
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t name[4] = {(uint32_t)a, (uint32_t)(a >> 32), (uint32_t)b, (uint32_t)(b >> 32)};
    uint32_t mixed[4];
    philox(name, key, mixed);
    return (at_rng){.key = {mixed[0], mixed[1]},
                    .counter = {0, (uint32_t)purpose, mixed[2], mixed[3]},
                    .used = 4};
}

uint32_t at_rng_u32(at_rng *r) {
    if (r->used == 4) {
        philox(r->counter, r->key, r->block);
        r->counter[0]++;
        r->used = 0;
    }
    return r->block[r->used++];
}

float at_rng_uniform(at_rng *r) {
    return (float)(at_rng_u32(r) >> 8) * 0x1p-24f;
}

float at_rng_range(at_rng *r, float low, float high) {
    float v = low + (high - low) * at_rng_uniform(r);
    return v < high ? v : nextafterf(high, low); /* rounding may have reached high */
}

/* Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019. */
uint32_t at_rng_below(at_rng *r, uint32_t n) {
    assert(n >= 1);
    uint64_t product = (uint64_t)at_rng_u32(r) * n;
    if ((uint32_t)product < n) {
        uint32_t biased = (uint32_t)-n % n; /* 2^32 mod n */
        while ((uint32_t)product < biased) product = (uint64_t)at_rng_u32(r) * n;
    }
    return (uint32_t)(product >> 32);
}

/* The second number of the pair is dropped: keeping it would be hidden state. */
float at_rng_normal(at_rng *r) {
    float u = 1.0f - at_rng_uniform(r); /* (0, 1]: its logarithm is finite */
    float angle = 6.28318530718f * at_rng_uniform(r);
    return sqrtf(-2.0f * logf(u)) * cosf(angle);
}

void at_rng_shuffle(at_rng *r, int *items, int count) {
    for (int i = count - 1; i > 0; i--) {
        int j = (int)at_rng_below(r, (uint32_t)i + 1);
        int item = items[i];
        items[i] = items[j];
        items[j] = item;
    }
}

uint64_t at_hash(const char *text) {
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
    return hash;
}
