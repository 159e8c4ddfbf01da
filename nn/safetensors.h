/* SPDX-License-Identifier: MIT */
/* The safetensors container: 8 bytes of header length (little endian), a JSON header, the data.
 * The reader trusts nothing: lengths, overlaps, gaps, dtypes, shape products and duplicate names
 * are checked, and errors name the file and the tensor. The writer is atomic (nn/file.h). */
#ifndef AT_NN_SAFETENSORS_H
#define AT_NN_SAFETENSORS_H

#include <jansson.h>
#include <stdint.h>

#include "nn/status.h"

enum { AT_ST_MAX_RANK = 8 };

typedef enum at_st_dtype {
    AT_ST_F32,
    AT_ST_F64,
    AT_ST_F16,
    AT_ST_BF16,
    AT_ST_I64,
    AT_ST_I32,
    AT_ST_U8
} at_st_dtype;

typedef struct at_st_tensor {
    const char *name;
    at_st_dtype dtype;
    int rank; /* 0 .. AT_ST_MAX_RANK */
    int64_t shape[AT_ST_MAX_RANK];
    const void *data; /* not necessarily aligned */
    size_t bytes;
} at_st_tensor;

typedef struct at_st_file {
    char *path;
    char *buffer; /* the whole file */
    size_t size;
    at_st_tensor *tensors; /* in the order of their data */
    int count;
    json_t *header;   /* names live in here */
    json_t *metadata; /* the "__metadata__" object of strings, or an empty object */
} at_st_file;

/* On error *f is empty; at_st_close is safe on it, and on a zero-initialised one. */
at_status at_st_open(at_st_file *f, const char *path, at_error *err);
/* The same from memory; takes over `buffer` (malloc'ed) whatever happens. `path` is for errors. */
at_status at_st_parse(at_st_file *f, const char *path, char *buffer, size_t size, at_error *err);
void at_st_close(at_st_file *f);

/* NULL when there is no such tensor. */
const at_st_tensor *at_st_find(const at_st_file *f, const char *name);

/* Element count; and a copy as fp32, from any floating dtype. `out` holds count elements. */
int64_t at_st_count(const at_st_tensor *t);
at_status at_st_read_f32(const at_st_file *f, const at_st_tensor *t, float *out, at_error *err);

/* Writes tensors (data in C order) and metadata (an object of strings, or NULL), in the order given
 * but wider dtypes first. A name given twice is AT_ERR_INPUT. */
at_status at_st_write(const char *path, const at_st_tensor *tensors, int count,
                      const json_t *metadata, at_error *err);

#endif
