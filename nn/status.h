/* SPDX-License-Identifier: MIT */
/* How the library says that something went wrong. It never prints and never exits: a function that
 * can fail returns an at_status and, if the caller passed an at_error, fills in a text that says
 * what, where, and what to do. Impossible states assert. */
#ifndef AT_NN_STATUS_H
#define AT_NN_STATUS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum at_status {
    AT_OK = 0,
    AT_ERR_USAGE,   /* a flag or option makes no sense (exit code 2) */
    AT_ERR_INPUT,   /* a file, shape, label or weight is not what it must be (exit code 1) */
    AT_ERR_IO,      /* the operating system refused to read or write (exit code 1) */
    AT_ERR_MEMORY,  /* an allocation failed or would not fit (exit code 1) */
    AT_ERR_STOPPED, /* the caller asked to stop, e.g. Ctrl-C (exit code 130) */
} at_status;

enum { AT_ERROR_TEXT = 1024 };

/* The first error of a call. Zero-initialise: (at_error){0}. */
typedef struct at_error {
    at_status status;
    char text[AT_ERROR_TEXT];
} at_error;

/* Records status and text in *err and returns status, so that `return at_fail(err, ...)` reads
 * well. err may be NULL: then only the status travels. A text longer than the buffer is cut. */
at_status at_fail(at_error *err, at_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory: the one text for it. `what` names the thing that did not fit. */
at_status at_fail_memory(at_error *err, const char *what, size_t bytes);

/* Puts "context: " before the text already in *err; status unchanged. Returns err's status
 * (AT_ERR_INPUT if err is NULL). */
at_status at_error_context(at_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#ifdef __clang_analyzer__
/* The analyzer sees one file at a time: it must be told that none of these returns AT_OK. */
#define at_fail(err, status, ...) ((void)(at_fail)(err, status, __VA_ARGS__), (status))
#define at_fail_memory(err, ...) ((void)(at_fail_memory)(err, __VA_ARGS__), AT_ERR_MEMORY)
#define at_error_context(err, ...) ((void)(at_error_context)(err, __VA_ARGS__), AT_ERR_INPUT)
#endif

/* Return from the calling function if `expression` yields anything but AT_OK. */
#define AT_TRY(expression)                                                                         \
    do {                                                                                           \
        at_status at_try_ = (expression);                                                          \
        if (at_try_ != AT_OK) return at_try_;                                                      \
    } while (0)

#endif
