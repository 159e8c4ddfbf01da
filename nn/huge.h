/* SPDX-License-Identifier: MIT */
/* Large blocks in huge pages, of which the first touch costs a fraction. The system clears a page
 * where it is first touched, and two threads that meet in a huge page both clear one: so each page
 * is touched by one thread, all threads at work. Private to nn. */
#ifndef AT_NN_HUGE_H
#define AT_NN_HUGE_H

#include <stddef.h>

#define AT_HUGE_PAGE ((size_t)2 << 20)

/* Asks for huge pages for those that lie wholly inside a block from malloc; without them everything
 * works, slower. */
void at_huge_pages(void *block, size_t bytes);

/* The same for a mapping that is new, hence zero, and going to be used whole: and its first touch. */
void at_huge_touch(void *block, size_t bytes);

/* Zeros, on all threads. */
void at_huge_zero(void *block, size_t bytes);

/* Runs body(arg, at, bytes) on all threads for each piece of the block that lies in one huge page:
 * `bytes` from `at` on. */
typedef void at_huge_body(void *arg, size_t at, size_t bytes);
void at_huge_for(const void *block, size_t bytes, at_huge_body *body, void *arg);

#endif
