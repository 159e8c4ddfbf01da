/* SPDX-License-Identifier: MIT */
/* Makes allocations fail. Every test program is linked so that malloc, calloc, realloc,
 * aligned_alloc, posix_memalign, strdup and pthread_create, called from our code or by jansson,
 * pass through here; what libc and zlib allocate within themselves does not. */
#ifndef AT_TESTS_ALLOC_FAIL_H
#define AT_TESTS_ALLOC_FAIL_H

#include <stdbool.h>

#include "nn/status.h"

/* Does a piece of work from scratch, frees everything it got, and returns its status. */
typedef at_status alloc_scenario(void *arg, at_error *err);

/* Runs the scenario with its first allocation failing, then its second, and so on until it
 * succeeds; after that with all from the n-th on failing. Each failure must give a status and a
 * text (leaks are for the address sanitizer to see). Work that gets by without the allocation may
 * also succeed. */
void check_alloc_failures(alloc_scenario *run, void *arg);

/* The same for work that takes long: the first allocation fails, then the one `step` further on, and
 * so on; only one at a time. */
void check_some_alloc_failures(alloc_scenario *run, void *arg, long step);

/* The n-th allocation from here on fails (1: the next one); with `onwards` all later ones too. 0:
 * none. alloc_fail_hit says whether it has come to that. */
void alloc_fail_at(long n, bool onwards);
bool alloc_fail_hit(void);

#endif
