/* SPDX-License-Identifier: MIT */
/* Mask files to class ids. Nothing is guessed here: a value or colour that the set's coding doesn't
 * know is an error that says where it stands and what would help. */
#include "data/mask.h"

#include <stdlib.h>
#include <string.h>

#include "data/classes.h"
#include "data/decode.h"

void at_coding_free(at_coding *c) {
    free(c->map);
    free(c->codes);
    *c = (at_coding){0};
}

static at_status load_raster(const char *path, at_raster *out, at_error *err) {
    char *bytes;
    size_t size;
    *out = (at_raster){0};
    AT_TRY(at_file_read(path, 0, &bytes, &size, err));
    at_status status;
    if (at_kind_of(bytes, size) == AT_KIND_JPEG)
        status = at_fail(err, AT_ERR_INPUT,
                         "%s: a JPEG can't be a mask: its compression changes the labels; save the "
                         "masks anew as PNG from where they were drawn",
                         path);
    else
        status = at_raster_decode(bytes, size, path, out, err);
    free(bytes);
    return status;
}

static int sample(const at_raster *r, size_t i) {
    return r->depth == 16 ? ((const uint16_t *)r->data)[i] : ((const uint8_t *)r->data)[i];
}

static bool is_rgb(const at_raster *r) {
    return r->color == 2 || r->color == 6;
}

/* An RGB file whose channels are equal everywhere is a grey one in disguise. */
static bool is_colored(const at_raster *r) {
    size_t n = (size_t)r->width * (size_t)r->height * (size_t)r->channels;
    if (!is_rgb(r)) return false;
    for (size_t i = 0; i < n; i += (size_t)r->channels) {
        int v = sample(r, i);
        if (v != sample(r, i + 1) || v != sample(r, i + 2)) return true;
    }
    return false;
}

static uint8_t to_8bit(const at_raster *r, int v) {
    return (uint8_t)(r->maxval == 255 ? v : r->maxval == 65535 ? v >> 8 : v * 255 / r->maxval);
}

/* The colour of pixel p; indices beyond the palette are black, as nothing says better. */
static at_rgb color_at(const at_raster *r, size_t p) {
    size_t i = p * (size_t)r->channels;
    if (r->color == 3) return r->palette[sample(r, i)];
    uint8_t first = to_8bit(r, sample(r, i));
    if (!is_rgb(r)) return (at_rgb){first, first, first};
    return (at_rgb){first, to_8bit(r, sample(r, i + 1)), to_8bit(r, sample(r, i + 2))};
}

static int find_code(const at_color_code *codes, int count, at_rgb color) {
    for (int i = 0; i < count; i++)
        if (at_rgb_equal(codes[i].color, color)) return i;
    return -1;
}

/* ---- errors ---- */

static at_status fail_label(const at_coding *c, const char *path, int x, int y, int v,
                            at_error *err) {
    if (c->binary)
        return at_fail(
            err, AT_ERR_INPUT,
            "%s: pixel (%d,%d) has the value %d, but the masks looked at before hold only 0 "
            "and 255, taken as two classes; redraw it without smoothing, or set \"threshold\" "
            "or \"map\" in dataset.json",
            path, x, y, v);
    return at_fail(
        err, AT_ERR_INPUT,
        "%s: pixel (%d,%d) has label %d, but there are %d classes (0 .. %d); use --classes "
        "%d if it is a class, --ignore %d if it counts nowhere, or \"map\" in dataset.json",
        path, x, y, v, c->classes, c->classes - 1, v + 1, v);
}

static int distance(at_rgb a, at_rgb b) {
    int r = a.r - b.r, g = a.g - b.g, u = a.b - b.b;
    return r * r + g * g + u * u;
}

static at_status fail_color(const at_coding *c, const at_classes *names, const char *path, int x,
                            int y, at_rgb color, at_error *err) {
    int best = 0;
    for (int i = 1; i < c->code_count; i++)
        if (distance(c->codes[i].color, color) < distance(c->codes[best].color, color)) best = i;
    at_rgb near = c->codes[best].color;
    int id = c->codes[best].id;
    return at_fail(
        err, AT_ERR_INPUT,
        "%s: pixel (%d,%d) has the colour %d %d %d, which no class has; the nearest is '%s' "
        "(%d %d %d); add a line for it to classes.txt, or redraw it without smoothing",
        path, x, y, color.r, color.g, color.b, id == AT_IGNORE ? "ignore" : names->items[id].name,
        near.r, near.g, near.b);
}

