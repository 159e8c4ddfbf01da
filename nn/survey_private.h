/* SPDX-License-Identifier: MIT */
/* Parts of what a survey writes. */
#ifndef AT_NN_SURVEY_PRIVATE_H
#define AT_NN_SURVEY_PRIVATE_H

#include <stdio.h>

#include "nn/survey.h"

/* Text of an SVG. */
void at_svg_escaped(FILE *f, const char *text);

/* A line a row; nothing where nothing is dilated. */
void at_gridding_text(FILE *f, const at_gridding *gridding);

/* A list of {"node", "input", "dilation", "window", "reached"}. NULL: out of memory. */
json_t *at_gridding_json(const at_gridding *gridding);

/* Maps of the rows as elements of an SVG, from y downwards between x and x + width; returns the y
 * below them. With f NULL nothing is drawn. */
double at_gridding_svg(FILE *f, const at_gridding *gridding, double x, double y, double width);

#endif
