/* SPDX-License-Identifier: MIT */
/* The pool. One loop runs at a time; whoever comes second runs alone. A loop is published by one
 * atomic word: a serial number, an "open" bit, and how many workers are inside. Workers join an
 * open loop by counting themselves in, take indices from a shared counter, and count themselves
 * out. The caller works too, closes the loop when no index is left, and waits for those inside
 * only: a worker that the system has not scheduled yet costs nothing. Both sides spin for a moment,
 * since the next loop of a network comes within microseconds, and then sleep. */
#include "nn/threads.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "nn/fpmode.h"

enum { MAX_THREADS = 1024, SPIN_NS = 75000 };

/* The published word: serial number * SERIAL + open bit + workers inside. */
static const uint64_t OPEN = 1u << 16, SERIAL = 1u << 17, INSIDE = (1u << 16) - 1;

static struct pool {
    pthread_mutex_t setup; /* guards starting and stopping */
    pthread_mutex_t lock;  /* guards going to sleep */
    pthread_cond_t work, done;
    pthread_t threads[MAX_THREADS];
    atomic_int count; /* threads that work, the caller included; 0: not started */
    int64_t spin_ns;
    atomic_bool stop, busy;

    _Atomic uint64_t state;
    atomic_int sleeping;      /* workers waiting on `work` */
    atomic_bool caller_waits; /* on `done` */

    /* The loop: written before it is published, read by those inside. */
    at_parallel_body *body;
    void *arg;
    int64_t end;
    atomic_int_fast64_t next;
} pool = {.setup = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .work = PTHREAD_COND_INITIALIZER,
          .done = PTHREAD_COND_INITIALIZER};

static _Thread_local int current = -1; /* this thread's worker number inside a loop */

void at_flush_denormals(void) {
    at_fp_set(at_fp_get() | AT_FP_FLUSH);
}

/* ---- waiting ---- */

static int64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Is there something for a worker that has already been in loop `seen`? */
static bool called(uint64_t seen) {
    uint64_t s = atomic_load(&pool.state);
    return atomic_load(&pool.stop) || ((s & OPEN) && s / SERIAL != seen);
}

static bool finished(uint64_t unused) {
    (void)unused;
    return !(atomic_load(&pool.state) & INSIDE);
}

static bool spin_until(bool (*ready)(uint64_t), uint64_t arg) {
    if (ready(arg)) return true;
    for (int64_t end = now_ns() + pool.spin_ns; now_ns() < end;)
        for (int i = 0; i < 16; i++, at_relax())
            if (ready(arg)) return true;
    return false;
}

/* A sleeper announces itself before it looks a last time, a waker publishes before it looks for
 * sleepers; both sequentially consistent: so no call is lost. */
static void await_call(uint64_t seen) {
    if (spin_until(called, seen)) return;
    pthread_mutex_lock(&pool.lock);
    atomic_fetch_add(&pool.sleeping, 1);
    while (!called(seen)) pthread_cond_wait(&pool.work, &pool.lock);
    atomic_fetch_sub(&pool.sleeping, 1);
    pthread_mutex_unlock(&pool.lock);
}

static void await_finish(void) {
    if (spin_until(finished, 0)) return;
    pthread_mutex_lock(&pool.lock);
    atomic_store(&pool.caller_waits, true);
    while (!finished(0)) pthread_cond_wait(&pool.done, &pool.lock);
    atomic_store(&pool.caller_waits, false);
    pthread_mutex_unlock(&pool.lock);
}

static void wake_caller(void) {
    pthread_mutex_lock(&pool.lock);
    pthread_cond_signal(&pool.done);
    pthread_mutex_unlock(&pool.lock);
}

static void wake_workers(int64_t wanted) {
    pthread_mutex_lock(&pool.lock);
    if (wanted >= atomic_load(&pool.sleeping)) {
        pthread_cond_broadcast(&pool.work);
    } else {
        while (wanted-- > 0) pthread_cond_signal(&pool.work);
    }
    pthread_mutex_unlock(&pool.lock);
}

/* ---- working ---- */

/* What was stored past the caches is not ordered by atomic operations; by this it is. */
static void fence_streams(void) {
#if defined(__x86_64__)
    __builtin_ia32_sfence();
#endif
}

static void take_indices(int worker) {
    int64_t i;
    while ((i = atomic_fetch_add_explicit(&pool.next, 1, memory_order_relaxed)) < pool.end)
        pool.body(pool.arg, i, worker);
    fence_streams();
}

