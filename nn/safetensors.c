/* SPDX-License-Identifier: MIT */
/* safetensors, read with suspicion. A file is in memory whole; tensors point into it. After
 * parsing, the tensors tile the data part without gap or overlap, in the order of f->tensors.
 * Dtypes that no part of this library uses are refused. Only for little-endian machines. */
#include "nn/safetensors.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "nn/file.h"
#include "nn/json.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "safetensors data is little endian");

enum { LENGTH_BYTES = 8, MAX_HEADER = 100000000 /* the format's own limit */ };

static const struct {
    const char *name;
    size_t size;
} dtypes[] = {
    [AT_ST_F32] = {"F32", 4},   [AT_ST_F64] = {"F64", 8}, [AT_ST_F16] = {"F16", 2},
    [AT_ST_BF16] = {"BF16", 2}, [AT_ST_I64] = {"I64", 8}, [AT_ST_I32] = {"I32", 4},
    [AT_ST_U8] = {"U8", 1},
};
enum { DTYPES = sizeof dtypes / sizeof dtypes[0] };

static const char metadata_key[] = "__metadata__";

/* ---- reading ---- */

static at_status parse_dtype(const json_t *j, const char *path, at_st_tensor *t, at_error *err) {
    const char *name = json_string_value(j);
    for (int i = 0; name && i < DTYPES; i++) {
        if (strcmp(name, dtypes[i].name)) continue;
        t->dtype = (at_st_dtype)i;
        return AT_OK;
    }
    return at_fail(err, AT_ERR_INPUT,
                   "'%s': tensor '%s' has dtype %s; F32, F64, F16, BF16, I64, I32 and U8 can be "
                   "read: convert it",
                   path, t->name, name ? name : "(none)");
}

/* Shape and, from it, the size in bytes. */
static at_status parse_shape(const json_t *j, const char *path, at_st_tensor *t, at_error *err) {
    if (!json_is_array(j) || json_array_size(j) > AT_ST_MAX_RANK)
        return at_fail(err, AT_ERR_INPUT, "'%s': shape of tensor '%s' is not a list of at most %d",
                       path, t->name, AT_ST_MAX_RANK);
    t->rank = (int)json_array_size(j);
    t->bytes = dtypes[t->dtype].size;
    for (int i = 0; i < t->rank; i++) {
        const json_t *dim = json_array_get(j, (size_t)i);
        json_int_t n = json_integer_value(dim);
        if (!json_is_integer(dim) || n < 0)
            return at_fail(err, AT_ERR_INPUT,
                           "'%s': shape of tensor '%s' has a dimension that is "
                           "not a whole number from 0",
                           path, t->name);
        if (__builtin_mul_overflow(t->bytes, (size_t)n, &t->bytes))
            return at_fail(err, AT_ERR_INPUT, "'%s': shape of tensor '%s' overflows", path,
                           t->name);
        t->shape[i] = n;
    }
    return AT_OK;
}

/* data_offsets: [begin, end) within the data part, `room` bytes at `data`. */
static at_status parse_offsets(const json_t *j, const char *path, const char *data, size_t room,
                               at_st_tensor *t, at_error *err) {
    const json_t *jb = json_array_get(j, 0), *je = json_array_get(j, 1);
    if (json_array_size(j) != 2 || !json_is_integer(jb) || !json_is_integer(je))
        return at_fail(err, AT_ERR_INPUT,
                       "'%s': data_offsets of tensor '%s' are not two whole "
                       "numbers",
                       path, t->name);
    json_int_t begin = json_integer_value(jb), end = json_integer_value(je);
    if (begin < 0 || end < begin || (unsigned long long)end > room)
        return at_fail(err, AT_ERR_INPUT,
                       "'%s': tensor '%s' lies at bytes %lld to %lld, the file "
                       "has %zu bytes of data: it is damaged or cut short",
                       path, t->name, (long long)begin, (long long)end, room);
    if ((size_t)(end - begin) != t->bytes)
        return at_fail(err, AT_ERR_INPUT,
                       "'%s': tensor '%s' takes %lld bytes, its dtype and shape "
                       "need %zu",
                       path, t->name, (long long)(end - begin), t->bytes);
    t->data = data + begin;
    return AT_OK;
}

