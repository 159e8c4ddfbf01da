/* SPDX-License-Identifier: MIT */
/* The metadata of weights files. safetensors allows strings alone, so whatever is structured is
 * JSON inside a string. Numbers have 17 digits: a file that is loaded and saved is the same file.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/json_list.h"
#include "train/network_private.h"

static const char format[] = "atrous-weights/1";

/* ---- writing ---- */

/* Sets `key` to the text of `value`, whose reference is taken over. */
static bool put(json_t *to, const char *key, json_t *value) {
    char *text =
        value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(value);
    const bool ok = text && json_object_set_new(to, key, json_string(text)) == 0;
    at_json_release(text);
    return ok;
}

static json_t *reals(const double *v, int count) {
    json_t *list = json_array();
    for (int i = 0; i < count; i++) at_json_add(&list, json_real(v[i]));
    return list;
}

static json_t *integers(const int *v, int count) {
    json_t *list = json_array();
    for (int i = 0; i < count; i++) at_json_add(&list, json_integer(v[i]));
    return list;
}

static json_t *loss_to_json(const at_network *net) {
    const at_loss_spec *s = &net->loss;
    json_t *j = json_pack("{s:s,s:f,s:f}", "name", at_loss_names[s->kind], "label_smoothing",
                          s->label_smoothing, "gamma", s->gamma);
    if (!s->weighted) return j;
    json_t *weights = json_array();
    for (int i = 0; i < net->classes.count; i++)
        at_json_add(&weights, json_real((double)s->class_weights[i]));
    at_json_put(&j, "class_weights", weights);
    return j;
}

at_status at_network_metadata(const at_network *net, json_t **out, at_error *err) {
    json_t *j = json_object();
    const int channels = net->opts.in_channels;
    bool ok = j && json_object_set_new(j, "format", json_string(format)) == 0 &&
              json_object_set_new(j, "version", json_string(ATROUS_VERSION)) == 0;
    ok = ok && put(j, "model", at_model_opts_to_json(net->model, &net->opts));
    ok = ok && put(j, "classes", at_classes_to_json(&net->classes));
    ok = ok && put(j, "mean", reals(net->mean, channels)) &&
         put(j, "std", reals(net->std, channels));
    if (ok && net->resize.h)
        ok = put(j, "resize", json_pack("[i,i]", net->resize.h, net->resize.w));
    ok = ok && put(j, "ignore", integers(net->ignore, net->ignore_count));
    ok = ok && put(j, "epoch", json_integer(net->epoch)) && put(j, "loss", loss_to_json(net));
    ok = ok && put(j, "split", json_pack("[I,f]", (json_int_t)net->split_seed, net->val_share));
    if (ok && net->metrics) ok = put(j, "metrics", json_incref(net->metrics));
    *out = j;
    if (ok) return AT_OK;
    json_decref(j);
    *out = NULL;
    return at_fail_memory(err, "metadata of the weights", 0);
}

/* ---- reading ---- */

/* The value in the string `key`; NULL if there is none or it is no JSON. New reference. */
static json_t *get(const at_st_file *f, const char *key) {
    const char *text = json_string_value(json_object_get(f->metadata, key));
    return text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;
}

static at_status bad(const at_st_file *f, const char *key, at_error *err) {
    return at_fail(err, AT_ERR_INPUT,
                   "%s: metadata \"%s\" is missing or damaged; is this a weights file of atrous? "
                   "Weights from elsewhere can be started from with --init",
                   f->path, key);
}

/* A list of `count` finite numbers above `low`. */
static bool read_reals(const at_st_file *f, const char *key, double low, double *v, int count) {
    json_t *list = get(f, key);
    bool ok = json_is_array(list) && json_array_size(list) == (size_t)count;
    for (int i = 0; ok && i < count; i++) {
        v[i] = json_number_value(json_array_get(list, (size_t)i));
        ok = json_is_number(json_array_get(list, (size_t)i)) && isfinite(v[i]) && v[i] > low;
    }
    json_decref(list);
    return ok;
}

static bool read_resize(at_network *net, const at_st_file *f) {
    double v[2];
    if (!json_object_get(f->metadata, "resize")) return true;
    if (!read_reals(f, "resize", 0.5, v, 2) || v[0] > 65535 || v[1] > 65535) return false;
    net->resize = (at_pair){(int)v[0], (int)v[1]};
    return true;
}

