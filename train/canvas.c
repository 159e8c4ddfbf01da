/* SPDX-License-Identifier: MIT */
/* Drawing into an RGB picture, with a 5 x 7 font that was drawn for this purpose. */
#include "train/canvas.h"

#include <stdlib.h>
#include <string.h>

/* ASCII 32 .. 126; seven lines of five bits, the left pixel in bit 4. g, p, q and y hang two lines
 * lower. */
/* clang-format off */
static const uint8_t font[95][7] = {
    {0, 0, 0, 0, 0, 0, 0}, {4, 4, 4, 4, 4, 0, 4}, {10, 10, 0, 0, 0, 0, 0}, {10, 10, 31, 10, 31, 10, 10},
    {4, 15, 20, 14, 5, 30, 4}, {25, 25, 2, 4, 8, 19, 19}, {12, 18, 20, 8, 21, 18, 13}, {4, 4, 0, 0, 0, 0, 0},
    {2, 4, 8, 8, 8, 4, 2}, {8, 4, 2, 2, 2, 4, 8}, {0, 4, 21, 14, 21, 4, 0}, {0, 4, 4, 31, 4, 4, 0},
    {0, 0, 0, 0, 12, 4, 8}, {0, 0, 0, 31, 0, 0, 0}, {0, 0, 0, 0, 0, 12, 12}, {1, 1, 2, 4, 8, 16, 16},
    {14, 17, 19, 21, 25, 17, 14}, {4, 12, 20, 4, 4, 4, 31}, {14, 17, 1, 2, 4, 8, 31}, {14, 17, 1, 6, 1, 17, 14},
    {2, 6, 10, 18, 31, 2, 2}, {31, 16, 30, 1, 1, 17, 14}, {6, 8, 16, 30, 17, 17, 14}, {31, 1, 2, 2, 4, 4, 4},
    {14, 17, 17, 14, 17, 17, 14}, {14, 17, 17, 15, 1, 2, 12}, {0, 12, 12, 0, 12, 12, 0}, {0, 12, 12, 0, 12, 4, 8},
    {2, 4, 8, 16, 8, 4, 2}, {0, 0, 31, 0, 31, 0, 0}, {8, 4, 2, 1, 2, 4, 8}, {14, 17, 1, 6, 4, 0, 4},
    {14, 17, 23, 21, 23, 16, 15}, {4, 10, 17, 17, 31, 17, 17}, {30, 17, 17, 30, 17, 17, 30}, {14, 17, 16, 16, 16, 17, 14},
    {28, 18, 17, 17, 17, 18, 28}, {31, 16, 16, 30, 16, 16, 31}, {31, 16, 16, 30, 16, 16, 16}, {14, 17, 16, 23, 17, 17, 15},
    {17, 17, 17, 31, 17, 17, 17}, {14, 4, 4, 4, 4, 4, 14}, {7, 2, 2, 2, 2, 18, 12}, {17, 18, 20, 24, 20, 18, 17},
    {16, 16, 16, 16, 16, 16, 31}, {17, 27, 21, 21, 17, 17, 17}, {17, 25, 25, 21, 19, 19, 17}, {14, 17, 17, 17, 17, 17, 14},
    {30, 17, 17, 30, 16, 16, 16}, {14, 17, 17, 17, 21, 18, 13}, {30, 17, 17, 30, 20, 18, 17}, {15, 16, 16, 14, 1, 1, 30},
    {31, 4, 4, 4, 4, 4, 4}, {17, 17, 17, 17, 17, 17, 14}, {17, 17, 17, 17, 17, 10, 4}, {17, 17, 17, 21, 21, 27, 17},
    {17, 17, 10, 4, 10, 17, 17}, {17, 17, 10, 4, 4, 4, 4}, {31, 1, 2, 4, 8, 16, 31}, {14, 8, 8, 8, 8, 8, 14},
    {16, 16, 8, 4, 2, 1, 1}, {14, 2, 2, 2, 2, 2, 14}, {4, 10, 17, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 0, 31},
    {8, 4, 0, 0, 0, 0, 0}, {0, 0, 14, 1, 15, 17, 15}, {16, 16, 30, 17, 17, 17, 30}, {0, 0, 15, 16, 16, 16, 15},
    {1, 1, 15, 17, 17, 17, 15}, {0, 0, 14, 17, 31, 16, 15}, {6, 8, 8, 30, 8, 8, 8}, {15, 17, 17, 17, 15, 1, 14},
    {16, 16, 30, 17, 17, 17, 17}, {4, 0, 12, 4, 4, 4, 14}, {2, 0, 6, 2, 2, 18, 12}, {16, 16, 18, 20, 24, 20, 18},
    {12, 4, 4, 4, 4, 4, 14}, {0, 0, 26, 21, 21, 21, 21}, {0, 0, 30, 17, 17, 17, 17}, {0, 0, 14, 17, 17, 17, 14},
    {30, 17, 17, 17, 30, 16, 16}, {15, 17, 17, 17, 15, 1, 1}, {0, 0, 22, 24, 16, 16, 16}, {0, 0, 15, 16, 14, 1, 30},
    {8, 8, 30, 8, 8, 8, 6}, {0, 0, 17, 17, 17, 19, 13}, {0, 0, 17, 17, 17, 10, 4}, {0, 0, 17, 17, 21, 21, 10},
    {0, 0, 17, 10, 4, 10, 17}, {17, 17, 17, 17, 15, 1, 14}, {0, 0, 31, 2, 4, 8, 31}, {2, 4, 4, 8, 4, 4, 2},
    {4, 4, 4, 4, 4, 4, 4}, {8, 4, 4, 2, 4, 4, 8}, {0, 0, 8, 21, 2, 0, 0}
};
/* clang-format on */

