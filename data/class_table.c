/* SPDX-License-Identifier: MIT */
/* classes.txt, as people write it (the grammar stands in data.h). A line is a list of fields; what
 * they mean is told by which of them are numbers. */
#include <stdlib.h>
#include <string.h>

#include "data/classes.h"
#include "data/text.h"

enum { MAX_FIELDS = 32 };

typedef struct parser {
    const char *where;
    int line;
    int with_ids; /* -1: not known yet */
    at_class_table *out;
    at_error *err;
} parser;

typedef struct entry {
    int id;     /* -1: none stated */
    char *name; /* fields joined by single blanks, inside the line's buffer */
    bool has_color;
    at_rgb color;
} entry;

static at_status fail(const parser *p, const char *what) {
    return at_fail(p->err, AT_ERR_INPUT,
                   "%s:%d: %s; a line is 'id name r g b' or 'name r g b', colours 0 .. 255",
                   p->where, p->line, what);
}

/* A whole number up to 9999, or -1. */
static int number(const char *s) {
    int v = 0;
    if (!*s || strlen(s) > 4) return -1;
    for (; *s; s++) {
        if (*s < '0' || *s > '9') return -1;
        v = v * 10 + (*s - '0');
    }
    return v;
}

static int split(char *line, char **fields) {
    int count = 0;
    for (char *save = NULL, *f = strtok_r(line, " \t\r,;", &save); f;
         f = strtok_r(NULL, " \t\r,;", &save)) {
        if (count == MAX_FIELDS) return -1;
        fields[count++] = f;
    }
    return count;
}

/* Fields i .. end-1 as one name, written over the line they came from. */
static char *join(char **fields, int i, int end) {
    char *name = fields[i], *to = name;
    for (; i < end; i++) {
        size_t n = strlen(fields[i]);
        memmove(to, fields[i], n);
        to += n;
        *to++ = ' ';
    }
    to[-1] = '\0';
    return name;
}

static at_status read_color(const parser *p, char **fields, int *count, entry *e) {
    int n = *count, v[3];
    for (int i = 0; i < 3 && n >= 4; i++) {
        v[i] = number(fields[n - 3 + i]);
        e->has_color = v[i] >= 0;
        if (!e->has_color) break;
    }
    if (!e->has_color) {
        bool two = n >= 3 && number(fields[n - 1]) >= 0 && number(fields[n - 2]) >= 0;
        return two ? fail(p, "a colour needs three numbers") : AT_OK;
    }
    if (v[0] > 255 || v[1] > 255 || v[2] > 255) return fail(p, "a colour is above 255");
    e->color = (at_rgb){(uint8_t)v[0], (uint8_t)v[1], (uint8_t)v[2]};
    *count = n - 3;
    return AT_OK;
}

static at_status read_entry(parser *p, char **fields, int count, entry *e) {
    *e = (entry){.id = -1};
    AT_TRY(read_color(p, fields, &count, e));
    int first = 0;
    if (count >= 2 && strcmp(fields[0], "ignore") == 0 && e->has_color) {
        e->id = AT_IGNORE;
        first = 1;
    } else if (count >= 2 && number(fields[0]) >= 0 && p->with_ids != 0) {
        e->id = number(fields[0]);
        if (e->id > AT_IGNORE) return fail(p, "an id is above 254");
        first = 1;
    }
    if (e->id != AT_IGNORE) {
        if (p->with_ids == 1 && e->id < 0) return fail(p, "no id, but lines before have one");
        p->with_ids = e->id >= 0;
    }
    e->name = join(fields, first, count);
    return AT_OK;
}

/* Which class the line speaks of; new ones are made. */
static at_status find_class(const parser *p, entry *e) {
    at_classes *c = &p->out->classes;
    int known = at_classes_find(c, e->name);
    if (e->id < 0) e->id = known >= 0 ? known : c->count;
    if (e->id == AT_IGNORE) return AT_OK;
    if (e->id >= AT_IGNORE) return fail(p, "more than 255 classes");
    if (known >= 0 && known != e->id) return fail(p, "this name has another id above");
    AT_TRY(at_classes_grow(c, e->id + 1, p->err));
    at_class *item = &c->items[e->id];
    if (item->name && known < 0) return fail(p, "this id has another name above");
    if (item->name) return e->has_color ? AT_OK : fail(p, "this class is there already");
    if (e->has_color) item->color = e->color;
    return at_classes_set_name(c, e->id, e->name, p->err);
}

static at_status add_color(const parser *p, const entry *e) {
    at_class_table *t = p->out;
    if (!e->has_color) return AT_OK;
    for (int i = 0; i < t->code_count; i++)
        if (at_rgb_equal(t->codes[i].color, e->color)) return fail(p, "this colour is taken above");
    size_t bytes = (size_t)(t->code_count + 1) * sizeof *t->codes;
    at_color_code *codes = realloc(t->codes, bytes);
    if (!codes) return at_fail_memory(p->err, "classes", bytes);
    codes[t->code_count++] = (at_color_code){e->color, e->id};
    t->codes = codes;
    return AT_OK;
}

static bool is_utf8(const char *s) {
    json_t *j = json_string(s);
    json_decref(j);
    return j != NULL;
}

static at_status parse_line(parser *p, char *line) {
    char *fields[MAX_FIELDS];
    entry e;
    line[strcspn(line, "#")] = '\0';
    int count = split(line, fields);
    if (count == 0) return AT_OK;
    if (count < 0) return fail(p, "too many fields");
    AT_TRY(read_entry(p, fields, count, &e));
    if (!is_utf8(e.name)) return fail(p, "the name is not UTF-8");
    AT_TRY(find_class(p, &e));
    return add_color(p, &e);
}

static at_status parse(parser *p, char *text) {
    for (char *line = text, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        p->line++;
        AT_TRY(parse_line(p, line));
    }
    if (p->out->classes.count == 0) return fail(p, "no classes");
    return at_classes_name_rest(&p->out->classes, p->err);
}

at_status at_class_table_parse(const char *text, size_t size, const char *where,
                               at_class_table *out, at_error *err) {
    parser p = {.where = where, .with_ids = -1, .out = out, .err = err};
    *out = (at_class_table){0};
    if (memchr(text, '\0', size)) return at_fail(err, AT_ERR_INPUT, "%s: not a text file", where);
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* byte order mark */
        text += 3;
        size -= 3;
    }
    char *copy = at_substring(text, size);
    if (!copy) return at_fail_memory(err, where, size);
    at_status status = parse(&p, copy);
    free(copy);
    if (status) at_class_table_free(out);
    return status;
}

void at_class_table_free(at_class_table *t) {
    at_classes_free(&t->classes);
    free(t->codes);
    *t = (at_class_table){0};
}
