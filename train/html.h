/* SPDX-License-Identifier: MIT */
/* A page of HTML that needs nothing else: style, pictures and the few lines of script lie in it. It
 * is written as XML would have it (every tag closed, every attribute quoted), so that any parser
 * can hold it to that.
 *
 * Colours are CSS variables, light and dark. A thing that is compared has a hue and a pattern,
 * classes h0..h7 and p0..p3, which give --c and the way lines and marks are drawn; data-k is its
 * number, by which a pointer over one mark brings out the others. */
#ifndef AT_TRAIN_HTML_H
#define AT_TRAIN_HTML_H

#include <stdio.h>

#include "data/data.h"

enum { AT_HUES = 8, AT_PATTERNS = 4 };

/* Text for content and attributes, of HTML and SVG alike: markup is escaped, control characters
 * become blanks, bytes that are no UTF-8 become U+FFFD. */
void at_html_text(FILE *f, const char *text);
/* The same of a formatted text, of which at most 1000 bytes are kept. */
void at_html_textf(FILE *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "<tag>text</tag>", with a line end. */
void at_html_element(FILE *f, const char *tag, const char *text);

/* Everything up to and from the body's content. */
void at_html_open(FILE *f, const char *title);
void at_html_close(FILE *f);
/* In pieces, for C promises strings of 4095 characters; the last is NULL. */
extern const char *const at_html_style[];
extern const char at_html_script[];

/* A titled part of the page, and what its table of contents says of it. */
void at_html_section_open(FILE *f, const char *id, const char *title);
void at_html_section_close(FILE *f);
void at_html_link(FILE *f, const char *id, const char *title);

/* One big number with what it is, inside <dl class="tiles">. */
void at_html_tile(FILE *f, const char *name, const char *value, const char *note);
/* A folded command line for a shell. */
void at_html_command(FILE *f, const char *command);

/* <img> with the picture inside, pixels kept sharp. */
at_status at_html_picture(FILE *f, const at_image *image, const char *alt, at_error *err);

#endif
