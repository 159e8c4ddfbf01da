/* SPDX-License-Identifier: MIT */
/* Prototypes of the naive twins: at_<kernel>_ref. */
#ifndef AT_NN_KERNELS_REF_REF_H
#define AT_NN_KERNELS_REF_REF_H

#include "nn/kernels/bf16.h"
#include "nn/kernels/list.h"

/* Element i of an array of floats or of bfloat16. */
static inline float at_ref_load(const void *p, ptrdiff_t i, bool bf16) {
    return bf16 ? at_bf16_widened(((const uint16_t *)p)[i]) : ((const float *)p)[i];
}
static inline void at_ref_store(void *p, ptrdiff_t i, float x, bool bf16) {
    if (bf16)
        ((uint16_t *)p)[i] = at_bf16_narrowed(x);
    else
        ((float *)p)[i] = x;
}

#define AT_KERNEL_PROTOTYPE(name, ret, args) ret at_##name##_ref args;
AT_KERNEL_LIST(AT_KERNEL_PROTOTYPE)
AT_DOT_LIST(AT_KERNEL_PROTOTYPE)
#undef AT_KERNEL_PROTOTYPE

#endif
