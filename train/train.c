/* SPDX-License-Identifier: MIT */
/* The room's front door, from the inside: a run from options to result. */
#include "train/train.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainer.h"

at_status at_train(const at_train_opts *opts, at_train_hooks hooks, at_train_result *result,
                   at_error *err) {
    at_trainer *t = calloc(1, sizeof *t);
    *result = (at_train_result){0};
    if (!t) return at_fail_memory(err, "the trainer", sizeof *t);
    t->o = *opts;
    t->hooks = hooks;
    t->result = result;
    t->val_loss = NAN;
    t->progress.eta_s = NAN;
    at_status s = at_trainer_setup(t, err);
    if (s == AT_OK) s = at_trainer_run(t, err);
    at_trainer_free(t);
    free(t);
    return s;
}

void at_train_result_free(at_train_result *r) {
    free(r->run);
    *r = (at_train_result){0};
}

at_status at_train_resume_opts(const char *run, at_train_opts *o, json_t **keep, at_error *err) {
    *keep = NULL;
    *o = at_train_defaults();
    char *path = at_path_join(run, "config.json");
    if (!path) return at_fail_memory(err, "a path", 0);
    at_status s;
    if (!at_path_exists(path))
        s = at_fail(err, AT_ERR_INPUT, "%s: is not a run: it holds no config.json", run);
    else
        s = at_json_load(path, keep, err);
    if (s == AT_OK) s = at_train_opts_from_json(o, *keep, err);
    if (s != AT_OK) {
        json_decref(*keep);
        *keep = NULL;
    }
    free(path);
    o->resume = run;
    return s;
}
