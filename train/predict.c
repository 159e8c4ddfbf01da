/* SPDX-License-Identifier: MIT */
/* Predictors: what they are told, how large a tile may be, and a picture from its own size to the
 * network's. strips.c does the rest. */
#include "train/predict.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/predict_private.h"
#include "train/tune.h"

static at_status parse_scales(at_predict_opts *opts, const char *text, size_t length,
                              at_error *err) {
    const char *end = text + length;
    opts->scale_count = 0;
    while (text < end) {
        char *stop;
        const double v = strtod(text, &stop);
        if (stop == text || !(v >= 0.1 && v <= 8) || (stop < end && *stop != ','))
            return at_fail(err, AT_ERR_USAGE, "tta: scales are numbers from 0.1 to 8, not \"%s\"",
                           text);
        if (opts->scale_count == AT_MAX_SCALES)
            return at_fail(err, AT_ERR_USAGE, "tta: at most %d scales", AT_MAX_SCALES);
        opts->scales[opts->scale_count++] = v;
        text = stop + 1;
    }
    return AT_OK;
}

/* Words are parted by commas or plus signs; a number belongs to the scales before it. */
at_status at_predict_tta(at_predict_opts *opts, const char *text, at_error *err) {
    while (*text) {
        size_t length = strcspn(text, ",+");
        if (length == 4 && strncmp(text, "flip", 4) == 0)
            opts->flip = true;
        else if (length == 6 && strncmp(text, "scales", 6) == 0)
            AT_TRY(parse_scales(opts, "0.75,1,1.25", 11, err));
        else if (strncmp(text, "scales=", 7) == 0) {
            length = 7 + strspn(text + 7, "0123456789.,");
            if (length > 7 && text[length - 1] == ',') length--;
            if (length == 7)
                return at_fail(err, AT_ERR_USAGE,
                               "tta \"%s\": scales= needs numbers, as in scales=0.75,1,1.25", text);
            AT_TRY(parse_scales(opts, text + 7, length - 7, err));
        } else if (length != 4 || strncmp(text, "none", 4) != 0)
            return at_fail(err, AT_ERR_USAGE,
                           "tta \"%s\": expected flip, scales or scales=0.75,1,1.25", text);
        text += length;
        if (*text) text++;
    }
    return AT_OK;
}

at_status at_predictor_new(at_predictor **out, at_network *net, at_predict_opts opts,
                           at_error *err) {
    *out = NULL;
    if (opts.tile && (opts.tile < 128 || opts.tile % AT_TILE_STEP))
        return at_fail(err, AT_ERR_USAGE, "tile %d: expected a multiple of %d, at least 128",
                       opts.tile, AT_TILE_STEP);
    if (opts.overlap < 0 || (opts.tile && opts.overlap > opts.tile / 2))
        return at_fail(err, AT_ERR_USAGE, "overlap %d: expected at most half the tile, %d",
                       opts.overlap, opts.tile / 2);
    at_predictor *p = calloc(1, sizeof *p);
    if (!p) return at_fail_memory(err, "predictor", sizeof *p);
    *p = (at_predictor){.net = net, .opts = opts, .radius = at_network_radius(net)};
    at_status s = AT_OK;
    if (opts.conv == AT_CONV_TUNE && !opts.tuning) s = at_tune_open(&p->tuning, err);
    if (p->tuning) p->opts.tuning = p->tuning;
    *out = s == AT_OK ? p : NULL;
    if (s != AT_OK) free(p);
    return s;
}

void at_predictor_free(at_predictor *p) {
    if (!p) return;
    at_plan_free(p->plan);
    at_tune_close(p->tuning);
    free(p->weights);
    free(p);
}

void at_prediction_free(at_prediction *out) {
    free(out->ids);
    free(out->prob);
    free(out->confidence);
    free(out->plane);
    *out = (at_prediction){0};
}

/* ---- how large a tile ---- */