at_status at_canvas_new(at_image *canvas, int width, int height, at_rgb ground, at_error *err) {
    const size_t bytes = (size_t)width * (size_t)height * 3;
    *canvas = (at_image){width, height, 3, malloc(bytes)};
    if (!canvas->data) return at_fail_memory(err, "a picture", bytes);
    at_canvas_rect(canvas, 0, 0, width, height, ground);
    return AT_OK;
}

static void put(at_image *canvas, int x, int y, at_rgb color) {
    if (x < 0 || y < 0 || x >= canvas->width || y >= canvas->height) return;
    uint8_t *p = canvas->data + ((size_t)y * (size_t)canvas->width + (size_t)x) * 3;
    p[0] = color.r, p[1] = color.g, p[2] = color.b;
}

void at_canvas_rect(at_image *canvas, int x, int y, int w, int h, at_rgb color) {
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) put(canvas, x + j, y + i, color);
}

void at_canvas_picture(at_image *canvas, int x, int y, int w, int h, const at_image *picture) {
    const size_t c = (size_t)picture->channels, second = c >= 3 ? 1 : 0;
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) {
            const size_t sy = (size_t)i * (size_t)picture->height / (size_t)h;
            const size_t sx = (size_t)j * (size_t)picture->width / (size_t)w;
            const uint8_t *p = picture->data + (sy * (size_t)picture->width + sx) * c;
            put(canvas, x + j, y + i, (at_rgb){p[0], p[second], p[2 * second]});
        }
}

static bool continues(char c) {
    return ((unsigned char)c & 0xc0) == 0x80;
}

int at_canvas_text_width(const char *text, int scale) {
    int n = 0;
    for (; *text; text++) n += !continues(*text);
    return n * AT_GLYPH_W * scale;
}

int at_canvas_text(at_image *canvas, int x, int y, int scale, at_rgb color, const char *text) {
    for (; *text; text++) {
        if (continues(*text)) continue;
        const int c = *text >= 32 && *text < 127 ? *text - 32 : '?' - 32;
        const int drop = strchr("gpqy", *text) ? 2 : 0;
        for (int i = 0; i < 7; i++)
            for (int j = 0; j < 5; j++)
                if (font[c][i] >> (4 - j) & 1)
                    at_canvas_rect(canvas, x + j * scale, y + (i + drop) * scale, scale, scale,
                                   color);
        x += AT_GLYPH_W * scale;
    }
    return x;
}
