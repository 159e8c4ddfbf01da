/* SPDX-License-Identifier: MIT */
/* Error texts. Everything here works without allocating, so that running out of memory can be
 * reported too. */
#include "nn/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The header has macros in front of these for the static analyzer. */
#undef at_fail
#undef at_fail_memory
#undef at_error_context

at_status at_fail(at_error *err, at_status status, const char *format, ...) {
    if (!err) return status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    err->status = status;
    return status;
}

at_status at_fail_memory(at_error *err, const char *what, size_t bytes) {
    return at_fail(err, AT_ERR_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
}

at_status at_error_context(at_error *err, const char *format, ...) {
    if (!err) return AT_ERR_INPUT;
    char old[AT_ERROR_TEXT];
    memcpy(old, err->text, sizeof old);
    va_list args;
    va_start(args, format);
    int length = vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    size_t used = length < 0 ? 0 : (size_t)length;
    if (used >= sizeof err->text) used = sizeof err->text - 1;
    if (snprintf(err->text + used, sizeof err->text - used, ": %s", old) < 0)
        err->text[used] = '\0';
    return err->status;
}
