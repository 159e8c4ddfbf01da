/* SPDX-License-Identifier: MIT */
/* Whole files. The temporary of TARGET is TARGET.tmp, held by a lock while it is written, so that
 * one left behind by a killed process is taken over by the next write instead of lying about for
 * ever, and two processes that write one target don't meet in one temporary. */
#include "nn/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nn/huge.h"

static at_status fail_errno(at_error *err, const char *doing, const char *path, int code) {
    return at_fail(err, code == ENOMEM ? AT_ERR_MEMORY : AT_ERR_IO, "cannot %s '%s': %s", doing,
                   path, strerror(code));
}

/* ---- reading ---- */

static at_status fail_limit(at_error *err, const char *path, size_t limit) {
    return at_fail(err, AT_ERR_INPUT, "'%s' is larger than %zu bytes", path, limit);
}

typedef struct reading {
    int fd;
    char *to;
    atomic_bool failed;
} reading;

static void read_piece(void *arg, size_t at, size_t bytes) {
    reading *r = arg;
    while (bytes > 0) {
        ssize_t got = pread(r->fd, r->to + at, bytes, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) {
            r->failed = true;
            return;
        }
        at += (size_t)got;
        bytes -= (size_t)got;
    }
}

/* The first `size` bytes on all threads, with fd behind them, if it is worth it and can be done;
 * else fd stays where it is. Returns how many bytes were read. */
static size_t read_together(int fd, char *buffer, size_t size) {
    reading r = {.fd = fd, .to = buffer};
    if (size < 2 * AT_HUGE_PAGE) return 0;
    at_huge_for(buffer, size, read_piece, &r);
    return !r.failed && lseek(fd, (off_t)size, SEEK_SET) >= 0 ? size : 0;
}

/* Reads to the end of fd into a buffer that grows; the file had `expected` bytes. */
static at_status read_all(int fd, const char *path, size_t expected, size_t limit, char **data,
                          size_t *size, at_error *err) {
    size_t capacity = expected + 4096;
    char *buffer = malloc(capacity);
    if (!buffer) return at_fail_memory(err, path, capacity);
    at_huge_pages(buffer, capacity);
    at_status status = AT_OK;
    size_t used = read_together(fd, buffer, expected);
    for (;;) {
        ssize_t got = read(fd, buffer + used, capacity - 1 - used);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) status = fail_errno(err, "read", path, errno);
        if (got <= 0) break;
        used += (size_t)got;
        if (used > limit) {
            status = fail_limit(err, path, limit);
            break;
        }
        if (used < capacity - 1) continue;
        char *larger = realloc(buffer, 2 * capacity);
        if (!larger) {
            status = at_fail_memory(err, path, 2 * capacity);
            break;
        }
        buffer = larger;
        capacity *= 2;
    }
    if (status) {
        free(buffer);
        return status;
    }
    buffer[used] = '\0';
    *data = buffer;
    *size = used;
    return AT_OK;
}

at_status at_file_read(const char *path, size_t limit, char **data, size_t *size, at_error *err) {
    if (!limit) limit = (size_t)UINT32_MAX;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail_errno(err, "open", path, errno);
    struct stat info;
    at_status status;
    if (fstat(fd, &info))
        status = fail_errno(err, "read", path, errno);
    else if (S_ISDIR(info.st_mode))
        status = at_fail(err, AT_ERR_INPUT, "'%s' is a directory; a file is needed", path);
    else if (S_ISREG(info.st_mode) && (uintmax_t)info.st_size > limit)
        status = fail_limit(err, path, limit);
    else
        status = read_all(fd, path, (size_t)info.st_size, limit, data, size, err);
    close(fd);
    return status;
}

/* ---- writing ---- */

/* Locks a temporary just opened and empties it. False if a living process holds it; also if its
 * holder has just renamed it: then the name no longer leads to the file we have open. Where the
 * file system has no locks we do without. */
static bool take_over(int fd, const char *name) {
    if (flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK) return false;
    struct stat ours, named;
    return !fstat(fd, &ours) && !stat(name, &named) && ours.st_ino == named.st_ino &&
           ours.st_dev == named.st_dev && !ftruncate(fd, 0);
}

static int open_temporary(const char *target, char **name) {
    for (int i = 0; i < 100; i++) {
        char *next = i ? at_format("%s.tmp%d", target, i) : at_format("%s.tmp", target);
        int fd = next ? open(next, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666) : -1;
        if (fd >= 0 && take_over(fd, next)) {
            *name = next;
            return fd;
        }
        free(next);
        if (fd < 0) return -1;
        close(fd);
    }
    errno = EBUSY;
    return -1;
}

