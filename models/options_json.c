/* SPDX-License-Identifier: MIT */
/* A model's options as JSON, as weight files and `info` show them, and the way back. */
#include <string.h>

#include "models/options.h"

/* ---- writing. Steals nothing; 0 on success, as jansson's functions. ---- */

static json_t *rates_to_json(const at_model_opts *o) {
    json_t *list = json_array();
    for (int i = 0; i < o->rate_count; i++)
        if (json_array_append_new(list, json_integer(o->rates[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* What only some architectures have. */
static int owned_to_json(json_t *j, const at_model *m, const at_model_opts *o) {
    int failed = 0;
    if (m->has_fc) failed |= json_object_set_new(j, "fc", json_integer(o->fc));
    if (m->has_output_stride)
        failed |= json_object_set_new(j, "output_stride", json_integer(o->output_stride));
    if (m->has_rates) failed |= json_object_set_new(j, "rates", rates_to_json(o));
    if (m->has_lrn) failed |= json_object_set_new(j, "lrn", json_boolean(o->lrn));
    if (m->skips) failed |= json_object_set_new(j, "skip", json_string(at_skip_name(o->skip)));
    if (m->decoders)
        failed |= json_object_set_new(j, "decoder", json_string(at_decoder_name(o->decoder)));
    return failed;
}

static int match_to_json(json_t *j, const at_model_opts *o) {
    if (o->match == AT_MATCH_NONE) return 0;
    int failed = json_object_set_new(j, "match", json_string(at_match_name(o->match)));
    failed |= json_object_set_new(j, "decoder_width", json_real(o->decoder_width));
    failed |= json_object_set_new(j, "decoder_unit", json_integer(o->decoder_unit));
    return failed | json_object_set_new(j, "match_error", json_real(o->match_error));
}

json_t *at_model_opts_to_json(const at_model *m, const at_model_opts *opts) {
    json_t *j =
        json_pack("{ss si sf ss ss si si}", "name", m->name, "classes", opts->classes, "width",
                  opts->width, "upsample", at_upsample_name(opts->upsample), "norm",
                  at_norm_name(opts->norm), "in_channels", opts->in_channels, "depth", opts->depth);
    if (j == NULL || (owned_to_json(j, m, opts) == 0 && match_to_json(j, opts) == 0)) return j;
    json_decref(j);
    return NULL;
}

/* ---- reading: false if the value is not of the right kind ---- */

static bool read_int(const json_t *value, int *out) {
    json_int_t v = json_integer_value(value);
    if (!json_is_integer(value) || v < -AT_MOST_FC || v > AT_MOST_FC) return false;
    *out = (int)v;
    return true;
}

static bool read_rates(const json_t *value, at_model_opts *o) {
    size_t count = json_array_size(value);
    if (!json_is_array(value) || count > AT_MAX_RATES) return false;
    for (size_t i = 0; i < count; i++)
        if (!read_int(json_array_get(value, i), &o->rates[i])) return false;
    o->rate_count = (int)count;
    return true;
}

static bool read_real(const json_t *value, double *out) {
    *out = json_number_value(value);
    return json_is_number(value);
}

static bool read_bool(const json_t *value, bool *out) {
    *out = json_is_true(value);
    return json_is_boolean(value);
}

/* The number of a spelling in *out; enums are read through an int. */
static bool read_name(const json_t *value, const char *const *names, int count, int *out) {
    *out = json_is_string(value) ? at_name_find(names, count, json_string_value(value)) : -1;
    return *out >= 0;
}

static bool read_choice(const char *key, const json_t *value, at_model_opts *o, bool *known) {
    int v = 0;
    bool good = false;
    *known = true;
    if (strcmp(key, "upsample") == 0) {
        good = read_name(value, at_upsample_names, AT_UP_COUNT, &v);
        o->upsample = (at_upsample)v;
    } else if (strcmp(key, "norm") == 0) {
        good = read_name(value, at_norm_names, AT_NORM_COUNT, &v);
        o->norm = (at_norm_kind)v;
    } else if (strcmp(key, "skip") == 0) {
        good = read_name(value, at_skip_names, AT_SKIP_COUNT, &v);
        o->skip = (at_skip)v;
    } else if (strcmp(key, "decoder") == 0) {
        good = read_name(value, at_decoder_names, AT_DECODER_COUNT, &v);
        o->decoder = (at_decoder)v;
    } else if (strcmp(key, "match") == 0) {
        good = read_name(value, at_match_names, AT_MATCH_COUNT, &v);
        o->match = (at_match)v;
    } else {
        *known = false;
    }
    return good;
}

static bool read_key(const char *key, const json_t *value, at_model_opts *o) {
    bool known;
    bool good = read_choice(key, value, o, &known);
    if (known) return good;
    if (strcmp(key, "name") == 0) return true;
    if (strcmp(key, "classes") == 0) return read_int(value, &o->classes);
    if (strcmp(key, "width") == 0) return read_real(value, &o->width);
    if (strcmp(key, "in_channels") == 0) return read_int(value, &o->in_channels);
    if (strcmp(key, "depth") == 0) return read_int(value, &o->depth);
    if (strcmp(key, "fc") == 0) return read_int(value, &o->fc);
    if (strcmp(key, "output_stride") == 0) return read_int(value, &o->output_stride);
    if (strcmp(key, "rates") == 0) return read_rates(value, o);
    if (strcmp(key, "lrn") == 0) return read_bool(value, &o->lrn);
    if (strcmp(key, "decoder_width") == 0) return read_real(value, &o->decoder_width);
    if (strcmp(key, "decoder_unit") == 0) return read_int(value, &o->decoder_unit);
    if (strcmp(key, "match_error") == 0) return read_real(value, &o->match_error);
    return false;
}

at_status at_model_from_json(const json_t *j, const at_model **m, at_model_opts *opts,
                             at_error *err) {
    const char *name = json_string_value(json_object_get(j, "name"));
    *opts = (at_model_opts){0};
    *m = name ? at_model_find(name) : NULL;
    if (*m == NULL)
        return at_fail(err, AT_ERR_INPUT, "no architecture is called '%s'",
                       name ? name : "(no name)");
    const char *key;
    json_t *value, *object = json_incref((json_t *)(uintptr_t)j);
    at_status status = AT_OK;
    json_object_foreach(object, key, value) {
        if (status == AT_OK && !read_key(key, value, opts))
            status =
                at_fail(err, AT_ERR_INPUT,
                        "model option \"%s\" of %s is unknown or has a wrong value", key, name);
    }
    json_decref(object);
    if (status == AT_OK) status = at_model_resolve(*m, opts, err);
    return status;
}
