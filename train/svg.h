/* SPDX-License-Identifier: MIT */
/* What the room's SVG pictures share: a page that is legible on light and dark ground and scales
 * down to a phone, and text that is escaped. Colours are CSS classes, for the two grounds differ:
 *   bg ground, ink text, dim secondary text, grid thin lines, s0..s3 series, f0..f3 their fills. */
#ifndef AT_TRAIN_SVG_H
#define AT_TRAIN_SVG_H

#include <stdio.h>

void at_svg_open(FILE *f, int width, int height, const char *title);
/* The same inside a page, whose style it uses (html.h). */
void at_svg_begin(FILE *f, int width, int height, const char *label);
void at_svg_close(FILE *f);

/* anchor: "start", "middle" or "end"; class: "ink", "dim", ... */
void at_svg_text(FILE *f, double x, double y, const char *anchor, const char *class,
                 const char *text);
/* Text turned by `angle` degrees about its anchor point. */
void at_svg_text_turned(FILE *f, double x, double y, double angle, const char *anchor,
                        const char *class, const char *text);
void at_svg_line(FILE *f, double x1, double y1, double x2, double y2, const char *class);

#endif
