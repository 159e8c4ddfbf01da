/* SPDX-License-Identifier: MIT */
/* Words to pictures. Nothing is read but folders. */
#include "cli/inputs.h"

#include <stdlib.h>
#include <string.h>

void cli_inputs_free(cli_inputs *in) {
    for (int i = 0; i < in->count; i++) {
        free(in->items[i].path);
        free(in->items[i].name);
        free(in->items[i].stem);
    }
    free(in->items);
    *in = (cli_inputs){0};
}

static at_status grow(cli_inputs *in, at_error *err) {
    if (in->count < in->room) return AT_OK;
    const int room = in->room ? 2 * in->room : 64;
    cli_input *items = realloc(in->items, (size_t)room * sizeof *items);
    if (!items) return at_fail_memory(err, "the list of pictures", (size_t)room * sizeof *items);
    in->items = items;
    in->room = room;
    return AT_OK;
}

/* Without what follows the last dot of the last component. */
static char *stem_of(const char *name) {
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');
    const bool has = dot && dot > (slash ? slash + 1 : name);
    return has ? strndup(name, (size_t)(dot - name)) : strdup(name);
}

static at_status add(cli_inputs *in, const char *directory, const char *name, at_error *err) {
    AT_TRY(grow(in, err));
    const char *slash = strrchr(name, '/');
    cli_input *i = &in->items[in->count++];
    i->path = directory ? at_path_join(directory, name) : strdup(name);
    i->name = strdup(directory || !slash ? name : slash + 1);
    i->stem = i->name ? stem_of(i->name) : NULL;
    return i->path && i->stem ? AT_OK : at_fail_memory(err, "the list of pictures", strlen(name));
}

static at_status add_folder(cli_inputs *in, const char *directory, at_error *err) {
    at_paths found;
    AT_TRY(at_list_images(directory, &found, err));
    at_status s = AT_OK;
    if (!found.count)
        s = at_fail(err, AT_ERR_INPUT, "%s: a folder without pictures (PNG, JPEG, BMP, PNM)",
                    directory);
    for (int i = 0; s == AT_OK && i < found.count; i++) s = add(in, directory, found.items[i], err);
    at_paths_free(&found);
    return s;
}

static int by_stem(const void *a, const void *b) {
    return strcmp(((const cli_input *)a)->stem, ((const cli_input *)b)->stem);
}

static at_status meeting(const cli_input *a, const cli_input *b, at_error *err) {
    if (strcmp(a->path, b->path) == 0)
        return at_fail(err, AT_ERR_INPUT, "%s was given twice", a->path);
    return at_fail(err, AT_ERR_INPUT,
                   "%s and %s would both be written to %s.png: predict them into two folders or "
                   "rename one",
                   a->path, b->path, a->stem);
}

/* Two inputs whose results would have one name. */
static at_status check_meeting(const cli_inputs *in, at_error *err) {
    const size_t bytes = (size_t)in->count * sizeof(cli_input);
    cli_input *sorted = malloc(bytes);
    if (!sorted) return at_fail_memory(err, "the list of pictures", bytes);
    memcpy(sorted, in->items, bytes);
    qsort(sorted, (size_t)in->count, sizeof *sorted, by_stem);
    at_status s = AT_OK;
    for (int i = 1; s == AT_OK && i < in->count; i++)
        if (by_stem(&sorted[i - 1], &sorted[i]) == 0) s = meeting(&sorted[i - 1], &sorted[i], err);
    free(sorted);
    return s;
}

at_status cli_inputs_list(const char *const *words, int count, cli_inputs *out, at_error *err) {
    *out = (cli_inputs){0};
    at_status s = AT_OK;
    for (int i = 0; s == AT_OK && i < count; i++) {
        if (at_path_is_dir(words[i]))
            s = add_folder(out, words[i], err);
        else if (at_path_exists(words[i]))
            s = add(out, NULL, words[i], err);
        else
            s = at_fail(err, AT_ERR_INPUT, "%s: there is no such file or folder", words[i]);
    }
    if (s == AT_OK) s = check_meeting(out, err);
    if (s != AT_OK) cli_inputs_free(out);
    return s;
}
