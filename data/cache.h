/* SPDX-License-Identifier: MIT */
/* Private to the data room: decoded samples of a split, kept in memory up to a budget. */
#ifndef AT_DATA_CACHE_H
#define AT_DATA_CACHE_H

#include "data/data.h"

typedef struct at_cache at_cache;

/* resize 0: samples as they are. budget: bytes; 0: a quarter of what is free. */
at_status at_cache_new(at_cache **out, const at_dataset *set, const at_split *split, int channels,
                       at_pair resize, size_t budget, at_error *err);
void at_cache_free(at_cache *c);

/* A decoded sample. `kept` says whether the cache holds it: then it is not to be freed. */
typedef struct at_decoded {
    at_image image;
    uint8_t *mask; /* NULL: none */
    bool kept;
} at_decoded;

/* May be called by several threads at once. */
at_status at_cache_get(at_cache *c, int sample, at_decoded *out, at_error *err);
void at_cache_release(at_decoded *d);

#endif
