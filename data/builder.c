/* SPDX-License-Identifier: MIT */
/* Putting samples into splits, and what is left to do once all are there: unique names, groups. */
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

bool at_has_dir(const char *root, const char *name) {
    char *path = at_path_join(root, name);
    bool is = path && at_path_is_dir(path);
    free(path);
    return is;
}

bool at_has_file(const char *root, const char *name) {
    char *path = at_path_join(root, name);
    bool is = path && at_path_exists(path) && !at_path_is_dir(path);
    free(path);
    return is;
}

const char *at_split_name(const char *folder) {
    static const char *const names[][2] = {
        {"train", "train"},    {"training", "train"}, {"val", "val"},     {"valid", "val"},
        {"validation", "val"}, {"test", "test"},      {"testing", "test"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(folder, names[i][0]) == 0) return names[i][1];
    return NULL;
}

/* ---- findings ---- */

at_status at_findings_add(at_findings *f, at_severity severity, const char *file, const char *text,
                          at_error *err) {
    bool full = (f->count & (f->count - 1)) == 0; /* room: the next power of two */
    if (full) {
        size_t room = f->count ? 2 * (size_t)f->count : 1;
        at_finding *items = realloc(f->items, room * sizeof *items);
        if (!items) return at_fail_memory(err, "findings", room * sizeof *items);
        f->items = items;
    }
    at_finding found = {severity, file ? at_substring(file, strlen(file)) : NULL,
                        at_substring(text, strlen(text))};
    if (!found.text || (file && !found.file)) {
        free(found.file);
        free(found.text);
        return at_fail_memory(err, "findings", strlen(text));
    }
    f->items[f->count++] = found;
    return AT_OK;
}

void at_findings_free(at_findings *f) {
    for (int i = 0; i < f->count; i++) {
        free(f->items[i].file);
        free(f->items[i].text);
    }
    free(f->items);
    *f = (at_findings){0};
}

at_status at_builder_find(at_builder *b, at_severity severity, const char *file, const char *format,
                          ...) {
    char text[AT_ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return at_findings_add(&b->set->findings, severity, file, text, b->err);
}

/* ---- samples ---- */

at_status at_builder_split(at_builder *b, const char *name, at_split **out) {
    at_dataset *d = b->set;
    for (int i = 0; i < d->split_count; i++) {
        *out = &d->splits[i];
        if (strcmp(d->splits[i].name, name) == 0) return AT_OK;
    }
    if (d->split_count == AT_MAX_SPLITS)
        return at_fail(b->err, AT_ERR_INPUT, "%s: more than %d splits", b->root, AT_MAX_SPLITS);
    char *copy = at_substring(name, strlen(name));
    if (!copy) return at_fail_memory(b->err, "a split", strlen(name));
    *out = &d->splits[d->split_count++];
    **out = (at_split){.name = copy};
    return AT_OK;
}

static void free_sample(at_sample *s) {
    free(s->name);
    free(s->image);
    free(s->mask);
    free(s->group);
}

at_status at_builder_add(at_builder *b, at_split *split, const char *name, const char *image,
                         const char *mask) {
    bool full = (split->count & (split->count - 1)) == 0; /* room: the next power of two */
    if (full) {
        size_t room = split->count ? 2 * (size_t)split->count : 1;
        at_sample *samples = realloc(split->samples, room * sizeof *samples);
        if (!samples) return at_fail_memory(b->err, "samples", room * sizeof *samples);
        split->samples = samples;
    }
    at_sample s = {.name = at_substring(name, strlen(name)),
                   .image = image ? at_substring(image, strlen(image)) : NULL,
                   .mask = mask ? at_substring(mask, strlen(mask)) : NULL};
    if (!s.name || (image && !s.image) || (mask && !s.mask)) {
        free_sample(&s);
        return at_fail_memory(b->err, "samples", strlen(name));
    }
    split->samples[split->count++] = s;
    return AT_OK;
}

/* ---- names ---- */

static int by_name(const void *a, const void *b) {
    return strcmp((*(at_sample *const *)a)->name, (*(at_sample *const *)b)->name);
}

/* Two samples of one name, or NULL twice. sorted: room for all samples. */
static void find_twins(const at_dataset *d, at_sample **sorted, at_sample *twins[2]) {
    size_t n = 0;
    twins[0] = twins[1] = NULL;
    for (int k = 0; k < d->split_count; k++)
        for (int i = 0; i < d->splits[k].count; i++) sorted[n++] = &d->splits[k].samples[i];
    qsort(sorted, n, sizeof *sorted, by_name);
    for (size_t i = 1; i < n; i++)
        if (strcmp(sorted[i - 1]->name, sorted[i]->name) == 0) {
            twins[0] = sorted[i - 1];
            twins[1] = sorted[i];
            return;
        }
}

static at_status prefix_names(at_builder *b) {
    at_dataset *d = b->set;
    for (int k = 0; k < d->split_count; k++)
        for (int i = 0; i < d->splits[k].count; i++) {
            at_sample *s = &d->splits[k].samples[i];
            char *name = at_path_join(d->splits[k].name, s->name);
            if (!name) return at_fail_memory(b->err, "a name", strlen(s->name));
            free(s->name);
            s->name = name;
        }
    return AT_OK;
}

static at_status make_unique(at_builder *b, at_sample **sorted) {
    at_sample *twins[2];
    find_twins(b->set, sorted, twins);
    if (!twins[0]) return AT_OK;
    AT_TRY(prefix_names(b)); /* "0001" in train and in val become "train/0001" and "val/0001" */
    find_twins(b->set, sorted, twins);
    if (!twins[0]) return AT_OK;
    return at_fail(b->err, AT_ERR_INPUT,
                   "'%s' and '%s' have the same name in one split; rename one of them",
                   twins[0]->image, twins[1]->image);
}

/* ---- groups ---- */

static at_status set_groups(at_builder *b, const regex_t *pattern) {
    at_dataset *d = b->set;
    for (int k = 0; k < d->split_count; k++)
        for (int i = 0; i < d->splits[k].count; i++) {
            at_sample *s = &d->splits[k].samples[i];
            regmatch_t m[2];
            if (regexec(pattern, s->name, 2, m, 0) != 0) continue;
            regmatch_t g = pattern->re_nsub > 0 && m[1].rm_so >= 0 ? m[1] : m[0];
            s->group = at_substring(s->name + g.rm_so, (size_t)(g.rm_eo - g.rm_so));
            if (!s->group) return at_fail_memory(b->err, "a group", 1);
        }
    return AT_OK;
}

static at_status read_groups(at_builder *b) {
    regex_t pattern;
    if (!b->spec->group) return AT_OK;
    int code = regcomp(&pattern, b->spec->group, REG_EXTENDED);
    if (code) {
        char why[128];
        regerror(code, &pattern, why, sizeof why);
        return at_fail(b->err, AT_ERR_INPUT, "%s: \"group\" is not a regular expression: %s",
                       b->spec->path, why);
    }
    at_status status = set_groups(b, &pattern);
    regfree(&pattern);
    return status;
}

at_status at_finish_samples(at_builder *b) {
    size_t n = 0;
    for (int k = 0; k < b->set->split_count; k++) n += (size_t)b->set->splits[k].count;
    if (n == 0) return at_fail(b->err, AT_ERR_INPUT, "%s: no images found", b->root);
    at_sample **sorted = malloc(n * sizeof *sorted);
    if (!sorted) return at_fail_memory(b->err, "samples", n * sizeof *sorted);
    at_status status = make_unique(b, sorted);
    free(sorted);
    return status ? status : read_groups(b);
}
