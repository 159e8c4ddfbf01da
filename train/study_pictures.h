/* SPDX-License-Identifier: MIT */
/* Where the variants of a study differ most: pictures of the measured split whose boundary F1
 * spreads widest over the variants, predicted by each (last weights, one seed), and of each the
 * window in which most pixels near an edge divide them into right and wrong. */
#ifndef AT_TRAIN_STUDY_PICTURES_H
#define AT_TRAIN_STUDY_PICTURES_H

#include "train/study.h"

enum { AT_MOST_SCENES = 4 };

typedef struct at_scene {
    char *name;
    at_image whole; /* the picture, at most 200 pixels wide */
    at_pair size;   /* the picture's own */
    int y, x, side; /* the window, a square of the picture's own pixels */
    at_image cut;   /* the window's pixels: 3 channels */
    uint8_t *truth; /* [side, side] ids */
    uint8_t **ids;  /* [variants] of [side, side]; NULL where a variant has no weights */
} at_scene;

typedef struct at_study_pictures {
    uint64_t seed;
    int variants, scene_count;
    at_scene scenes[AT_MOST_SCENES];
    at_classes classes;
} at_study_pictures;

/* Reads the data set (in `data`; NULL: where the study had it) and the weights of one seed's runs;
 * threads are those that are set. Where nothing is measured yet, or `stop` is set, an error says
 * so. */
at_status at_study_pictures_make(const at_study *s, const char *data, const volatile int *stop,
                                 at_study_pictures **out, at_error *err);
void at_study_pictures_free(at_study_pictures *p); /* NULL is fine */

#endif
