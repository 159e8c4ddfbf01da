/* SPDX-License-Identifier: MIT */
/* A study that goes on: what is said now held against study.json. More seeds and more values on an
 * axis are taken in, everything else must be what it was. */
#include <stdlib.h>
#include <string.h>

#include "train/json_list.h"
#include "train/study_private.h"

const char at_study_format[] = "atrous-study/1";
const char *const at_study_equals[] = {"epochs", "time"};

bool at_study_said(const at_study_opts *o, const char *name) {
    for (int i = 0; i < o->said_count; i++)
        if (strcmp(o->said[i], name) == 0) return true;
    return false;
}

bool at_study_is_passing(const char *name) {
    static const char *const names[] = {"runs",           "name",  "resume", "threads",
                                        "loader-threads", "cache", "max-mem"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return true;
    return false;
}

static at_status contradicts(const char *dir, const char *name, const char *now, const char *then,
                             at_error *err) {
    return at_fail(err, AT_ERR_USAGE,
                   "--%s %s contradicts the study %s, which has %s: leave it out, or begin another "
                   "study with another --name",
                   name, now, dir, *then ? then : "none");
}

/* ---- learning rates ---- */

at_status at_study_parse_lrs(const char *text, json_t **list, at_error *err) {
    json_t *axis, *lrs = json_array();
    const at_axis_text t = {"lr", text, ','};
    *list = NULL;
    at_error inner = {0};
    if (at_axis_parse(&t, &axis, &inner) != AT_OK) {
        json_decref(lrs);
        return at_fail(err, inner.status, "--tune-lr: %s", inner.text);
    }
    const json_t *values = json_object_get(axis, "values");
    const size_t count = json_array_size(values);
    for (size_t i = 0; i < count; i++)
        at_json_add(&lrs, json_incref(json_object_get(json_array_get(values, i), "label")));
    json_decref(axis);
    if (!lrs) return at_fail_memory(err, "learning rates", 0);
    *list = lrs;
    if (count >= 2 && count <= AT_MAX_LRS) return AT_OK;
    json_decref(lrs);
    *list = NULL;
    return at_fail(err, AT_ERR_USAGE, "--tune-lr %s: give 2 to %d rates", text, AT_MAX_LRS);
}

/* "0.001,0.003" */
static char *lrs_text(const json_t *lrs) {
    char *text = strdup("");
    for (size_t i = 0; text && i < json_array_size(lrs); i++) {
        char *longer =
            at_format("%s%s%s", text, i ? "," : "", json_string_value(json_array_get(lrs, i)));
        free(text);
        text = longer;
    }
    return text;
}

/* ---- options ---- */

/* Where a path leads; the path itself if it leads nowhere. malloc'ed. */
static char *whole_path(const char *path) {
    char *whole = realpath(path, NULL);
    return whole ? whole : strdup(path);
}

static at_status compare_texts(const char *dir, const char *name, char *now, const char *then,
                               at_error *err) {
    if (!now || !then) return at_fail_memory(err, name, 0);
    if ((strcmp(name, "data") == 0 || strcmp(name, "init") == 0) && *now) {
        char *whole = whole_path(now);
        if (!whole) return at_fail_memory(err, name, 0);
        const bool same = strcmp(whole, then) == 0;
        free(whole);
        return same ? AT_OK : contradicts(dir, name, now, then, err);
    }
    return strcmp(now, then) == 0 ? AT_OK : contradicts(dir, name, now, then, err);
}

static at_status check_option(const char *dir, const char *name, const at_train_opts *now,
                              const at_train_opts *then, at_error *err) {
    char *a = at_train_get(now, name), *b = at_train_get(then, name);
    const at_status s = compare_texts(dir, name, a, b, err);
    free(a);
    free(b);
    return s;
}

static bool is_train_option(const char *name) {
    const at_train_option *opt = at_train_options;
    while (opt->name && strcmp(opt->name, name) != 0) opt++;
    return opt->name != NULL;
}

static at_status check_options(json_t *config, const at_study_opts *o, const char *dir,
                               at_error *err) {
    at_train_opts then = at_train_defaults();
    AT_TRY(at_train_opts_from_json(&then, json_object_get(config, "options"), err));
    for (int i = 0; i < o->said_count; i++) {
        const char *name = o->said[i];
        if (is_train_option(name) && !at_study_is_passing(name))
            AT_TRY(check_option(dir, name, &o->base, &then, err));
    }
    return AT_OK;
}

/* ---- what is the study's own ---- */

static at_status check_text(const json_t *config, const char *key, const char *name,
                            const char *now, const char *dir, at_error *err) {
    const char *then = json_string_value(json_object_get(config, key));
    if (!now || (then && strcmp(now, then) == 0)) return AT_OK;
    return contradicts(dir, name, now, then ? then : "", err);
}

static at_status check_tuning(const json_t *config, const at_study_opts *o, const char *dir,
                              at_error *err) {
    char now[32], then[32];
    const double share = json_number_value(json_object_get(config, "tune_share"));
    if (at_study_said(o, "tune-share") && o->tune_share != share) {
        snprintf(now, sizeof now, "%g", o->tune_share);
        snprintf(then, sizeof then, "%g", share);
        return contradicts(dir, "tune-share", now, then, err);
    }
    if (!o->tune_lr) return AT_OK;
    char *text = lrs_text(json_object_get(config, "tune_lr"));
    at_status s = AT_OK;
    if (!text)
        s = at_fail_memory(err, "learning rates", 0);
    else if (strcmp(text, o->tune_lr) != 0)
        s = contradicts(dir, "tune-lr", o->tune_lr, text, err);
    free(text);
    return s;
}

static at_status take_seeds(json_t *config, const at_study_opts *o, const char *dir,
                            at_error *err) {
    char now[32], then[32];
    const json_int_t has = json_integer_value(json_object_get(config, "seeds"));
    if (o->seeds < has && o->seeds) {
        snprintf(now, sizeof now, "%d", o->seeds);
        snprintf(then, sizeof then, "%lld already", (long long)has);
        return contradicts(dir, "seeds", now, then, err);
    }
    if (!o->seeds) return AT_OK;
    return json_object_set_new(config, "seeds", json_integer(o->seeds)) == 0
               ? AT_OK
               : at_fail_memory(err, "seeds", 0);
}

/* ---- axes ---- */

static json_t *find_named(const json_t *list, const char *key, const char *name) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *own = json_string_value(json_object_get(json_array_get(list, i), key));
        if (own && name && strcmp(own, name) == 0) return json_array_get(list, i);
    }
    return NULL;
}

