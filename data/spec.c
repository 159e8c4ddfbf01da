/* SPDX-License-Identifier: MIT */
/* dataset.json and classes.txt: what somebody has stated about a set. docs/datasets.md is the
 * manual. Unknown keys are errors, so that a slip of the pen isn't obeyed in silence. */
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

void at_spec_free(at_spec *s) {
    free(s->path);
    free(s->ignore);
    free(s->map);
    at_class_table_free(&s->table);
    json_decref(s->root);
    *s = (at_spec){0};
}

static at_status fail(const at_spec *s, at_error *err, const char *what) {
    return at_fail(err, AT_ERR_INPUT, "%s: %s; docs/datasets.md shows the format", s->path, what);
}

static at_status check_keys(const at_spec *s, at_error *err) {
    static const char *const known[] = {"classes", "ignore", "map",    "threshold",
                                        "group",   "splits", "images", "masks"};
    const char *key;
    json_t *value;
    if (!json_is_object(s->root)) return fail(s, err, "not an object");
    json_object_foreach(s->root, key, value) {
        bool found = false;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            found = found || strcmp(key, known[i]) == 0;
        if (!found)
            return at_fail(
                err, AT_ERR_INPUT,
                "%s: unknown key \"%s\"; known are classes, ignore, map, threshold, group, "
                "splits, images, masks",
                s->path, key);
    }
    return AT_OK;
}

/* ---- classes ---- */

static at_status read_class_file(const char *path, at_class_table *out, at_error *err) {
    char *text;
    size_t size;
    AT_TRY(at_file_read(path, 1 << 24, &text, &size, err));
    at_status status = at_class_table_parse(text, size, path, out, err);
    free(text);
    return status;
}

static at_status read_class_list(at_spec *s, const json_t *list, at_error *err) {
    at_class_table *t = &s->table;
    if (at_classes_from_json(list, &t->classes, err)) return at_error_context(err, "%s", s->path);
    t->codes = calloc((size_t)t->classes.count, sizeof *t->codes);
    if (!t->codes) return at_fail_memory(err, "classes", (size_t)t->classes.count);
    for (int i = 0; i < t->classes.count; i++) {
        if (!json_object_get(json_array_get(list, (size_t)i), "color")) continue;
        for (int j = 0; j < t->code_count; j++)
            if (at_rgb_equal(t->codes[j].color, t->classes.items[i].color))
                return fail(s, err, "two classes have the same color");
        t->codes[t->code_count++] = (at_color_code){t->classes.items[i].color, i};
    }
    return AT_OK;
}

static at_status read_classes(at_spec *s, const char *root, at_error *err) {
    const json_t *classes = json_object_get(s->root, "classes");
    if (json_is_array(classes)) return read_class_list(s, classes, err);
    if (classes && !json_is_string(classes))
        return fail(s, err, "\"classes\" must be a list, or the name of a file");
    const char *name = classes ? json_string_value(classes) : "classes.txt";
    if (!classes && !at_has_file(root, name)) return AT_OK;
    char *path = at_path_join(root, name);
    at_status status =
        path ? read_class_file(path, &s->table, err) : at_fail_memory(err, "a path", strlen(root));
    free(path);
    return status;
}

/* ---- ignore, map, threshold ---- */

static at_status read_ignore(at_spec *s, at_error *err) {
    const json_t *j = json_object_get(s->root, "ignore");
    if (!j) return AT_OK;
    size_t count = json_is_array(j) ? json_array_size(j) : 1;
    s->has_ignore = true;
    s->ignore = calloc(count + 1, sizeof *s->ignore);
    if (!s->ignore) return at_fail_memory(err, "ignored ids", count);
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_is_array(j) ? json_array_get(j, i) : j;
        json_int_t v = json_is_integer(item) ? json_integer_value(item) : -1;
        if (v < 0 || v >= AT_RAW_IDS)
            return fail(s, err, "\"ignore\" must be a list of ids, 0 .. 65535");
        s->ignore[s->ignore_count++] = (int)v;
    }
    return AT_OK;
}

/* "7" or "0-6" or "*". */
static bool read_range(const char *key, int *first, int *last) {
    char *end;
    *first = 0;
    *last = AT_RAW_IDS - 1;
    if (strcmp(key, "*") == 0) return true;
    long from = strtol(key, &end, 10), to = from;
    if (end == key) return false;
    if (*end == '-') {
        const char *second = end + 1;
        to = strtol(second, &end, 10);
        if (end == second) return false;
    }
    if (*end || from < 0 || to < from || to >= AT_RAW_IDS) return false;
    *first = (int)from;
    *last = (int)to;
    return true;
}

/* The class a map's value names; -1: none. */
static int read_target(const at_spec *s, const json_t *value) {
    const char *name = json_string_value(value);
    if (name && strcmp(name, "ignore") == 0) return AT_IGNORE;
    if (name) return at_classes_find(&s->table.classes, name);
    int most = s->table.classes.count ? s->table.classes.count : AT_MAX_CLASSES - 1;
    json_int_t v = json_is_integer(value) ? json_integer_value(value) : -1;
    return v >= 0 && v < most ? (int)v : -1;
}