static bool read_ignore(at_network *net, const at_st_file *f) {
    json_t *list = get(f, "ignore");
    const size_t count = json_array_size(list);
    bool ok = json_is_array(list) && count <= AT_MAX_CLASSES;
    for (size_t i = 0; ok && i < count; i++)
        net->ignore[net->ignore_count++] = (int)json_integer_value(json_array_get(list, i));
    json_decref(list);
    return ok;
}

static bool loss_from_json(at_network *net, const json_t *j) {
    const char *name = json_string_value(json_object_get(j, "name"));
    const json_t *weights = json_object_get(j, "class_weights");
    int kind = 0;
    while (name && kind < AT_LOSS_COUNT && strcmp(at_loss_names[kind], name) != 0) kind++;
    if (!name || kind == AT_LOSS_COUNT) return false;
    net->loss =
        (at_loss_spec){.kind = (at_loss_kind)kind,
                       .label_smoothing = json_number_value(json_object_get(j, "label_smoothing")),
                       .gamma = json_number_value(json_object_get(j, "gamma")),
                       .weighted = weights != NULL};
    if (weights && json_array_size(weights) != (size_t)net->classes.count) return false;
    for (int i = 0; weights && i < net->classes.count; i++)
        net->loss.class_weights[i] = (float)json_number_value(json_array_get(weights, (size_t)i));
    return true;
}

/* Optional, so that weights put together by other tools can be used: plain cross-entropy then. */
static bool read_loss(at_network *net, const at_st_file *f) {
    if (!json_object_get(f->metadata, "loss")) return true;
    json_t *j = get(f, "loss");
    const bool ok = loss_from_json(net, j);
    json_decref(j);
    return ok;
}

/* Optional too. */
static void read_split(at_network *net, const at_st_file *f) {
    json_t *list = get(f, "split");
    net->split_seed = (uint64_t)json_integer_value(json_array_get(list, 0));
    net->val_share = json_number_value(json_array_get(list, 1));
    json_decref(list);
}

static at_status read_model(at_network *net, const at_st_file *f, at_error *err) {
    json_t *j = get(f, "model");
    if (!json_is_object(j)) {
        json_decref(j);
        return bad(f, "model", err);
    }
    const at_status s = at_model_from_json(j, &net->model, &net->opts, err);
    json_decref(j);
    if (s != AT_OK) at_error_context(err, "%s", f->path);
    return s;
}

static at_status read_classes(at_network *net, const at_st_file *f, at_error *err) {
    json_t *j = get(f, "classes");
    if (!j) return bad(f, "classes", err);
    const at_status s = at_classes_from_json(j, &net->classes, err);
    json_decref(j);
    if (s != AT_OK) {
        at_error_context(err, "%s", f->path);
        return s;
    }
    return net->classes.count == net->opts.classes ? AT_OK : bad(f, "classes", err);
}

static at_status read_all(at_network *net, const at_st_file *f, at_error *err) {
    const char *stated = json_string_value(json_object_get(f->metadata, "format"));
    if (!stated || strcmp(stated, format) != 0) return bad(f, "format", err);
    AT_TRY(read_model(net, f, err));
    AT_TRY(read_classes(net, f, err));
    const int channels = net->opts.in_channels;
    if (!read_reals(f, "mean", -1e6, net->mean, channels)) return bad(f, "mean", err);
    if (!read_reals(f, "std", 0, net->std, channels)) return bad(f, "std", err);
    if (!read_resize(net, f)) return bad(f, "resize", err);
    if (!read_ignore(net, f)) return bad(f, "ignore", err);
    if (!read_loss(net, f)) return bad(f, "loss", err);
    read_split(net, f);
    json_t *epoch = get(f, "epoch");
    net->epoch = (int)json_integer_value(epoch);
    json_decref(epoch);
    net->metrics = get(f, "metrics");
    return AT_OK;
}

at_status at_network_read_metadata(at_network *net, const at_st_file *f, at_error *err) {
    const at_status s = read_all(net, f, err);
    if (s != AT_OK) at_network_free(net);
    return s;
}
