/* SPDX-License-Identifier: MIT */
#include "nn/tuning.h"

#include <stdint.h>
#include <stdlib.h>

struct at_tuning {
    json_t *known, *used, *timed;
};

at_tuning *at_tuning_new(void) {
    at_tuning *t = calloc(1, sizeof *t);
    if (t == NULL) return NULL;
    t->known = json_object();
    t->used = json_object();
    t->timed = json_object();
    if (t->known && t->used && t->timed) return t;
    at_tuning_free(t);
    return NULL;
}

void at_tuning_free(at_tuning *t) {
    if (t == NULL) return;
    json_decref(t->known);
    json_decref(t->used);
    json_decref(t->timed);
    free(t);
}

const char *at_tuning_find(const at_tuning *t, const char *problem) {
    return json_string_value(json_object_get(t->known, problem));
}

static bool set(json_t *object, const char *problem, const char *way) {
    return json_object_set_new(object, problem, json_string(way)) == 0;
}

bool at_tuning_use(at_tuning *t, const char *problem, const char *way, bool timed) {
    return set(t->known, problem, way) && set(t->used, problem, way) &&
           (!timed || set(t->timed, problem, way));
}

bool at_tuning_learn(at_tuning *t, const json_t *ways) {
    void *it = json_object_iter((json_t *)(uintptr_t)ways);
    for (; it != NULL; it = json_object_iter_next((json_t *)(uintptr_t)ways, it)) {
        const json_t *way = json_object_iter_value(it);
        if (json_is_string(way) && !set(t->known, json_object_iter_key(it), json_string_value(way)))
            return false;
    }
    return true;
}

const json_t *at_tuning_used(const at_tuning *t) {
    return t->used;
}

const json_t *at_tuning_timed(const at_tuning *t) {
    return t->timed;
}
