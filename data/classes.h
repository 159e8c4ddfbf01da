/* SPDX-License-Identifier: MIT */
/* Private to the data room: putting a list of classes together. */
#ifndef AT_DATA_CLASSES_H
#define AT_DATA_CLASSES_H

#include "data/data.h"

bool at_rgb_equal(at_rgb a, at_rgb b);

int at_classes_find(const at_classes *c, const char *name); /* -1: none */

/* Adds classes without a name, in the VOC scheme's colours, until there are `count`. */
at_status at_classes_grow(at_classes *c, int count, at_error *err);
at_status at_classes_set_name(at_classes *c, int id, const char *name, at_error *err);
/* Names those without a name "class 7". */
at_status at_classes_name_rest(at_classes *c, at_error *err);
at_status at_classes_copy(const at_classes *from, at_classes *out, at_error *err);

/* Sets whose classes are known by heart. */
typedef struct at_known_class {
    const char *name;
    at_rgb color;
} at_known_class;

typedef struct at_known {
    const char *set; /* for people */
    int count;
    const at_known_class *items;
    int ignore;          /* the raw id that counts nowhere, */
    at_rgb ignore_color; /* and its colour in masks in colour */
} at_known;

/* The known set's names and colours as a list of their own. */
at_status at_classes_copy_known(const at_known *k, at_classes *out, at_error *err);

extern const at_known at_known_camvid, at_known_voc, at_known_cityscapes;

/* Cityscapes' labelIds: the class each of the ids 0 .. 33 is trained as, or AT_IGNORE. */
enum { AT_CITYSCAPES_IDS = 34 };
extern const uint8_t at_cityscapes_train_ids[AT_CITYSCAPES_IDS];

#endif
