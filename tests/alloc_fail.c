/* SPDX-License-Identifier: MIT */
/* The linker's --wrap turns calls of malloc into calls of __wrap_malloc, and gives the true one the
 * name __real_malloc. Counting is atomic, since threads allocate too. */
#include "tests/alloc_fail.h"

#include <errno.h>
#include <jansson.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static atomic_long countdown; /* allocations until one fails; 0: none will, unless... */
static atomic_bool all, hit;  /* ...all do from now on */

void alloc_fail_at(long n, bool onwards) {
    atomic_store(&hit, false);
    atomic_store(&all, onwards);
    atomic_store(&countdown, n);
}

bool alloc_fail_hit(void) {
    return atomic_load(&hit);
}

static bool fails(void) {
    long left = atomic_load(&countdown);
    while (left > 0 && !atomic_compare_exchange_weak(&countdown, &left, left - 1)) {
    }
    if (left == 1) atomic_store(&hit, true);
    return left == 1 || (!left && atomic_load(&hit) && atomic_load(&all));
}

/* clang-format off */
#define WRAP(type, name, failure, params, args)                                                    \
    type __real_##name params;                                                                     \
    type __wrap_##name params;                                                                     \
    type __wrap_##name params { if (fails()) { errno = ENOMEM; return failure; } return __real_##name args; }
/* clang-format on */
WRAP(void *, malloc, NULL, (size_t n), (n))
WRAP(void *, calloc, NULL, (size_t n, size_t size), (n, size))
WRAP(void *, realloc, NULL, (void *p, size_t n), (p, n))
WRAP(void *, aligned_alloc, NULL, (size_t align, size_t n), (align, n))
WRAP(int, posix_memalign, ENOMEM, (void **p, size_t align, size_t n), (p, align, n))
WRAP(char *, strdup, NULL, (const char *text), (text))
WRAP(int, pthread_create, EAGAIN,
     (pthread_t * t, const pthread_attr_t *a, void *(*body)(void *), void *arg), (t, a, body, arg))

/* Returns whether the n-th allocation was reached. */
static bool try_failure(alloc_scenario *run, void *arg, long n, bool onwards) {
    at_error err = {0};
    alloc_fail_at(n, onwards);
    at_status status = run(arg, &err);
    bool reached = alloc_fail_hit();
    alloc_fail_at(0, false);
    if (!reached && status) fail_msg("fails with all its memory: %s", err.text);
    if (status && (status != err.status || !err.text[0]))
        fail_msg("allocation %ld failed: status %d, text '%s'", n, status, err.text);
    return reached;
}

void check_alloc_failures(alloc_scenario *run, void *arg) {
    json_set_alloc_funcs(__wrap_malloc, free);
    for (int onwards = 0; onwards < 2; onwards++) {
        long n = 1;
        while (try_failure(run, arg, n, onwards)) assert_true(n++ < 100000);
        assert_true(n > 1 || onwards); /* a scenario that allocates nothing tests nothing */
    }
    json_set_alloc_funcs(malloc, free);
}

void check_some_alloc_failures(alloc_scenario *run, void *arg, long step) {
    for (long n = 1; try_failure(run, arg, n, false); n += step) {
    }
}
