/* SPDX-License-Identifier: MIT */
/* Text, frame and pictures of a page. */
#include "train/html.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

/* Bytes of the UTF-8 character at p; 0: there is none. Too long forms, surrogates and what lies
 * beyond U+10FFFF are none (RFC 3629). */
static int character(const unsigned char *p) {
    static const unsigned least[5] = {0, 0, 0x80, 0x800, 0x10000};
    const int n = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
    unsigned code = n > 1 ? *p & (0x7fu >> n) : *p;
    for (int i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) return 0;
        code = code << 6 | (p[i] & 0x3f);
    }
    const bool wrong = code < least[n] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff);
    return wrong || code == 0xfffe || code == 0xffff ? 0 : n;
}

static void ascii(FILE *f, unsigned char c) {
    if (c == '<')
        fputs("&lt;", f);
    else if (c == '>')
        fputs("&gt;", f);
    else if (c == '&')
        fputs("&amp;", f);
    else if (c == '"')
        fputs("&quot;", f);
    else if (c == '\'')
        fputs("&#39;", f);
    else
        fputc((c < 0x20 && c != '\n') || c == 0x7f ? ' ' : c, f);
}

void at_html_text(FILE *f, const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p;) {
        const int n = character(p);
        if (n == 1)
            ascii(f, *p);
        else if (n)
            fwrite(p, 1, (size_t)n, f);
        else
            fputs("\xef\xbf\xbd", f);
        p += n ? n : 1;
    }
}

void at_html_textf(FILE *f, const char *format, ...) {
    char text[1001];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    at_html_text(f, text);
}

void at_html_element(FILE *f, const char *tag, const char *text) {
    fprintf(f, "<%s>", tag);
    at_html_text(f, text);
    fprintf(f, "</%s>\n", tag);
}

/* ---- the frame ---- */

void at_html_open(FILE *f, const char *title) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
          "<meta name=\"color-scheme\" content=\"light dark\"/>\n"
          "<meta name=\"generator\" content=\"atrous " ATROUS_VERSION "\"/>\n",
          f);
    at_html_element(f, "title", title);
    fputs("<style>\n", f);
    for (const char *const *piece = at_html_style; *piece; piece++) fputs(*piece, f);
    fputs("</style>\n</head>\n<body>\n<main>\n", f);
}

void at_html_close(FILE *f) {
    fprintf(f,
            "<footer><p>Written by atrous " ATROUS_VERSION ".</p></footer>\n</main>\n"
            "<script>\n%s</script>\n</body>\n</html>\n",
            at_html_script);
}

void at_html_section_open(FILE *f, const char *id, const char *title) {
    fprintf(f, "<section id=\"%s\">\n", id);
    at_html_element(f, "h2", title);
}

void at_html_section_close(FILE *f) {
    fputs("</section>\n", f);
}

void at_html_link(FILE *f, const char *id, const char *title) {
    fprintf(f, "<a href=\"#%s\">", id);
    at_html_text(f, title);
    fputs("</a>\n", f);
}

void at_html_tile(FILE *f, const char *name, const char *value, const char *note) {
    fputs("<div><dt>", f);
    at_html_text(f, name);
    fputs("</dt><dd>", f);
    at_html_text(f, value);
    if (note) {
        fputs(" <small>", f);
        at_html_text(f, note);
        fputs("</small>", f);
    }
    fputs("</dd></div>\n", f);
}

void at_html_command(FILE *f, const char *command) {
    fputs("<pre><code>", f);
    at_html_text(f, command);
    fputs("</code></pre>\n", f);
}

/* ---- pictures ---- */

static void base64(FILE *f, const uint8_t *p, size_t size) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned v = (unsigned)p[i] << 16 | (left > 1 ? (unsigned)p[i + 1] << 8 : 0) |
                           (left > 2 ? p[i + 2] : 0u);
        fputc(digits[v >> 18], f);
        fputc(digits[v >> 12 & 63], f);
        fputc(left > 1 ? digits[v >> 6 & 63] : '=', f);
        fputc(left > 2 ? digits[v & 63] : '=', f);
    }
}

at_status at_html_picture(FILE *f, const at_image *image, const char *alt, at_error *err) {
    uint8_t *png;
    size_t size;
    AT_TRY(at_image_encode_png(image, &png, &size, err));
    fprintf(f, "<img width=\"%d\" height=\"%d\" alt=\"", image->width, image->height);
    at_html_text(f, alt);
    fputs("\" src=\"data:image/png;base64,", f);
    base64(f, png, size);
    fputs("\"/>", f);
    free(png);
    return AT_OK;
}
