/* SPDX-License-Identifier: MIT */
/* Which table of kernels this process uses. Detection asks the processor and, through libgcc's
 * __builtin_cpu_supports, the operating system (XCR0: does it save the wide registers?). */
#include "nn/kernels/kernels.h"

#include <stdlib.h>
#include <string.h>
#ifdef __x86_64__
#include <cpuid.h>
#endif
#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

/* Prototypes and a table for one level; mr and nr are its convolution tile. */
#define PROTOTYPE(level, name, ret, args) ret at_##name##_##level args;
#define PROTO_REF(name, ret, args) PROTOTYPE(ref, name, ret, args)
#define PROTO_GENERIC(name, ret, args) PROTOTYPE(generic, name, ret, args)
#define PROTO_AVX2(name, ret, args) PROTOTYPE(avx2, name, ret, args)
#define PROTO_AVX512(name, ret, args) PROTOTYPE(avx512, name, ret, args)
#define PROTO_AMX(name, ret, args) PROTOTYPE(amx, name, ret, args)
#define PROTO_AVX512_BF16(name, ret, args) PROTOTYPE(avx512_bf16, name, ret, args)
#define ENTRY_REF(name, ret, args) .name = at_##name##_ref,
#define ENTRY_GENERIC(name, ret, args) .name = at_##name##_generic,
#define ENTRY_AVX2(name, ret, args) .name = at_##name##_avx2,
#define ENTRY_AVX512(name, ret, args) .name = at_##name##_avx512,
#define ENTRY_AVX512_BF16(name, ret, args) .name = at_##name##_avx512_bf16,
#define ENTRY_AMX(name, ret, args) .name = at_##name##_amx,

/* A level's kernels, all by one name; the tiles of conv_tile and conv_dot, and the latter's gain. */
#define EVERY(X) AT_KERNEL_LIST(X) AT_DOT_LIST(X)
#define TILES(mr, nr, dmr, dnr, gain)                                                              \
    .conv_mr = mr, .conv_nr = nr, .dot_mr = dmr, .dot_nr = dnr, .dot_gain = gain

EVERY(PROTO_REF)
static const at_kernels ref = {.level = "ref", TILES(3, 5, 3, 5, 0.5), EVERY(ENTRY_REF)};

EVERY(PROTO_GENERIC)
static const at_kernels generic = {
    .level = "generic", TILES(6, 8, 6, 8, 0.5), EVERY(ENTRY_GENERIC)};

#ifdef __x86_64__
EVERY(PROTO_AVX2)
static const at_kernels avx2 = {.level = "avx2", TILES(6, 16, 6, 16, 0.5), EVERY(ENTRY_AVX2)};

EVERY(PROTO_AVX512)
static const at_kernels avx512 = {
    .level = "avx512", TILES(14, 32, 14, 32, 0.5), EVERY(ENTRY_AVX512)};

AT_DOT_LIST(PROTO_AVX512_BF16)
static const at_kernels avx512_bf16 = {.level = "avx512_bf16",
                                       TILES(14, 32, 14, 32, 2),
                                       AT_KERNEL_LIST(ENTRY_AVX512) AT_DOT_LIST(ENTRY_AVX512_BF16)};

AT_DOT_LIST(PROTO_AMX)
static const at_kernels amx = {
    .level = "amx", TILES(14, 32, 32, 32, 8), AT_KERNEL_LIST(ENTRY_AVX512) AT_DOT_LIST(ENTRY_AMX)};

static bool has_avx2(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

static bool has_avx512(void) {
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512cd");
}

static bool has_avx512_bf16(void) {
    return has_avx512() && __builtin_cpu_supports("avx512bf16");
}

/* Linux hands out the tiles' state on request, to the whole process. */
static bool has_amx(void) {
#ifdef __linux__
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 }; /* of leaf 7, edx */
    unsigned a, b, c, d;
    return has_avx512() && __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & AMX_BF16) &&
           (d & AMX_TILE) && syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0;
#else
    return false;
#endif
}
#endif

/* Intel's processors do this level's one instruction, a pair of products in each lane, at a quarter
 * of the rate of fused multiply-adds (Emerald Rapids: 82 GFLOP/s a core, which makes 150 without
 * it); AMD's at the same rate. */
static bool is_worth_it(const at_kernels *t) {
#ifdef __x86_64__
    if (t == &avx512_bf16) return __builtin_cpu_is("amd");
#endif
    return true;
}

const at_kernels *at_kernels_level(int i) {
    const at_kernels *levels[6] = {&ref, &generic};
    int count = 2;
#ifdef __x86_64__
    if (has_avx2()) levels[count++] = &avx2;
    if (has_avx512()) levels[count++] = &avx512;
    if (has_avx512_bf16()) levels[count++] = &avx512_bf16;
    if (has_amx()) levels[count++] = &amx;
#endif
    return i >= 0 && i < count ? levels[i] : NULL;
}

static const at_kernels *choose(void) {
    const char *cap = getenv("ATROUS_CPU");
    const at_kernels *best = at_kernels_level(1);
    for (int i = 0; at_kernels_level(i) != NULL; i++) {
        const at_kernels *t = at_kernels_level(i);
        if (cap != NULL && strcmp(t->level, cap) == 0) return t;
        if (is_worth_it(t)) best = t;
    }
    return best;
}

static const at_kernels *active; /* every thread that races here stores the same value */

const at_kernels *at_kernels_get(void) {
    const at_kernels *t = __atomic_load_n(&active, __ATOMIC_ACQUIRE);
    if (t == NULL) {
        t = choose();
        __atomic_store_n(&active, t, __ATOMIC_RELEASE);
    }
    return t;
}

void at_kernels_force(const at_kernels *table) {
    __atomic_store_n(&active, table, __ATOMIC_RELEASE);
}