static at_status missing(const char *dir, const char *name, const char *label, at_error *err) {
    return at_fail(err, AT_ERR_USAGE,
                   "--axis %s contradicts the study %s, where \"%s\" is one of the values: values "
                   "can be added, not left out; or begin another study with another --name",
                   name, dir, label);
}

/* `now` has all values that the study has; others are added. */
static at_status take_axis(json_t *config, json_t *now, const char *dir, at_error *err) {
    const char *name = json_string_value(json_object_get(now, "name"));
    const json_t *given = json_object_get(now, "values");
    json_t *then = find_named(json_object_get(config, "axes"), "name", name),
           *values = json_object_get(then, "values");
    size_t i;
    json_t *value;
    if (!then)
        return at_fail(err, AT_ERR_USAGE,
                       "--axis %s contradicts the study %s, which does not vary it: begin another "
                       "study with another --name",
                       name, dir);
    json_array_foreach(values, i, value) {
        const char *label = json_string_value(json_object_get(value, "label"));
        if (!find_named(given, "label", label)) return missing(dir, name, label, err);
    }
    json_array_foreach(given, i, value) {
        const char *label = json_string_value(json_object_get(value, "label"));
        if (!find_named(values, "label", label) && json_array_append(values, value) != 0)
            return at_fail_memory(err, "an axis", 0);
    }
    return AT_OK;
}

static at_status take_axes(json_t *config, const at_study_opts *o, const char *dir, at_error *err) {
    for (int i = 0; i < o->axis_count; i++) {
        json_t *axis;
        AT_TRY(at_axis_parse(&o->axes[i], &axis, err));
        const at_status s = take_axis(config, axis, dir, err);
        json_decref(axis);
        AT_TRY(s);
    }
    return AT_OK;
}

/* An option that the study varies can't be fixed now. */
static at_status check_fixed(const json_t *config, const at_study_opts *o, const char *dir,
                             at_error *err) {
    const json_t *axes = json_object_get(config, "axes");
    for (size_t i = 0; i < json_array_size(axes); i++) {
        json_t *values = json_object_get(json_array_get(axes, i), "values"),
               *options = json_object_get(json_array_get(values, 0), "options"), *value;
        const char *name;
        json_object_foreach(options, name, value) {
            if (at_study_said(o, name))
                return at_fail(err, AT_ERR_USAGE,
                               "--%s contradicts the study %s, which varies it: leave it out, or "
                               "begin another study with another --name",
                               name, dir);
        }
    }
    return AT_OK;
}

at_status at_study_config_continue(json_t *config, const at_study_opts *o, const char *dir,
                                   at_error *err) {
    AT_TRY(check_fixed(config, o, dir, err));
    AT_TRY(check_options(config, o, dir, err));
    AT_TRY(check_text(config, "preset", "preset", o->preset, dir, err));
    AT_TRY(check_text(config, "split", "split", o->split, dir, err));
    if (at_study_said(o, "equal"))
        AT_TRY(check_text(config, "equal", "equal", at_study_equals[o->equal], dir, err));
    AT_TRY(check_tuning(config, o, dir, err));
    AT_TRY(take_axes(config, o, dir, err));
    return take_seeds(config, o, dir, err);
}
