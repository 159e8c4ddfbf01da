/* SPDX-License-Identifier: MIT */
/* Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as
 * 1, 2, 3", SC 2011). A stream is named by (seed, purpose, a, b); there is no hidden state, so
 * threads, resuming and sharding cannot change what is drawn. */
#ifndef AT_NN_RANDOM_H
#define AT_NN_RANDOM_H

#include <stdint.h>

typedef enum at_purpose {
    AT_RNG_INIT = 1, /* a: hash of the parameter's name */
    AT_RNG_DROPOUT,  /* a: step, b: node */
    AT_RNG_SHUFFLE,  /* a: epoch */
    AT_RNG_AUGMENT,  /* a: epoch, b: sample */
    AT_RNG_SPLIT,    /* a: 0, b: 0 */
    AT_RNG_SYNTH,    /* a: image */
    AT_RNG_TEST,     /* free for tests and benchmarks */
} at_purpose;

typedef struct at_rng {
    uint32_t key[2];
    uint32_t counter[4]; /* [0]: the next block, words 4i .. 4i+3; to jump, set it and used = 4 */
    uint32_t block[4];
    int used; /* words of block already handed out; 4: none left */
} at_rng;

at_rng at_rng_make(uint64_t seed, at_purpose purpose, uint64_t a, uint64_t b);

uint32_t at_rng_u32(at_rng *r);
float at_rng_uniform(at_rng *r);                       /* [0, 1), 24 bits */
float at_rng_range(at_rng *r, float low, float high);  /* [low, high) */
uint32_t at_rng_below(at_rng *r, uint32_t n);          /* 0 .. n-1 without bias; n >= 1 */
float at_rng_normal(at_rng *r);                        /* mean 0, variance 1 (Box-Muller) */
void at_rng_shuffle(at_rng *r, int *items, int count); /* Fisher-Yates */

uint64_t at_hash(const char *text); /* FNV-1a, 64 bits: names as stream numbers */

#endif
