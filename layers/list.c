/* SPDX-License-Identifier: MIT */
#include "layers/list.h"

#include "layers/layers.h"

#define AT_OP_ADDRESS(name) &at_op_##name,
const at_op *const at_op_list[] = {AT_OP_LIST(AT_OP_ADDRESS) NULL};
#undef AT_OP_ADDRESS
