/* SPDX-License-Identifier: MIT */
/* Private to the data room: growing text and sorted lists of files. */
#ifndef AT_DATA_TEXT_H
#define AT_DATA_TEXT_H

#include "data/data.h"

/* Text that grows; zero-initialise. Once memory runs out `failed` stays set and the text as it is.
 */
typedef struct at_text {
    char *s; /* NULL while empty */
    size_t length, capacity;
    bool failed;
} at_text;

void at_text_add(at_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void at_text_free(at_text *t);

/* Takes over `item` (also when it fails, or is NULL: out of memory). */
at_status at_paths_take(at_paths *p, char *item, at_error *err);

/* Names in a folder without those that begin with a dot, sorted by bytes: sub-folders or files. */
at_status at_list_dir(const char *dir, bool folders, at_paths *out, at_error *err);
/* Pictures directly in a folder; at_list_images goes down, too. */
at_status at_list_pictures(const char *dir, at_paths *out, at_error *err);

/* Is `name` in the sorted list? Its position, or -1. */
int at_paths_find(const at_paths *p, const char *name);

/* By the ending of the name: png, jpg, jpeg, bmp, pbm, pgm, ppm, pnm, in any case. */
bool at_is_picture_name(const char *name);
bool at_is_jpeg_name(const char *name);

/* Length without the ending; the ending begins at the last dot after the last slash. */
size_t at_stem_length(const char *name);
/* Parts of paths as new strings; NULL when out of memory. */
char *at_stem(const char *name);
char *at_substring(const char *s, size_t length);

#endif
