/* SPDX-License-Identifier: MIT */
/* The layouts of three well-known sets. Their names come with their classes, but those are assumed
 * only if the masks' ids fit: people lay their own data out alike. */
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

/* ---- CamVid, as in SegNet's tutorial: train/ trainannot/, val/ valannot/, test/ testannot/ ---- */

static const char *const camvid_splits[][2] = {
    {"train", "trainannot"}, {"val", "valannot"}, {"test", "testannot"}};

static bool camvid_here(const char *root) {
    for (int i = 0; i < 3; i++)
        if (at_has_dir(root, camvid_splits[i][0]) && at_has_dir(root, camvid_splits[i][1]))
            return true;
    return false;
}

static at_status camvid_split(at_builder *b, int i) {
    if (!at_has_dir(b->root, camvid_splits[i][0])) return AT_OK;
    bool has_masks = at_has_dir(b->root, camvid_splits[i][1]);
    char *images = at_path_join(b->root, camvid_splits[i][0]);
    char *masks = has_masks ? at_path_join(b->root, camvid_splits[i][1]) : NULL;
    at_status status = AT_OK;
    if (!images || (has_masks && !masks))
        status = at_fail_memory(b->err, "a path", strlen(b->root));
    else
        status = at_pair_folders(
            b, camvid_splits[i][0],
            (at_pairing){.images = images, .masks = masks, .masks_optional = !masks});
    free(images);
    free(masks);
    return status;
}

static at_status camvid_list(at_builder *b) {
    b->known = &at_known_camvid;
    for (int i = 0; i < 3; i++) AT_TRY(camvid_split(b, i));
    return AT_OK;
}

const at_set_layout at_layout_camvid = {"camvid", 4, "train/ trainannot/ [val/ valannot/] (CamVid)",
                                        camvid_here, camvid_list};

/* ---- PASCAL VOC: JPEGImages/ SegmentationClass/ ImageSets/Segmentation/NAME.txt ---- */

static bool voc_here(const char *root) {
    return at_has_dir(root, "JPEGImages") && at_has_dir(root, "SegmentationClass");
}

static at_status voc_folders(at_builder *b) {
    char *images = at_path_join(b->root, "JPEGImages");
    char *masks = at_path_join(b->root, "SegmentationClass");
    at_pairing p = {.images = images, .masks = masks, .images_optional = true};
    at_status status = images && masks ? at_pair_folders(b, "train", p)
                                       : at_fail_memory(b->err, "a path", strlen(b->root));
    free(images);
    free(masks);
    return status;
}

static at_status voc_list_file(at_builder *b, const char *split, const char *file) {
    char *path = at_path_join(b->root, file);
    at_status status = path ? at_read_list(b, split, path, "JPEGImages", "SegmentationClass")
                            : at_fail_memory(b->err, "a path", strlen(b->root));
    free(path);
    return status;
}

static at_status voc_list(at_builder *b) {
    static const char *const lists[][2] = {{"train", "ImageSets/Segmentation/train.txt"},
                                           {"val", "ImageSets/Segmentation/val.txt"},
                                           {"test", "ImageSets/Segmentation/test.txt"}};
    b->known = &at_known_voc;
    if (!at_has_file(b->root, lists[0][1])) {
        const char *all = "ImageSets/Segmentation/trainval.txt";
        return at_has_file(b->root, all) ? voc_list_file(b, "train", all) : voc_folders(b);
    }
    for (int i = 0; i < 3; i++)
        if (at_has_file(b->root, lists[i][1])) AT_TRY(voc_list_file(b, lists[i][0], lists[i][1]));
    return AT_OK;
}

const at_set_layout at_layout_voc = {
    "voc", 4, "JPEGImages/ SegmentationClass/ [ImageSets/Segmentation/*.txt] (PASCAL VOC)",
    voc_here, voc_list};

/* ---- Cityscapes: leftImg8bit/SPLIT/CITY/, gtFine/SPLIT/CITY/ ---- */

static bool cityscapes_here(const char *root) {
    return at_has_dir(root, "leftImg8bit") && at_has_dir(root, "gtFine");
}

static bool any_ends_in(const char *dir, const char *tail) {
    at_paths files;
    bool found = false;
    if (at_list_images(dir, &files, NULL)) return false;
    size_t t = strlen(tail);
    for (int i = 0; i < files.count && !found; i++) {
        size_t n = at_stem_length(files.items[i]);
        found = n > t && strncmp(files.items[i] + n - t, tail, t) == 0;
    }
    at_paths_free(&files);
    return found;
}

/* below: "" or the split's folder inside leftImg8bit and gtFine. */
static at_status cityscapes_split(at_builder *b, const char *split, const char *below,
                                  const char *tail) {
    char *images = at_format("%s/leftImg8bit/%s", b->root, below);
    char *masks = at_format("%s/gtFine/%s", b->root, below);
    at_pairing p = {
        .images = images, .masks = masks, .image_tail = "_leftImg8bit", .mask_tail = tail};
    p.masks_optional = strcmp(split, "test") == 0;
    if (masks && !at_path_is_dir(masks)) p.masks = NULL;
    at_status status = images && masks ? at_pair_folders(b, split, p)
                                       : at_fail_memory(b->err, "a path", strlen(b->root));
    free(images);
    free(masks);
    return status;
}

static at_status cityscapes_splits(at_builder *b, const char *tail) {
    char *images = at_path_join(b->root, "leftImg8bit");
    at_paths folders = {0};
    at_status status = images ? at_list_dir(images, true, &folders, b->err)
                              : at_fail_memory(b->err, "a path", strlen(b->root));
    bool any = false;
    for (int i = 0; i < folders.count && !status; i++) {
        const char *split = at_split_name(folders.items[i]);
        if (split) status = cityscapes_split(b, split, folders.items[i], tail);
        any = any || split;
    }
    if (!status && !any) status = cityscapes_split(b, "train", "", tail);
    at_paths_free(&folders);
    free(images);
    return status;
}

static at_status cityscapes_list(at_builder *b) {
    char *masks = at_path_join(b->root, "gtFine");
    if (!masks) return at_fail_memory(b->err, "a path", strlen(b->root));
    bool train_ids = any_ends_in(masks, "_gtFine_labelTrainIds");
    free(masks);
    b->known = &at_known_cityscapes;
    b->known_surely = true;
    if (!train_ids) b->raw_map = at_cityscapes_train_ids;
    at_text_add(&b->set->notes, "masks: *_%s.png\n",
                train_ids ? "labelTrainIds" : "labelIds, as 19 classes");
    return cityscapes_splits(b, train_ids ? "_gtFine_labelTrainIds" : "_gtFine_labelIds");
}

const at_set_layout at_layout_cityscapes = {
    "cityscapes", 4, "leftImg8bit/SPLIT/CITY/ gtFine/SPLIT/CITY/ (Cityscapes)", cityscapes_here,
    cityscapes_list};
