/* SPDX-License-Identifier: MIT */
/* A wish for huge pages, of which the first touch costs a fraction. Private to nn. */
#ifndef AT_NN_HUGE_H
#define AT_NN_HUGE_H

#include <stddef.h>

/* For the whole huge pages inside a block from malloc; without them everything works, slower. */
void at_huge_pages(void *block, size_t bytes);

#endif
