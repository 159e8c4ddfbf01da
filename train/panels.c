/* SPDX-License-Identifier: MIT */
/* Panels are shrunk or enlarged by nearest pixels only: what is seen is what is in the data. */
#include "train/panels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/canvas.h"

enum { GAP = 8, CELL = 320, TEXT = 2, LINE = AT_GLYPH_H * TEXT + 4, MOST_IMAGES = 8 };

static const at_rgb ground = {24, 26, 30}, ink = {236, 238, 240}, faint = {150, 156, 164};
static const at_rgb void_color = {90, 94, 100}, wrong_color = {226, 54, 46};

/* ---- ids to colours ---- */

static at_rgb color_of(const at_classes *c, uint8_t id) {
    return id < c->count ? c->items[id].color : void_color;
}

static at_status new_picture(at_image *out, at_pair size, at_error *err) {
    return at_canvas_new(out, size.w, size.h, ground, err);
}

static void set(at_image *out, size_t i, at_rgb c) {
    out->data[3 * i] = c.r, out->data[3 * i + 1] = c.g, out->data[3 * i + 2] = c.b;
}

void at_paint_ids(at_image *out, const at_classes *c, const uint8_t *ids) {
    for (size_t i = 0; i < (size_t)out->width * (size_t)out->height; i++)
        set(out, i, color_of(c, ids[i]));
}

void at_paint_errors(at_image *out, const at_classes *c, const at_image *image,
                     const uint8_t *truth, const uint8_t *ids) {
    const size_t channels = (size_t)image->channels;
    for (size_t i = 0; i < (size_t)out->width * (size_t)out->height; i++) {
        const uint8_t *p = image->data + i * channels;
        const uint8_t grey = (uint8_t)(channels >= 3 ? (p[0] + 2 * p[1] + p[2]) / 8 : p[0] / 2);
        if (truth[i] >= c->count)
            set(out, i, void_color);
        else
            set(out, i, truth[i] == ids[i] ? (at_rgb){grey, grey, grey} : wrong_color);
    }
}

/* ---- legend ---- */

typedef struct legend {
    const at_classes *classes;
    bool seen[AT_MAX_CLASSES];
} legend;

static void note_ids(legend *l, const uint8_t *ids, size_t count) {
    for (size_t i = 0; i < count; i++) l->seen[ids[i]] = true;
}

/* Draws (canvas not NULL) or only measures; returns the height. */
static int lay_legend(const legend *l, at_image *canvas, int top, int width) {
    int x = GAP, y = top;
    for (int c = 0; c <= AT_IGNORE; c++) {
        if (!l->seen[c] || (c >= l->classes->count && c != AT_IGNORE)) continue;
        const char *name = c < l->classes->count ? l->classes->items[c].name : "counts nowhere";
        const int need = 16 + 6 + at_canvas_text_width(name, TEXT) + 2 * GAP;
        if (x > GAP && x + need > width) x = GAP, y += LINE;
        if (canvas) {
            at_canvas_rect(canvas, x, y, 16, 14, color_of(l->classes, (uint8_t)c));
            at_canvas_text(canvas, x + 22, y, TEXT, ink, name);
        }
        x += need;
    }
    return y - top + LINE;
}

/* ---- panels ---- */

/* The size at which a picture is shown: about CELL wide. Small ones are enlarged whole times. */
static at_pair shown(at_pair size) {
    if (size.w <= CELL / 2 && size.h <= CELL) {
        const int times = CELL / size.w;
        return (at_pair){size.h * times, size.w * times};
    }
    const double scale = fmin(1, (double)CELL / size.w);
    const int h = (int)lround(size.h * scale);
    return (at_pair){h < 1 ? 1 : h, (int)lround(size.w * scale)};
}

static at_status save(at_image *canvas, const char *path, at_error *err) {
    const at_status s = at_image_save_png(path, canvas, err);
    at_image_free(canvas);
    return s;
}

static void draw_prediction(at_image *canvas, at_pair cell, const at_network *net,
                            const char *title, const at_image *image, const uint8_t *truth,
                            const uint8_t *ids, at_image *scratch) {
    static const char *const heads[] = {"image", "truth", "prediction", "errors"};
    const int top = GAP + 2 * LINE;
    at_canvas_text(canvas, GAP, GAP, TEXT, ink, title);
    for (int i = 0; i < 4; i++) {
        const int x = GAP + i * (cell.w + GAP);
        at_canvas_text(canvas, x, GAP + LINE, TEXT, faint, heads[i]);
        if (i == 1) at_paint_ids(scratch, &net->classes, truth);
        if (i == 2) at_paint_ids(scratch, &net->classes, ids);
        if (i == 3) at_paint_errors(scratch, &net->classes, image, truth, ids);
        at_canvas_picture(canvas, x, top, cell.w, cell.h, i == 0 ? image : scratch);
    }
}

