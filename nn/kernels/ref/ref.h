/* SPDX-License-Identifier: MIT */
/* Prototypes of the naive twins: at_<kernel>_ref. */
#ifndef AT_NN_KERNELS_REF_REF_H
#define AT_NN_KERNELS_REF_REF_H

#include "nn/kernels/list.h"

#define AT_KERNEL_PROTOTYPE(name, ret, args) ret at_##name##_ref args;
AT_KERNEL_LIST(AT_KERNEL_PROTOTYPE)
#undef AT_KERNEL_PROTOTYPE

#endif
