/* SPDX-License-Identifier: MIT */
/* Pieces of work in child processes, several at a time. A child is a copy of the caller made while
 * no other thread exists; it starts threads of its own, tells the caller what goes on through a
 * pipe, and ends without returning. It dies with the caller, however that dies, so that nothing
 * ever works on files that somebody else has taken over. */
#ifndef AT_TRAIN_JOBS_H
#define AT_TRAIN_JOBS_H

#include <stdbool.h>
#include <stddef.h>

#include "nn/nn.h"

enum { AT_JOB_NOTE = 2048 }; /* most bytes of a note */

/* A child's end of the pipe. */
typedef struct at_job_line {
    int fd;                   /* -1: no child: notes are passed on directly */
    const volatile int *stop; /* not 0: finish what must be finished, return AT_ERR_STOPPED */
    void (*direct)(void *arg, int index, const void *note);
    void *arg;
    int index;
} at_job_line;

/* A note is any struct of at most AT_JOB_NOTE bytes without pointers. */
void at_job_tell(const at_job_line *line, const void *note, size_t size);

typedef struct at_jobs {
    int count;   /* pieces 0 .. count - 1, begun in this order */
    int at_once; /* children at the same time; 0: no children, one piece after the other */
    /* In the child. */
    at_status (*work)(void *arg, int index, const at_job_line *line, at_error *err);
    /* In the caller. `status` and `text` are what work returned, or that the child was killed; what
     * `ended` returns, if not AT_OK, stops everything. */
    void (*noted)(void *arg, int index, const void *note);
    at_status (*ended)(void *arg, int index, at_status status, const char *text, at_error *err);
    void *arg;
    const volatile int *stop; /* NULL: never */
} at_jobs;

/* Ends the caller's pool of threads. When asked to stop, asks the children and waits for them. */
at_status at_jobs_run(const at_jobs *j, at_error *err);

#endif
