/* SPDX-License-Identifier: MIT */
/* SVG by hand. librsvg knows no CSS variables, so each class states its two colours itself. */
#include "train/svg.h"

#include "train/html.h"

static const char style[] =
    "<style>"
    "text{font:13px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
    ".bg{fill:#ffffff}.ink{fill:#1c1f24}.dim{fill:#5b626c}.on{fill:#ffffff}"
    ".title{fill:#1c1f24;font-weight:600;font-size:15px}.small{fill:#1c1f24;font-size:11px}"
    ".smallon{fill:#ffffff;font-size:11px}"
    ".grid{stroke:#dfe2e7;stroke-width:1}.axis{stroke:#8a919c;stroke-width:1}"
    ".s{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}"
    ".s0{stroke:#1f6fb4}.s1{stroke:#c9540a}.s2{stroke:#2b8a4b}.s3{stroke:#8552b5}"
    ".f0{fill:#1f6fb4}.f1{fill:#c9540a}.f2{fill:#2b8a4b}.f3{fill:#8552b5}.cell{fill:#1f6fb4}"
    ".frame{fill:none;stroke:#8a919c}"
    "@media (prefers-color-scheme:dark){"
    ".bg{fill:#15181d}.ink,.title,.small{fill:#e8eaed}.dim{fill:#a3abb6}"
    ".grid{stroke:#2b3038}.axis,.frame{stroke:#6c7480}"
    ".s0{stroke:#62aef0}.s1{stroke:#f59a57}.s2{stroke:#6fcb8c}.s3{stroke:#c49bec}"
    ".f0{fill:#62aef0}.f1{fill:#f59a57}.f2{fill:#6fcb8c}.f3{fill:#c49bec}.cell{fill:#3f8fd8}}"
    "</style>\n";

void at_svg_open(FILE *f, int width, int height, const char *title) {
    fprintf(f,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" "
            "height=\"%d\" style=\"max-width:100%%;height:auto\" role=\"img\">\n<title>",
            width, height, width, height);
    at_html_text(f, title);
    fprintf(f, "</title>\n%s<rect class=\"bg\" width=\"%d\" height=\"%d\"/>\n", style, width,
            height);
}

void at_svg_begin(FILE *f, int width, int height, const char *label) {
    fprintf(f, "<svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", width,
            height);
    at_html_text(f, label);
    fputs("\">\n", f);
}

void at_svg_close(FILE *f) {
    fputs("</svg>\n", f);
}

void at_svg_text(FILE *f, double x, double y, const char *anchor, const char *class,
                 const char *text) {
    fprintf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor, class);
    at_html_text(f, text);
    fputs("</text>\n", f);
}

void at_svg_text_turned(FILE *f, double x, double y, double angle, const char *anchor,
                        const char *class, const char *text) {
    fprintf(f,
            "<text transform=\"translate(%.1f %.1f) rotate(%g)\" text-anchor=\"%s\" class=\"%s\">",
            x, y, angle, anchor, class);
    at_html_text(f, text);
    fputs("</text>\n", f);
}

void at_svg_line(FILE *f, double x1, double y1, double x2, double y2, const char *class) {
    fprintf(f, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" class=\"%s\"/>\n", x1, y1, x2,
            y2, class);
}
