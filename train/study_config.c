/* SPDX-License-Identifier: MIT */
/* study.json: what was asked, so completely that the study can go on from it alone. It holds
 *   format "atrous-study/1", version, options (as in config.json, without what belongs to a session
 *   or a place), axes, seeds, equal, tune_lr, tune_share, split
 * and whatever contradicts it later is refused by name. */
#include <stdlib.h>
#include <string.h>

#include "train/json_list.h"
#include "train/study_private.h"

enum { USUAL_SEEDS = 3 };
static const double usual_share = 0.2;

/* ---- parts ---- */

static at_status put_path(json_t *options, const char *name, const char *path, at_error *err) {
    char *whole = path ? realpath(path, NULL) : NULL;
    const bool ok = !whole || json_object_set_new(options, name, json_string(whole)) == 0;
    free(whole);
    return ok ? AT_OK : at_fail_memory(err, "options", 0);
}

static at_status add_options(json_t *config, const at_train_opts *base, at_error *err) {
    json_t *options = at_train_opts_to_json(base);
    if (json_object_set_new(config, "options", options) != 0)
        return at_fail_memory(err, "options", 0);
    for (const at_train_option *opt = at_train_options; opt->name; opt++)
        if (at_study_is_passing(opt->name)) json_object_del(options, opt->name);
    /* So that the study can go on from anywhere. */
    AT_TRY(put_path(options, "data", base->data, err));
    return put_path(options, "init", base->init, err);
}

static at_status add_axes(json_t *config, const at_study_opts *o, at_error *err) {
    json_t *axes = json_array();
    if (json_object_set_new(config, "axes", axes) != 0) return at_fail_memory(err, "axes", 0);
    for (int i = 0; i < o->axis_count; i++) {
        json_t *axis;
        AT_TRY(at_axis_parse(&o->axes[i], &axis, err));
        if (json_array_append_new(axes, axis) != 0) return at_fail_memory(err, "axes", 0);
    }
    return AT_OK;
}

static at_status add_lrs(json_t *config, const at_study_opts *o, at_error *err) {
    json_t *lrs;
    if (!o->tune_lr) return AT_OK;
    AT_TRY(at_study_parse_lrs(o->tune_lr, &lrs, err));
    if (json_object_set_new(config, "tune_lr", lrs) != 0)
        return at_fail_memory(err, "learning rates", 0);
    const double share = o->tune_share > 0 ? o->tune_share : usual_share;
    return json_object_set_new(config, "tune_share", json_real(share)) == 0
               ? AT_OK
               : at_fail_memory(err, "learning rates", 0);
}

/* The preset's options where nobody said otherwise, and its axes. */
static at_status overlay(json_t *config, const at_study_opts *o, json_t *preset, at_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(preset, "options"), name, value) {
        const bool length = strcmp(name, "epochs") == 0 &&
                            (at_study_said(o, "iterations") || at_study_said(o, "time"));
        if (!length && !at_study_said(o, name) &&
            json_object_set(json_object_get(config, "options"), name, value) != 0)
            return at_fail_memory(err, "options", 0);
    }
    if (json_array_extend(json_object_get(config, "axes"), json_object_get(preset, "axes")) != 0 ||
        json_object_set_new(config, "preset", json_string(o->preset)) != 0)
        return at_fail_memory(err, "axes", 0);
    return AT_OK;
}

/* Pictures that are made smaller are still fed whole. */
static at_status feed_whole(json_t *config, const at_study_opts *o, at_error *err) {
    json_t *options = json_object_get(config, "options"),
           *resize = json_object_get(options, "resize");
    if (!resize || at_study_said(o, "size")) return AT_OK;
    return json_object_set(options, "size", resize) == 0 ? AT_OK
                                                         : at_fail_memory(err, "options", 0);
}

static at_status apply_preset(json_t *config, const at_study_opts *o, at_error *err) {
    const at_study_preset *p = at_study_presets;
    json_t *preset;
    if (!o->preset) return AT_OK;
    while (p->name && strcmp(p->name, o->preset) != 0) p++;
    if (!p->name)
        return at_fail(err, AT_ERR_USAGE, "--preset %s: there is none of that name; there is %s",
                       o->preset, at_study_presets[0].name);
    AT_TRY(at_json_parse(p->json, strlen(p->json), p->name, &preset, err));
    at_status s = overlay(config, o, preset, err);
    if (s == AT_OK) s = feed_whole(config, o, err);
    json_decref(preset);
    return s;
}