at_status at_panel_prediction(const char *path, const at_network *net, const char *title,
                              const at_image *image, const uint8_t *truth, const uint8_t *ids,
                              at_error *err) {
    const at_pair size = {image->height, image->width}, cell = shown(size);
    const size_t pixels = (size_t)size.h * (size_t)size.w;
    const int width = 4 * cell.w + 5 * GAP, top = GAP + 2 * LINE + cell.h + GAP;
    legend l = {.classes = &net->classes};
    at_image canvas, scratch;
    note_ids(&l, truth, pixels);
    note_ids(&l, ids, pixels);
    AT_TRY(new_picture(&scratch, size, err));
    at_status s =
        at_canvas_new(&canvas, width, top + lay_legend(&l, NULL, top, width) + GAP, ground, err);
    if (s == AT_OK) {
        draw_prediction(&canvas, cell, net, title, image, truth, ids, &scratch);
        lay_legend(&l, &canvas, top, width);
        s = save(&canvas, path, err);
    }
    at_image_free(&scratch);
    return s;
}

/* ---- batches ---- */

static uint8_t byte_of(const at_network *net, float v, int channel) {
    const double b = 255 * ((double)v * net->std[channel] + net->mean[channel]);
    return (uint8_t)(b < 0 ? 0 : b > 255 ? 255 : lrint(b));
}

/* The fed image as a picture, its labels laid over it if there are any. */
static void paint_fed(at_image *out, const at_network *net, const float *image,
                      const uint8_t *mask) {
    const int channels = net->opts.in_channels;
    for (size_t i = 0; i < (size_t)out->width * (size_t)out->height; i++) {
        const float *p = image + i * (size_t)channels;
        at_rgb c = {byte_of(net, p[0], 0),
                    byte_of(net, p[channels >= 3 ? 1 : 0], channels >= 3 ? 1 : 0),
                    byte_of(net, p[channels >= 3 ? 2 : 0], channels >= 3 ? 2 : 0)};
        const at_rgb m = color_of(&net->classes, mask[i]);
        c = (at_rgb){(uint8_t)((c.r * 5 + m.r * 3) / 8), (uint8_t)((c.g * 5 + m.g * 3) / 8),
                     (uint8_t)((c.b * 5 + m.b * 3) / 8)};
        set(out, i, c);
    }
}

static void draw_batch(at_image *canvas, at_pair cell, const at_network *net, const float *images,
                       const uint8_t *masks, int count, at_pair size, at_image *scratch) {
    const size_t pixels = (size_t)size.h * (size_t)size.w;
    for (int i = 0; i < count; i++) {
        const int x = GAP + i % 4 * (cell.w + GAP), y = GAP + i / 4 * (2 * cell.h + 2 * GAP);
        const uint8_t *mask = masks + (size_t)i * pixels;
        paint_fed(scratch, net, images + (size_t)i * pixels * (size_t)net->opts.in_channels, mask);
        at_canvas_picture(canvas, x, y, cell.w, cell.h, scratch);
        at_paint_ids(scratch, &net->classes, mask);
        at_canvas_picture(canvas, x, y + cell.h + 2, cell.w, cell.h, scratch);
    }
}

at_status at_panel_batch(const char *path, const at_network *net, const float *images,
                         const uint8_t *masks, int count, at_pair size, at_error *err) {
    if (count > MOST_IMAGES) count = MOST_IMAGES;
    const at_pair cell = shown(size);
    const int columns = count < 4 ? count : 4, rows = (count + 3) / 4;
    const int width = GAP + columns * (cell.w + GAP), top = GAP + rows * (2 * cell.h + 2 * GAP);
    legend l = {.classes = &net->classes};
    at_image canvas, scratch;
    note_ids(&l, masks, (size_t)count * (size_t)size.h * (size_t)size.w);
    AT_TRY(new_picture(&scratch, size, err));
    at_status s =
        at_canvas_new(&canvas, width, top + lay_legend(&l, NULL, top, width) + GAP, ground, err);
    if (s == AT_OK) {
        draw_batch(&canvas, cell, net, images, masks, count, size, &scratch);
        lay_legend(&l, &canvas, top, width);
        s = save(&canvas, path, err);
    }
    at_image_free(&scratch);
    return s;
}
