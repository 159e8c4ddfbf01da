/* SPDX-License-Identifier: MIT */
/* Files read and written whole. A write goes to a temporary file beside the target, is flushed to
 * the disk and renamed, so that a kill at any moment leaves the old file or the new one. */
#ifndef AT_NN_FILE_H
#define AT_NN_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "nn/status.h"

/* Reads a file whole into *data (free() it), *size bytes and a NUL behind them. A directory, or
 * more than `limit` bytes, is AT_ERR_INPUT; limit 0 means 4 GiB. */
at_status at_file_read(const char *path, size_t limit, char **data, size_t *size, at_error *err);

/* An atomic write in progress: at_file_begin, then fwrite to .stream, then commit or abandon;
 * commit notices what fwrite could not write. A link is followed; a target that is no regular file
 * (a pipe, /dev/stdout) is written directly. */
typedef struct at_file_writer {
    FILE *stream;
    char *path, *temporary; /* owned; temporary NULL: written directly */
    bool quick; /* set before commit, for what can be made again: not synced, which takes
                 * milliseconds; no kill loses it, a power cut may */
} at_file_writer;

at_status at_file_begin(at_file_writer *w, const char *path, at_error *err);
/* Flushes, syncs, renames. On failure the temporary file is gone and the target is untouched. */
at_status at_file_commit(at_file_writer *w, at_error *err);
void at_file_abandon(at_file_writer *w);

/* The three in one, for what is already in memory; the second one quick. */
at_status at_file_write(const char *path, const void *data, size_t size, at_error *err);
at_status at_file_write_quick(const char *path, const void *data, size_t size, at_error *err);

/* mkdir -p. An existing directory is fine; anything else in the way is AT_ERR_IO. */
at_status at_make_dirs(const char *path, at_error *err);

bool at_path_exists(const char *path);
bool at_path_is_dir(const char *path);

/* "a/b" from "a" and "b" (an absolute "b" stays itself), or formatted text; malloc'ed, NULL when
 * out of memory. */
char *at_path_join(const char *directory, const char *name);
char *at_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
