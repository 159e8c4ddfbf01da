/* SPDX-License-Identifier: MIT */
/* JSON by jansson, with two additions: comments from // to the end of the line are allowed in files
 * that people write, and errors name file, line and column. */
#ifndef AT_NN_JSON_H
#define AT_NN_JSON_H

#include <jansson.h>

#include "nn/status.h"

/* *root is a new reference (json_decref). `where` names the source in errors. */
at_status at_json_parse(const char *text, size_t size, const char *where, json_t **root,
                        at_error *err);
at_status at_json_load(const char *path, json_t **root, at_error *err);

/* Writes indented JSON, atomically; numbers with 15 digits, so that 0.1 reads 0.1 and every float
 * comes back to the bit. Does not steal the reference. */
at_status at_json_save(const char *path, const json_t *root, at_error *err);

/* Frees what json_dumps gave, with the function jansson was told to use; NULL is fine. */
void at_json_release(char *text);

#endif
