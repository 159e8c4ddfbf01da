/* SPDX-License-Identifier: MIT */
/* Which mask belongs to which image, by name. The stems (paths below their folders without ending)
 * are equal, or the mask's has a usual word more ("a" and "a_mask"), or both have one ("a_sat" and
 * "a_mask"). What finds no partner is reported, never dropped in silence. */
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

static const char *const mask_words[] = {"mask", "masks",        "label",      "labels", "gt",
                                         "seg",  "segmentation", "annotation", "L",      NULL};
static const char *const image_words[] = {"image", "img", "sat", "rgb", "photo", NULL};

/* Length of the stem without "_word" (or "-word", ".word") at its end; the same if there is none.
 */
static size_t strip(const char *stem, size_t n, const char *const *words) {
    for (; *words; words++) {
        size_t w = strlen(*words);
        if (n <= w + 1 || strncmp(stem + n - w, *words, w) != 0) continue;
        char before = stem[n - w - 1];
        if (before == '_' || before == '-' || before == '.') return n - w - 1;
    }
    return n;
}

/* Length of the stem without the tail that all have, 0 if this one hasn't. */
static size_t cut_tail(const char *file, const char *tail) {
    size_t n = at_stem_length(file), t = strlen(tail);
    return n > t && strncmp(file + n - t, tail, t) == 0 ? n - t : 0;
}

/* A mask under a key that its image may share. A mask has two if its stem ends in a usual word. */
typedef struct keyed {
    char *key;
    int file; /* position in the list of masks */
    bool stripped;
} keyed;

typedef struct matcher {
    at_builder *b;
    at_pairing p;
    at_split *split;
    at_paths images, masks;
    int key_count;
    keyed *keys; /* sorted: exact before stripped, and a JPEG after other kinds */
    bool *used;  /* of each mask */
    int pairs, lonely;
} matcher;

static bool same_folder(const matcher *m) {
    return m->p.masks && strcmp(m->p.images, m->p.masks) == 0;
}

static int by_key(const void *a, const void *b, void *arg) {
    const keyed *x = a, *y = b;
    const matcher *m = arg;
    int order = strcmp(x->key, y->key);
    if (!order) order = x->stripped - y->stripped;
    if (!order)
        order = at_is_jpeg_name(m->masks.items[x->file]) - at_is_jpeg_name(m->masks.items[y->file]);
    return order ? order : x->file - y->file;
}

static at_status add_key(matcher *m, size_t length, int file, bool stripped) {
    char *key = at_substring(m->masks.items[file], length);
    if (!key) return at_fail_memory(m->b->err, "a list of masks", length);
    m->keys[m->key_count++] = (keyed){key, file, stripped};
    return AT_OK;
}

static at_status make_keys(matcher *m) {
    size_t count = (size_t)m->masks.count;
    m->keys = calloc(2 * count + 1, sizeof *m->keys);
    m->used = calloc(count + 1, sizeof *m->used);
    if (!m->keys || !m->used) return at_fail_memory(m->b->err, "a list of masks", count);
    for (int i = 0; i < m->masks.count; i++) {
        const char *file = m->masks.items[i];
        size_t n = at_stem_length(file), stripped = strip(file, n, mask_words);
        if (m->p.mask_tail) {
            n = cut_tail(file, m->p.mask_tail);
            if (n) AT_TRY(add_key(m, n, i, false));
            continue;
        }
        if (!same_folder(m)) AT_TRY(add_key(m, n, i, false));
        if (stripped < n) AT_TRY(add_key(m, stripped, i, true));
    }
    qsort_r(m->keys, (size_t)m->key_count, sizeof *m->keys, by_key, m);
    return AT_OK;
}

static int compare_key(const void *key, const void *item) {
    return strcmp(key, ((const keyed *)item)->key);
}

/* The best mask under this key, or -1. *twin: another one that is as good, or -1. */
static int find_key(const matcher *m, const char *key, int *twin) {
    const keyed *k = bsearch(key, m->keys, (size_t)m->key_count, sizeof *m->keys, compare_key);
    const keyed *end = m->keys + m->key_count;
    *twin = -1;
    while (k && k > m->keys && strcmp(k[-1].key, key) == 0) k--;
    if (!k) return -1;
    if (k + 1 < end && !strcmp(k[1].key, key) && k[1].stripped == k->stripped &&
        !at_is_jpeg_name(m->masks.items[k[1].file]))
        *twin = k[1].file;
    return k->file;
}

static at_status add_sample(const matcher *m, const char *name, const char *image, int mask) {
    char *image_path = at_path_join(m->p.images, image);
    char *mask_path = mask < 0 ? NULL : at_path_join(m->p.masks, m->masks.items[mask]);
    at_status status = image_path && (mask_path || mask < 0)
                           ? at_builder_add(m->b, m->split, name, image_path, mask_path)
                           : at_fail_memory(m->b->err, "a sample", strlen(image));
    free(image_path);
    free(mask_path);
    return status;
}

