/* SPDX-License-Identifier: MIT */
/* What several commands do before and after their own work. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

at_status cli_start_threads(const cli_opts *o, at_error *err) {
    return at_threads_set(o->train.threads, err);
}

at_status cli_open_data(const cli_opts *o, at_dataset **d, at_error *err) {
    return at_train_open_data(&o->train, d, err);
}

/* Does the option still have nobody's word? How long to train can be said in three ways, and a
 * depth is a model's own. */
static bool unsaid(const cli_args *args, const char *name) {
    if (strcmp(name, "epochs") == 0 && (cli_given(args, "iterations") || cli_given(args, "time")))
        return false;
    if (strcmp(name, "depth") == 0 && cli_given(args, "model")) return false;
    return !cli_given(args, name);
}

at_status cli_suit_synthetic(const cli_args *args, at_train_opts *t, at_error *err) {
    if (t->data) return AT_OK;
    for (const at_train_suit *s = at_train_synthetic; s->name; s++)
        if (unsaid(args, s->name)) AT_TRY(at_train_set(t, s->name, s->text, err));
    return AT_OK;
}

at_status cli_predict_opts(const cli_opts *o, at_predict_opts *p, at_error *err) {
    *p = (at_predict_opts){
        .precision = o->train.precision,
        .conv = o->train.conv,
        .tile = o->tile,
        .overlap = o->overlap,
        .max_bytes = (size_t)(o->train.max_mem_mb * 1e6),
    };
    if (o->tile % 64)
        return at_fail(err, AT_ERR_USAGE, "--tile %d: expected a multiple of 64", o->tile);
    if (o->tile && o->overlap >= o->tile)
        return at_fail(err, AT_ERR_USAGE, "--overlap %d: must be smaller than the tile, %d",
                       o->overlap, o->tile);
    return o->tta ? at_predict_tta(p, o->tta, err) : AT_OK;
}

at_status cli_print_json(json_t *j, at_error *err) {
    if (!j) return at_fail_memory(err, "JSON", 0);
    char *text = json_dumps(j, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    json_decref(j);
    if (!text)
        return at_fail(err, AT_ERR_INPUT, "a text that is not UTF-8 cannot be written as JSON");
    puts(text);
    at_json_release(text);
    return AT_OK;
}

at_status cli_plain_classes(int count, at_classes *out, at_error *err) {
    *out = (at_classes){.items = calloc((size_t)count, sizeof *out->items)};
    if (!out->items) return at_fail_memory(err, "classes", (size_t)count * sizeof *out->items);
    for (int i = 0; i < count; i++) {
        char *name = at_format("class%d", i);
        if (!name) {
            at_classes_free(out);
            return at_fail_memory(err, "the name of a class", 0);
        }
        out->items[out->count++] = (at_class){name, at_voc_color(i)};
    }
    return AT_OK;
}

at_status cli_load_network(const cli_opts *o, at_network *net, at_error *err) {
    if (!o->weights)
        return at_fail(err, AT_ERR_USAGE,
                       "--weights is missing: a weights file, or the directory of a run");
    char *path;
    AT_TRY(cli_weights_path(o->weights, &path, err));
    const at_status s = at_network_load(net, path, err);
    free(path);
    return s;
}

at_status cli_weights_path(const char *word, char **path, at_error *err) {
    static const char *const names[] = {"weights/best.safetensors", "weights/last.safetensors",
                                        "best.safetensors", "last.safetensors"};
    if (!at_path_exists(word))
        return at_fail(err, AT_ERR_INPUT,
                       "%s: there is no such file; name a weights file or the directory of a run",
                       word);
    if (!at_path_is_dir(word)) {
        *path = strdup(word);
        return *path ? AT_OK : at_fail_memory(err, "a path", strlen(word));
    }
    for (int i = 0; i < 4; i++) {
        *path = at_path_join(word, names[i]);
        if (!*path) return at_fail_memory(err, "a path", strlen(word));
        if (at_path_exists(*path)) return AT_OK;
        free(*path);
    }
    *path = NULL;
    return at_fail(err, AT_ERR_INPUT,
                   "%s: a directory without weights/best.safetensors; name a weights file or a run",
                   word);
}

at_status cli_need_classes(const cli_opts *o, at_error *err) {
    if (o->train.classes) return AT_OK;
    return at_fail(err, AT_ERR_USAGE,
                   "--classes is missing: how many classes the network tells apart");
}

at_status cli_unknown_model(const char *word, at_error *err) {
    char known[256] = "";
    cli_nearest near = {.word = word, .length = strlen(word)};
    for (const at_model *const *m = at_model_list; *m; m++) {
        const size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", (*m)->name);
        cli_nearest_try(&near, (*m)->name);
    }
    if (near.best)
        return at_fail(err, AT_ERR_USAGE, "unknown model \"%s\": did you mean %s?", word,
                       near.best);
    return at_fail(err, AT_ERR_USAGE, "unknown model \"%s\": there are %s", word, known);
}

at_status cli_no_model_options(const cli_args *args, at_error *err) {
    static const char *const names[] = {"model", "classes",       "channels", "width",   "depth",
                                        "fc",    "upsample",      "skip",     "decoder", "match",
                                        "norm",  "output-stride", "rates",    "lrn"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (cli_given(args, names[i]))
            return at_fail(err, AT_ERR_USAGE, "--%s: the weights say that themselves; leave it out",
                           names[i]);
    return AT_OK;
}

at_status cli_loss(const cli_args *args, const at_dataset *d, int classes, at_loss_spec *loss,
                   at_error *err) {
    const at_train_opts *t = &args->opts.train;
    at_class_weighting kind;
    if (cli_given(args, "loss")) loss->kind = t->loss;
    if (cli_given(args, "label-smoothing")) loss->label_smoothing = t->label_smoothing;
    if (cli_given(args, "gamma")) loss->gamma = t->gamma;
    if (!cli_given(args, "class-weights")) return AT_OK;
    AT_TRY(at_class_weights_parse(t->class_weights, classes, &kind, loss->class_weights, err));
    loss->weighted = kind != AT_CLASS_WEIGHTS_NONE;
    if (kind == AT_CLASS_WEIGHTS_NONE || kind == AT_CLASS_WEIGHTS_LIST) return AT_OK;
    const at_split *train = d ? at_dataset_split(d, "train") : NULL;
    if (!train)
        return at_fail(
            err, AT_ERR_USAGE,
            "--class-weights %s is worked out from training masks: it needs --data with a "
            "train split, or give the numbers",
            t->class_weights);
    at_class_stats stats;
    AT_TRY(at_dataset_stats(d, train, 3, &stats, err));
    at_class_weights(kind, &stats, classes, loss->class_weights);
    return AT_OK;
}
