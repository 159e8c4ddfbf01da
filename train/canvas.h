/* SPDX-License-Identifier: MIT */
/* A small RGB canvas: pictures side by side, and letters. */
#ifndef AT_TRAIN_CANVAS_H
#define AT_TRAIN_CANVAS_H

#include "data/data.h"

enum { AT_GLYPH_W = 6, AT_GLYPH_H = 9 }; /* a letter's cell, times the scale */

/* Filled with `ground`; at_image_free it. */
at_status at_canvas_new(at_image *canvas, int width, int height, at_rgb ground, at_error *err);

/* All clip at the edges. */
void at_canvas_rect(at_image *canvas, int x, int y, int w, int h, at_rgb color);
/* A picture of 1 or 3 channels in the box, nearest pixels. */
void at_canvas_picture(at_image *canvas, int x, int y, int w, int h, const at_image *picture);
/* ASCII; other bytes show as "?", a UTF-8 character as one. Returns the x behind the text. */
int at_canvas_text(at_image *canvas, int x, int y, int scale, at_rgb color, const char *text);
int at_canvas_text_width(const char *text, int scale);

#endif
