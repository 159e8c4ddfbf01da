/* SPDX-License-Identifier: MIT */
/* --help, made from the tables: what a command does, examples, options by group with defaults. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { COLUMNS = 96, INDENT = 26 };

/* Text broken at blanks; the cursor stands in column `at`, further lines begin in `indent`. */
static void wrapped(FILE *out, const char *text, int at, int indent) {
    bool first = true;
    while (*text) {
        const int word = (int)strcspn(text, " ");
        if (!first && at + 1 + word > COLUMNS) {
            fprintf(out, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', out);
            at++;
        }
        fprintf(out, "%.*s", word, text);
        at += word;
        text += word + (text[word] == ' ');
        first = false;
    }
    fputc('\n', out);
}

bool cli_worth_telling(const char *standard) {
    return *standard && strcmp(standard, "false") != 0 && strcmp(standard, "default") != 0;
}

static void option_line(FILE *out, const cli_row *row, const char *standard) {
    char left[512], text[512];
    int n = row->letter ? snprintf(left, sizeof left, "  -%c, ", row->letter)
                        : snprintf(left, sizeof left, "      ");
    n += snprintf(left + n, sizeof left - (size_t)n, "--%s%s%s", row->name, row->value ? " " : "",
                  row->value ? row->value : "");
    if (cli_worth_telling(standard))
        snprintf(text, sizeof text, "%s [%s]", row->help, standard);
    else
        snprintf(text, sizeof text, "%s", row->help);
    fprintf(out, "%s", left);
    if (n + 2 > INDENT)
        fprintf(out, "\n%*s", INDENT, "");
    else
        fprintf(out, "%*s", INDENT - n, "");
    wrapped(out, text, INDENT, INDENT);
}

/* The group's options, in the order of the table. */
static void group(FILE *out, const cli_command *c, const cli_opts *defaults, const char *name) {
    cli_row row;
    fprintf(out, "\n%c%s:\n", name[0] - 'a' + 'A', name + 1);
    for (cli_rows it = {.command = c}; cli_rows_next(&it, &row);) {
        if (strcmp(row.group, name) != 0) continue;
        char *standard = cli_get(defaults, &row);
        option_line(out, &row, standard ? standard : "");
        free(standard);
    }
}

/* Is this the first option of its group? */
static bool opens_group(const cli_command *c, const cli_row *row) {
    cli_row other;
    for (cli_rows it = {.command = c}; cli_rows_next(&it, &other);)
        if (strcmp(other.group, row->group) == 0) return strcmp(other.name, row->name) == 0;
    return false;
}

static void examples(FILE *out, const char *lines) {
    fprintf(out, "\nExamples:\n");
    while (*lines) {
        const int length = (int)strcspn(lines, "\n");
        fprintf(out, "  %.*s\n", length, lines);
        lines += length + (lines[length] == '\n');
    }
}

void cli_help_command(FILE *out, const cli_command *c) {
    cli_opts defaults;
    cli_row row;
    cli_defaults(c, &defaults);
    fprintf(out, "Usage: atrous %s%s%s [options]\n\n", c->name, *c->arguments ? " " : "",
            c->arguments);
    wrapped(out, c->summary, 0, 0);
    if (c->details) {
        fputc('\n', out);
        wrapped(out, c->details, 0, 0);
    }
    examples(out, c->examples);
    for (cli_rows it = {.command = c}; cli_rows_next(&it, &row);)
        if (opens_group(c, &row)) group(out, c, &defaults, row.group);
    fprintf(out, "\nValues follow a blank or an equals sign; `%s` may be written without dashes.\n",
            "name=value");
}

static void command_line(FILE *out, const cli_command *c) {
    const int n = fprintf(out, "  %s %s", c->name, c->arguments);
    fprintf(out, "%*s%s\n", n < INDENT - 1 ? INDENT - n : 2, "", c->summary);
}

void cli_help_family(FILE *out, const char *family) {
    const size_t length = strlen(family);
    fprintf(out, "Usage: atrous %s COMMAND [options]\n\n", family);
    for (const cli_command *const *c = cli_commands; *c; c++)
        if (strncmp((*c)->name, family, length) == 0 && (*c)->name[length] == ' ')
            command_line(out, *c);
    fprintf(out, "\n`atrous %s COMMAND --help` tells more.\n", family);
}

void cli_help(FILE *out) {
    fprintf(out,
            "atrous " ATROUS_VERSION ": trains small segmentation networks on the CPU and predicts "
            "with them.\n\nUsage: atrous COMMAND [options]\n\n");
    for (const cli_command *const *c = cli_commands; *c; c++) command_line(out, *c);
    fprintf(out, "\n`atrous COMMAND --help` tells more. A first try, with no data at all:\n\n"
                 "  atrous train --name first\n");
}