static at_status fail_uncoded(const char *path, at_error *err) {
    return at_fail(err, AT_ERR_INPUT,
                   "%s: the mask is in colour, and nothing says which colour is which class; write "
                   "classes.txt with a line 'id name r g b' for each",
                   path);
}

/* ---- decoding ---- */

static at_status decode_ids(const at_coding *c, const at_raster *r, const char *path, uint8_t *ids,
                            at_error *err) {
    for (int y = 0; y < r->height; y++)
        for (int x = 0; x < r->width; x++) {
            size_t p = (size_t)y * (size_t)r->width + (size_t)x;
            int v = sample(r, p * (size_t)r->channels);
            if (c->map[v] == AT_NO_CLASS) return fail_label(c, path, x, y, v, err);
            ids[p] = (uint8_t)c->map[v];
        }
    return AT_OK;
}

static at_status decode_colors(const at_coding *c, const at_classes *names, const at_raster *r,
                               const char *path, uint8_t *ids, at_error *err) {
    int code = 0;
    for (int y = 0; y < r->height; y++)
        for (int x = 0; x < r->width; x++) {
            size_t p = (size_t)y * (size_t)r->width + (size_t)x;
            at_rgb color = color_at(r, p);
            if (!at_rgb_equal(c->codes[code].color, color)) {
                int found = find_code(c->codes, c->code_count, color);
                if (found < 0) return fail_color(c, names, path, x, y, color, err);
                code = found;
            }
            ids[p] = (uint8_t)c->codes[code].id;
        }
    return AT_OK;
}

at_status at_mask_load(const at_coding *c, const at_classes *names, const char *path, uint8_t **ids,
                       at_pair *size, at_error *err) {
    at_raster r;
    *ids = NULL;
    AT_TRY(load_raster(path, &r, err));
    *size = (at_pair){r.height, r.width};
    size_t bytes = (size_t)r.width * (size_t)r.height;
    at_status status = AT_OK;
    *ids = malloc(bytes);
    if (!*ids)
        status = at_fail_memory(err, path, bytes);
    else if (c->by_color)
        status = decode_colors(c, names, &r, path, *ids, err);
    else if (is_colored(&r))
        status = fail_uncoded(path, err);
    else
        status = decode_ids(c, &r, path, *ids, err);
    at_raster_free(&r);
    if (status) {
        free(*ids);
        *ids = NULL;
    }
    return status;
}

/* ---- survey ---- */

static void survey_colors(at_mask_survey *s, const at_raster *r, const char *path) {
    size_t pixels = (size_t)r->width * (size_t)r->height;
    if (s->colored++ == 0) snprintf(s->colored_file, sizeof s->colored_file, "%s", path);
    at_rgb last = {0, 0, 0};
    for (size_t p = 0; p < pixels; p++) {
        at_rgb color = color_at(r, p);
        if (p > 0 && at_rgb_equal(color, last)) continue;
        last = color;
        int i = 0;
        while (i < s->color_count && !at_rgb_equal(s->colors[i], color)) i++;
        if (i == s->color_count && i < AT_SURVEY_COLORS) s->colors[s->color_count++] = color;
    }
}

static void survey_palette(at_mask_survey *s, const at_raster *r, const bool *used,
                           const at_color_code *codes, int code_count) {
    bool all = code_count > 0, differs = false;
    for (int i = 0; i < r->palette_count && all; i++) {
        if (!used[i]) continue;
        int code = find_code(codes, code_count, r->palette[i]);
        all = code >= 0;
        differs = differs || (all && codes[code].id != i);
    }
    s->indexed++;
    s->indexed_by_color += all && differs;
}

at_status at_mask_survey_add(at_mask_survey *s, const char *path, const at_color_code *codes,
                             int code_count, at_error *err) {
    at_raster r;
    AT_TRY(load_raster(path, &r, err));
    size_t pixels = (size_t)r.width * (size_t)r.height;
    bool used[256] = {false};
    s->masks++;
    if (is_colored(&r)) {
        survey_colors(s, &r, path);
    } else {
        for (size_t p = 0; p < pixels; p++) {
            int v = sample(&r, p * (size_t)r.channels);
            s->counts[v]++;
            if (v < 256) used[v] = true;
        }
        s->pixels += (int64_t)pixels;
        if (r.color == 3) survey_palette(s, &r, used, codes, code_count);
    }
    at_raster_free(&r);
    return AT_OK;
}

int at_mask_survey_distinct(const at_mask_survey *s, int *largest) {
    int distinct = 0;
    *largest = -1;
    for (int v = 0; v < AT_RAW_IDS; v++)
        if (s->counts[v]) {
            distinct++;
            *largest = v;
        }
    return distinct;
}