static int by_place(const void *a, const void *b) {
    const at_st_tensor *s = a, *t = b;
    if (s->data != t->data) return (const char *)s->data < (const char *)t->data ? -1 : 1;
    return (s->bytes > t->bytes) - (s->bytes < t->bytes); /* empty ones first */
}

/* Every byte of data belongs to exactly one tensor. */
static at_status check_tiling(at_st_file *f, const char *data, at_error *err) {
    if (f->count) qsort(f->tensors, (size_t)f->count, sizeof *f->tensors, by_place);
    const char *end = data;
    for (int i = 0; i < f->count; i++) {
        const at_st_tensor *t = &f->tensors[i];
        if (t->data != end)
            return at_fail(err, AT_ERR_INPUT, "'%s': tensor '%s' %s", f->path, t->name,
                           (const char *)t->data < end ? "overlaps another one"
                                                       : "has unused bytes before it");
        end += t->bytes;
    }
    size_t rest = (size_t)(f->buffer + f->size - end);
    if (rest)
        return at_fail(err, AT_ERR_INPUT, "'%s' has %zu bytes that belong to no tensor", f->path,
                       rest);
    return AT_OK;
}

static at_status parse_metadata(at_st_file *f, at_error *err) {
    json_t *m = json_object_get(f->header, metadata_key);
    f->metadata = m ? json_incref(m) : json_object();
    if (!f->metadata) return at_fail_memory(err, f->path, 0);
    bool strings = json_is_object(f->metadata);
    const char *key;
    json_t *value;
    json_object_foreach(f->metadata, key, value) strings = strings && json_is_string(value);
    if (strings) return AT_OK;
    return at_fail(err, AT_ERR_INPUT, "'%s': %s is not an object of strings", f->path,
                   metadata_key);
}

static at_status parse_tensors(at_st_file *f, const char *data, at_error *err) {
    size_t room = (size_t)(f->buffer + f->size - data), entries = json_object_size(f->header);
    f->tensors = calloc(entries + 1, sizeof *f->tensors);
    if (!f->tensors) return at_fail_memory(err, f->path, (entries + 1) * sizeof *f->tensors);
    const char *name;
    json_t *entry;
    json_object_foreach(f->header, name, entry) {
        if (!strcmp(name, metadata_key)) continue;
        at_st_tensor *t = &f->tensors[f->count++];
        t->name = name;
        AT_TRY(parse_dtype(json_object_get(entry, "dtype"), f->path, t, err));
        AT_TRY(parse_shape(json_object_get(entry, "shape"), f->path, t, err));
        AT_TRY(parse_offsets(json_object_get(entry, "data_offsets"), f->path, data, room, t, err));
    }
    return check_tiling(f, data, err);
}

static at_status parse_header(at_st_file *f, at_error *err) {
    uint64_t length = 0;
    if (f->size > LENGTH_BYTES) memcpy(&length, f->buffer, LENGTH_BYTES);
    if (!length || length > MAX_HEADER || f->buffer[LENGTH_BYTES] != '{')
        return at_fail(err, AT_ERR_INPUT, "'%s' is not a safetensors file", f->path);
    if (length > f->size - LENGTH_BYTES)
        return at_fail(err, AT_ERR_INPUT,
                       "'%s' is cut short: its header alone has %llu bytes, the file "
                       "%zu",
                       f->path, (unsigned long long)length, f->size);
    json_error_t problem;
    const char *text = f->buffer + LENGTH_BYTES;
    f->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &problem);
    if (f->header) return AT_OK;
    if (json_error_code(&problem) == json_error_out_of_memory)
        return at_fail_memory(err, f->path, (size_t)length);
    return at_fail(err, AT_ERR_INPUT, "'%s': safetensors header, byte %d: %s", f->path,
                   problem.position, problem.text);
}

