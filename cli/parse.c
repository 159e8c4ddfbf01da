/* SPDX-License-Identifier: MIT */
/* Words to options: `--epochs 50`, `--epochs=50`, `epochs=50`, `-e 50`, `-e50`, switches without a
 * value, `--` before words that begin with a dash. The file of --config is read first, so that
 * flags win wherever they stand. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static at_status too_many(at_error *err) {
    return at_fail(err, AT_ERR_USAGE, "more than %d options: put them into a file for --config",
                   CLI_MAX_GIVEN);
}

static at_status note(cli_args *args, const char *name, at_error *err) {
    if (args->given_count == CLI_MAX_GIVEN) return too_many(err);
    args->given[args->given_count++] = name;
    return AT_OK;
}

bool cli_given(const cli_args *args, const char *name) {
    for (int i = 0; i < args->given_count; i++)
        if (strcmp(args->given[i], name) == 0) return true;
    return false;
}

/* The option is not one of this command's: near names first, then other commands that have it. */
static at_status unknown(const cli_command *c, const char *dashes, const char *name, size_t length,
                         at_error *err) {
    const cli_command *owner = cli_owner(name, length);
    if (owner)
        return at_fail(err, AT_ERR_USAGE, "%s%.*s is no option of `atrous %s` but of `atrous %s`",
                       dashes, (int)length, name, c->name, owner->name);
    cli_nearest near = {.word = name, .length = length};
    cli_row row;
    for (cli_rows it = {.command = c}; cli_rows_next(&it, &row);) cli_nearest_try(&near, row.name);
    if (near.best)
        return at_fail(err, AT_ERR_USAGE, "unknown option %s%.*s: did you mean --%s?", dashes,
                       (int)length, name, near.best);
    return at_fail(err, AT_ERR_USAGE, "unknown option %s%.*s: `atrous %s --help` lists all", dashes,
                   (int)length, name, c->name);
}

static at_status unknown_letter(const cli_command *c, const char *word, at_error *err) {
    return at_fail(err, AT_ERR_USAGE, "unknown option %.2s: `atrous %s --help` lists all", word,
                   c->name);
}

/* ---- the file of --config ---- */

static at_status apply_config(cli_args *args, const char *path, const json_t *root, at_error *err) {
    cli_row row;
    if (!json_is_object(root))
        return at_fail(err, AT_ERR_USAGE, "%s: expected a JSON object of options", path);
    /* jansson's iterator takes a pointer to non-const but changes nothing. */
    json_t *object = (json_t *)(uintptr_t)root;
    for (void *it = json_object_iter(object); it; it = json_object_iter_next(object, it)) {
        const char *name = json_object_iter_key(it);
        const json_t *value = json_object_iter_value(it);
        if (name[0] == '_' || json_is_null(value)) continue;
        at_status s = cli_find(args->command, name, strlen(name), &row) && !cli_is_common(&row)
                          ? cli_set_json(&args->opts, &row, value, err)
                          : unknown(args->command, "", name, strlen(name), err);
        if (s == AT_OK) s = note(args, row.name, err);
        if (s != AT_OK) return at_error_context(err, "%s", path);
    }
    return AT_OK;
}

static at_status load_config(cli_args *args, const char *path, at_error *err) {
    json_t *root;
    AT_TRY(at_json_load(path, &root, err));
    at_status s = AT_OK;
    if (!args->keep) args->keep = json_array();
    if (!args->keep || json_array_append(args->keep, root) != 0)
        s = at_fail_memory(err, "a configuration", 0);
    else
        s = apply_config(args, path, root, err);
    json_decref(root);
    return s;
}

/* ---- one word ---- */

/* What a word says. `value` NULL: none in this word. */
typedef struct word {
    bool option;
    cli_row row;
    const char *value;
} word;

/* A value is wanted and the next word looks like an option. "-" and "-1" do not. */
static bool looks_like_option(const cli_command *c, const char *text) {
    cli_row row;
    if (text[0] != '-' || !text[1]) return false;
    if (text[1] == '-') return true;
    return !text[2] && cli_find_letter(c, text[1], &row);
}

