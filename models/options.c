/* SPDX-License-Identifier: MIT */
/* The options common to all architectures: names, defaults, limits, and their JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "models/models.h"

enum { MOST_CLASSES = 255, MOST_WIDTH = 16, MOST_FC = 1 << 16, MOST_RATE = 1 << 10 };

static const char *const upsample_names[AT_UP_COUNT] = {
    [AT_UP_NEAREST] = "nearest", [AT_UP_BILINEAR] = "bilinear",
    [AT_UP_BICUBIC] = "bicubic", [AT_UP_TRANSPOSED] = "transposed",
    [AT_UP_UNPOOL] = "unpool",   [AT_UP_PIXELSHUFFLE] = "pixelshuffle",
};
static const char *const norm_names[] = {"batch", "group", "none"};
enum { NORM_COUNT = sizeof norm_names / sizeof *norm_names };

const char *at_upsample_name(at_upsample u) {
    return u > AT_UP_DEFAULT && u < AT_UP_COUNT ? upsample_names[u] : NULL;
}

at_upsample at_upsample_find(const char *name) {
    for (int u = AT_UP_DEFAULT + 1; u < AT_UP_COUNT; u++)
        if (strcmp(upsample_names[u], name) == 0) return (at_upsample)u;
    return AT_UP_DEFAULT;
}

const char *at_norm_name(at_norm_kind k) {
    return (unsigned)k < NORM_COUNT ? norm_names[k] : NULL;
}

int at_scale_width(int channels, double width) {
    double fours = floor(channels * width / 4 + 0.5);
    return fours < 1 ? 4 : 4 * (int)fours;
}

/* ---- limits ---- */

/* Appends to a list that is read as "a, b, c"; a list that does not fit is cut. */
static void list_add(char *list, size_t size, const char *item) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", item);
}

static at_status refuse_upsample(const at_model *m, at_upsample u, at_error *err) {
    char works[128] = "";
    const char *name = at_upsample_name(u);
    for (int i = AT_UP_DEFAULT + 1; i < AT_UP_COUNT; i++)
        if (m->upsamples >> i & 1u) list_add(works, sizeof works, upsample_names[i]);
    return at_fail(err, AT_ERR_USAGE, "--upsample %s makes no sense for %s%s: what works is %s",
                   name ? name : "?", m->name,
                   u == AT_UP_UNPOOL ? " (no pooling there has indices for it)" : "", works);
}

static at_status check_depth(const at_model *m, int depth, at_error *err) {
    char works[64] = "";
    for (const int *d = m->depths; *d != 0; d++) {
        char number[16];
        if (*d == depth) return AT_OK;
        snprintf(number, sizeof number, "%d", *d);
        list_add(works, sizeof works, number);
    }
    return at_fail(err, AT_ERR_USAGE, "depth %d (%s) makes no sense for %s: what works is %s",
                   depth, m->depth_help, m->name, works);
}

/* An option that this architecture lacks was given: names those that have it. */
static at_status refuse_option(const at_model *m, const char *flag, bool (*has)(const at_model *),
                               at_error *err) {
    char works[128] = "";
    for (const at_model *const *i = at_model_list; *i != NULL; i++)
        if (has(*i)) list_add(works, sizeof works, (*i)->name);
    return at_fail(err, AT_ERR_USAGE, "%s means nothing for %s: it is for %s", flag, m->name,
                   works);
}

static bool has_rates(const at_model *m) {
    return m->has_rates;
}
static bool has_stride(const at_model *m) {
    return m->has_output_stride;
}
static bool has_fc(const at_model *m) {
    return m->has_fc;
}
static bool has_lrn(const at_model *m) {
    return m->has_lrn;
}

static at_status check_owned(const at_model *m, const at_model_opts *o, at_error *err) {
    if (o->rate_count != 0 && !m->has_rates) return refuse_option(m, "--rates", has_rates, err);
    if (o->output_stride != 0 && !m->has_output_stride)
        return refuse_option(m, "--output-stride", has_stride, err);
    if (o->fc != 0 && !m->has_fc) return refuse_option(m, "--fc", has_fc, err);
    if (o->lrn && !m->has_lrn) return refuse_option(m, "--lrn", has_lrn, err);
    return AT_OK;
}

static at_status check_rates(const at_model_opts *o, at_error *err) {
    if (o->rate_count < 0 || o->rate_count > AT_MAX_RATES)
        return at_fail(err, AT_ERR_USAGE, "--rates takes 1 to %d numbers", AT_MAX_RATES);
    for (int i = 0; i < o->rate_count; i++)
        if (o->rates[i] < 1 || o->rates[i] > MOST_RATE)
            return at_fail(err, AT_ERR_USAGE, "--rates: %d is not in 1 .. %d", o->rates[i],
                           MOST_RATE);
    return AT_OK;
}

