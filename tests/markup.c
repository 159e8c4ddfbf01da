/* SPDX-License-Identifier: MIT */
#include "tests/markup.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { DEEPEST = 64, NAME = 32 };

typedef struct reader {
    const char *page, *at;
    char open[DEEPEST][NAME];
    int depth;
} reader;

static void refuse(const reader *r, const char *why) {
    const long from = r->at - r->page > 60 ? r->at - r->page - 60 : 0;
    fail_msg("%s at byte %ld: %.100s", why, (long)(r->at - r->page), r->page + from);
}

static void read_name(reader *r, char name[NAME]) {
    size_t n = 0;
    while (isalnum((unsigned char)*r->at) || (*r->at && strchr("-_:", *r->at))) {
        if (n + 1 >= NAME) refuse(r, "a long name");
        name[n++] = *r->at++;
    }
    name[n] = '\0';
    if (!n) refuse(r, "no name");
}

static void read_reference(reader *r) {
    static const char *const known[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
    for (int i = 0; i < 5; i++)
        if (strncmp(r->at, known[i], strlen(known[i])) == 0) {
            r->at += strlen(known[i]);
            return;
        }
    refuse(r, "an unknown reference");
}

static void read_character(reader *r) {
    const unsigned char c = (unsigned char)*r->at;
    if (c == '&') {
        read_reference(r);
        return;
    }
    if (c == '<' || (c < 0x20 && c != '\n') || c == 0x7f) refuse(r, "a character that is no text");
    const int more = c < 0x80 ? 0 : c >= 0xf0 && c < 0xf5 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : -1;
    if (more < 0) refuse(r, "no UTF-8");
    r->at++;
    for (int i = 0; i < more; i++)
        if (((unsigned char)*r->at++ & 0xc0) != 0x80) refuse(r, "no UTF-8");
}

static void skip_blanks(reader *r) {
    while (*r->at == ' ' || *r->at == '\n') r->at++;
}

static void read_attributes(reader *r) {
    char names[32][NAME];
    int count = 0;
    for (skip_blanks(r); *r->at != '>' && *r->at != '/'; skip_blanks(r)) {
        assert_true(count < 32);
        read_name(r, names[count]);
        for (int i = 0; i < count; i++)
            if (strcmp(names[i], names[count]) == 0) refuse(r, "an attribute twice");
        count++;
        if (strncmp(r->at, "=\"", 2) != 0) refuse(r, "an attribute without a quoted value");
        for (r->at += 2; *r->at != '"';) {
            if (!*r->at) refuse(r, "an open quote");
            read_character(r);
        }
        r->at++;
    }
}

static void read_end(reader *r) {
    char name[NAME];
    r->at += 2;
    read_name(r, name);
    if (!r->depth || strcmp(r->open[r->depth - 1], name) != 0 || *r->at != '>')
        refuse(r, "a tag closed that is not open");
    r->depth--;
    r->at++;
}

static void read_tag(reader *r) {
    char name[NAME];
    r->at++;
    read_name(r, name);
    read_attributes(r);
    if (*r->at == '/') {
        if (r->at[1] != '>') refuse(r, "a lone /");
        r->at += 2;
        return;
    }
    if (r->depth >= DEEPEST) refuse(r, "too deep");
    memcpy(r->open[r->depth++], name, NAME);
    r->at++;
}

void check_markup(const char *page) {
    static const char type[] = "<!DOCTYPE html>\n";
    reader r = {.page = page, .at = page};
    if (strncmp(page, type, strlen(type)) != 0) refuse(&r, "no document type");
    for (r.at += strlen(type); *r.at;) {
        if (*r.at != '<')
            read_character(&r);
        else if (r.at[1] == '/')
            read_end(&r);
        else
            read_tag(&r);
    }
    if (r.depth) fail_msg("<%s> is never closed", r.open[r.depth - 1]);
}

void check_self_contained(const char *page) {
    static const char *const loads[] = {" src=\"", " href=\"", "url(", "@import", NULL};
    assert_null(strstr(page, "http"));
    for (int i = 0; loads[i]; i++)
        for (const char *at = page; (at = strstr(at, loads[i]));) {
            at += strlen(loads[i]);
            if (strncmp(at, "data:image/png;base64,", 22) != 0 && *at != '#')
                fail_msg("loads %.80s", at);
        }
}

/* Behind the `n`th occurrence (from 0) of `word`, before `end`; NULL: there are not so many. */
static const char *nth(const char *from, const char *end, const char *word, int n) {
    for (; (from = strstr(from, word)); n--) {
        if (end && from >= end) return NULL;
        from += strlen(word);
        if (!n) return from;
    }
    return NULL;
}

const char *cell_value(const char *page, const char *table, int row, int column) {
    static char value[64];
    char id[64];
    snprintf(id, sizeof id, " id=\"%s\"", table);
    const char *at = strstr(page, id), *end = at ? strstr(at, "</table>") : NULL;
    at = at ? nth(at, end, "<tbody>", 0) : NULL;
    at = at ? nth(at, end, "<tr>", row) : NULL;
    end = at ? strstr(at, "</tr>") : NULL;
    at = at ? nth(at, end, "<td", column) : NULL;
    end = at ? strstr(at, "</td>") : NULL;
    at = at ? nth(at, end, "data-v=\"", 0) : NULL;
    value[0] = '\0';
    if (at) snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\""), at);
    return value;
}

int count_of(const char *page, const char *word) {
    int count = 0;
    for (; (page = strstr(page, word)); page += strlen(word)) count++;
    return count;
}
