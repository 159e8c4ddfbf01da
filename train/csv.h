/* SPDX-License-Identifier: MIT */
/* Text in CSV files, quoted as RFC 4180 says. */
#ifndef AT_TRAIN_CSV_H
#define AT_TRAIN_CSV_H

#include <stdio.h>
#include <string.h>

/* A field; quoted where the text has a comma, a quote or a line end. */
static inline void at_csv_field(FILE *f, const char *text) {
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, f);
        return;
    }
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"') fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

#endif