static at_status parse(at_st_file *f, at_error *err) {
    AT_TRY(parse_header(f, err));
    uint64_t length;
    memcpy(&length, f->buffer, LENGTH_BYTES);
    AT_TRY(parse_metadata(f, err));
    return parse_tensors(f, f->buffer + LENGTH_BYTES + length, err);
}

at_status at_st_parse(at_st_file *f, const char *path, char *buffer, size_t size, at_error *err) {
    *f = (at_st_file){.path = strdup(path), .buffer = buffer, .size = size};
    at_status status = f->path ? parse(f, err) : at_fail_memory(err, path, strlen(path) + 1);
    if (status) at_st_close(f);
    return status;
}

at_status at_st_open(at_st_file *f, const char *path, at_error *err) {
    *f = (at_st_file){0};
    char *buffer;
    size_t size;
    AT_TRY(at_file_read(path, 0, &buffer, &size, err));
    return at_st_parse(f, path, buffer, size, err);
}

void at_st_close(at_st_file *f) {
    json_decref(f->metadata);
    json_decref(f->header);
    free(f->tensors);
    free(f->buffer);
    free(f->path);
    *f = (at_st_file){0};
}

const at_st_tensor *at_st_find(const at_st_file *f, const char *name) {
    for (int i = 0; i < f->count; i++)
        if (!strcmp(f->tensors[i].name, name)) return &f->tensors[i];
    return NULL;
}

int64_t at_st_count(const at_st_tensor *t) {
    return (int64_t)(t->bytes / dtypes[t->dtype].size);
}

/* ---- conversion ---- */

static float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* IEEE half: 1 sign, 5 exponent (bias 15), 10 fraction. */
static float from_half(uint16_t h) {
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    if (exponent == 31) return from_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent) return from_bits(sign | (exponent + 112) << 23 | fraction << 13);
    float tiny = (float)fraction * 0x1p-24f;
    return sign ? -tiny : tiny;
}

static float element(const at_st_tensor *t, size_t i) {
    const char *at = (const char *)t->data + i * dtypes[t->dtype].size;
    uint16_t half;
    double wide;
    if (t->dtype == AT_ST_F64) {
        memcpy(&wide, at, sizeof wide);
        return (float)wide;
    }
    memcpy(&half, at, sizeof half);
    return t->dtype == AT_ST_F16 ? from_half(half) : from_bits((uint32_t)half << 16);
}

at_status at_st_read_f32(const at_st_file *f, const at_st_tensor *t, float *out, at_error *err) {
    size_t count = (size_t)at_st_count(t);
    switch (t->dtype) {
    case AT_ST_F32:
        if (count) memcpy(out, t->data, t->bytes);
        return AT_OK;
    case AT_ST_F64:
    case AT_ST_F16:
    case AT_ST_BF16:
        for (size_t i = 0; i < count; i++) out[i] = element(t, i);
        return AT_OK;
    default:
        return at_fail(err, AT_ERR_INPUT,
                       "'%s': tensor '%s' has dtype %s; a floating one is needed", f->path, t->name,
                       dtypes[t->dtype].name);
    }
}

/* ---- writing ---- */

/* The widest dtype. Data and header go from the widest to the narrowest: then each tensor is
 * aligned to its element, which some readers need. */
enum { MAX_ELEMENT = 8 };

/* {"dtype": ..., "shape": [...], "data_offsets": [offset, offset + bytes]}, or NULL: out of memory.
 * jansson's *_new functions take NULL for a failed part and report it. */
