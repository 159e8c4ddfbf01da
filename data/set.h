/* SPDX-License-Identifier: MIT */
/* Private to the data room: a data set while it is put together. Opening one goes
 *   dataset.json (spec.c) -> layout, which lists pairs of files (layout*.c, list_files.c, pair.c)
 *   -> held-out split (holdout.c) -> survey of masks, classes, coding (coding.c). */
#ifndef AT_DATA_SET_H
#define AT_DATA_SET_H

#include "data/classes.h"
#include "data/mask.h"
#include "data/text.h"

enum { AT_MAX_SPLITS = 16 };

struct at_dataset {
    char *root; /* NULL: the synthetic set */
    char *layout;
    at_text notes;
    at_classes classes;
    int *ignore; /* raw ids */
    int ignore_count;
    int split_count;
    at_split splits[AT_MAX_SPLITS];
    at_coding coding;
    at_findings findings; /* what was odd while listing: files without partner */
    uint64_t seed;
    at_pair synth_size;
};

/* What dataset.json says; zero where it says nothing. */
typedef struct at_spec {
    bool found;
    char *path;
    json_t *root;         /* owned */
    bool has_files;       /* it states splits, or folders of images and masks */
    at_class_table table; /* classes.txt, or "classes" of dataset.json; count 0: neither */
    bool has_ignore;
    int ignore_count;
    int *ignore;
    int threshold;     /* 0: none */
    int16_t *map;      /* [AT_RAW_IDS], AT_NO_CLASS where nothing is said; NULL: no map */
    const char *group; /* regular expression, inside root */
} at_spec;

at_status at_spec_load(const char *root, at_spec *out, at_error *err);
void at_spec_free(at_spec *s);

/* A set being listed. */
typedef struct at_builder {
    at_dataset *set;
    const char *root;
    const at_spec *spec;
    const at_known *known;  /* classes to assume if the masks' ids fit; NULL: none */
    bool known_surely;      /* they are these, whatever the ids */
    const uint8_t *raw_map; /* AT_CITYSCAPES_IDS entries: raw id to class; NULL: as they are */
    at_error *err;
} at_builder;

/* The split of this name, made if need be. */
at_status at_builder_split(at_builder *b, const char *name, at_split **out);
/* Adds a sample; name, image and mask are copied. mask NULL: none. */
at_status at_builder_add(at_builder *b, at_split *split, const char *name, const char *image,
                         const char *mask);
at_status at_builder_find(at_builder *b, at_severity severity, const char *file, const char *format,
                          ...) __attribute__((format(printf, 4, 5)));

at_status at_findings_add(at_findings *f, at_severity severity, const char *file, const char *text,
                          at_error *err);

/* ---- layouts ---- */

/* One way in which people lay out a set. Of those that are there the highest rank wins. */
typedef struct at_set_layout {
    const char *name;
    int rank;
    const char *looks_like; /* for the message when nothing was found */
    bool (*here)(const char *root);
    at_status (*list)(at_builder *b);
} at_set_layout;

extern const at_set_layout at_layout_cityscapes, at_layout_voc, at_layout_camvid,
    at_layout_split_folders, at_layout_lists, at_layout_folders, at_layout_pairs;

/* Runs the layout that is there; what is ambiguous or unknown is an error that shows what was
 * found. */
at_status at_layout_list(at_builder *b);
/* What dataset.json states. */
at_status at_spec_list(at_builder *b);

/* ---- helpers of layouts ---- */

/* Is `root`/`name` a folder? */
bool at_has_dir(const char *root, const char *name);
bool at_has_file(const char *root, const char *name);

/* "training" and "valid" are "train" and "val"; NULL: not the name of a split. */
const char *at_split_name(const char *folder);

/* How the files of one folder find their partners in another. */
typedef struct at_pairing {
    const char *images, *masks; /* folders, equal if both kinds are in one; masks NULL: none */
    const char *image_tail; /* every image's stem ends in this, and every mask's in mask_tail; */
    const char *mask_tail;  /* NULL: stems are equal or end in usual words ("_mask", "-label") */
    bool masks_optional;    /* images without a mask are kept */
    bool images_optional;   /* images without a mask aren't worth a word */
    bool flat;              /* sub-folders are not looked into */
} at_pairing;

at_status at_pair_folders(at_builder *b, const char *split, at_pairing p);
/* Does the folder hold pictures and masks side by side? */
bool at_has_pairs(const char *dir);

/* The folders of images and of masks below the root, if there is just one of each; otherwise both
 * are left as they are. */
void at_find_folders(const char *root, const char **images, const char **masks);

/* Adds the pairs a list file states to a split. Paths are looked for as they are, then below the
 * root without more and more of their first folders. A line with one field is an image, or a name
 * in `images` and `masks` (folders below the root; NULL: none). */
at_status at_read_list(at_builder *b, const char *split, const char *path, const char *images,
                       const char *masks);

/* Holds out a share of "train" as "val" if there is none. */
at_status at_holdout(at_builder *b, double share);
/* Sets groups by the pattern of dataset.json, and makes names unique. */
at_status at_finish_samples(at_builder *b);

/* Works out how masks are coded, which classes there are, and what is ignored. */
at_status at_coding_find(at_builder *b, const at_dataset_opts *opts);

#endif
