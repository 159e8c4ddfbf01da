/* SPDX-License-Identifier: MIT */
/* Axes and their product. In study.json an axis is a name and values, a value a label and the
 * options it stands for: one option for an axis that people write, several in presets. */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "train/json_list.h"
#include "train/study_private.h"

/* ---- from words ---- */

/* What makes no difference to results, or is the study's own business. */
static const char *const no_axes[] = {"seed",    "runs",           "name",  "resume",
                                      "threads", "loader-threads", "cache", "max-mem"};

static at_status check_name(const char *name, at_error *err) {
    const at_train_option *opt = at_train_options;
    while (opt->name && strcmp(opt->name, name) != 0) opt++;
    if (!opt->name)
        return at_fail(err, AT_ERR_USAGE,
                       "--axis %s: there is no such option; `atrous train --help` lists them",
                       name);
    for (size_t i = 0; i < sizeof no_axes / sizeof *no_axes; i++)
        if (strcmp(name, no_axes[i]) == 0)
            return at_fail(err, AT_ERR_USAGE, "--axis %s: cannot be varied%s", name,
                           i ? "; any option of network, data or optimisation can"
                             : "; --seeds N says how many there are");
    return AT_OK;
}

static bool has_label(const json_t *values, const char *label) {
    for (size_t i = 0; i < json_array_size(values); i++)
        if (strcmp(json_string_value(json_object_get(json_array_get(values, i), "label")), label) ==
            0)
            return true;
    return false;
}

/* Checked by setting it on options that nobody uses. */
static at_status add_value(json_t *values, const char *name, const char *text, at_error *err) {
    at_train_opts scratch = at_train_defaults();
    at_error inner = {0};
    if (at_train_set(&scratch, name, text, &inner) != AT_OK)
        return at_fail(err, inner.status, "--axis %s", inner.text);
    if (has_label(values, text))
        return at_fail(err, AT_ERR_USAGE, "--axis %s: \"%s\" is given twice", name, text);
    json_t *value = json_pack("{s:s,s:{s:s}}", "label", text, "options", name, text);
    if (!value || json_array_append_new(values, value) != 0)
        return at_fail_memory(err, "an axis", 0);
    return AT_OK;
}

static at_status add_values(json_t *values, const char *name, const char *text, char separator,
                            at_error *err) {
    for (const char *end; text; text = end ? end + 1 : NULL) {
        end = strchr(text, separator);
        char *one = end ? strndup(text, (size_t)(end - text)) : strdup(text);
        if (!one) return at_fail_memory(err, "an axis", 0);
        const at_status s = add_value(values, name, one, err);
        free(one);
        AT_TRY(s);
    }
    return AT_OK;
}

static at_status parse(const char *name, const char *values, char separator, json_t **axis,
                       at_error *err) {
    AT_TRY(check_name(name, err));
    *axis = json_pack("{s:s,s:[]}", "name", name, "values");
    at_status s = *axis ? add_values(json_object_get(*axis, "values"), name, values, separator, err)
                        : at_fail_memory(err, "an axis", 0);
    if (s == AT_OK) return AT_OK;
    json_decref(*axis);
    *axis = NULL;
    return s;
}

at_status at_axis_parse(const at_axis_text *text, json_t **axis, at_error *err) {
    if (text->name) return parse(text->name, text->values, text->separator, axis, err);
    const char *equals = strchr(text->values, '=');
    if (!equals || equals == text->values)
        return at_fail(err, AT_ERR_USAGE,
                       "--axis \"%s\": expected NAME=V1:V2, as in rates=2,2,2:1,2,3", text->values);
    char *name = strndup(text->values, (size_t)(equals - text->values));
    if (!name) return at_fail_memory(err, "an axis", 0);
    const at_status s = parse(name, equals + 1, text->separator, axis, err);
    free(name);
    return s;
}

/* ---- names ---- */

/* "bilinear" where the axis goes without saying, "rates=1,2,3" where it does not. */
static bool speaks_for_itself(const char *axis, const json_t *value) {
    const json_t *own = json_object_get(json_object_get(value, "options"), axis);
    return !own || strcmp(axis, "upsample") == 0 || strcmp(axis, "model") == 0;
}

static at_status extend_name(at_variant *v, const char *axis, const json_t *value, at_error *err) {
    const char *label = json_string_value(json_object_get(value, "label"));
    const bool bare = speaks_for_itself(axis, value);
    char *longer = at_format("%s%s%s%s%s", v->name ? v->name : "", v->name ? " / " : "",
                             bare ? "" : axis, bare ? "" : "=", label);
    free(v->name);
    v->name = longer;
    return longer ? AT_OK : at_fail_memory(err, "a variant's name", 0);
}

