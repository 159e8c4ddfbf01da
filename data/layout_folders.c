/* SPDX-License-Identifier: MIT */
/* Layouts people make themselves: a folder of images and one of masks, with the splits' folders
 * inside or around them, or both kinds of files side by side. Folders may be called in several
 * ways; where two could be meant, nothing is guessed. */
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

static const char *const image_folders[] = {"images", "image", "imgs", "img", NULL};
static const char *const mask_folders[] = {
    "masks", "mask", "labels", "label", "annotations", "annotation", "segmentations", "gt", NULL};

/* Does the folder, or one below it, hold a picture? (YOLO's labels/ holds text.) */
static bool has_pictures(const char *root, const char *name) {
    at_paths files = {0};
    char *path = at_path_join(root, name);
    bool has =
        path && at_path_is_dir(path) && !at_list_images(path, &files, NULL) && files.count > 0;
    at_paths_free(&files);
    free(path);
    return has;
}

/* How many of these folders hold pictures; the first two of them. */
static int find_folders(const char *root, const char *const *names, const char *found[2]) {
    int count = 0;
    for (; *names; names++)
        if (has_pictures(root, *names)) {
            if (count < 2) found[count] = *names;
            count++;
        }
    return count;
}

static bool has_both(const char *root) {
    const char *found[2];
    return find_folders(root, image_folders, found) && find_folders(root, mask_folders, found);
}

void at_find_folders(const char *root, const char **images, const char **masks) {
    const char *image[2], *mask[2];
    if (find_folders(root, image_folders, image) != 1 ||
        find_folders(root, mask_folders, mask) != 1)
        return;
    *images = image[0];
    *masks = mask[0];
}

static at_status choose(at_builder *b, const char *root, const char *const *names,
                        const char **out) {
    const char *found[2] = {NULL, NULL};
    int count = find_folders(root, names, found);
    *out = found[0];
    if (count == 1) return AT_OK;
    if (count == 0)
        return at_fail(b->err, AT_ERR_INPUT, "%s: no pictures in %s/; see docs/datasets.md", root,
                       names[0]);
    return at_fail(
        b->err, AT_ERR_INPUT,
        "%s: both %s/ and %s/ hold pictures; say in dataset.json which is meant: {\"images\": "
        "\"images\", \"masks\": \"%s\"}",
        root, found[0], found[1], found[0]);
}

/* root/IMAGES/below against root/MASKS/below; below may be "". */
static at_status pair_below(at_builder *b, const char *root, const char *split, const char *below) {
    const char *images, *masks;
    AT_TRY(choose(b, root, image_folders, &images));
    AT_TRY(choose(b, root, mask_folders, &masks));
    const char *slash = *below ? "/" : "";
    char *image_dir = at_format("%s/%s%s%s", root, images, slash, below);
    char *mask_dir = at_format("%s/%s%s%s", root, masks, slash, below);
    at_pairing p = {.images = image_dir, .masks = mask_dir};
    if (mask_dir && strcmp(split, "test") == 0 && !at_path_is_dir(mask_dir)) {
        p.masks = NULL;
        p.masks_optional = true;
    }
    at_status status = image_dir && mask_dir ? at_pair_folders(b, split, p)
                                             : at_fail_memory(b->err, "a path", strlen(root));
    free(image_dir);
    free(mask_dir);
    return status;
}

/* Names of sub-folders of `dir` that are names of splits. Two for one split are an error. */
static at_status list_splits(at_builder *b, const char *dir, at_paths *out) {
    at_paths all;
    *out = (at_paths){0};
    AT_TRY(at_list_dir(dir, true, &all, b->err));
    at_status status = AT_OK;
    for (int i = 0; i < all.count && !status; i++) {
        const char *split = at_split_name(all.items[i]);
        for (int j = 0; j < out->count && split && !status; j++)
            if (strcmp(at_split_name(out->items[j]), split) == 0)
                status = at_fail(b->err, AT_ERR_INPUT,
                                 "%s: %s/ and %s/ could both be the split '%s'; rename one of them",
                                 dir, out->items[j], all.items[i], split);
        if (split && !status)
            status = at_paths_take(out, at_substring(all.items[i], strlen(all.items[i])), b->err);
    }
    at_paths_free(&all);
    if (status) at_paths_free(out);
    return status;
}