/* What a rename must replace: the file a link leads to, not the link. */
static char *resolve(const char *path) {
    struct stat info;
    if (!lstat(path, &info) && S_ISLNK(info.st_mode)) {
        char *real = realpath(path, NULL);
        if (real || errno != ENOENT) return real;
    }
    return strdup(path);
}

static at_status open_target(at_file_writer *w, at_error *err) {
    struct stat info;
    bool there = !stat(w->path, &info);
    if (there && S_ISDIR(info.st_mode))
        return at_fail(err, AT_ERR_IO, "cannot write '%s': it is a directory", w->path);
    bool special = there && !S_ISREG(info.st_mode);
    char *temporary = NULL;
    int fd = special ? open(w->path, O_WRONLY | O_CLOEXEC) : open_temporary(w->path, &temporary);
    w->temporary = temporary;
    if (fd < 0) return fail_errno(err, "write", w->path, errno);
    w->stream = fdopen(fd, "wb");
    if (w->stream) return AT_OK;
    close(fd);
    return fail_errno(err, "write", w->path, ENOMEM);
}

at_status at_file_begin(at_file_writer *w, const char *path, at_error *err) {
    *w = (at_file_writer){0};
    w->path = resolve(path);
    if (!w->path) return fail_errno(err, "write", path, errno);
    at_status status = open_target(w, err);
    if (status) at_file_abandon(w);
    return status;
}

/* So that the new name survives a power cut; a file system that can't is no reason to fail. */
static void sync_directory_of(const char *path) {
    const char *slash = strrchr(path, '/');
    char *directory = slash ? at_format("%.*s/", (int)(slash - path), path) : at_format(".");
    int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(directory);
}

at_status at_file_commit(at_file_writer *w, at_error *err) {
    at_status status = AT_OK;
    if (!ferror(w->stream)) errno = 0; /* otherwise it still tells why */
    bool whole = !ferror(w->stream) && !fflush(w->stream);
    if (whole && w->temporary)
        whole = (w->quick || !fsync(fileno(w->stream))) && !rename(w->temporary, w->path);
    if (!whole) {
        status = fail_errno(err, "write", w->path, errno ? errno : EIO);
    } else if (w->temporary) {
        if (!w->quick) sync_directory_of(w->path);
        free(w->temporary);
        w->temporary = NULL;
    }
    at_file_abandon(w);
    return status;
}

void at_file_abandon(at_file_writer *w) {
    if (w->temporary) unlink(w->temporary); /* while its lock is held */
    if (w->stream) fclose(w->stream);
    free(w->temporary);
    free(w->path);
    *w = (at_file_writer){0};
}

static at_status write_whole(const char *path, const void *data, size_t size, bool quick,
                             at_error *err) {
    at_file_writer w;
    AT_TRY(at_file_begin(&w, path, err));
    w.quick = quick;
    if (size) fwrite(data, 1, size, w.stream); /* commit sees a failure */
    return at_file_commit(&w, err);
}

at_status at_file_write(const char *path, const void *data, size_t size, at_error *err) {
    return write_whole(path, data, size, false, err);
}

at_status at_file_write_quick(const char *path, const void *data, size_t size, at_error *err) {
    return write_whole(path, data, size, true, err);
}

/* ---- paths ---- */

bool at_path_exists(const char *path) {
    struct stat info;
    return !stat(path, &info);
}

bool at_path_is_dir(const char *path) {
    struct stat info;
    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

at_status at_make_dirs(const char *path, at_error *err) {
    char *part = strdup(path);
    if (!part) return at_fail_memory(err, path, strlen(path) + 1);
    at_status status = AT_OK;
    for (char *end = part; *end && !status;) {
        end += strspn(end, "/");
        end += strcspn(end, "/");
        char rest = *end;
        *end = '\0';
        int code = mkdir(part, 0777) ? errno : 0;
        if (code && !at_path_is_dir(part)) status = fail_errno(err, "make directory", part, code);
        *end = rest;
    }
    if (!*path) status = fail_errno(err, "make directory", path, ENOENT);
    free(part);
    return status;
}

char *at_path_join(const char *directory, const char *name) {
    size_t length = strlen(directory);
    if (!length || *name == '/') return strdup(name);
    return at_format("%s%s%s", directory, directory[length - 1] == '/' ? "" : "/", name);
}

char *at_format(const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text;
}
