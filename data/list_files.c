/* SPDX-License-Identifier: MIT */
/* List files: a sample a line, "image mask", parted by a tab, a comma or blanks (which paths may
 * hold too: then the parting that leads to two files is taken). Paths often carry the place where
 * somebody else kept the set: what isn't found as written is looked for below the root, without the
 * first folder, without the second, and so on, so that the longest matching end wins. */
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

typedef struct reader {
    at_builder *b;
    at_split *split;
    const char *path;
    int line;
    const char *images, *masks; /* folders for lines with one field; NULL: none */
} reader;

static at_status fail(const reader *r, const char *what, const char *field) {
    return at_fail(r->b->err, AT_ERR_INPUT, "%s:%d: %s: '%s'", r->path, r->line, what, field);
}

static bool is_file(const char *path) {
    return at_path_exists(path) && !at_path_is_dir(path);
}

/* The file a list means, malloc'ed; NULL: none (or no memory, which then shows elsewhere). */
static char *resolve(const reader *r, const char *field) {
    if (field[0] == '/' && is_file(field)) return at_substring(field, strlen(field));
    for (const char *end = field; end; end = strchr(end, '/')) {
        while (*end == '/') end++;
        char *path = *end ? at_path_join(r->b->root, end) : NULL;
        if (path && is_file(path)) return path;
        free(path);
    }
    return NULL;
}

