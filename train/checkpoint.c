/* SPDX-License-Identifier: MIT */
/* last.safetensors: a weights file (network.h) with the optimiser's state, the average of the
 * weights and, in the metadata, the position and the ways of convolving that were found fastest. No
 * clock time is in it, so that a run that was broken off and one that was not end with the same
 * file. */
#include <stdlib.h>
#include <string.h>

#include "train/network_private.h"
#include "train/trainer.h"

char *at_checkpoint_path(const at_trainer *t) {
    return at_trainer_path(t, "weights/last.safetensors");
}

/* ---- position ---- */

static json_t *position_to_json(const at_trainer *t) {
    const at_position *p = &t->at;
    return json_pack("{s:i,s:i,s:I,s:I,s:f,s:I,s:f,s:I,s:f,s:i,s:i,s:b}", "epoch", p->epoch,
                     "batch", p->batch, "iteration", (json_int_t)p->iteration, "steps",
                     (json_int_t)at_optim_steps(t->optim), "loss_sum", p->loss_sum, "losses",
                     (json_int_t)p->losses, "norm_sum", p->norm_sum, "norms", (json_int_t)p->norms,
                     "best_miou", p->best_miou, "best_epoch", p->best_epoch, "since_best",
                     p->since_best, "collapsed", p->collapsed);
}

static bool position_from_json(at_trainer *t, json_t *j) {
    at_position *p = &t->at;
    json_int_t iteration, steps, losses, norms;
    int collapsed;
    if (json_unpack(j, "{s:i,s:i,s:I,s:I,s:F,s:I,s:F,s:I,s:F,s:i,s:i,s:b}", "epoch", &p->epoch,
                    "batch", &p->batch, "iteration", &iteration, "steps", &steps, "loss_sum",
                    &p->loss_sum, "losses", &losses, "norm_sum", &p->norm_sum, "norms", &norms,
                    "best_miou", &p->best_miou, "best_epoch", &p->best_epoch, "since_best",
                    &p->since_best, "collapsed", &collapsed) != 0)
        return false;
    p->iteration = iteration, p->losses = losses, p->norms = norms, p->collapsed = collapsed;
    at_optim_set_steps(t->optim, steps);
    return p->epoch >= 0 && p->batch >= 0 && p->batch <= t->batches && iteration >= 0 && steps >= 0;
}

/* ---- saving ---- */

static at_status add_position(const at_trainer *t, json_t *metadata, at_error *err) {
    json_t *j = position_to_json(t);
    char *text = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    const bool ok = text && json_object_set_new(metadata, "training", json_string(text)) == 0;
    at_json_release(text);
    json_decref(j);
    return ok ? AT_OK : at_fail_memory(err, "the checkpoint's metadata", 0);
}

/* Ways of convolving differ in the last bits: a run keeps those it began with. */
static at_status add_tuning(const at_trainer *t, json_t *metadata, at_error *err) {
    if (!t->tuning) return AT_OK;
    char *text = json_dumps(at_tuning_used(t->tuning), JSON_COMPACT | JSON_SORT_KEYS);
    const bool ok = text && json_object_set_new(metadata, "tuning", json_string(text)) == 0;
    at_json_release(text);
    return ok ? AT_OK : at_fail_memory(err, "the checkpoint's metadata", 0);
}

static at_status save(const at_trainer *t, const char *path, const json_t *metadata,
                      at_error *err) {
    at_flat flats[4] = {{.prefix = "", .data = at_graph_values(t->net.graph)}};
    char prefixes[2][64];
    int count = 1;
    for (int i = 0; i < 2; i++) {
        const char *name;
        const float *state = at_optim_state(t->optim, i, &name);
        if (!name) continue;
        snprintf(prefixes[i], sizeof prefixes[i], "optimizer.%s.", name);
        flats[count++] = (at_flat){.prefix = prefixes[i], .data = state, .trainable_only = true};
    }
    if (t->ema) flats[count++] = (at_flat){.prefix = "ema.", .data = at_ema_values(t->ema)};
    return at_weights_save(t->net.graph, path, flats, count, NULL, 0, metadata, err);
}

at_status at_checkpoint_save(const at_trainer *t, at_error *err) {
    json_t *metadata;
    AT_TRY(at_network_metadata(&t->net, &metadata, err));
    char *path = at_checkpoint_path(t);
    at_status s = path ? add_position(t, metadata, err) : at_fail_memory(err, "a path", 0);
    if (s == AT_OK) s = add_tuning(t, metadata, err);
    if (s == AT_OK) s = save(t, path, metadata, err);
    free(path);
    json_decref(metadata);
    return s;
}

/* ---- restoring ---- */

at_status at_checkpoint_open(at_trainer *t, at_st_file *f, at_error *err) {
    if (!t->o.resume) return AT_OK;
    char *path = at_format("%s/weights/last.safetensors", t->o.resume);
    if (!path) return at_fail_memory(err, "a path", 0);
    at_status s = AT_OK;
    /* Killed before its first checkpoint: the run begins again. */
    if (at_path_exists(path)) {
        s = at_st_open(f, path, err);
        if (s == AT_OK) s = at_network_read_metadata(&t->net, f, err);
        if (s == AT_OK) s = at_network_build(&t->net, err);
    }
    free(path);
    return s;
}

at_status at_checkpoint_tuning(at_trainer *t, const at_st_file *f, at_error *err) {
    const char *text = json_string_value(json_object_get(f->metadata, "tuning"));
    json_t *ways = text ? json_loads(text, 0, NULL) : NULL;
    const bool ok = at_tuning_learn(t->tuning, ways);
    json_decref(ways);
    return ok ? AT_OK : at_fail_memory(err, "what tuning remembers", 0);
}

static at_status restore_state(at_trainer *t, const at_st_file *f, at_error *err) {
    AT_TRY(at_weights_load(t->net.graph, f, err));
    for (int i = 0; i < 2; i++) {
        const char *name;
        char prefix[64];
        float *state = at_optim_state(t->optim, i, &name);
        if (!name) continue;
        snprintf(prefix, sizeof prefix, "optimizer.%s.", name);
        const at_status s = at_weights_load_flat(t->net.graph, f, prefix, state, err);
        if (s != AT_OK) {
            at_error_context(err, "the optimiser's state, of the kind the run began with");
            return s;
        }
    }
    return t->ema ? at_weights_load_flat(t->net.graph, f, "ema.", at_ema_values(t->ema), err)
                  : AT_OK;
}

at_status at_checkpoint_restore(at_trainer *t, const at_st_file *f, at_error *err) {
    AT_TRY(restore_state(t, f, err));
    const char *text = json_string_value(json_object_get(f->metadata, "training"));
    json_t *j = text ? json_loads(text, 0, NULL) : NULL;
    const bool ok = j && position_from_json(t, j);
    json_decref(j);
    at_graph_touch(t->net.graph);
    t->resumed = true;
    return ok ? AT_OK
              : at_fail(err, AT_ERR_INPUT,
                        "%s: metadata \"training\" is missing or does not fit this data set; it "
                        "cannot be resumed, but --init can start from it",
                        f->path);
}