static at_status read_map(at_spec *s, at_error *err) {
    json_t *map = json_object_get(s->root, "map"), *value;
    const char *key;
    if (!map) return AT_OK;
    if (!json_is_object(map))
        return fail(s, err, "\"map\" must be an object: {\"7\": 0, \"8-10\": \"ignore\"}");
    s->map = malloc(AT_RAW_IDS * sizeof *s->map);
    if (!s->map) return at_fail_memory(err, "a map of ids", AT_RAW_IDS);
    for (int i = 0; i < AT_RAW_IDS; i++) s->map[i] = AT_NO_CLASS;
    for (int others = 1; others >= 0; others--) /* "*" first, so that all else overrides it */
        json_object_foreach(map, key, value) {
            int first, last, target = read_target(s, value);
            if ((strcmp(key, "*") == 0) != others) continue;
            if (!read_range(key, &first, &last) || target < 0)
                return at_fail(
                    err, AT_ERR_INPUT,
                    "%s: \"map\" entry \"%s\": write an id, a range \"0-6\" or \"*\", and for it "
                    "a class (id or name from \"classes\") or \"ignore\"",
                    s->path, key);
            for (int i = first; i <= last; i++) s->map[i] = (int16_t)target;
        }
    return AT_OK;
}

static at_status read_rest(at_spec *s, at_error *err) {
    const json_t *threshold = json_object_get(s->root, "threshold");
    const json_t *group = json_object_get(s->root, "group");
    if (threshold) {
        json_int_t v = json_is_integer(threshold) ? json_integer_value(threshold) : 0;
        if (v < 1 || v >= AT_RAW_IDS) return fail(s, err, "\"threshold\" must be 1 .. 65535");
        if (s->map) return fail(s, err, "\"threshold\" and \"map\" exclude each other");
        s->threshold = (int)v;
    }
    if (group && !json_is_string(group))
        return fail(s, err, "\"group\" must be a regular expression");
    s->group = json_string_value(group);
    s->has_files = json_object_get(s->root, "splits") || json_object_get(s->root, "images");
    return AT_OK;
}

static at_status load(at_spec *s, const char *root, at_error *err) {
    s->path = at_path_join(root, "dataset.json");
    if (!s->path) return at_fail_memory(err, "a path", strlen(root));
    s->found = at_path_exists(s->path);
    if (!s->found) return read_classes(s, root, err);
    AT_TRY(at_json_load(s->path, &s->root, err));
    AT_TRY(check_keys(s, err));
    AT_TRY(read_classes(s, root, err));
    AT_TRY(read_ignore(s, err));
    AT_TRY(read_map(s, err));
    return read_rest(s, err);
}

at_status at_spec_load(const char *root, at_spec *out, at_error *err) {
    *out = (at_spec){0};
    at_status status = load(out, root, err);
    if (status) at_spec_free(out);
    return status;
}

/* ---- files ---- */

static at_status list_folders(at_builder *b, const char *split, const json_t *j) {
    const char *images = json_string_value(json_object_get(j, "images"));
    const char *masks = json_string_value(json_object_get(j, "masks"));
    if (!images || (!masks && strcmp(split, "test") != 0))
        return at_fail(b->err, AT_ERR_INPUT,
                       "%s: split '%s' needs \"images\" and \"masks\", folders below %s",
                       b->spec->path, split, b->root);
    char *image_dir = at_path_join(b->root, images),
         *mask_dir = masks ? at_path_join(b->root, masks) : NULL;
    at_pairing p = {.images = image_dir, .masks = mask_dir, .masks_optional = !masks};
    at_status status = image_dir && (mask_dir || !masks) ? at_pair_folders(b, split, p)
                                                         : at_fail_memory(b->err, "a path", 1);
    free(image_dir);
    free(mask_dir);
    return status;
}

static at_status list_file(at_builder *b, const char *split, const char *file) {
    char *path = at_path_join(b->root, file);
    at_status status =
        path ? at_read_list(b, split, path, NULL, NULL) : at_fail_memory(b->err, "a path", 1);
    free(path);
    return status;
}

static at_status add_pair(at_builder *b, at_split *split, const char *image, const char *mask) {
    char *image_path = at_path_join(b->root, image), *mask_path = at_path_join(b->root, mask);
    char *name = at_stem(image);
    at_status status = image_path && mask_path && name
                           ? at_builder_add(b, split, name, image_path, mask_path)
                           : at_fail_memory(b->err, "a sample", 1);
    free(image_path);
    free(mask_path);
    free(name);
    return status;
}

static at_status list_pairs(at_builder *b, const char *name, const json_t *pairs) {
    at_split *split;
    AT_TRY(at_builder_split(b, name, &split));
    for (size_t i = 0; i < json_array_size(pairs); i++) {
        const json_t *pair = json_array_get(pairs, i);
        const char *image = json_string_value(json_array_get(pair, 0));
        const char *mask = json_string_value(json_array_get(pair, 1));
        if (!image || !mask)
            return at_fail(b->err, AT_ERR_INPUT,
                           "%s: entry %zu of split '%s' must be [image, mask]", b->spec->path, i,
                           name);
        AT_TRY(add_pair(b, split, image, mask));
    }
    return AT_OK;
}

at_status at_spec_list(at_builder *b) {
    json_t *splits = json_object_get(b->spec->root, "splits"), *value;
    const char *name;
    b->set->layout = at_substring("dataset.json", 12);
    if (!b->set->layout) return at_fail_memory(b->err, "a data set", 16);
    if (!splits) return list_folders(b, "train", b->spec->root);
    if (!json_is_object(splits)) return fail(b->spec, b->err, "\"splits\" must be an object");
    json_object_foreach(splits, name, value) {
        if (json_is_string(value))
            AT_TRY(list_file(b, name, json_string_value(value)));
        else if (json_is_array(value))
            AT_TRY(list_pairs(b, name, value));
        else
            AT_TRY(list_folders(b, name, value));
    }
    return AT_OK;
}
