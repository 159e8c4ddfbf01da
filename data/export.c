/* SPDX-License-Identifier: MIT */
/* Writing a set out: as a folder that any layout finder understands, or as a list file. */
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

typedef struct exporter {
    const at_dataset *set;
    const char *dir;
    at_rgb palette[256];
    at_error *err;
} exporter;

/* dir/kind/split/name.png, its folders made. malloc'ed. */
static at_status make_path(const exporter *e, const char *kind, const char *split, const char *name,
                           char **out) {
    *out = at_format("%s/%s/%s/%s.png", e->dir, kind, split, name);
    char *folder = *out ? at_substring(*out, (size_t)(strrchr(*out, '/') - *out)) : NULL;
    at_status status =
        folder ? at_make_dirs(folder, e->err) : at_fail_memory(e->err, "a path", 256);
    free(folder);
    if (status) {
        free(*out);
        *out = NULL;
    }
    return status;
}

static at_status write_mask(const exporter *e, const char *split, const char *name,
                            const at_image *image, const uint8_t *mask) {
    char *path;
    AT_TRY(make_path(e, "masks", split, name, &path));
    at_status status =
        at_mask_save_png(path, mask, image->width, image->height, e->palette, 256, e->err);
    free(path);
    return status;
}

static at_status write_image(const exporter *e, const char *split, const char *name,
                             const at_image *image) {
    char *path;
    AT_TRY(make_path(e, "images", split, name, &path));
    at_status status = at_image_save_png(path, image, e->err);
    free(path);
    return status;
}

/* Names that were made unique by the split's folder don't need it twice. */
static const char *bare_name(const char *split, const char *name) {
    size_t n = strlen(split);
    return strncmp(name, split, n) == 0 && name[n] == '/' ? name + n + 1 : name;
}

static at_status write_sample(const exporter *e, const char *split, const at_sample *s) {
    at_image image;
    uint8_t *mask;
    const char *name = bare_name(split, s->name);
    AT_TRY(at_dataset_load(e->set, s, 3, &image, &mask, e->err));
    at_status status = write_image(e, split, name, &image);
    if (!status && mask) status = write_mask(e, split, name, &image, mask);
    at_image_free(&image);
    free(mask);
    return status;
}

static at_status write_classes(const exporter *e) {
    at_text t = {0};
    at_text_add(&t, "# id name r g b\n");
    for (int i = 0; i < e->set->classes.count; i++) {
        const at_class *c = &e->set->classes.items[i];
        bool taken = false; /* a colour that stands for two classes would be refused */
        for (int j = 0; j < i; j++)
            taken = taken || at_rgb_equal(c->color, e->set->classes.items[j].color);
        at_text_add(&t, "%d %s", i, c->name);
        if (!taken) at_text_add(&t, " %d %d %d", c->color.r, c->color.g, c->color.b);
        at_text_add(&t, "\n");
    }
    char *path = at_path_join(e->dir, "classes.txt");
    at_status status = path && !t.failed ? at_file_write(path, t.s, t.length, e->err)
                                         : at_fail_memory(e->err, "classes", t.length);
    free(path);
    at_text_free(&t);
    return status;
}

static at_status check_free(const char *dir, at_error *err) {
    static const char *const names[] = {"images", "masks", "classes.txt"};
    for (int i = 0; i < 3; i++) {
        char *path = at_path_join(dir, names[i]);
        bool taken = path && at_path_exists(path);
        free(path);
        if (taken)
            return at_fail(err, AT_ERR_IO, "%s/%s exists already; write into another folder", dir,
                           names[i]);
    }
    return AT_OK;
}

at_status at_dataset_export(const at_dataset *d, const char *dir, at_error *err) {
    exporter e = {.set = d, .dir = dir, .err = err};
    AT_TRY(check_free(dir, err));
    for (int i = 0; i < d->classes.count; i++) e.palette[i] = d->classes.items[i].color;
    e.palette[AT_IGNORE] = (at_rgb){224, 224, 192}; /* VOC's void */
    AT_TRY(at_make_dirs(dir, err));
    AT_TRY(write_classes(&e));
    for (int k = 0; k < d->split_count; k++)
        for (int i = 0; i < d->splits[k].count; i++)
            AT_TRY(write_sample(&e, d->splits[k].name, &d->splits[k].samples[i]));
    return AT_OK;
}

/* Absolute, so that the list holds wherever it lies; as it is where the system can't tell. */
static void add_path(at_text *t, const char *path, const char *end) {
    char *whole = path ? realpath(path, NULL) : NULL;
    at_text_add(t, "%s%s", whole ? whole : path ? path : "", end);
    free(whole);
}

at_status at_split_write_list(const at_split *s, const char *path, at_error *err) {
    at_text t = {0};
    for (int i = 0; i < s->count; i++) {
        const at_sample *x = &s->samples[i];
        add_path(&t, x->image ? x->image : x->name, x->mask ? "\t" : "\n");
        if (x->mask) add_path(&t, x->mask, "\n");
    }
    at_status status = t.failed ? at_fail_memory(err, "a list", t.length)
                                : at_file_write(path, t.s ? t.s : "", t.length, err);
    at_text_free(&t);
    return status;
}
