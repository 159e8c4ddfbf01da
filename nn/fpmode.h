/* SPDX-License-Identifier: MIT */
/* What the thread pool asks of the processor: the floating-point control word, with its bits that
 * flush denormals to zero, and the hint that a loop is only waiting. */
#ifndef AT_NN_FPMODE_H
#define AT_NN_FPMODE_H

#if defined(__SSE2__)
#include <xmmintrin.h>

typedef unsigned at_fp_mode;
enum { AT_FP_FLUSH = 0x8040 }; /* FTZ and DAZ of MXCSR */

static inline at_fp_mode at_fp_get(void) {
    return _mm_getcsr();
}
static inline void at_fp_set(at_fp_mode mode) {
    _mm_setcsr(mode);
}
static inline void at_relax(void) {
    _mm_pause();
}

#elif defined(__aarch64__)

typedef unsigned long at_fp_mode;
enum { AT_FP_FLUSH = 1 << 24 }; /* FZ of FPCR */

static inline at_fp_mode at_fp_get(void) {
    at_fp_mode mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
}
static inline void at_fp_set(at_fp_mode mode) {
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}
static inline void at_relax(void) {
    __asm__ volatile("yield");
}

#else /* elsewhere denormals stay */

typedef unsigned at_fp_mode;
enum { AT_FP_FLUSH = 0 };

static inline at_fp_mode at_fp_get(void) {
    return 0;
}
static inline void at_fp_set(at_fp_mode mode) {
    (void)mode;
}
static inline void at_relax(void) {}

#endif
#endif