static bool fits(at_predictor *p, at_pair size, size_t limit) {
    double scale = 1;
    for (int i = 0; i < p->opts.scale_count; i++) scale = fmax(scale, p->opts.scales[i]);
    const double h = ceil(size.h * scale), w = ceil(size.w * scale);
    size_t bytes;
    if (h > 1e6 || w > 1e6) return false;
    const at_pair scaled = {(int)h, (int)w};
    if (at_predictor_measure(p, scaled, &bytes, NULL) != AT_OK) return false;
    const double sums = (double)size.h * size.w * p->net->opts.classes * sizeof(float);
    return (double)bytes + sums <= (double)limit;
}

static int smaller(int side, int tile) {
    return side < tile ? side : tile;
}

/* The whole picture if it fits, or the largest tile that does; the smallest in any case, so that
 * the plan's own message says what is missing. */
static int choose_tile(at_predictor *p, at_pair size) {
    static const int tiles[] = {2048, 1536, 1024, 768, 512, 384, 256, 128};
    if (p->opts.tile) return p->opts.tile;
    size_t limit = p->opts.max_bytes ? p->opts.max_bytes : at_memory_available() / 10 * 7;
    if (p->plan && !p->opts.max_bytes) limit += at_plan_bytes(p->plan); /* it will make way */
    if (fits(p, size, limit)) return size.h > size.w ? size.h : size.w;
    for (size_t i = 0; i + 1 < sizeof tiles / sizeof *tiles; i++)
        if (fits(p, (at_pair){smaller(size.h, tiles[i]), smaller(size.w, tiles[i])}, limit))
            return tiles[i];
    return 128;
}

static at_status allocate(at_prediction *out, const at_image *image, int classes, unsigned want,
                          at_error *err) {
    const size_t pixels = (size_t)image->width * (size_t)image->height;
    *out = (at_prediction){.width = image->width, .height = image->height, .classes = classes};
    out->ids = malloc(pixels);
    if (want & AT_WANT_PROB) out->prob = calloc(pixels, (size_t)classes * sizeof(float));
    if (want & AT_WANT_CONF) out->confidence = malloc(pixels);
    if (out->ids && (out->prob || !(want & AT_WANT_PROB)) &&
        (out->confidence || !(want & AT_WANT_CONF)))
        return AT_OK;
    at_prediction_free(out);
    return at_fail_memory(err, "a prediction",
                          pixels * (1 + (want & AT_WANT_PROB ? (size_t)classes * 4 : 0)));
}

static at_status add_plane(at_prediction *out, at_pair size, at_error *err) {
    const size_t pixels = (size_t)size.h * (size_t)size.w;
    const size_t bytes = (size_t)out->classes * sizeof(float);
    out->plane_size = size;
    out->plane = calloc(pixels, bytes);
    return out->plane ? AT_OK : at_fail_memory(err, "probabilities", pixels * bytes);
}

static at_status predict_seen(at_predictor *p, const at_image *seen, at_prediction *out,
                              at_error *err) {
    const int tile = choose_tile(p, (at_pair){seen->height, seen->width});
    return at_predict_strips(p, seen, tile, out, err);
}

at_status at_predict(at_predictor *p, const at_image *image, unsigned want, at_prediction *out,
                     at_error *err) {
    const at_network *net = p->net;
    assert(image->channels == net->opts.in_channels);
    const at_pair to = net->resize;
    const bool resize = to.h && (to.h != image->height || to.w != image->width);
    at_image small = {0};
    AT_TRY(allocate(out, image, net->opts.classes, want, err));
    at_status s = resize ? at_image_resize(image, to.w, to.h, &small, err) : AT_OK;
    if (s == AT_OK && resize && (want & AT_WANT_PLANE)) s = add_plane(out, to, err);
    if (s == AT_OK) s = predict_seen(p, resize ? &small : image, out, err);
    at_image_free(&small);
    if (s != AT_OK) {
        at_prediction_free(out);
        return s;
    }
    const size_t pixels = (size_t)out->width * (size_t)out->height;
    for (size_t i = 0; i < pixels; i++) out->area[out->ids[i]]++;
    return AT_OK;
}
