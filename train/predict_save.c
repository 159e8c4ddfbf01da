/* SPDX-License-Identifier: MIT */
/* A prediction as files. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/csv.h"
#include "train/json_list.h"
#include "train/predict.h"

static void fill_palette(const at_classes *c, at_rgb *palette) {
    for (int i = 0; i < c->count; i++) palette[i] = c->items[i].color;
}

at_status at_prediction_save_ids(const at_prediction *p, const at_classes *c, const char *path,
                                 at_error *err) {
    at_rgb palette[AT_MAX_CLASSES];
    fill_palette(c, palette);
    return at_mask_save_png(path, p->ids, p->width, p->height, palette, c->count, err);
}

/* RGB: the classes' colours, mixed with the picture's pixels where there is a picture. */
static at_status paint(const at_prediction *p, const at_classes *c, const at_image *image,
                       double opacity, at_image *out, at_error *err) {
    const size_t pixels = (size_t)p->width * (size_t)p->height;
    const int own = (int)lrint(256 * (image ? opacity : 1));
    *out = (at_image){p->width, p->height, 3, malloc(pixels * 3)};
    if (!out->data) return at_fail_memory(err, "a picture", pixels * 3);
    for (size_t i = 0; i < pixels; i++) {
        const at_rgb rgb = c->items[p->ids[i]].color;
        const int color[3] = {rgb.r, rgb.g, rgb.b};
        for (size_t k = 0; k < 3; k++) {
            const size_t channels = image ? (size_t)image->channels : 0;
            const int under = image ? image->data[i * channels + (channels >= 3 ? k : 0)] : 0;
            out->data[i * 3 + k] = (uint8_t)((color[k] * own + under * (256 - own)) / 256);
        }
    }
    return AT_OK;
}

static at_status save_painted(const at_prediction *p, const at_classes *c, const at_image *image,
                              double opacity, const char *path, at_error *err) {
    at_image out;
    AT_TRY(paint(p, c, image, opacity, &out, err));
    const at_status s = at_image_save_png(path, &out, err);
    at_image_free(&out);
    return s;
}

at_status at_prediction_save_color(const at_prediction *p, const at_classes *c, const char *path,
                                   at_error *err) {
    return save_painted(p, c, NULL, 1, path, err);
}

at_status at_prediction_save_overlay(const at_prediction *p, const at_classes *c,
                                     const at_image *image, double opacity, const char *path,
                                     at_error *err) {
    if (image->width != p->width || image->height != p->height)
        return at_fail(err, AT_ERR_INPUT, "%s: the picture is %dx%d, the prediction %dx%d", path,
                       image->height, image->width, p->height, p->width);
    return save_painted(p, c, image, opacity > 0 ? fmin(opacity, 1) : 0.5, path, err);
}

static json_t *prob_metadata(const at_classes *c) {
    json_t *names = json_array(), *j = json_object();
    for (int i = 0; i < c->count; i++) at_json_add(&names, json_string(c->items[i].name));
    char *text = names ? json_dumps(names, JSON_COMPACT) : NULL;
    json_decref(names);
    at_json_put(&j, "classes", text ? json_string(text) : NULL);
    at_json_release(text);
    return j;
}

at_status at_prediction_save_prob(const at_prediction *p, const at_classes *c, const char *path,
                                  at_error *err) {
    if (!p->prob) return at_fail(err, AT_ERR_INPUT, "%s: probabilities were not asked for", path);
    const size_t pixels = (size_t)p->width * (size_t)p->height, k = (size_t)p->classes;
    float *planes = malloc(pixels * k * sizeof *planes);
    json_t *metadata = prob_metadata(c);
    at_status s = AT_ERR_MEMORY;
    if (planes && metadata) {
        for (size_t i = 0; i < pixels; i++)
            for (size_t n = 0; n < k; n++) planes[n * pixels + i] = p->prob[i * k + n];
        const at_st_tensor t = {.name = "probabilities",
                                .dtype = AT_ST_F32,
                                .rank = 3,
                                .shape = {p->classes, p->height, p->width},
                                .data = planes,
                                .bytes = pixels * k * sizeof *planes};
        s = at_st_write(path, &t, 1, metadata, err);
    } else
        at_fail_memory(err, "probabilities", pixels * k * sizeof *planes);
    json_decref(metadata);
    free(planes);
    return s;
}

at_status at_prediction_save_conf(const at_prediction *p, const char *path, at_error *err) {
    if (!p->confidence) return at_fail(err, AT_ERR_INPUT, "%s: confidence was not asked for", path);
    const at_image image = {p->width, p->height, 1, p->confidence};
    return at_image_save_png(path, &image, err);
}

/* ---- summary.csv ---- */

char *at_summary_header(const at_classes *c) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    fputs("image,height,width", f);
    for (int i = 0; i < c->count; i++) {
        fputc(',', f);
        at_csv_field(f, c->items[i].name);
    }
    fputc('\n', f);
    return fclose(f) == 0 ? text : (free(text), NULL);
}

char *at_summary_row(const at_prediction *p, const char *name) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    at_csv_field(f, name);
    fprintf(f, ",%d,%d", p->height, p->width);
    const double pixels = (double)p->width * p->height;
    for (int i = 0; i < p->classes; i++) fprintf(f, ",%.6g", (double)p->area[i] / pixels);
    fputc('\n', f);
    return fclose(f) == 0 ? text : (free(text), NULL);
}
