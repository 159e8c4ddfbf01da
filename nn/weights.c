/* SPDX-License-Identifier: MIT */
/* Parameters to and from files. Loading checks everything first, so that a graph is either loaded
 * or untouched. Saving copies all groups into PyTorch's order at once: it needs their size again.
 */
#include "nn/weights.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/file.h"

/* ---- loading ---- */

enum { SHAPE_TEXT = AT_ST_MAX_RANK * 22 + 3 };

/* "[64, 3, 7, 7]" */
static const char *tensor_shape_text(const at_st_tensor *t, char text[SHAPE_TEXT]) {
    int used = snprintf(text, SHAPE_TEXT, "[");
    for (int i = 0; i < t->rank; i++)
        used += snprintf(text + used, (size_t)(SHAPE_TEXT - used), "%s%lld", i ? ", " : "",
                         (long long)t->shape[i]);
    snprintf(text + used, (size_t)(SHAPE_TEXT - used), "]");
    return text;
}

static at_st_tensor param_tensor(const at_param *p) {
    at_st_tensor t = {.name = p->name, .dtype = AT_ST_F32, .rank = p->spec.rank};
    for (int i = 0; i < t.rank; i++) t.shape[i] = p->spec.dims[i];
    t.bytes = (size_t)p->count * sizeof(float);
    return t;
}

static const char *param_shape_text(const at_param *p, char text[SHAPE_TEXT]) {
    at_st_tensor t = param_tensor(p);
    return tensor_shape_text(&t, text);
}

static bool same_shape(const at_param *p, const at_st_tensor *t) {
    bool same = t->rank == p->spec.rank;
    for (int i = 0; same && i < t->rank; i++) same = t->shape[i] == p->spec.dims[i];
    return same;
}

static bool is_floating(const at_st_tensor *t) {
    return t->dtype == AT_ST_F32 || t->dtype == AT_ST_F64 || t->dtype == AT_ST_F16 ||
           t->dtype == AT_ST_BF16;
}

/* Room for the largest parameter. */
static at_status make_room(const at_graph *g, float **room, at_error *err) {
    size_t most = 1;
    for (int i = 0; i < at_graph_param_count(g); i++) {
        size_t count = (size_t)at_graph_param(g, i)->count;
        if (count > most) most = count;
    }
    *room = malloc(most * sizeof **room);
    return *room ? AT_OK : at_fail_memory(err, "loading weights", most * sizeof **room);
}

/* The tensor named prefix + the parameter's name, or NULL. */
static const at_st_tensor *find(const at_st_file *f, const char *prefix, const at_param *p) {
    size_t length = strlen(prefix);
    for (int i = 0; i < f->count; i++) {
        const char *name = f->tensors[i].name;
        if (!strncmp(name, prefix, length) && !strcmp(name + length, p->name))
            return &f->tensors[i];
    }
    return NULL;
}

static at_status check_param(const at_st_file *f, const char *prefix, const at_param *p,
                             const at_st_tensor *t, at_error *err) {
    char ours[SHAPE_TEXT], theirs[SHAPE_TEXT];
    if (!t)
        return at_fail(err, AT_ERR_INPUT,
                       "'%s' has no tensor '%s%s': it holds the weights of another model", f->path,
                       prefix, p->name);
    if (!same_shape(p, t))
        return at_fail(err, AT_ERR_INPUT,
                       "'%s': tensor '%s' has shape %s, the network needs %s: it holds the weights "
                       "of another model or of other options",
                       f->path, t->name, tensor_shape_text(t, theirs), param_shape_text(p, ours));
    if (!is_floating(t))
        return at_fail(err, AT_ERR_INPUT, "'%s': tensor '%s' holds whole numbers, not weights",
                       f->path, t->name);
    return AT_OK;
}

at_status at_weights_load_flat(const at_graph *g, const at_st_file *f, const char *prefix,
                               float *flat, at_error *err) {
    int count = at_graph_param_count(g);
    for (int i = 0; i < count; i++) {
        const at_param *p = at_graph_param(g, i);
        const at_st_tensor *t = find(f, prefix, p);
        bool optional = p->spec.buffer && *prefix;
        if (t || !optional) AT_TRY(check_param(f, prefix, p, t, err));
    }
    float *room;
    AT_TRY(make_room(g, &room, err));
    at_status status = AT_OK;
    for (int i = 0; i < count && !status; i++) {
        const at_param *p = at_graph_param(g, i);
        const at_st_tensor *t = find(f, prefix, p);
        if (!t) continue;
        if (t->dtype == AT_ST_F32 && (uintptr_t)t->data % sizeof(float) == 0) {
            at_param_import(p, (const float *)t->data, flat);
            continue;
        }
        status = at_st_read_f32(f, t, room, err);
        if (!status) at_param_import(p, room, flat);
    }
    free(room);
    return status;
}

