/* SPDX-License-Identifier: MIT */
#include "train/tune.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "nn/kernels/kernels.h"
#include "train/bench.h"

static const char format[] = "atrous-tuning/1";

char *at_tune_path(void) {
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache && *cache == '/') return at_format("%s/atrous/tuning.json", cache);
    return home && *home == '/' ? at_format("%s/.cache/atrous/tuning.json", home) : NULL;
}

/* Under which its ways stand in the file. */
static char *machine(void) {
    char cpu[128];
    at_cpu_name(cpu, sizeof cpu);
    return at_format("%s, %s kernels, %d threads, version %s", cpu, at_kernels_get()->level,
                     at_threads(), ATROUS_VERSION);
}

/* The file's object, or a new one where there is none that is ours. */
static json_t *load(const char *path) {
    json_t *root = NULL;
    if (path && at_json_load(path, &root, NULL) == AT_OK) {
        const char *what = json_string_value(json_object_get(root, "format"));
        if (what && strcmp(what, format) == 0 && json_is_object(json_object_get(root, "machines")))
            return root;
        json_decref(root);
    }
    return json_pack("{s:s, s:{}}", "format", format, "machines");
}

at_status at_tune_open(at_tuning **t, at_error *err) {
    char *path = at_tune_path(), *name = machine();
    json_t *root = load(path);
    *t = at_tuning_new();
    bool ok = *t && name && root;
    if (ok) ok = at_tuning_learn(*t, json_object_get(json_object_get(root, "machines"), name));
    json_decref(root);
    free(name);
    free(path);
    if (ok) return AT_OK;
    at_tuning_free(*t);
    *t = NULL;
    return at_fail_memory(err, "what tuning remembers", 0);
}

/* Another process may have written meanwhile: what it found stays. */
static bool add(json_t *root, const char *name, const json_t *timed) {
    json_t *machines = json_object_get(root, "machines"), *ways = json_object_get(machines, name);
    if (!json_is_object(ways)) {
        ways = json_object();
        if (json_object_set_new(machines, name, ways) != 0) return false;
    }
    return json_object_update(ways, (json_t *)(uintptr_t)timed) == 0;
}

static void save(const char *path, const json_t *timed) {
    char *name = machine(), *directory = strdup(path), *slash;
    json_t *root = load(path);
    if (name && directory && root && (slash = strrchr(directory, '/')) != NULL) {
        *slash = '\0';
        if (at_make_dirs(directory, NULL) == AT_OK && add(root, name, timed))
            at_json_save(path, root, NULL);
    }
    json_decref(root);
    free(directory);
    free(name);
}

void at_tune_save(const at_tuning *t) {
    if (!t || json_object_size(at_tuning_timed(t)) == 0) return;
    char *path = at_tune_path();
    if (path) save(path, at_tuning_timed(t));
    free(path);
}

void at_tune_close(at_tuning *t) {
    at_tune_save(t);
    at_tuning_free(t);
}
