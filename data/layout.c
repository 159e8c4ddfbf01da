/* SPDX-License-Identifier: MIT */
/* Which layout a folder has. Among those that are there the more specific wins (CamVid's folders
 * over its list files, lists over bare images/ masks/); two of one rank are an error, and so is
 * none: both show what was found and what would work. */
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

static const at_set_layout *const layouts[] = {
    &at_layout_cityscapes, &at_layout_voc,     &at_layout_camvid, &at_layout_split_folders,
    &at_layout_lists,      &at_layout_folders, &at_layout_pairs};
enum { LAYOUTS = sizeof layouts / sizeof *layouts };

/* The best layout; *twin: another of the same rank, or NULL. */
static const at_set_layout *find(const char *root, const at_set_layout **twin) {
    const at_set_layout *best = NULL;
    *twin = NULL;
    for (int i = 0; i < LAYOUTS; i++) {
        if (!layouts[i]->here(root)) continue;
        if (!best || layouts[i]->rank > best->rank) {
            best = layouts[i];
            *twin = NULL;
        } else if (layouts[i]->rank == best->rank) {
            *twin = layouts[i];
        }
    }
    return best;
}

/* "folders a/, b/, 12 pictures, 3 other files" */
static at_status describe(const char *root, at_text *t, at_error *err) {
    enum { SHOWN = 8 };
    at_paths folders, files;
    AT_TRY(at_list_dir(root, true, &folders, err));
    at_status status = at_list_dir(root, false, &files, err);
    if (!status) {
        int pictures = 0;
        for (int i = 0; i < files.count; i++) pictures += at_is_picture_name(files.items[i]);
        for (int i = 0; i < folders.count && i < SHOWN; i++)
            at_text_add(t, "%s%.40s/", i ? " " : "folders ", folders.items[i]);
        at_text_add(t, "%s%s%d pictures, %d other files", folders.count > SHOWN ? " ..." : "",
                    folders.count ? ", " : "", pictures, files.count - pictures);
    }
    at_paths_free(&folders);
    at_paths_free(&files);
    return status;
}

/* A folder directly below that has a layout: archives often unpack into one. malloc'ed or NULL. */
static char *look_below(const char *root) {
    enum { TRIED = 16 };
    at_paths folders;
    char *found = NULL;
    const at_set_layout *twin;
    if (at_list_dir(root, true, &folders, NULL)) return NULL;
    for (int i = 0; i < folders.count && i < TRIED && !found; i++) {
        char *path = at_path_join(root, folders.items[i]);
        if (path && find(path, &twin))
            found = path;
        else
            free(path);
    }
    at_paths_free(&folders);
    return found;
}

static at_status fail_nothing(const at_builder *b) {
    at_text seen = {0};
    AT_TRY(describe(b->root, &seen, b->err));
    char *below = look_below(b->root);
    const char *s = seen.s ? seen.s : "";
    if (below)
        at_fail(b->err, AT_ERR_INPUT,
                "%s: no data set here (%s), but %s looks like one: use that folder", b->root, s,
                below);
    else
        at_fail(b->err, AT_ERR_INPUT,
                "%s: no data set found (%s). What would work: %s; %s; %s; %s; or a dataset.json",
                b->root, s, at_layout_folders.looks_like, at_layout_split_folders.looks_like,
                at_layout_pairs.looks_like, at_layout_lists.looks_like);
    free(below);
    at_text_free(&seen);
    return AT_ERR_INPUT;
}

at_status at_layout_list(at_builder *b) {
    const at_set_layout *twin, *best = find(b->root, &twin);
    if (!best) return fail_nothing(b);
    if (twin)
        return at_fail(b->err, AT_ERR_INPUT,
                       "%s: it could be %s or %s; say in dataset.json which files are meant",
                       b->root, best->looks_like, twin->looks_like);
    b->set->layout = at_substring(best->name, strlen(best->name));
    if (!b->set->layout) return at_fail_memory(b->err, "a data set", strlen(best->name));
    return best->list(b);
}