static json_t *describe(const at_st_tensor *t, uint64_t offset) {
    json_t *entry = json_object(), *shape = json_array(), *offsets = json_array();
    int bad = json_object_set_new(entry, "dtype", json_string(dtypes[t->dtype].name));
    for (int i = 0; i < t->rank; i++)
        bad |= json_array_append_new(shape, json_integer(t->shape[i]));
    bad |= json_array_append_new(offsets, json_integer((json_int_t)offset));
    bad |= json_array_append_new(offsets, json_integer((json_int_t)(offset + t->bytes)));
    bad |= json_object_set_new(entry, "shape", shape);
    bad |= json_object_set_new(entry, "data_offsets", offsets);
    if (!bad) return entry;
    json_decref(entry);
    return NULL;
}

static at_status add_entry(json_t *header, const char *path, const at_st_tensor *t, uint64_t offset,
                           at_error *err) {
    size_t bytes = dtypes[t->dtype].size;
    assert(t->rank >= 0 && t->rank <= AT_ST_MAX_RANK);
    for (int i = 0; i < t->rank; i++) bytes *= (size_t)t->shape[i];
    assert(bytes == t->bytes);
    if (!strcmp(t->name, metadata_key) || json_object_get(header, t->name))
        return at_fail(err, AT_ERR_INPUT, "'%s': the tensor name '%s' is taken", path, t->name);
    json_t *entry = describe(t, offset);
    if (!entry) return at_fail_memory(err, path, bytes);
    if (json_object_set_new(header, t->name, entry))
        return at_fail(err, AT_ERR_INPUT,
                       "'%s': '%s' can't name a tensor: it is not UTF-8, or memory "
                       "ran out",
                       path, t->name);
    return AT_OK;
}

static at_status add_entries(json_t *header, const char *path, const at_st_tensor *tensors,
                             int count, at_error *err) {
    uint64_t offset = 0;
    for (size_t size = MAX_ELEMENT; size; size /= 2)
        for (int i = 0; i < count; i++) {
            if (dtypes[tensors[i].dtype].size != size) continue;
            AT_TRY(add_entry(header, path, &tensors[i], offset, err));
            offset += tensors[i].bytes;
        }
    return AT_OK;
}

/* *text is jansson's: at_json_release. */
static at_status make_header(const char *path, const at_st_tensor *tensors, int count,
                             const json_t *metadata, char **text, at_error *err) {
    json_t *header = json_object();
    at_status status = AT_OK;
    if (!header ||
        (metadata && json_object_set_new(header, metadata_key, json_deep_copy(metadata))))
        status = at_fail_memory(err, path, 0);
    if (!status) status = add_entries(header, path, tensors, count, err);
    if (!status) {
        *text = json_dumps(header, JSON_COMPACT);
        if (!*text) status = at_fail_memory(err, path, 0);
    }
    json_decref(header);
    return status;
}

static void write_all(FILE *out, const char *header, const at_st_tensor *tensors, int count) {
    size_t length = strlen(header), padding = -length % MAX_ELEMENT; /* blanks are allowed */
    uint64_t total = length + padding;
    fwrite(&total, LENGTH_BYTES, 1, out);
    fprintf(out, "%s%*s", header, (int)padding, "");
    for (size_t size = MAX_ELEMENT; size; size /= 2)
        for (int i = 0; i < count; i++)
            if (dtypes[tensors[i].dtype].size == size && tensors[i].bytes)
                fwrite(tensors[i].data, tensors[i].bytes, 1, out);
}

at_status at_st_write(const char *path, const at_st_tensor *tensors, int count,
                      const json_t *metadata, at_error *err) {
    char *header;
    AT_TRY(make_header(path, tensors, count, metadata, &header, err));
    at_file_writer w;
    at_status status = at_file_begin(&w, path, err);
    if (!status) {
        write_all(w.stream, header, tensors, count);
        status = at_file_commit(&w, err);
    }
    at_json_release(header);
    return status;
}
