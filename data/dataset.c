/* SPDX-License-Identifier: MIT */
/* A data set: opening it, asking it, and loading one sample. */
#include <stdlib.h>
#include <string.h>

#include "data/decode.h"
#include "data/set.h"
#include "data/synth.h"

void at_dataset_free(at_dataset *d) {
    if (!d) return;
    for (int k = 0; k < d->split_count; k++) {
        for (int i = 0; i < d->splits[k].count; i++) {
            at_sample *s = &d->splits[k].samples[i];
            free(s->name);
            free(s->image);
            free(s->mask);
            free(s->group);
        }
        free(d->splits[k].samples);
        free(d->splits[k].name);
    }
    free(d->root);
    free(d->layout);
    free(d->ignore);
    at_text_free(&d->notes);
    at_classes_free(&d->classes);
    at_coding_free(&d->coding);
    at_findings_free(&d->findings);
    free(d);
}

/* ---- opening ---- */

/* Pairs that were left out while listing: the first by name, the rest by number. */
static void note_findings(at_dataset *d) {
    if (d->findings.count == 0) return;
    const at_finding *first = &d->findings.items[0];
    at_text_add(&d->notes, "%d files without a partner were left out, the first of them %s (%s)\n",
                d->findings.count, first->file, first->text);
}

static at_status check_masks(at_builder *b) {
    for (int k = 0; k < b->set->split_count; k++) {
        const at_split *s = &b->set->splits[k];
        for (int i = 0; i < s->count && strcmp(s->name, "train") == 0; i++)
            if (!s->samples[i].mask)
                return at_fail(b->err, AT_ERR_INPUT, "%s: no mask; images to train on need one",
                               s->samples[i].image);
    }
    return AT_OK;
}

static at_status open_listed(at_builder *b, const at_dataset_opts *opts) {
    AT_TRY(b->spec->has_files ? at_spec_list(b) : at_layout_list(b));
    AT_TRY(at_finish_samples(b));
    AT_TRY(check_masks(b));
    AT_TRY(at_holdout(b, opts->val_share));
    note_findings(b->set);
    return at_coding_find(b, opts);
}

static at_status open_folder(at_dataset *d, const at_dataset_opts *opts, at_error *err) {
    if (!at_path_exists(opts->path))
        return at_fail(err, AT_ERR_IO, "%s: no such folder", opts->path);
    if (!at_path_is_dir(opts->path))
        return at_fail(err, AT_ERR_INPUT, "%s: a data set is a folder, and this is a file",
                       opts->path);
    size_t n = strlen(opts->path);
    while (n > 1 && opts->path[n - 1] == '/') n--;
    d->root = at_substring(opts->path, n);
    if (!d->root) return at_fail_memory(err, "a path", n);
    at_spec spec;
    AT_TRY(at_spec_load(d->root, &spec, err));
    at_builder b = {.set = d, .root = d->root, .spec = &spec, .err = err};
    at_status status = open_listed(&b, opts);
    at_spec_free(&spec);
    return status;
}

/* Pictures of train count from 0, those of val from 2^32: more of one leaves the other as it was.
 */
static at_status add_drawn(at_builder *b, const char *name, int count, uint64_t first) {
    at_split *split;
    AT_TRY(at_builder_split(b, name, &split));
    for (int i = 0; i < count; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s_%05d", name, i);
        AT_TRY(at_builder_add(b, split, text, NULL, NULL));
        split->samples[i].index = first + (uint64_t)i;
    }
    return AT_OK;
}

static at_status open_synth(at_dataset *d, const at_dataset_opts *opts, at_error *err) {
    at_builder b = {.set = d, .err = err};
    int count = opts->synth_count ? opts->synth_count : AT_SYNTH_COUNT;
    d->synth_size = opts->synth_size.h ? opts->synth_size : (at_pair){AT_SYNTH_SIZE, AT_SYNTH_SIZE};
    at_pair size = d->synth_size;
    if (count < 2)
        return at_fail(err, AT_ERR_USAGE, "a synthetic set of %d images: at least 2", count);
    if (size.h < 32 || size.w < 32 || size.h > 4096 || size.w > 4096)
        return at_fail(err, AT_ERR_USAGE, "synthetic images of %dx%d: sides go from 32 to 4096",
                       size.h, size.w);
    int val = count / 5 > 0 ? count / 5 : 1;
    d->layout = at_substring("synthetic", 9);
    if (!d->layout) return at_fail_memory(err, "a data set", 16);
    AT_TRY(add_drawn(&b, "train", count - val, 0));
    AT_TRY(add_drawn(&b, "val", val, (uint64_t)1 << 32));
    d->coding.classes = at_known_synth.count;
    return at_classes_copy_known(&at_known_synth, &d->classes, err);
}