enum { LONGEST_SLUG = 80 };

/* What may stand in a path without quoting; " / " becomes "+". Where that loses something, or the
 * name is long, a hash of it keeps names apart. */
static at_status make_slug(at_variant *v, bool hashed, at_error *err) {
    char text[LONGEST_SLUG + 1];
    size_t n = 0;
    const char *p = v->name;
    assert(p); /* there is an axis at least */
    for (; *p && n < LONGEST_SLUG; p++) {
        const bool joint = strncmp(p, " / ", 3) == 0;
        const bool plain = isalnum((unsigned char)*p) || (strchr("._=+,-", *p) && p > v->name);
        hashed |= !joint && !plain;
        text[n++] = joint ? '+' : plain ? *p : '-';
        if (joint) p += 2;
    }
    text[n] = '\0';
    hashed |= *p != '\0';
    free(v->slug);
    v->slug = hashed ? at_format("%s-%08x", text, (unsigned)at_hash(v->name)) : strdup(text);
    return v->slug ? AT_OK : at_fail_memory(err, "a variant's name", 0);
}

static at_status make_slugs(at_study *s, at_error *err) {
    for (int i = 0; i < s->variant_count; i++) {
        AT_TRY(make_slug(&s->variants[i], false, err));
        for (int k = 0; k < i; k++)
            if (strcmp(s->variants[k].slug, s->variants[i].slug) == 0)
                AT_TRY(make_slug(&s->variants[i], true, err));
    }
    return AT_OK;
}

/* ---- the product ---- */

static at_status unknown_model(const char *name, at_error *err) {
    char known[256] = "";
    for (const at_model *const *m = at_model_list; *m; m++) {
        const size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", (*m)->name);
    }
    return at_fail(err, AT_ERR_USAGE, "there is no model \"%s\"; there are %s", name, known);
}

/* Unpooling without poolings, rates for a network that has none: found before anything starts. How
 * many classes there are is the data's business. */
static at_status check(const at_variant *v, at_error *err) {
    const at_model *m = at_model_find(v->opts.model);
    at_model_opts net = v->opts.net;
    if (!m) return unknown_model(v->opts.model, err);
    net.classes = v->opts.classes ? v->opts.classes : 2;
    if (at_model_resolve(m, &net, err) == AT_OK) return AT_OK;
    return at_error_context(err, "variant %s", v->name);
}

/* Variant number i: the last axis varies fastest. */
static at_status make_variant(at_study *s, int i, const at_train_opts *base, at_error *err) {
    at_variant *v = &s->variants[i];
    json_t *axes = json_object_get(s->config, "axes");
    int rest = i, place[AT_MAX_AXES];
    for (int a = s->axis_count - 1; a >= 0; a--) {
        const int count =
            (int)json_array_size(json_object_get(json_array_get(axes, (size_t)a), "values"));
        place[a] = rest % count;
        rest /= count;
    }
    v->opts = *base;
    v->lr = -1;
    for (int a = 0; a < s->axis_count; a++) {
        json_t *value = json_array_get(json_object_get(json_array_get(axes, (size_t)a), "values"),
                                       (size_t)place[a]);
        v->values[a] = json_string_value(json_object_get(value, "label"));
        AT_TRY(at_train_opts_from_json(&v->opts, json_object_get(value, "options"), err));
        AT_TRY(extend_name(v, s->axes[a], value, err));
    }
    return check(v, err);
}

static at_status count_variants(at_study *s, at_error *err) {
    const json_t *axes = json_object_get(s->config, "axes");
    size_t i, count = 1;
    const json_t *axis;
    json_array_foreach(axes, i, axis) {
        s->axes[i] = json_string_value(json_object_get(axis, "name"));
        count *= json_array_size(json_object_get(axis, "values"));
        if (count > AT_MAX_VARIANTS)
            return at_fail(err, AT_ERR_USAGE,
                           "the axes multiply to more than %d variants: vary less at once",
                           AT_MAX_VARIANTS);
    }
    s->axis_count = (int)json_array_size(axes);
    s->variant_count = (int)count;
    return AT_OK;
}

at_status at_study_make_variants(at_study *s, at_error *err) {
    at_train_opts base = at_train_defaults();
    AT_TRY(count_variants(s, err));
    AT_TRY(at_train_opts_from_json(&base, json_object_get(s->config, "options"), err));
    s->variants = calloc((size_t)s->variant_count, sizeof *s->variants);
    if (!s->variants) {
        s->variant_count = 0;
        return at_fail_memory(err, "variants", 0);
    }
    for (int i = 0; i < s->variant_count; i++) AT_TRY(make_variant(s, i, &base, err));
    return make_slugs(s, err);
}
