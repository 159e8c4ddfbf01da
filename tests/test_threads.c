/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "nn/threads.h"

enum { MANY = 1000 };

static void pause_ms(int ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000L}, NULL);
}

/* Counts how often each index came, and catches a worker number that two bodies have at once. */
typedef struct tally {
    atomic_int seen[MANY], inside[1024];
    atomic_int clashes, strangers;
    int wait_ms;
} tally;

static void count_index(void *arg, int64_t i, int worker) {
    tally *t = arg;
    if (worker < 0 || worker >= at_threads()) atomic_fetch_add(&t->strangers, 1);
    if (atomic_fetch_add(&t->inside[worker], 1)) atomic_fetch_add(&t->clashes, 1);
    atomic_fetch_add(&t->seen[i], 1);
    if (t->wait_ms) pause_ms(t->wait_ms);
    atomic_fetch_sub(&t->inside[worker], 1);
}

static void check_tally(tally *t, int count, int times) {
    assert_int_equal(atomic_load(&t->clashes), 0);
    assert_int_equal(atomic_load(&t->strangers), 0);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(atomic_load(&t->seen[i]), i < count ? times : 0);
}

static void every_index_once(void **state) {
    (void)state;
    static const int counts[] = {-1, 0, 1, 2, 3, 7, MANY};
    for (int threads = 0; threads <= 9; threads++) {
        assert_int_equal(at_threads_set(threads, NULL), AT_OK);
        if (threads) assert_int_equal(at_threads(), threads);
        for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
            tally t = {0};
            for (int loop = 0; loop < 50; loop++) at_parallel_for(counts[c], count_index, &t);
            check_tally(&t, counts[c], 50);
        }
    }
}

/* Long enough pauses for workers, and then for the caller, to have gone to sleep. */
static void sleepers_wake(void **state) {
    (void)state;
    at_threads_set(4, NULL);
    for (int wait = 0; wait < 3; wait++) {
        tally t = {.wait_ms = wait};
        for (int loop = 0; loop < 20; loop++) {
            pause_ms(1);
            at_parallel_for(5, count_index, &t);
        }
        check_tally(&t, 5, 20);
    }
}

/* Each index waits until all have begun: only threads that run at once get through. */
typedef struct meeting {
    atomic_int arrived;
    atomic_bool missed;
    int count;
} meeting;

static void meet(void *arg, int64_t i, int worker) {
    (void)i, (void)worker;
    meeting *m = arg;
    atomic_fetch_add(&m->arrived, 1);
    for (int ms = 0; atomic_load(&m->arrived) < m->count; ms++) {
        if (ms > 5000) atomic_store(&m->missed, true);
        if (ms > 5000) return;
        pause_ms(1);
    }
}

static void meet_within(void *arg, int64_t i, int worker) {
    (void)i, (void)worker;
    at_parallel_for(((meeting *)arg)->count, meet, arg);
}

static void threads_run_at_once(void **state) {
    (void)state;
    at_threads_set(3, NULL);
    meeting m = {.count = 3}, inner = {.count = 3};
    at_parallel_for(3, meet, &m);
    assert_false(atomic_load(&m.missed));
    at_parallel_for(1, meet_within, &inner); /* a loop of one leaves the pool free */
    assert_false(atomic_load(&inner.missed));
}

typedef struct nest {
    atomic_int seen[20][30], wrong;
} nest;
typedef struct nest_row {
    nest *n;
    int64_t row;
    int worker;
    pthread_t thread;
} nest_row;

static void inner_body(void *arg, int64_t i, int worker) {
    nest_row *r = arg;
    bool right = worker == r->worker && pthread_equal(pthread_self(), r->thread);
    if (!right) atomic_fetch_add(&r->n->wrong, 1);
    atomic_fetch_add(&r->n->seen[r->row][i], 1);
}

static void outer_body(void *arg, int64_t i, int worker) {
    nest_row r = {arg, i, worker, pthread_self()};
    pause_ms(1); /* so that every worker gets its share */
    at_parallel_for(30, inner_body, &r);
}

