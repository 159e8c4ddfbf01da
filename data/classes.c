/* SPDX-License-Identifier: MIT */
/* Classes: names and colours, as JSON, and as a set that is put together from several sources. */
#include "data/classes.h"

#include <stdlib.h>
#include <string.h>

#include "data/text.h"

/* Bits of the id are dealt out to red, green and blue from the top bit down. */
at_rgb at_voc_color(int i) {
    at_rgb c = {0, 0, 0};
    for (int bit = 7; bit >= 0; bit--, i >>= 3) {
        c.r = (uint8_t)(c.r | (i & 1) << bit);
        c.g = (uint8_t)(c.g | (i >> 1 & 1) << bit);
        c.b = (uint8_t)(c.b | (i >> 2 & 1) << bit);
    }
    return c;
}

bool at_rgb_equal(at_rgb a, at_rgb b) {
    return a.r == b.r && a.g == b.g && a.b == b.b;
}

void at_classes_free(at_classes *c) {
    for (int i = 0; i < c->count; i++) free(c->items[i].name);
    free(c->items);
    *c = (at_classes){0};
}

int at_classes_find(const at_classes *c, const char *name) {
    for (int i = 0; i < c->count; i++)
        if (c->items[i].name && strcmp(c->items[i].name, name) == 0) return i;
    return -1;
}

at_status at_classes_grow(at_classes *c, int count, at_error *err) {
    if (count <= c->count) return AT_OK;
    at_class *items = realloc(c->items, (size_t)count * sizeof *items);
    if (!items) return at_fail_memory(err, "classes", (size_t)count * sizeof *items);
    c->items = items;
    for (; c->count < count; c->count++)
        items[c->count] = (at_class){.color = at_voc_color(c->count)};
    return AT_OK;
}

at_status at_classes_set_name(at_classes *c, int id, const char *name, at_error *err) {
    char *copy = at_substring(name, strlen(name));
    if (!copy) return at_fail_memory(err, "a class name", strlen(name));
    free(c->items[id].name);
    c->items[id].name = copy;
    return AT_OK;
}

/* "class 7", with underscores behind it while somebody else is called so. */
static char *free_name(const at_classes *c, int id) {
    char underscores[AT_MAX_CLASSES]; /* with as many, no other class can be in the way */
    memset(underscores, '_', sizeof underscores);
    for (int n = 0;; n++) {
        char *name = at_format("class %d%.*s", id, n, underscores);
        if (!name || at_classes_find(c, name) < 0) return name;
        free(name);
    }
}

at_status at_classes_name_rest(at_classes *c, at_error *err) {
    for (int i = 0; i < c->count; i++) {
        if (!c->items[i].name) c->items[i].name = free_name(c, i);
        if (!c->items[i].name) return at_fail_memory(err, "a class name", 16);
    }
    return AT_OK;
}

at_status at_classes_copy(const at_classes *from, at_classes *out, at_error *err) {
    *out = (at_classes){0};
    at_status status = at_classes_grow(out, from->count, err);
    for (int i = 0; i < from->count && !status; i++) {
        out->items[i].color = from->items[i].color;
        if (from->items[i].name) status = at_classes_set_name(out, i, from->items[i].name, err);
    }
    if (status) at_classes_free(out);
    return status;
}

at_status at_classes_copy_known(const at_known *k, at_classes *out, at_error *err) {
    AT_TRY(at_classes_grow(out, k->count, err));
    for (int i = 0; i < k->count; i++) {
        out->items[i].color = k->items[i].color;
        AT_TRY(at_classes_set_name(out, i, k->items[i].name, err));
    }
    return AT_OK;
}

/* ---- JSON: [{"name": "sky", "color": [128, 128, 128]}, ...] ---- */

json_t *at_classes_to_json(const at_classes *c) {
    json_t *list = json_array();
    for (int i = 0; list && i < c->count; i++) {
        at_rgb k = c->items[i].color;
        json_t *item =
            json_pack("{s:s, s:[i,i,i]}", "name", c->items[i].name, "color", k.r, k.g, k.b);
        if (!item || json_array_append_new(list, item)) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

static at_status color_from_json(const json_t *j, int id, at_rgb *out, at_error *err) {
    int v[3] = {-1, -1, -1};
    for (size_t i = 0; i < 3 && json_array_size(j) == 3; i++) {
        const json_t *item = json_array_get(j, i);
        json_int_t n = json_is_integer(item) ? json_integer_value(item) : -1;
        v[i] = n >= 0 && n <= 255 ? (int)n : -1;
    }
    if (v[0] < 0 || v[1] < 0 || v[2] < 0)
        return at_fail(err, AT_ERR_INPUT, "the color of class %d must be [r, g, b], each 0 .. 255",
                       id);
    *out = (at_rgb){(uint8_t)v[0], (uint8_t)v[1], (uint8_t)v[2]};
    return AT_OK;
}

/* An object, or a bare name. */
static at_status class_from_json(const json_t *j, int id, at_classes *out, at_error *err) {
    const char *name =
        json_is_string(j) ? json_string_value(j) : json_string_value(json_object_get(j, "name"));
    if (!name || !*name)
        return at_fail(err, AT_ERR_INPUT,
                       "class %d must be a name or {\"name\": ..., \"color\": [r, g, b]}", id);
    int twin = at_classes_find(out, name);
    if (twin >= 0)
        return at_fail(err, AT_ERR_INPUT, "classes %d and %d are both called '%s'", twin, id, name);
    AT_TRY(at_classes_set_name(out, id, name, err));
    const json_t *color = json_object_get(j, "color");
    return color ? color_from_json(color, id, &out->items[id].color, err) : AT_OK;
}

at_status at_classes_from_json(const json_t *j, at_classes *out, at_error *err) {
    *out = (at_classes){0};
    size_t count = json_array_size(j);
    if (count < 1 || count >= AT_MAX_CLASSES)
        return at_fail(err, AT_ERR_INPUT, "the classes must be a list of 1 .. %d",
                       AT_MAX_CLASSES - 1);
    at_status status = at_classes_grow(out, (int)count, err);
    for (size_t i = 0; i < count && !status; i++)
        status = class_from_json(json_array_get(j, i), (int)i, out, err);
    if (status) at_classes_free(out);
    return status;
}
