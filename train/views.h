/* SPDX-License-Identifier: MIT */
/* Pictures on a page, one beside the other, with the truth's edges drawn over them. */
#ifndef AT_TRAIN_VIEWS_H
#define AT_TRAIN_VIEWS_H

#include <stdio.h>

#include "data/data.h"

/* A picture, <div class="view">. `edges`: an id of at_view_edges, over it; 0: none. `box`, in the
 * units of `units` (height, width), is framed; side 0: none. */
typedef struct at_view {
    const at_image *image;
    const char *alt;
    int edges;
    at_pair units;
    int box_y, box_x, box_side;
} at_view;

at_status at_view_write(FILE *f, at_view v, at_error *err);
/* The classes' colours. */
at_status at_view_write_ids(FILE *f, const at_classes *classes, const uint8_t *ids, at_pair size,
                            const char *alt, int edges, at_error *err);
/* Defines the edges of a map of ids, to be drawn by that id (from 1). */
at_status at_view_edges(FILE *f, int id, const uint8_t *ids, at_pair size, at_error *err);

/* Names and colours of the classes seen. */
typedef struct at_seen {
    bool of[AT_MAX_CLASSES];
} at_seen;
void at_seen_add(at_seen *s, const uint8_t *ids, size_t count);
void at_view_legend(FILE *f, const at_classes *classes, const at_seen *seen);

#endif
