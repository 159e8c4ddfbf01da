/* SPDX-License-Identifier: MIT */
/* What a set's masks mean: ids or colours, how many classes, what is ignored. Stated things come
 * first (flags, dataset.json, classes.txt); then a well-known set's classes, if the labels fit;
 * then the labels themselves. Every assumption becomes a note. */
#include <stdlib.h>
#include <string.h>

#include "data/set.h"

/* Masks looked at when classes are known and when they must be found out. */
enum { LOOK_KNOWN = 48, LOOK_UNKNOWN = 500 };

typedef struct finder {
    at_builder *b;
    const at_dataset_opts *opts;
    at_mask_survey *survey;
    int distinct, largest; /* raw ids seen */
    bool use_known;        /* the known set's classes fit */
    at_error *err;
} finder;

static bool stated(const finder *f) {
    return f->b->spec->table.classes.count > 0;
}

/* ---- looking ---- */

static const char *mask_at(const at_dataset *d, int64_t i) {
    for (int k = 0; k < d->split_count; k++)
        for (int j = 0; j < d->splits[k].count; j++)
            if (d->splits[k].samples[j].mask && i-- == 0) return d->splits[k].samples[j].mask;
    return NULL;
}

static int count_masks(const at_dataset *d) {
    int n = 0;
    for (int k = 0; k < d->split_count; k++)
        for (int j = 0; j < d->splits[k].count; j++) n += d->splits[k].samples[j].mask != NULL;
    return n;
}

/* Looks at masks evenly spread over the set. One that can't be read is told when it is loaded,
 * unless none can. */
static at_status look(finder *f) {
    const at_spec *spec = f->b->spec;
    bool sure = stated(f) || f->b->known || f->opts->classes || spec->map || spec->threshold;
    int masks = count_masks(f->b->set), most = sure ? LOOK_KNOWN : LOOK_UNKNOWN;
    int looks = masks < most ? masks : most;
    at_error first = {0};
    for (int i = 0; i < looks; i++) {
        at_error e = {0};
        int64_t at = looks == 1 ? 0 : (int64_t)i * (masks - 1) / (looks - 1);
        at_status status = at_mask_survey_add(f->survey, mask_at(f->b->set, at), spec->table.codes,
                                              spec->table.code_count, &e);
        if (status == AT_ERR_MEMORY) return at_fail(f->err, status, "%s", e.text);
        if (status && !first.status) first = e;
    }
    if (looks > 0 && f->survey->masks == 0) return at_fail(f->err, first.status, "%s", first.text);
    f->distinct = at_mask_survey_distinct(f->survey, &f->largest);
    return AT_OK;
}

/* ---- ignored ids ---- */

static bool listed(const int *ids, int count, int id) {
    for (int i = 0; i < count; i++)
        if (ids[i] == id) return true;
    return false;
}

static bool is_ignored(const at_dataset *d, int id) {
    return listed(d->ignore, d->ignore_count, id);
}

static at_status add_ignored(finder *f, int id) {
    at_dataset *d = f->b->set;
    if (is_ignored(d, id)) return AT_OK;
    size_t bytes = (size_t)(d->ignore_count + 1) * sizeof *d->ignore;
    int *ids = realloc(d->ignore, bytes);
    if (!ids) return at_fail_memory(f->err, "ignored ids", bytes);
    d->ignore = ids;
    ids[d->ignore_count++] = id;
    return AT_OK;
}

/* Flags, else dataset.json, else what the layout is known for, else 255; {0, 255} alone ignores
 * nothing. */
static at_status find_ignored(finder *f, int classes) {
    const at_spec *spec = f->b->spec;
    const int *ids = f->opts->ignore ? f->opts->ignore : spec->ignore;
    int count = f->opts->ignore ? f->opts->ignore_count : spec->ignore_count;
    for (int i = 0; i < count; i++) {
        if (ids[i] < 0 || ids[i] >= AT_RAW_IDS)
            return at_fail(f->err, AT_ERR_USAGE, "ignored id %d: ids go from 0 to %d", ids[i],
                           AT_RAW_IDS - 1);
        AT_TRY(add_ignored(f, ids[i]));
    }
    const at_coding *c = &f->b->set->coding;
    bool said = f->opts->ignore || spec->has_ignore || spec->map || spec->threshold;
    if (said || c->binary || c->by_color) return AT_OK;
    const at_known *k = f->b->known;
    bool of_known = k && classes > 0 && k->ignore >= classes;
    return add_ignored(f, of_known ? k->ignore : 255);
}

/* ---- classes ---- */

/* Exactly {0, 255}, and nobody said otherwise. */
static bool is_binary(const finder *f) {
    const at_spec *spec = f->b->spec;
    int named = stated(f) ? spec->table.classes.count : f->opts->classes;
    if (f->distinct != 2 || !f->survey->counts[0] || !f->survey->counts[255]) return false;
    if (f->b->known_surely || spec->map || spec->threshold || (named && named != 2)) return false;
    if (f->opts->ignore) return !listed(f->opts->ignore, f->opts->ignore_count, 255);
    return !listed(spec->ignore, spec->ignore_count, 255);
}