/* Joins the loop that is open, if there is one other than `seen`; returns the last loop seen. */
static uint64_t work_once(int worker, uint64_t seen) {
    uint64_t s = atomic_load(&pool.state);
    do {
        if (!(s & OPEN) || s / SERIAL == seen) return seen;
    } while (!atomic_compare_exchange_weak(&pool.state, &s, s + 1));
    take_indices(worker);
    atomic_fetch_sub(&pool.state, 1);
    if (atomic_load(&pool.caller_waits)) wake_caller();
    return s / SERIAL;
}

static void *worker_main(void *arg) {
    current = (int)(intptr_t)arg;
    at_flush_denormals();
    for (uint64_t seen = 0; !atomic_load(&pool.stop);) {
        await_call(seen);
        seen = work_once(current, seen);
    }
    return NULL;
}

static void run_alone(int64_t count, at_parallel_body *body, void *arg, int worker) {
    for (int64_t i = 0; i < count; i++) body(arg, i, worker);
    fence_streams();
}

static void run_together(int64_t count, at_parallel_body *body, void *arg) {
    pool.body = body;
    pool.arg = arg;
    pool.end = count;
    atomic_store(&pool.next, 0);
    current = 0;
    uint64_t serial = atomic_load(&pool.state) / SERIAL + 1;
    atomic_store(&pool.state, serial * SERIAL + OPEN);
    if (atomic_load(&pool.sleeping)) wake_workers(count - 1);
    take_indices(0);
    atomic_fetch_and(&pool.state, ~OPEN);
    await_finish();
    current = -1;
}

void at_parallel_for(int64_t count, at_parallel_body *body, void *arg) {
    if (count <= 0) return;
    if (current >= 0) {
        run_alone(count, body, arg, current);
        return;
    }
    at_fp_mode before = at_fp_get();
    at_flush_denormals();
    bool others = false;
    if (count == 1 || at_threads() == 1 ||
        !atomic_compare_exchange_strong(&pool.busy, &others, true)) {
        run_alone(count, body, arg, 0);
    } else {
        run_together(count, body, arg);
        atomic_store(&pool.busy, false);
    }
    at_fp_set(before);
}

/* ---- starting and stopping ---- */

static int processors(void) {
    cpu_set_t set[MAX_THREADS / CPU_SETSIZE * 8]; /* room for 8192 processors */
    if (sched_getaffinity(0, sizeof set, set)) return 1;
    int count = CPU_COUNT_S(sizeof set, set);
    return count < 1 ? 1 : count > MAX_THREADS ? MAX_THREADS : count;
}

/* A child made by fork has none of its parent's workers. */
static void forget(void) {
    pthread_mutex_init(&pool.setup, NULL);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.work, NULL);
    pthread_cond_init(&pool.done, NULL);
    atomic_store(&pool.count, 0);
    atomic_store(&pool.sleeping, 0);
    atomic_store(&pool.busy, false);
    atomic_store(&pool.caller_waits, false);
    atomic_store(&pool.state, 0);
}

static void stop(void) {
    int count = atomic_load(&pool.count);
    atomic_store(&pool.stop, true);
    wake_workers(MAX_THREADS);
    for (int i = 1; i < count; i++) pthread_join(pool.threads[i], NULL);
    atomic_store(&pool.stop, false);
    atomic_store(&pool.state, 0); /* new workers have seen nothing */
}

/* Workers take no signals: handlers run where the program expects them. */
static at_status start(int count, at_error *err) {
    static bool registered;
    if (!registered) registered = !pthread_atfork(NULL, NULL, forget);
    pool.spin_ns = count <= processors() ? SPIN_NS : 0; /* no spinning in each other's way */
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int made = 1, code = 0;
    for (; made < count && !code; made += !code)
        code = pthread_create(&pool.threads[made], NULL, worker_main, (void *)(intptr_t)made);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    atomic_store(&pool.count, made);
    if (!code) return AT_OK;
    stop();
    atomic_store(&pool.count, 1);
    return at_fail(err, AT_ERR_MEMORY, "cannot start %d threads (%s); one thread works", count,
                   strerror(code));
}

at_status at_threads_set(int count, at_error *err) {
    if (count < 0 || count > MAX_THREADS)
        return at_fail(err, AT_ERR_USAGE, "%d threads: give 1 to %d, or 0 for all processors",
                       count, MAX_THREADS);
    assert(current < 0 && !atomic_load(&pool.busy));
    pthread_mutex_lock(&pool.setup);
    if (atomic_load(&pool.count)) stop();
    at_status status = start(count ? count : processors(), err);
    pthread_mutex_unlock(&pool.setup);
    return status;
}

int at_threads(void) {
    int count = atomic_load(&pool.count);
    if (count) return count;
    pthread_mutex_lock(&pool.setup);
    if (!atomic_load(&pool.count)) start(processors(), NULL);
    count = atomic_load(&pool.count);
    pthread_mutex_unlock(&pool.setup);
    return count;
}