static void nested_loops_keep_the_worker(void **state) {
    (void)state;
    for (int threads = 1; threads < 4; threads++) {
        at_threads_set(threads, NULL);
        nest n = {0};
        at_parallel_for(20, outer_body, &n);
        assert_int_equal(atomic_load(&n.wrong), 0);
        for (int i = 0; i < 20 * 30; i++) assert_int_equal(atomic_load(&n.seen[i / 30][i % 30]), 1);
    }
}

static void *many_loops(void *arg) {
    tally *t = arg;
    for (int loop = 0; loop < 320; loop++) {
        t->wait_ms = loop >= 300; /* short loops, then some that overlap for certain */
        at_parallel_for(10, count_index, t);
    }
    return NULL;
}

/* Several threads of the program at once: whoever finds the pool busy works alone. */
static void concurrent_callers(void **state) {
    (void)state;
    at_threads_set(3, NULL);
    static tally t[3];
    pthread_t callers[3];
    for (int i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&callers[i], NULL, many_loops, &t[i]), 0);
    for (int i = 0; i < 3; i++) pthread_join(callers[i], NULL);
    for (int i = 0; i < 3; i++) check_tally(&t[i], 10, 320);
}

/* Sums of pieces cut by shape: the same bits for any number of threads. */
static float pieces[64];
static void sum_piece(void *arg, int64_t i, int worker) {
    (void)arg, (void)worker;
    pieces[i] = 0;
    for (int k = 1; k < 1000; k++) pieces[i] += 1.0f / (float)(i * 1000 + k);
}

static void same_bits(void **state) {
    (void)state;
    float first[64];
    for (int threads = 1; threads < 4; threads++) {
        at_threads_set(threads, NULL);
        at_parallel_for(64, sum_piece, NULL);
        if (threads == 1) memcpy(first, pieces, sizeof first);
        assert_memory_equal(first, pieces, sizeof first);
    }
}

static volatile float small = 1e-38f, tenth = 0.1f;
static void find_denormal(void *arg, int64_t i, int worker) {
    (void)i, (void)worker;
    pause_ms(1);
    if (small * tenth != 0) atomic_store((atomic_bool *)arg, true);
}

static void denormals_are_flushed(void **state) {
    (void)state;
#if defined(__SSE2__) || defined(__aarch64__)
    for (int threads = 1; threads < 4; threads++) {
        at_threads_set(threads, NULL);
        atomic_bool found = false;
        at_parallel_for(1, find_denormal, &found);
        at_parallel_for(10, find_denormal, &found);
        assert_false(atomic_load(&found));
        assert_true(small * tenth != 0); /* the caller's mode is as it was */
    }
    float least = 1e-38f; /* halved here, where nothing is flushed; with DAZ it reads as zero */
    volatile float denormal = least / 2;
    at_flush_denormals();
    bool flushed = small * tenth == 0, read_as_zero = denormal == 0;
    assert_true(flushed && read_as_zero);
#endif
}

static void a_forked_child_has_its_own_pool(void **state) {
    (void)state;
    at_threads_set(3, NULL);
    tally t = {0};
    at_parallel_for(100, count_index, &t);
    pid_t child = fork();
    if (!child) {
        alarm(20);
        for (int loop = 0; loop < 10; loop++) at_parallel_for(100, count_index, &t);
        _exit(atomic_load(&t.seen[99]) == 11 && at_threads_set(2, NULL) == AT_OK ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    at_parallel_for(100, count_index, &t);
    check_tally(&t, 100, 2);
}

static void bad_counts(void **state) {
    (void)state;
    at_error err = {0};
    at_threads_set(2, NULL);
    assert_int_equal(at_threads_set(-1, &err), AT_ERR_USAGE);
    assert_int_equal(at_threads_set(1025, &err), AT_ERR_USAGE);
    assert_non_null(strstr(err.text, "1025"));
    assert_int_equal(at_threads(), 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_index_once),
        cmocka_unit_test(sleepers_wake),
        cmocka_unit_test(threads_run_at_once),
        cmocka_unit_test(nested_loops_keep_the_worker),
        cmocka_unit_test(concurrent_callers),
        cmocka_unit_test(same_bits),
        cmocka_unit_test(a_forked_child_has_its_own_pool),
        cmocka_unit_test(bad_counts),
        cmocka_unit_test(denormals_are_flushed), /* last: it changes this thread's mode */
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