/* Do the labels look like those of the known set? None above, and one in the upper half, as others
 * who use its folders for two classes would not want its names. */
static bool fits_known(const finder *f) {
    const at_known *k = f->b->known;
    if (!k || stated(f) || f->b->set->coding.binary || f->b->spec->map || f->b->spec->threshold)
        return false;
    if (f->opts->classes && f->opts->classes < k->count) return false;
    if (f->b->known_surely || f->survey->colored) return true;
    bool upper = false;
    for (int v = 0; v < AT_RAW_IDS; v++) {
        if (!f->survey->counts[v]) continue;
        if (v >= k->count && v != k->ignore) return false;
        upper = upper || (v >= k->count / 2 && v < k->count);
    }
    return upper;
}

static at_status fail_sparse(const finder *f) {
    at_text seen = {0};
    for (int v = 0, n = 0; v < AT_RAW_IDS && n < 12; v++)
        if (f->survey->counts[v]) at_text_add(&seen, n++ ? ", %d" : "%d", v);
    at_fail(f->err, AT_ERR_INPUT,
            "%s: the masks hold the values %s%s, which are no class ids in a row; say in "
            "dataset.json what "
            "they mean: \"map\": {\"%d\": 0, ...}, or give --classes",
            f->b->root, seen.s ? seen.s : "", f->distinct > 12 ? ", ..." : "", f->largest);
    at_text_free(&seen);
    return AT_ERR_INPUT;
}

static at_status fail_smooth(const finder *f) {
    return at_fail(
        f->err, AT_ERR_INPUT,
        "%s: the masks hold 0, 255 and %d values between: two classes with smoothed edges? "
        "Redraw them without smoothing, or set \"threshold\": 128 in dataset.json",
        f->b->root, f->distinct - 2);
}

/* The largest label that counts, plus one. */
static at_status count_from_labels(finder *f, int *count) {
    const at_mask_survey *s = f->survey;
    const at_dataset *d = f->b->set;
    int largest = -1, distinct = 0;
    for (int v = 0; v < AT_RAW_IDS; v++)
        if (s->counts[v] && !is_ignored(d, v)) {
            largest = v;
            distinct++;
        }
    if (s->masks == 0)
        return at_fail(f->err, AT_ERR_INPUT,
                       "%s: no masks, so the number of classes is unknown; give --classes",
                       f->b->root);
    if (distinct >= 8 && s->counts[0] + s->counts[255] > s->pixels / 5 * 4 && s->counts[255])
        return fail_smooth(f);
    if (largest >= AT_MAX_CLASSES - 1 || (largest >= 32 && distinct * 4 <= largest + 1))
        return fail_sparse(f);
    if (largest < 1)
        return at_fail(
            f->err, AT_ERR_INPUT,
            "%s: the %d masks looked at hold no label but %d: nothing to tell apart; give "
            "--classes if that is by chance",
            f->b->root, s->masks, largest < 0 ? 255 : largest);
    at_text_add(&f->b->set->notes, "%d classes, by the labels of %d masks\n", largest + 1,
                s->masks);
    *count = largest + 1;
    return AT_OK;
}

static int largest_target(const int16_t *map) {
    int largest = -1;
    for (int i = 0; i < AT_RAW_IDS; i++)
        if (map[i] != AT_IGNORE && map[i] > largest) largest = map[i];
    return largest;
}

static at_status copy_two(finder *f, at_classes *out) {
    AT_TRY(at_classes_grow(out, 2, f->err));
    out->items[1].color = (at_rgb){255, 255, 255};
    AT_TRY(at_classes_set_name(out, 0, "background", f->err));
    return at_classes_set_name(out, 1, "foreground", f->err);
}

static at_status find_classes(finder *f) {
    at_dataset *d = f->b->set;
    const at_spec *spec = f->b->spec;
    int count = f->opts->classes;
    if (count < 0 || count >= AT_MAX_CLASSES)
        return at_fail(f->err, AT_ERR_USAGE, "--classes %d: from 2 to %d", count,
                       AT_MAX_CLASSES - 1);
    if (stated(f))
        AT_TRY(at_classes_copy(&spec->table.classes, &d->classes, f->err));
    else if (f->use_known)
        AT_TRY(at_classes_copy_known(f->b->known, &d->classes, f->err));
    else if (d->coding.binary || spec->threshold)
        AT_TRY(copy_two(f, &d->classes));
    else if (spec->map && !count)
        count = largest_target(spec->map) + 1;
    else if (!count)
        AT_TRY(count_from_labels(f, &count));
    if (f->use_known && !f->b->known_surely)
        at_text_add(&d->notes, "classes: %s's %d, as the labels fit; classes.txt overrides this\n",
                    f->b->known->set, f->b->known->count);
    if (count && count < d->classes.count)
        return at_fail(f->err, AT_ERR_USAGE, "--classes %d, but the data set has %d classes", count,
                       d->classes.count);
    AT_TRY(at_classes_grow(&d->classes, count, f->err));
    if (d->classes.count < 2)
        return at_fail(f->err, AT_ERR_INPUT, "%s: one class: nothing to tell apart", f->b->root);
    return at_classes_name_rest(&d->classes, f->err);
}