at_status at_weights_load(at_graph *g, const at_st_file *f, at_error *err) {
    AT_TRY(at_weights_load_flat(g, f, "", at_graph_values(g), err));
    at_graph_touch(g);
    return AT_OK;
}

/* ---- loading what fits ---- */

/* Adds a line to the report; the text ends with "..." once a line didn't fit. */
static void note(at_load_report *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(at_load_report *r, const char *format, ...) {
    static const char more[] = "...\n";
    size_t used = strlen(r->text), room = sizeof r->text - used;
    if (used >= sizeof more - 1 && !strcmp(r->text + used - (sizeof more - 1), more)) return;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(r->text + used, room, format, args);
    va_end(args);
    if (length < 0 || (size_t)length + sizeof more > room)
        memcpy(r->text + used, more, sizeof more);
}

static at_status load_one(const at_st_file *f, const at_param *p, float *room, float *flat,
                          at_load_report *r, at_error *err) {
    char ours[SHAPE_TEXT], theirs[SHAPE_TEXT];
    const at_st_tensor *t = at_st_find(f, p->name);
    if (!t) {
        r->missing++;
        note(r, "%s: not in the file\n", p->name);
    } else if (!same_shape(p, t) || !is_floating(t)) {
        r->mismatched++;
        note(r, "%s: %s in the file, the network needs %s\n", p->name, tensor_shape_text(t, theirs),
             param_shape_text(p, ours));
    } else {
        r->loaded++;
        AT_TRY(at_st_read_f32(f, t, room, err));
        at_param_import(p, room, flat);
    }
    return AT_OK;
}

at_status at_weights_load_partial(at_graph *g, const at_st_file *f, at_load_report *report,
                                  at_error *err) {
    *report = (at_load_report){0};
    float *room;
    AT_TRY(make_room(g, &room, err));
    at_status status = AT_OK;
    for (int i = 0; i < at_graph_param_count(g) && !status; i++)
        status = load_one(f, at_graph_param(g, i), room, at_graph_values(g), report, err);
    free(room);
    for (int i = 0; i < f->count; i++) {
        if (at_graph_find_param(g, f->tensors[i].name)) continue;
        report->unused++;
        note(report, "%s: in the file only\n", f->tensors[i].name);
    }
    at_graph_touch(g);
    return status;
}

/* ---- saving ---- */

typedef struct parcel {
    at_st_tensor *tensors;
    char **names; /* one a tensor made here */
    int count;
    float *data, *next; /* all exported parameters; where the next goes */
} parcel;

static void parcel_free(parcel *k) {
    for (int i = 0; k->names && i < k->count; i++) free(k->names[i]);
    free(k->names);
    free(k->tensors);
    free(k->data);
}

static at_status parcel_new(parcel *k, const at_graph *g, int flat_count, int extra_count,
                            at_error *err) {
    size_t params = (size_t)at_graph_param_count(g) * (size_t)flat_count, floats = 0;
    for (int i = 0; i < at_graph_param_count(g); i++) floats += (size_t)at_graph_param(g, i)->count;
    floats = floats * (size_t)flat_count + 1;
    *k = (parcel){.tensors = calloc(params + (size_t)extra_count + 1, sizeof *k->tensors),
                  .names = calloc(params + 1, sizeof *k->names),
                  .data = malloc(floats * sizeof(float))};
    k->next = k->data;
    if (k->tensors && k->names && k->data) return AT_OK;
    return at_fail_memory(err, "saving weights", floats * sizeof(float));
}

static at_status parcel_add(parcel *k, const at_flat *flat, const at_param *p, at_error *err) {
    if (flat->trainable_only && p->spec.buffer) return AT_OK;
    at_st_tensor t = param_tensor(p);
    char *name = at_format("%s%s", flat->prefix, p->name);
    if (!name) return at_fail_memory(err, p->name, strlen(p->name) + 1);
    at_param_export(p, flat->data, k->next);
    t.name = name;
    t.data = k->next;
    k->next += p->count;
    k->names[k->count] = name;
    k->tensors[k->count++] = t;
    return AT_OK;
}

at_status at_weights_save(const at_graph *g, const char *path, const at_flat *flats, int flat_count,
                          const at_st_tensor *extra, int extra_count, const json_t *metadata,
                          at_error *err) {
    parcel k;
    at_status status = parcel_new(&k, g, flat_count, extra_count, err);
    for (int i = 0; i < flat_count && !status; i++)
        for (int j = 0; j < at_graph_param_count(g) && !status; j++)
            status = parcel_add(&k, &flats[i], at_graph_param(g, j), err);
    if (!status) {
        if (extra_count) memcpy(k.tensors + k.count, extra, (size_t)extra_count * sizeof *extra);
        status = at_st_write(path, k.tensors, k.count + extra_count, metadata, err);
    }
    parcel_free(&k);
    return status;
}