/* ---- splits inside (images/train masks/train) or around (train/images train/masks) ---- */

/* A sub-folder of `dir` that is called like a split and satisfies the test. */
static bool any_split(const char *dir, bool (*test)(const char *folder)) {
    at_paths all;
    bool found = false;
    if (at_list_dir(dir, true, &all, NULL)) return false;
    for (int i = 0; i < all.count && !found; i++) {
        char *path = at_split_name(all.items[i]) ? at_path_join(dir, all.items[i]) : NULL;
        found = path && test(path);
        free(path);
    }
    at_paths_free(&all);
    return found;
}

static bool anything(const char *folder) {
    return at_path_is_dir(folder);
}

static bool splits_inside(const char *root) {
    const char *found[2];
    if (!has_both(root) || !find_folders(root, image_folders, found)) return false;
    char *images = at_path_join(root, found[0]);
    bool inside = images && any_split(images, anything);
    free(images);
    return inside;
}

static bool split_folders_here(const char *root) {
    return splits_inside(root) || any_split(root, has_both);
}

static at_status list_inside(at_builder *b) {
    const char *images;
    at_paths splits = {0}, loose = {0};
    AT_TRY(choose(b, b->root, image_folders, &images));
    char *dir = at_path_join(b->root, images);
    if (!dir) return at_fail_memory(b->err, "a path", strlen(b->root));
    at_status status = at_list_pictures(dir, &loose, b->err);
    if (!status && loose.count)
        status = at_fail(
            b->err, AT_ERR_INPUT,
            "%s holds folders of splits and %d pictures beside them (%s); move these into a "
            "split, or say in dataset.json what is meant",
            dir, loose.count, loose.items[0]);
    if (!status) status = list_splits(b, dir, &splits);
    for (int i = 0; i < splits.count && !status; i++)
        status = pair_below(b, b->root, at_split_name(splits.items[i]), splits.items[i]);
    at_paths_free(&loose);
    at_paths_free(&splits);
    free(dir);
    return status;
}

/* Calls list(b, folder, split) for each folder of the root that is called like a split and passes.
 */
static at_status each_split(at_builder *b, bool (*test)(const char *),
                            at_status (*list)(at_builder *, const char *, const char *)) {
    at_paths splits;
    AT_TRY(list_splits(b, b->root, &splits));
    at_status status = AT_OK;
    for (int i = 0; i < splits.count && !status; i++) {
        char *path = at_path_join(b->root, splits.items[i]);
        if (!path)
            status = at_fail_memory(b->err, "a path", strlen(b->root));
        else if (test(path))
            status = list(b, path, at_split_name(splits.items[i]));
        free(path);
    }
    at_paths_free(&splits);
    return status;
}

static at_status pair_split_folder(at_builder *b, const char *folder, const char *split) {
    return pair_below(b, folder, split, "");
}

static at_status split_folders_list(at_builder *b) {
    return splits_inside(b->root) ? list_inside(b) : each_split(b, has_both, pair_split_folder);
}

const at_set_layout at_layout_split_folders = {
    "split folders", 3,
    "images/train/ masks/train/ [images/val/ ...], or train/images/ train/masks/",
    split_folders_here, split_folders_list};

/* ---- images/ masks/ ---- */

static bool folders_here(const char *root) {
    return has_both(root) && !splits_inside(root);
}

static at_status folders_list(at_builder *b) {
    return pair_below(b, b->root, "train", "");
}

const at_set_layout at_layout_folders = {"folders", 1, "images/ masks/ (equal names)", folders_here,
                                         folders_list};

/* ---- a.jpg a_mask.png ---- */

static bool pairs_here(const char *root) {
    return at_has_pairs(root) || any_split(root, at_has_pairs);
}

static at_status pair_in_folder(at_builder *b, const char *folder, const char *split) {
    return at_pair_folders(b, split, (at_pairing){.images = folder, .masks = folder, .flat = true});
}

static at_status pairs_list(at_builder *b) {
    return at_has_pairs(b->root) ? pair_in_folder(b, b->root, "train")
                                 : each_split(b, at_has_pairs, pair_in_folder);
}

const at_set_layout at_layout_pairs = {"pairs", 0, "a.jpg a_mask.png side by side", pairs_here,
                                       pairs_list};
