/* SPDX-License-Identifier: MIT */
/* Arithmetic and nothing else: one table of functions for the instruction set of this machine. The
 * sources in simd/ are compiled once per level; ref/ holds the naive portable twin of every kernel,
 * which is its documentation and its oracle. list.h names them all, and from it come prototypes,
 * tables, tests and benchmarks.
 *
 * Adding a kernel: one line in list.h, its body in simd/<family>.c, its naive twin in
 * ref/<family>.c, and a test in tests/test_kernels_<family>.c. */
#ifndef AT_NN_KERNELS_KERNELS_H
#define AT_NN_KERNELS_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "nn/kernels/list.h"

typedef struct at_kernels {
    const char *level;    /* "generic", "avx2", "avx512", "avx512_bf16", "amx"; "ref": the oracle */
    int conv_mr, conv_nr; /* tile of conv_tile and conv_dw_tile: rows, columns */
    int dot_mr, dot_nr;   /* of conv_dot */
    double dot_gain;      /* how many times faster it is than conv_tile; below 1: not to be used */
#define AT_KERNEL_MEMBER(name, ret, args) ret(*name) args;
    AT_KERNEL_LIST(AT_KERNEL_MEMBER)
    AT_DOT_LIST(AT_KERNEL_MEMBER)
#undef AT_KERNEL_MEMBER
} at_kernels;

/* The best table this processor and operating system support, capped by the environment variable
 * ATROUS_CPU=ref|generic|avx2|avx512|avx512_bf16|amx. Chosen once. */
const at_kernels *at_kernels_get(void);

/* Every level this machine can run, the oracle first; NULL past the end. */
const at_kernels *at_kernels_level(int i);

/* Tests only: makes at_kernels_get return this table from now on (NULL: the usual choice). */
void at_kernels_force(const at_kernels *table);

#endif