static at_status check_numbers(const at_model_opts *o, at_error *err) {
    if (o->classes < 2 || o->classes > MOST_CLASSES)
        return at_fail(err, AT_ERR_USAGE, "--classes %d is not in 2 .. %d", o->classes,
                       MOST_CLASSES);
    if (o->in_channels != 1 && o->in_channels != 3 && o->in_channels != 4)
        return at_fail(err, AT_ERR_USAGE, "%d input channels: what works is 1, 3, 4",
                       o->in_channels);
    if (!(o->width > 0 && o->width <= MOST_WIDTH))
        return at_fail(err, AT_ERR_USAGE, "--width %g is not above 0 and at most %d", o->width,
                       MOST_WIDTH);
    if (o->fc < 0 || o->fc > MOST_FC)
        return at_fail(err, AT_ERR_USAGE, "--fc %d is not in 1 .. %d", o->fc, MOST_FC);
    if (at_norm_name(o->norm) == NULL)
        return at_fail(err, AT_ERR_USAGE, "--norm: what works is batch, group, none");
    if (o->output_stride != 0 && o->output_stride != 8 && o->output_stride != 16)
        return at_fail(err, AT_ERR_USAGE, "--output-stride %d: what works is 8, 16",
                       o->output_stride);
    return check_rates(o, err);
}

at_status at_model_resolve(const at_model *m, at_model_opts *o, at_error *err) {
    AT_TRY(check_owned(m, o, err));
    if (o->in_channels == 0) o->in_channels = 3;
    if (o->width == 0) o->width = 1;
    if (o->depth == 0) o->depth = m->depths[0];
    if (o->upsample == AT_UP_DEFAULT) o->upsample = m->default_upsample;
    AT_TRY(check_numbers(o, err));
    AT_TRY(check_depth(m, o->depth, err));
    if ((unsigned)o->upsample >= AT_UP_COUNT || !(m->upsamples >> o->upsample & 1u))
        return refuse_upsample(m, o->upsample, err);
    if (m->has_fc && o->fc == 0) o->fc = at_scale_width(1024, o->width);
    if (m->defaults != NULL) m->defaults(o);
    return AT_OK;
}

/* ---- JSON ---- */

static json_t *rates_to_json(const at_model_opts *o) {
    json_t *list = json_array();
    for (int i = 0; i < o->rate_count; i++)
        if (json_array_append_new(list, json_integer(o->rates[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

/* What only some architectures have. Steals nothing; 0 on success, as jansson's functions. */
static int owned_to_json(json_t *j, const at_model *m, const at_model_opts *o) {
    int failed = 0;
    if (m->has_fc) failed |= json_object_set_new(j, "fc", json_integer(o->fc));
    if (m->has_output_stride)
        failed |= json_object_set_new(j, "output_stride", json_integer(o->output_stride));
    if (m->has_rates) failed |= json_object_set_new(j, "rates", rates_to_json(o));
    if (m->has_lrn) failed |= json_object_set_new(j, "lrn", json_boolean(o->lrn));
    return failed;
}

json_t *at_model_opts_to_json(const at_model *m, const at_model_opts *opts) {
    json_t *j =
        json_pack("{ss si sf ss ss si si}", "name", m->name, "classes", opts->classes, "width",
                  opts->width, "upsample", at_upsample_name(opts->upsample), "norm",
                  at_norm_name(opts->norm), "in_channels", opts->in_channels, "depth", opts->depth);
    if (j != NULL && owned_to_json(j, m, opts) != 0) {
        json_decref(j);
        return NULL;
    }
    return j;
}

static bool read_int(const json_t *value, int *out) {
    json_int_t v = json_integer_value(value);
    if (!json_is_integer(value) || v < -MOST_FC || v > MOST_FC) return false;
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

static bool read_norm(const json_t *value, at_norm_kind *out) {
    for (int k = 0; json_is_string(value) && k < NORM_COUNT; k++)
        if (strcmp(norm_names[k], json_string_value(value)) == 0) {
            *out = (at_norm_kind)k;
            return true;
        }
    return false;
}

static bool read_upsample(const json_t *value, at_upsample *out) {
    *out = json_is_string(value) ? at_upsample_find(json_string_value(value)) : AT_UP_DEFAULT;
    return *out != AT_UP_DEFAULT;
}

static bool read_real(const json_t *value, double *out) {
    *out = json_number_value(value);
    return json_is_number(value);
}

static bool read_bool(const json_t *value, bool *out) {
    *out = json_is_true(value);
    return json_is_boolean(value);
}

static bool read_key(const char *key, const json_t *value, at_model_opts *o) {
    if (strcmp(key, "name") == 0) return true;
    if (strcmp(key, "classes") == 0) return read_int(value, &o->classes);
    if (strcmp(key, "width") == 0) return read_real(value, &o->width);
    if (strcmp(key, "upsample") == 0) return read_upsample(value, &o->upsample);
    if (strcmp(key, "norm") == 0) return read_norm(value, &o->norm);
    if (strcmp(key, "in_channels") == 0) return read_int(value, &o->in_channels);
    if (strcmp(key, "depth") == 0) return read_int(value, &o->depth);
    if (strcmp(key, "fc") == 0) return read_int(value, &o->fc);
    if (strcmp(key, "output_stride") == 0) return read_int(value, &o->output_stride);
    if (strcmp(key, "rates") == 0) return read_rates(value, o);
    if (strcmp(key, "lrn") == 0) return read_bool(value, &o->lrn);
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
