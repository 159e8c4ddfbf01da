/* SPDX-License-Identifier: MIT */
/* What the files about options share. Private to the models. */
#ifndef AT_MODELS_OPTIONS_H
#define AT_MODELS_OPTIONS_H

#include "models/models.h"

enum { AT_MOST_FC = 1 << 16, AT_NORM_COUNT = 3 };

/* Spellings by value; NULL at 0 where 0 means the architecture's own. */
extern const char *const at_upsample_names[AT_UP_COUNT];
extern const char *const at_norm_names[AT_NORM_COUNT];
extern const char *const at_skip_names[AT_SKIP_COUNT];
extern const char *const at_decoder_names[AT_DECODER_COUNT];
extern const char *const at_match_names[AT_MATCH_COUNT];

/* The value that `text` spells, or -1. */
int at_name_find(const char *const *names, int count, const char *text);

/* Seeks the decoder's width for opts->match, all else resolved; see at_model_resolve. */
at_status at_model_match(const at_model *m, at_model_opts *opts, at_error *err);

#endif