static at_status take_match(matcher *m, const char *name, const char *image, int mask) {
    if (mask >= 0 && m->used[mask])
        return at_fail(m->b->err, AT_ERR_INPUT,
                       "%s/%s: another image has the mask %s already; rename one of them",
                       m->p.images, image, m->masks.items[mask]);
    if (mask >= 0) {
        m->used[mask] = true;
        m->pairs++;
    } else if (!m->p.masks_optional) {
        m->lonely++;
        if (m->p.images_optional) return AT_OK;
        return at_builder_find(m->b, AT_FINDING_WARNING, image,
                               "left out: no mask of this name in %s", m->p.masks);
    }
    return add_sample(m, name, image, mask);
}

static at_status match_image(matcher *m, const char *image) {
    size_t n = at_stem_length(image);
    if (m->p.image_tail) n = cut_tail(image, m->p.image_tail);
    if (n == 0 || (same_folder(m) && strip(image, n, mask_words) < n)) return AT_OK;
    char *name = at_substring(image, n), *key = at_substring(image, n);
    at_status status = AT_OK;
    if (name && key) {
        int twin, mask = find_key(m, key, &twin);
        if (!m->p.image_tail) key[strip(key, n, image_words)] = '\0';
        if (mask < 0) mask = find_key(m, key, &twin);
        status = twin < 0
                     ? take_match(m, name, image, mask)
                     : at_fail(m->b->err, AT_ERR_INPUT,
                               "%s: %s and %s could both be the mask of %s; remove one of them",
                               m->p.masks, m->masks.items[mask], m->masks.items[twin], image);
    } else {
        status = at_fail_memory(m->b->err, "a sample", n);
    }
    free(name);
    free(key);
    return status;
}

/* Is this a file that should have found an image? Of two for one image (a.png, a.jpg) one is
 * enough. */
static bool is_lonely(const matcher *m, int file) {
    const char *name = m->masks.items[file];
    size_t n = at_stem_length(name);
    if (m->used[file] || (m->p.mask_tail && !cut_tail(name, m->p.mask_tail))) return false;
    if (same_folder(m) && strip(name, n, mask_words) == n) return false;
    for (int i = file > 2 ? file - 2 : 0; i <= file + 2 && i < m->masks.count; i++) /* sorted */
        if (m->used[i] && at_stem_length(m->masks.items[i]) == n &&
            !strncmp(m->masks.items[i], name, n))
            return false;
    return true;
}

static at_status match_all(matcher *m) {
    AT_TRY(make_keys(m));
    for (int i = 0; i < m->images.count; i++) AT_TRY(match_image(m, m->images.items[i]));
    for (int i = 0; i < m->masks.count; i++)
        if (is_lonely(m, i))
            AT_TRY(at_builder_find(m->b, AT_FINDING_WARNING, m->masks.items[i],
                                   "left out: no image of this name in %s", m->p.images));
    if (m->pairs > 0 || m->p.masks_optional) return AT_OK;
    return at_fail(
        m->b->err, AT_ERR_INPUT,
        "%s holds %d pictures and %s %d, but no names match (%s, %s); call the mask of a.jpg "
        "a.png or a_mask.png",
        m->p.images, m->images.count, m->p.masks, m->masks.count,
        m->images.count ? m->images.items[0] : "none", m->masks.count ? m->masks.items[0] : "none");
}

static void matcher_free(matcher *m) {
    for (int i = 0; i < m->key_count; i++) free(m->keys[i].key);
    free(m->keys);
    free(m->used);
    at_paths_free(&m->images);
    at_paths_free(&m->masks);
}

static at_status list(const matcher *m, const char *dir, at_paths *out) {
    return m->p.flat ? at_list_pictures(dir, out, m->b->err) : at_list_images(dir, out, m->b->err);
}

at_status at_pair_folders(at_builder *b, const char *split, at_pairing p) {
    matcher m = {.b = b, .p = p};
    AT_TRY(at_builder_split(b, split, &m.split));
    at_status status = list(&m, p.images, &m.images);
    if (!status && p.masks) status = list(&m, p.masks, &m.masks);
    if (!status) status = match_all(&m);
    matcher_free(&m);
    return status;
}

bool at_has_pairs(const char *dir) {
    at_paths files;
    bool found = false;
    if (at_list_pictures(dir, &files, NULL)) return false;
    for (int i = 0; i < files.count && !found; i++) {
        size_t n = at_stem_length(files.items[i]), key = strip(files.items[i], n, mask_words);
        for (int j = 0; j < files.count && key < n && !found; j++) {
            size_t other = at_stem_length(files.items[j]);
            bool is_image = strip(files.items[j], other, mask_words) == other;
            found = is_image && strip(files.items[j], other, image_words) == key &&
                    strncmp(files.items[j], files.items[i], key) == 0;
            found = found ||
                    (is_image && other == key && !strncmp(files.items[j], files.items[i], key));
        }
    }
    at_paths_free(&files);
    return found;
}
