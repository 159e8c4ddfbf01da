/* SPDX-License-Identifier: MIT */
/* Growing text, and lists of files. Lists are sorted by bytes and not by locale, so that a folder
 * gives the same samples in the same order on every machine. */
#include "data/text.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

void at_text_add(at_text *t, const char *format, ...) {
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    size_t need = t->length + (n < 0 ? 0 : (size_t)n) + 1;
    if (n >= 0 && need > t->capacity) {
        size_t capacity = 2 * need;
        char *s = realloc(t->s, capacity);
        if (s) {
            t->s = s;
            t->capacity = capacity;
        }
    }
    if (n < 0 || need > t->capacity) {
        t->failed = true;
    } else {
        vsnprintf(t->s + t->length, t->capacity - t->length, format, again);
        t->length = need - 1;
    }
    va_end(again);
}

void at_text_free(at_text *t) {
    free(t->s);
    *t = (at_text){0};
}

char *at_substring(const char *s, size_t length) {
    char *copy = malloc(length + 1);
    if (!copy) return NULL;
    memcpy(copy, s, length);
    copy[length] = '\0';
    return copy;
}

size_t at_stem_length(const char *name) {
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');
    const char *base = slash ? slash + 1 : name;
    return dot && dot > base ? (size_t)(dot - name) : strlen(name);
}

char *at_stem(const char *name) {
    return at_substring(name, at_stem_length(name));
}

static bool ends_in(const char *name, const char *const *endings) {
    const char *ending = name + at_stem_length(name);
    for (; *endings; endings++)
        if (strcasecmp(ending, *endings) == 0) return true;
    return false;
}

bool at_is_jpeg_name(const char *name) {
    static const char *const endings[] = {".jpg", ".jpeg", ".jpe", ".jfif", NULL};
    return ends_in(name, endings);
}

bool at_is_picture_name(const char *name) {
    static const char *const endings[] = {".png", ".bmp", ".pbm", ".pgm", ".ppm", ".pnm", NULL};
    return ends_in(name, endings) || at_is_jpeg_name(name);
}

/* ---- lists ---- */

void at_paths_free(at_paths *p) {
    for (int i = 0; i < p->count; i++) free(p->items[i]);
    free(p->items);
    *p = (at_paths){0};
}

/* The array has room for the next power of two of count. */
at_status at_paths_take(at_paths *p, char *item, at_error *err) {
    bool full = (p->count & (p->count - 1)) == 0;
    if (item && full) {
        size_t room = p->count ? 2 * (size_t)p->count : 1;
        char **items = realloc(p->items, room * sizeof *items);
        if (items) p->items = items;
        full = !items;
    } else {
        full = false;
    }
    if (!item || full) {
        free(item);
        return at_fail_memory(err, "a list of files", sizeof(char *) * (size_t)p->count);
    }
    p->items[p->count++] = item;
    return AT_OK;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void sort(at_paths *p) {
    if (p->count > 1) qsort(p->items, (size_t)p->count, sizeof *p->items, by_bytes);
}

int at_paths_find(const at_paths *p, const char *name) {
    if (p->count == 0) return -1;
    char **found = bsearch(&name, p->items, (size_t)p->count, sizeof *p->items, by_bytes);
    return found ? (int)(found - p->items) : -1;
}

typedef struct lister {
    const char *root;
    bool folders, files, pictures_only, recursive;
    at_paths *out;
    at_error *err;
} lister;

enum { MAX_DEPTH = 32 }; /* a circle of links ends here */

static at_status list_into(const lister *l, const char *below, int depth);

/* One name of a folder; takes over `relative`. */
static at_status take_entry(const lister *l, const char *name, char *relative, int depth) {
    char *full = relative ? at_path_join(l->root, relative) : NULL;
    if (!full) {
        free(relative);
        return at_fail_memory(l->err, "a path", strlen(name));
    }
    bool folder = at_path_is_dir(full);
    free(full);
    if (folder && l->recursive) {
        at_status status = depth < MAX_DEPTH ? list_into(l, relative, depth + 1) : AT_OK;
        free(relative);
        return status;
    }
    bool wanted = folder ? l->folders : l->files && (!l->pictures_only || at_is_picture_name(name));
    if (wanted) return at_paths_take(l->out, relative, l->err);
    free(relative);
    return AT_OK;
}

static at_status list_into(const lister *l, const char *below, int depth) {
    char *dir = below[0] ? at_path_join(l->root, below) : at_substring(l->root, strlen(l->root));
    if (!dir) return at_fail_memory(l->err, "a path", strlen(l->root));
    DIR *d = opendir(dir);
    if (!d) {
        at_status status =
            at_fail(l->err, AT_ERR_IO, "cannot read the folder '%s': %s", dir, strerror(errno));
        free(dir);
        return status;
    }
    free(dir);
    at_status status = AT_OK;
    for (struct dirent *e; !status && (e = readdir(d));) {
        if (e->d_name[0] == '.') continue;
        char *relative =
            below[0] ? at_path_join(below, e->d_name) : at_substring(e->d_name, strlen(e->d_name));
        status = take_entry(l, e->d_name, relative, depth);
    }
    closedir(d);
    return status;
}

static at_status list(lister l) {
    *l.out = (at_paths){0};
    at_status status = list_into(&l, "", 0);
    if (status) at_paths_free(l.out);
    sort(l.out);
    return status;
}

at_status at_list_dir(const char *dir, bool folders, at_paths *out, at_error *err) {
    return list(
        (lister){.root = dir, .folders = folders, .files = !folders, .out = out, .err = err});
}

at_status at_list_pictures(const char *dir, at_paths *out, at_error *err) {
    return list(
        (lister){.root = dir, .files = true, .pictures_only = true, .out = out, .err = err});
}

at_status at_list_images(const char *dir, at_paths *out, at_error *err) {
    return list((lister){.root = dir,
                         .files = true,
                         .pictures_only = true,
                         .recursive = true,
                         .out = out,
                         .err = err});
}