/* ---- the table ---- */

static at_status fill_map(finder *f) {
    at_dataset *d = f->b->set;
    const at_spec *spec = f->b->spec;
    int16_t *map = malloc(AT_RAW_IDS * sizeof *map);
    if (!map) return at_fail_memory(f->err, "a map of ids", AT_RAW_IDS * sizeof *map);
    d->coding.map = map;
    for (int v = 0; v < AT_RAW_IDS; v++) {
        map[v] = (int16_t)(v < d->classes.count ? v : AT_NO_CLASS);
        if (f->b->raw_map) map[v] = v < AT_CITYSCAPES_IDS ? f->b->raw_map[v] : AT_NO_CLASS;
        if (spec->threshold) map[v] = v >= spec->threshold;
        if (spec->map) map[v] = spec->map[v];
        if (map[v] != AT_IGNORE && map[v] >= d->classes.count)
            return at_fail(f->err, AT_ERR_INPUT,
                           "%s: \"map\" sends %d to class %d, but there are %d classes", spec->path,
                           v, map[v], d->classes.count);
    }
    if (d->coding.binary) map[255] = 1;
    for (int i = 0; i < d->ignore_count; i++) map[d->ignore[i]] = AT_IGNORE;
    for (int v = 0; v < AT_RAW_IDS; v++) { /* for people: what the tables ignore, too */
        bool shown = f->b->raw_map ? v < AT_CITYSCAPES_IDS : f->survey->counts[v] > 0;
        if (map[v] == AT_IGNORE && shown) AT_TRY(add_ignored(f, v));
    }
    return AT_OK;
}

static at_status copy_codes(finder *f) {
    at_coding *c = &f->b->set->coding;
    const at_spec *spec = f->b->spec;
    const at_known *k = stated(f) ? NULL : f->b->known;
    int count = k ? k->count : spec->table.code_count;
    c->codes = calloc((size_t)count + 1, sizeof *c->codes);
    if (!c->codes) return at_fail_memory(f->err, "colours", (size_t)count * sizeof *c->codes);
    for (int i = 0; i < count; i++)
        c->codes[i] = k ? (at_color_code){k->items[i].color, i} : spec->table.codes[i];
    if (k) c->codes[count++] = (at_color_code){k->ignore_color, AT_IGNORE};
    c->code_count = count;
    c->by_color = true;
    return AT_OK;
}

static at_status fail_colors(const finder *f) {
    at_text seen = {0};
    const at_mask_survey *s = f->survey;
    for (int i = 0; i < s->color_count && i < 12; i++)
        at_text_add(&seen, "%s%d %d %d", i ? ", " : "", s->colors[i].r, s->colors[i].g,
                    s->colors[i].b);
    at_fail(f->err, AT_ERR_INPUT,
            "%s: the masks are in colour, and nothing says which colour is which class; write "
            "%s/classes.txt "
            "with a line 'id name r g b' for each: %s%s",
            s->colored_file, f->b->root, seen.s ? seen.s : "", s->color_count > 12 ? ", ..." : "");
    at_text_free(&seen);
    return AT_ERR_INPUT;
}

static at_status find_colors(finder *f) {
    const at_mask_survey *s = f->survey;
    bool codes = stated(f) ? f->b->spec->table.code_count > 0 : f->b->known != NULL;
    bool indexed = s->indexed > 0 && s->indexed_by_color == s->indexed;
    if (s->colored == 0 && !indexed) return AT_OK;
    if (!codes) return fail_colors(f);
    if (indexed && !s->colored)
        at_text_add(&f->b->set->notes, "masks: indexed, read by the colours of classes.txt, as "
                                       "their indices aren't its ids\n");
    return copy_codes(f);
}

static at_status find_all(finder *f) {
    at_dataset *d = f->b->set;
    AT_TRY(look(f));
    d->coding.binary = is_binary(f);
    f->use_known = fits_known(f);
    AT_TRY(find_colors(f));
    int named = f->use_known ? f->b->known->count : stated(f) ? f->b->spec->table.classes.count : 0;
    AT_TRY(find_ignored(f, f->opts->classes > named ? f->opts->classes : named));
    AT_TRY(find_classes(f));
    AT_TRY(fill_map(f));
    d->coding.classes = d->classes.count;
    if (d->coding.binary)
        at_text_add(&d->notes,
                    "masks hold only 0 and 255: taken as two classes; 255 is not ignored here\n");
    return d->notes.failed ? at_fail_memory(f->err, "notes", d->notes.length) : AT_OK;
}

at_status at_coding_find(at_builder *b, const at_dataset_opts *opts) {
    finder f = {.b = b, .opts = opts, .err = b->err};
    f.survey = calloc(1, sizeof *f.survey);
    if (!f.survey) return at_fail_memory(b->err, "a look at the masks", sizeof *f.survey);
    at_status status = find_all(&f);
    free(f.survey);
    return status;
}
