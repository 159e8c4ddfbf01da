/* SPDX-License-Identifier: MIT */
/* The manual, made from the tables: a page for man(1), and the same as Markdown for docs/cli.md. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

static const char intro[] =
    "atrous trains small semantic segmentation networks on the CPU from folders of images and PNG "
    "masks, validates them and predicts with them. Every command tells its options with --help.";
static const char syntax[] =
    "An option's value follows a blank or an equals sign: --epochs 50, --epochs=50; the dashes may "
    "be "
    "left out: epochs=50. A file given with --config holds the same names: {\"epochs\": 50}.";
static const char codes[] =
    "0: done. 1: something is wrong with the data, the files or the machine. 2: "
    "something is wrong with the command line. 130: stopped by Ctrl-C.";
static const char environment[] =
    "ATROUS_CPU caps the instruction set that is used: ref, generic, avx2, avx512.";

/* ---- roff ---- */

/* Text in which nothing is taken for a request or an escape. */
static void roff(FILE *out, const char *text) {
    bool fresh = true;
    for (; *text; text++) {
        if (fresh && (*text == '.' || *text == '\'')) fputs("\\&", out);
        if (*text == '\\')
            fputs("\\e", out);
        else if (*text == '-')
            fputs("\\-", out);
        else
            fputc(*text, out);
        fresh = *text == '\n';
    }
}

static void roff_paragraph(FILE *out, const char *heading, const char *text) {
    fprintf(out, ".SH %s\n", heading);
    roff(out, text);
    fputc('\n', out);
}

static void roff_option(FILE *out, const cli_row *row, const char *standard) {
    fputs(".TP\n", out);
    if (row->letter) fprintf(out, "\\fB\\-%c\\fR, ", row->letter);
    fputs("\\fB\\-\\-", out);
    roff(out, row->name);
    fputs("\\fR", out);
    if (row->value) {
        fputs(" \\fI", out);
        roff(out, row->value);
        fputs("\\fR", out);
    }
    fputc('\n', out);
    roff(out, row->help);
    if (cli_worth_telling(standard)) {
        fputs(" [", out);
        roff(out, standard);
        fputc(']', out);
    }
    fputc('\n', out);
}

static void roff_command(FILE *out, const cli_command *c) {
    cli_opts defaults;
    cli_row row;
    cli_defaults(c, &defaults);
    fprintf(out, ".SS atrous %s %s\n", c->name, c->arguments);
    roff(out, c->summary);
    fputc('\n', out);
    if (c->details) {
        fputs(".PP\n", out);
        roff(out, c->details);
        fputc('\n', out);
    }
    fputs(".PP\n.nf\n", out);
    roff(out, c->examples);
    fputs("\n.fi\n", out);
    for (cli_rows it = {.command = c}; cli_rows_next(&it, &row);) {
        if (cli_is_common(&row)) continue;
        char *standard = cli_get(&defaults, &row);
        roff_option(out, &row, standard ? standard : "");
        free(standard);
    }
}

static void manual_roff(FILE *out) {
    fputs(".TH ATROUS 1 \"\" \"atrous " ATROUS_VERSION "\" \"User Commands\"\n.SH NAME\n"
          "atrous \\- train segmentation networks on the CPU and predict with them\n"
          ".SH SYNOPSIS\n\\fBatrous\\fR \\fICOMMAND\\fR [\\fIoptions\\fR]\n",
          out);
    roff_paragraph(out, "DESCRIPTION", intro);
    fputs(".PP\n", out);
    roff(out, syntax);
    fputs("\n.SH COMMANDS\n", out);
    for (const cli_command *const *c = cli_commands; *c; c++) roff_command(out, *c);
    roff_paragraph(out, "EXIT STATUS", codes);
    roff_paragraph(out, "ENVIRONMENT", environment);
}

/* ---- Markdown ---- */

/* Text for a cell of a table. */
static void cell(FILE *out, const char *text) {
    for (; *text; text++) {
        if (strchr("|*_<>", *text)) fputc('\\', out);
        fputc(*text, out);
    }
}

static void markdown_option(FILE *out, const cli_row *row, const char *standard) {
    fputs("| ", out);
    if (row->letter) fprintf(out, "`-%c` ", row->letter);
    fprintf(out, "`--%s`", row->name);
    if (row->value) {
        fputc(' ', out);
        cell(out, row->value);
    }
    fputs(" | ", out);
    cell(out, row->help);
    fputs(" | ", out);
    if (cli_worth_telling(standard)) cell(out, standard);
    fputs(" |\n", out);
}

static void markdown_command(FILE *out, const cli_command *c) {
    cli_opts defaults;
    cli_row row;
    cli_defaults(c, &defaults);
    fprintf(out, "\n## atrous %s", c->name);
    if (*c->arguments) fprintf(out, " %s", c->arguments);
    fprintf(out, "\n\n%s\n", c->summary);
    if (c->details) fprintf(out, "\n%s\n", c->details);
    fprintf(out, "\n```sh\n%s\n```\n", c->examples);
    fputs("\n| option | meaning | default |\n|---|---|---|\n", out);
    for (cli_rows it = {.command = c}; cli_rows_next(&it, &row);) {
        if (cli_is_common(&row)) continue;
        char *standard = cli_get(&defaults, &row);
        markdown_option(out, &row, standard ? standard : "");
        free(standard);
    }
}

static void manual_markdown(FILE *out) {
    fprintf(out,
            "# The program\n\nMade by `atrous man --format markdown` from the option table; `make "
            "docs` "
            "makes it anew.\n\n%s\n\n%s\n\nExit codes: %s\n\n%s\n",
            intro, syntax, codes, environment);
    for (const cli_command *const *c = cli_commands; *c; c++) markdown_command(out, *c);
}

static at_status run(cli_args *args, at_error *err) {
    (void)err;
    if (strcmp(args->opts.format, "markdown") == 0)
        manual_markdown(stdout);
    else
        manual_roff(stdout);
    return AT_OK;
}

const cli_command cli_man = {
    .name = "man",
    .arguments = "",
    .summary = "The manual page of the program.",
    .options = "format",
    .examples = "atrous man | man -l -          # read it\n"
                "atrous man >atrous.1           # keep it",
    .run = run,
};