at_status at_dataset_open(at_dataset **out, at_dataset_opts opts, at_error *err) {
    at_error local = {0};
    *out = NULL;
    at_dataset *d = calloc(1, sizeof *d);
    if (!d) return at_fail_memory(err, "a data set", sizeof *d);
    d->seed = opts.seed;
    at_status status = opts.path ? open_folder(d, &opts, err ? err : &local)
                                 : open_synth(d, &opts, err ? err : &local);
    if (status)
        at_dataset_free(d);
    else
        *out = d;
    return status;
}

/* ---- asking ---- */

const char *at_dataset_layout(const at_dataset *d) {
    return d->layout;
}

const char *at_dataset_notes(const at_dataset *d) {
    return d->notes.s ? d->notes.s : "";
}

const at_classes *at_dataset_classes(const at_dataset *d) {
    return &d->classes;
}

const int *at_dataset_ignore(const at_dataset *d, int *count) {
    *count = d->ignore_count;
    return d->ignore;
}

int at_dataset_split_count(const at_dataset *d) {
    return d->split_count;
}

const at_split *at_dataset_split(const at_dataset *d, const char *name) {
    for (int i = 0; i < d->split_count; i++)
        if (strcmp(d->splits[i].name, name) == 0) return &d->splits[i];
    return NULL;
}

const at_split *at_dataset_split_at(const at_dataset *d, int i) {
    return i >= 0 && i < d->split_count ? &d->splits[i] : NULL;
}

at_status at_dataset_find_split(const at_dataset *d, const char *name, const at_split **split,
                                at_error *err) {
    char known[512] = "";
    *split = at_dataset_split(d, name);
    if (*split && (*split)->count > 0) return AT_OK;
    for (int i = 0; i < d->split_count; i++) {
        const size_t n = strlen(known);
        if (d->splits[i].count > 0)
            snprintf(known + n, sizeof known - n, "%s%s", n ? ", " : "", d->splits[i].name);
    }
    return at_fail(err, AT_ERR_USAGE, "--split %s: the data set has only %s", name, known);
}

/* ---- loading ---- */

static at_status check_size(const at_sample *s, at_pair image, at_pair mask, at_error *err) {
    if (image.h == mask.h && image.w == mask.w) return AT_OK;
    bool turned = image.h == mask.w && image.w == mask.h;
    return at_fail(err, AT_ERR_INPUT, "%s: %dx%d pixels, but its image %s has %dx%d; %s", s->mask,
                   mask.w, mask.h, s->image, image.w, image.h,
                   turned ? "the image's EXIF says it is turned: draw the mask on the turned image"
                          : "the mask must have the image's size");
}

static at_status load_synth(const at_dataset *d, const at_sample *s, int channels, at_image *image,
                            uint8_t **mask, at_error *err) {
    uint8_t *ids;
    AT_TRY(at_synth_draw(d->seed, s->index, d->synth_size, image, &ids, err));
    at_status status = at_image_convert(image, channels, err);
    if (mask && !status)
        *mask = ids;
    else
        free(ids);
    return status;
}

at_status at_dataset_load_mask(const at_dataset *d, const char *path, uint8_t **ids, at_pair *size,
                               at_error *err) {
    return at_mask_load(&d->coding, &d->classes, path, ids, size, err);
}

static at_status load_mask(const at_dataset *d, const at_sample *s, const at_image *image,
                           uint8_t **mask, at_error *err) {
    at_pair size;
    AT_TRY(at_dataset_load_mask(d, s->mask, mask, &size, err));
    at_status status = check_size(s, (at_pair){image->height, image->width}, size, err);
    if (status) {
        free(*mask);
        *mask = NULL;
    }
    return status;
}

at_status at_dataset_load(const at_dataset *d, const at_sample *s, int channels, at_image *image,
                          uint8_t **mask, at_error *err) {
    *image = (at_image){0};
    if (mask) *mask = NULL;
    if (!s->image) return load_synth(d, s, channels, image, mask, err);
    AT_TRY(at_image_load(s->image, channels, image, err));
    at_status status = mask && s->mask ? load_mask(d, s, image, mask, err) : AT_OK;
    if (status) at_image_free(image);
    return status;
}

at_status at_dataset_size(const at_dataset *d, const at_sample *s, at_pair *size, at_error *err) {
    *size = d->synth_size;
    return s->image ? at_image_size(s->image, &size->w, &size->h, err) : AT_OK;
}