/* ---- what makes no sense ---- */

static json_t *options_of(json_t *axis) {
    return json_object_get(json_array_get(json_object_get(axis, "values"), 0), "options");
}

/* Notes in `varied` what the axis varies: nothing that is said to be fixed, nor another axis'. */
static at_status check_axis(json_t *axis, const at_study_opts *o, json_t *varied, at_error *err) {
    const char *name;
    json_t *value;
    json_object_foreach(options_of(axis), name, value) {
        if (at_study_said(o, name))
            return at_fail(err, AT_ERR_USAGE, "--%s: an axis varies it: say either", name);
        if (json_object_get(varied, name))
            return at_fail(err, AT_ERR_USAGE, "--axis %s: two axes vary it", name);
        if (json_object_set(varied, name, value) != 0) return at_fail_memory(err, "axes", 0);
    }
    return AT_OK;
}

static at_status check_axes(const json_t *config, const at_study_opts *o, json_t *varied,
                            at_error *err) {
    const json_t *axes = json_object_get(config, "axes");
    size_t i;
    json_t *axis;
    if (json_array_size(axes) == 0)
        return at_fail(err, AT_ERR_USAGE,
                       "nothing varies: give --upsample A,B or --axis NAME=V1:V2");
    if (json_array_size(axes) > AT_MAX_AXES)
        return at_fail(err, AT_ERR_USAGE, "more than %d axes", AT_MAX_AXES);
    json_array_foreach(axes, i, axis) AT_TRY(check_axis(axis, o, varied, err));
    if (o->tune_lr && (json_object_get(varied, "lr") || at_study_said(o, "lr")))
        return at_fail(err, AT_ERR_USAGE,
                       "--tune-lr chooses the learning rate: leave out --lr and an axis of it");
    return AT_OK;
}

/* Equal epochs with a time limit, or equal time without one, would be equal in neither. */
static at_status check_length(const json_t *options, const json_t *varied, at_study_equal equal,
                              at_error *err) {
    const bool time = json_object_get(options, "time") || json_object_get(varied, "time"),
               epochs = json_object_get(options, "epochs") || json_object_get(varied, "epochs") ||
                        json_object_get(options, "iterations") ||
                        json_object_get(varied, "iterations");
    if (equal == AT_EQUAL_TIME && !time)
        return at_fail(err, AT_ERR_USAGE, "--equal time: say how long a run may take: --time 10m");
    if (equal == AT_EQUAL_TIME && epochs)
        return at_fail(err, AT_ERR_USAGE,
                       "--equal time: leave out --epochs and --iterations: time alone ends a run");
    if (equal == AT_EQUAL_EPOCHS && time)
        return at_fail(
            err, AT_ERR_USAGE,
            "--time: the clock would end runs after unequal epochs: add --equal time, or give "
            "--epochs instead");
    return AT_OK;
}

static at_status check(const json_t *config, const at_study_opts *o, at_error *err) {
    json_t *varied = json_object();
    at_status s = varied ? check_axes(config, o, varied, err) : at_fail_memory(err, "a study", 0);
    if (s == AT_OK) s = check_length(json_object_get(config, "options"), varied, o->equal, err);
    json_decref(varied);
    return s;
}

/* ---- putting it together ---- */

static at_status fill(json_t *config, const at_study_opts *o, at_error *err) {
    AT_TRY(add_options(config, &o->base, err));
    AT_TRY(add_axes(config, o, err));
    AT_TRY(add_lrs(config, o, err));
    AT_TRY(apply_preset(config, o, err));
    return check(config, o, err);
}

at_status at_study_config_new(const at_study_opts *o, json_t **config, at_error *err) {
    const int seeds = o->seeds ? o->seeds : USUAL_SEEDS;
    *config = json_pack("{s:s,s:s,s:i,s:s,s:s}", "format", at_study_format, "version",
                        ATROUS_VERSION, "seeds", seeds, "equal", at_study_equals[o->equal], "split",
                        o->split ? o->split : "val");
    at_status s = *config ? fill(*config, o, err) : at_fail_memory(err, "a study", 0);
    if (s == AT_OK) return AT_OK;
    json_decref(*config);
    *config = NULL;
    return s;
}
