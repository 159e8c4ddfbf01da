/* SPDX-License-Identifier: MIT */
/* A small pool of threads behind one function. How work is cut into indices depends on shapes only,
 * never on the number of threads, and an index writes only what is its own: so the bits of a result
 * do not depend on the number of threads. */
#ifndef AT_NN_THREADS_H
#define AT_NN_THREADS_H

#include <stdint.h>

#include "nn/status.h"

/* Sets how many threads work, the caller included: 1 .. 1024, 0 = all the processors this process
 * may use. Not while a parallel loop runs. Starts them; AT_ERR_MEMORY if that fails (then one
 * thread works). Without this call the first loop starts one thread a processor. A count of 1 ends
 * all others. A child made by fork starts its own. */
at_status at_threads_set(int count, at_error *err);

/* How many threads work, >= 1. Starts the pool if need be. */
int at_threads(void);

/* body(arg, index, worker) once for each index in 0 .. count-1, in any order, on the pool; returns
 * when all are done. worker is in 0 .. at_threads()-1 and numbers per-thread scratch: within one
 * loop no two bodies run with the same worker at once.
 *
 * The pool runs one loop at a time. A loop started inside a body runs in that body's thread alone
 * and hands the body's worker on, so the two share scratch. A loop started by another thread of the
 * program while the pool is busy runs in that thread alone, as worker 0: scratch must therefore
 * belong to the loop's owner (a plan), never to the process. A loop of one index runs in its caller
 * as worker 0 and leaves the pool free for loops inside it.
 *
 * Bodies run with denormals flushed to zero; the caller's floating-point mode is restored. */
typedef void at_parallel_body(void *arg, int64_t index, int worker);
void at_parallel_for(int64_t count, at_parallel_body *body, void *arg);

/* Flushes denormals to zero in the calling thread from here on (x86: FTZ and DAZ; Arm: FZ). */
void at_flush_denormals(void);

#endif
