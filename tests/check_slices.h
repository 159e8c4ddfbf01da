/* SPDX-License-Identifier: MIT */
/* Part of check_op: runs one node by hand, on views that are slices of wider tensors. */
#ifndef AT_TESTS_CHECK_SLICES_H
#define AT_TESTS_CHECK_SLICES_H

#include "tests/check_op.h"

/* Output against y, gradients of inputs against d_in: once added to what is there, once written
 * over garbage where the operator says it can. Nothing happens if the node's inputs are not all
 * sources of the graph. */
void check_slices(const at_node *node, at_mode mode, const check_data *d, const double *projection,
                  const double *y, double *const *d_in, double tolerance);

#endif