/* A sample's name: the image's path below the root without ending, or its last two parts. */
static const char *name_of(const reader *r, const char *path) {
    size_t n = strlen(r->b->root);
    if (strncmp(path, r->b->root, n) == 0) {
        while (path[n] == '/') n++;
        return path + n;
    }
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static at_status add(reader *r, const char *image, const char *mask) {
    char *name = at_stem(name_of(r, image));
    at_status status = name ? at_builder_add(r->b, r->split, name, image, mask)
                            : at_fail_memory(r->b->err, "a sample", strlen(image));
    free(name);
    return status;
}

/* Splits the line at `at` and takes it if both halves are files. */
static at_status try_split(reader *r, const char *line, size_t at, bool *taken) {
    char *first = at_substring(line, at);
    const char *second = line + at + 1 + strspn(line + at + 1, " \t,");
    char *image = first ? resolve(r, first) : NULL, *mask = resolve(r, second);
    at_status status = AT_OK;
    *taken = image && mask;
    if (*taken) status = add(r, image, mask);
    free(first);
    free(image);
    free(mask);
    return status;
}

/* ---- lines with one field ---- */

/* The picture of this stem in a folder below the root, malloc'ed; NULL: none. */
static char *find_stem(const reader *r, const char *folder, const char *stem) {
    static const char *const endings[] = {".png", ".jpg", ".jpeg", ".bmp",
                                          ".pgm", ".ppm", ".JPG",  ".PNG"};
    for (size_t i = 0; folder && i < sizeof endings / sizeof *endings; i++) {
        char *path = at_format("%s/%s/%s%s", r->b->root, folder, stem, endings[i]);
        if (path && is_file(path)) return path;
        free(path);
    }
    return NULL;
}

static at_status take_single(reader *r, const char *field) {
    char *stem = at_is_picture_name(field) ? at_stem(field) : at_substring(field, strlen(field));
    if (!stem) return at_fail_memory(r->b->err, "a sample", strlen(field));
    char *image = find_stem(r, r->images, stem), *mask = find_stem(r, r->masks, stem);
    if (!image) image = resolve(r, field);
    at_status status;
    if (!image)
        status = fail(r, "no such image; write 'image mask', paths from the set's folder", field);
    else if (!mask && strcmp(r->split->name, "test") != 0)
        status = fail(r, "no mask for this image; write 'image mask', paths from the set's folder",
                      field);
    else
        status =
            r->images ? at_builder_add(r->b, r->split, stem, image, mask) : add(r, image, mask);
    free(stem);
    free(image);
    free(mask);
    return status;
}

/* ---- lines ---- */

/* What to say of a line with blanks of which no parting leads to two files. */
static at_status fail_line(reader *r, const char *line) {
    char *first = at_substring(line, strcspn(line, " \t,"));
    char *image = first ? resolve(r, first) : NULL;
    const char *second = line + strcspn(line, " \t,");
    at_status status;
    if (first && !image)
        status = fail(r, "no such image here or below the set's folder", first);
    else
        status =
            fail(r, "no such mask here or below the set's folder", second + strspn(second, " \t,"));
    free(first);
    free(image);
    return status;
}

static at_status read_line(reader *r, char *line) {
    line[strcspn(line, "\r")] = '\0';
    line += strspn(line, " \t");
    for (size_t n = strlen(line); n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t'); n--)
        line[n - 1] = '\0';
    if (!*line || *line == '#') return AT_OK;
    const char *separators = strchr(line, '\t') ? "\t" : strchr(line, ',') ? "," : " ";
    bool taken = false;
    for (size_t at = strcspn(line, separators); line[at] && !taken;
         at += 1 + strcspn(line + at + 1, separators))
        AT_TRY(try_split(r, line, at, &taken));
    if (taken) return AT_OK;
    char *image = strpbrk(line, " \t,") ? resolve(r, line) : NULL; /* one path with blanks in it */
    bool single = image || !strpbrk(line, " \t,");
    free(image);
    return single ? take_single(r, line) : fail_line(r, line);
}

at_status at_read_list(at_builder *b, const char *split, const char *path, const char *images,
                       const char *masks) {
    reader r = {.b = b, .path = path, .images = images, .masks = masks};
    char *text;
    size_t size;
    AT_TRY(at_builder_split(b, split, &r.split));
    AT_TRY(at_file_read(path, 0, &text, &size, b->err));
    at_status status = AT_OK;
    for (char *line = text, *next; line && !status; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = '\0';
        r.line++;
        status = read_line(&r, line);
    }
    free(text);
    if (!status && r.split->count == 0)
        status = at_fail(b->err, AT_ERR_INPUT, "%s: the list is empty", path);
    return status;
}

/* ---- the layout: train.txt, val.txt, ... in the root ---- */

/* train.txt, train_list.txt, train.lst; NULL: not a list of a split. */
static const char *split_of_list(const char *file) {
    static const char *const endings[] = {"_list.txt", ".txt", ".lst", ".list"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(file), e = strlen(endings[i]);
        if (n <= e || strcmp(file + n - e, endings[i]) != 0) continue;
        char *stem = at_substring(file, n - e);
        const char *split = stem ? at_split_name(stem) : NULL;
        free(stem);
        if (split) return split;
    }
    return NULL;
}

static bool lists_here(const char *root) {
    at_paths files;
    bool here = false;
    if (at_list_dir(root, false, &files, NULL)) return false;
    for (int i = 0; i < files.count; i++) {
        const char *split = split_of_list(files.items[i]);
        here = here || (split && strcmp(split, "test") != 0);
    }
    at_paths_free(&files);
    return here;
}

static at_status lists_list(at_builder *b) {
    const char *images = NULL, *masks = NULL;
    at_paths files;
    at_find_folders(b->root, &images, &masks);
    AT_TRY(at_list_dir(b->root, false, &files, b->err));
    at_status status = AT_OK;
    for (int i = 0; i < files.count && !status; i++) {
        const char *split = split_of_list(files.items[i]);
        char *path = split ? at_path_join(b->root, files.items[i]) : NULL;
        if (split)
            status = path ? at_read_list(b, split, path, images, masks)
                          : at_fail_memory(b->err, "a path", strlen(b->root));
        free(path);
    }
    at_paths_free(&files);
    return status;
}

const at_set_layout at_layout_lists = {
    "lists", 2, "train.txt [val.txt test.txt] with lines 'image mask'", lists_here, lists_list};