static at_status read_word(const cli_command *c, const char *text, word *w, at_error *err) {
    *w = (word){0};
    const char *equals = strchr(text, '=');
    if (text[0] == '-' && text[1] == '-') {
        const char *name = text + 2;
        const size_t length = equals ? (size_t)(equals - name) : strlen(name);
        if (!cli_find(c, name, length, &w->row)) return unknown(c, "--", name, length, err);
        w->value = equals ? equals + 1 : NULL;
        w->option = true;
    } else if (text[0] == '-' && text[1]) {
        if (!cli_find_letter(c, text[1], &w->row)) return unknown_letter(c, text, err);
        w->value = text[2] == '=' ? text + 3 : text[2] ? text + 2 : NULL;
        w->option = true;
    } else if (equals && cli_find(c, text, (size_t)(equals - text), &w->row)) {
        w->value = equals + 1;
        w->option = true;
    } else if (equals && c->max_words == 0)
        return unknown(c, "", text, (size_t)(equals - text), err);
    return AT_OK;
}

static at_status set(cli_args *args, const word *w, at_error *err) {
    at_error inner = {0};
    if (cli_set(&args->opts, &w->row, w->value, &inner) != AT_OK)
        return at_fail(err, inner.status, "--%s", inner.text);
    return note(args, w->row.name, err);
}

/* One option with its value. First pass (config_only): reads configuration files; second: sets. */
static at_status take(cli_args *args, const word *w, bool config_only, at_error *err) {
    if (strcmp(w->row.name, "help") == 0) {
        args->help = true;
        return AT_OK;
    }
    if (strcmp(w->row.name, "config") == 0)
        return config_only ? load_config(args, w->value, err) : AT_OK;
    return config_only ? AT_OK : set(args, w, err);
}

static at_status pass(cli_args *args, int argc, const char *const *argv, bool config_only,
                      at_error *err) {
    bool words_only = false;
    args->count = 0;
    for (int i = 0; i < argc; i++) {
        word w = {0};
        if (!words_only && strcmp(argv[i], "--") == 0) {
            words_only = true;
            continue;
        }
        if (!words_only) AT_TRY(read_word(args->command, argv[i], &w, err));
        if (!w.option) {
            args->words[args->count++] = argv[i];
            continue;
        }
        if (w.row.value && !w.value) {
            if (i + 1 == argc || looks_like_option(args->command, argv[i + 1]))
                return at_fail(err, AT_ERR_USAGE, "--%s needs a value: %s", w.row.name,
                               w.row.value);
            w.value = argv[++i];
        }
        AT_TRY(take(args, &w, config_only, err));
    }
    return AT_OK;
}

static at_status check_words(const cli_args *args, at_error *err) {
    const cli_command *c = args->command;
    if (args->count < c->min_words)
        return at_fail(err, AT_ERR_USAGE, "`atrous %s` needs %s: see `atrous %s --help`", c->name,
                       c->arguments, c->name);
    if (c->max_words < 0 || args->count <= c->max_words) return AT_OK;
    return at_fail(err, AT_ERR_USAGE,
                   "`atrous %s` can do nothing with \"%s\": see `atrous %s --help`", c->name,
                   args->words[c->max_words], c->name);
}

at_status cli_parse(const cli_command *c, int argc, const char *const *argv, cli_args *args,
                    at_error *err) {
    *args = (cli_args){.command = c};
    args->words = calloc((size_t)argc + 1, sizeof *args->words);
    if (!args->words) return at_fail_memory(err, "the command line", (size_t)argc * sizeof *argv);
    cli_defaults(c, &args->opts);
    AT_TRY(pass(args, argc, argv, true, err));
    AT_TRY(pass(args, argc, argv, false, err));
    return args->help ? AT_OK : check_words(args, err);
}

void cli_args_free(cli_args *args) {
    free(args->words);
    json_decref(args->keep);
    *args = (cli_args){0};
}
