/* SPDX-License-Identifier: MIT */
/* Adding to JSON lists and objects so that running out of memory shows: what could not be added to
 * becomes NULL and stays so, and NULL can be added to. */
#ifndef AT_TRAIN_JSON_LIST_H
#define AT_TRAIN_JSON_LIST_H

#include <jansson.h>

/* Takes over `item`; NULL is a failure. */
static inline void at_json_add(json_t **list, json_t *item) {
    if (json_array_append_new(*list, item) == 0) return;
    json_decref(*list);
    *list = NULL;
}

static inline void at_json_put(json_t **object, const char *key, json_t *item) {
    if (json_object_set_new(*object, key, item) == 0) return;
    json_decref(*object);
    *object = NULL;
}

#endif
