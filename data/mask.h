/* SPDX-License-Identifier: MIT */
/* Private to the data room: what the numbers and colours in a set's mask files mean. */
#ifndef AT_DATA_MASK_H
#define AT_DATA_MASK_H

#include "data/data.h"

enum { AT_RAW_IDS = 65536, AT_NO_CLASS = -1 };

/* How all masks of a set are coded. Grey and indexed masks hold raw ids, which go through a table;
 * with `by_color` every mask, grey and indexed ones too, is read as colours. Owns map and codes. */
typedef struct at_coding {
    int classes;
    bool binary; /* 0 and 255 were taken as two classes */
    bool by_color;
    int16_t *map; /* [AT_RAW_IDS]: class, AT_IGNORE, or AT_NO_CLASS */
    int code_count;
    at_color_code *codes;
} at_coding;

void at_coding_free(at_coding *c);

/* Reads a mask file as class ids, *ids malloc'ed. `names` are for messages. */
at_status at_mask_load(const at_coding *c, const at_classes *names, const char *path, uint8_t **ids,
                       at_pair *size, at_error *err);

/* What a look at some masks of a set found, before it is known what they mean. */
enum { AT_SURVEY_COLORS = 256 };
typedef struct at_mask_survey {
    int masks; /* looked at */
    int64_t pixels;
    int64_t
        counts[AT_RAW_IDS]; /* of raw ids, in grey and indexed masks and grey ones saved as RGB */
    int colored;            /* masks that are in colour */
    char colored_file[256]; /* the first of them */
    int color_count;        /* different colours in them, up to AT_SURVEY_COLORS */
    at_rgb colors[AT_SURVEY_COLORS];
    int indexed;          /* indexed masks */
    int indexed_by_color; /* of these: all used colours are codes, and some code's id isn't the
                             index */
} at_mask_survey;

/* Adds one file. codes: the colours that are known, for indexed masks whose indices mean nothing.
 */
at_status at_mask_survey_add(at_mask_survey *s, const char *path, const at_color_code *codes,
                             int code_count, at_error *err);
/* Different raw ids seen, and the largest of them (-1: none). */
int at_mask_survey_distinct(const at_mask_survey *s, int *largest);

#endif
