/* SPDX-License-Identifier: MIT */
/* Scripts that let a shell complete commands, options and choices, made from the tables. */
#include <string.h>

#include "cli/cli.h"

static bool is_choice(const cli_row *row) {
    return row->value && strchr(row->value, '|') && !strstr(row->value, "HxW");
}

static bool wants_files(const cli_row *row) {
    return row->value && (strcmp(row->value, "FILE") == 0 || strcmp(row->value, "PATH") == 0);
}

static bool wants_directory(const cli_row *row) {
    return row->value && (strcmp(row->value, "DIR") == 0 || strcmp(row->value, "RUN") == 0);
}

/* The words a value can be, blanks between; nothing if it is free. */
static void choices(FILE *out, const cli_row *row) {
    if (strcmp(row->name, "model") == 0) {
        for (const at_model *const *m = at_model_list; *m; m++) fprintf(out, "%s ", (*m)->name);
        return;
    }
    for (const char *p = is_choice(row) ? row->value : ""; *p;) {
        const size_t n = strcspn(p, "|");
        /* "A,B,..." stands for a list to be typed */
        if (p[0] >= 'a' || (p[0] >= '0' && p[0] <= '9')) fprintf(out, "%.*s ", (int)n, p);
        p += n + (p[n] == '|');
    }
}

static bool has_choices(const cli_row *row) {
    return is_choice(row) || strcmp(row->name, "model") == 0;
}

/* First words of all commands, each once. */
static bool is_first_of_family(const cli_command *const *c) {
    const char *blank = strchr((*c)->name, ' ');
    const size_t n = blank ? (size_t)(blank - (*c)->name) + 1 : 0;
    return !n || c == cli_commands || strncmp(c[-1]->name, (*c)->name, n) != 0;
}

static void first_words(FILE *out) {
    for (const cli_command *const *c = cli_commands; *c; c++)
        if (is_first_of_family(c)) fprintf(out, "%.*s ", (int)strcspn((*c)->name, " "), (*c)->name);
    fputs("help", out);
}

static void second_words(FILE *out, const cli_command *const *family) {
    const size_t n = strcspn((*family)->name, " ") + 1;
    for (const cli_command *const *c = family; *c && strncmp((*c)->name, (*family)->name, n) == 0;
         c++)
        fprintf(out, "%s%s", c == family ? "" : " ", (*c)->name + n);
}

/* ---- bash ---- */

static void bash_options(FILE *out) {
    cli_row row;
    for (const cli_command *const *c = cli_commands; *c; c++) {
        fprintf(out, "    \"%s\") words=\"", (*c)->name);
        for (cli_rows it = {.command = *c}; cli_rows_next(&it, &row);)
            fprintf(out, "--%s ", row.name);
        fputs("\" ;;\n", out);
    }
}

static void bash_values(FILE *out) {
    cli_row row;
    for (const cli_command *const *c = cli_commands; *c; c++)
        for (cli_rows it = {.command = *c}; cli_rows_next(&it, &row);) {
            if (!has_choices(&row)) continue;
            fprintf(out, "    \"%s --%s\") words=\"", (*c)->name, row.name);
            choices(out, &row);
            fputs("\" ;;\n", out);
        }
}

static void complete_bash(FILE *out) {
    fputs(
        "# eval \"$(atrous completion bash)\", or into /etc/bash_completion.d/atrous\n"
        "_atrous() {\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} words=\n"
        "    local command=${COMP_WORDS[1]} at=1\n"
        "    case $command in\n",
        out);
    for (const cli_command *const *c = cli_commands; *c; c++) {
        if (!strchr((*c)->name, ' ') || !is_first_of_family(c)) continue;
        fprintf(out, "    %.*s) at=2; command=\"$command ${COMP_WORDS[2]}\"\n        second=\"",
                (int)strcspn((*c)->name, " "), (*c)->name);
        second_words(out, c);
        fputs("\" ;;\n", out);
    }
    fputs("    esac\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
          "        words=\"",
          out);
    first_words(out);
    fputs("\"\n"
          "    elif [ \"$COMP_CWORD\" -eq \"$at\" ]; then\n"
          "        words=$second\n"
          "    elif [[ $current == -* ]]; then\n"
          "        case $command in\n",
          out);
    bash_options(out);
    fputs("        esac\n"
          "    else\n"
          "        case \"$command $previous\" in\n",
          out);
    bash_values(out);
    fputs("        esac\n"
          "    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "    [ -n \"$words\" ] || COMPREPLY=($(compgen -f -- \"$current\"))\n"
          "}\n"
          "complete -o filenames -F _atrous atrous\n",
          out);
}

/* ---- zsh ---- */

static void zsh_text(FILE *out, const char *text) {
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void zsh_option(FILE *out, const cli_row *row) {
    fprintf(out, " \\\n        '--%s[", row->name);
    zsh_text(out, row->help);
    fputc(']', out);
    if (row->value) {
        fputc(':', out);
        zsh_text(out, row->value);
        fputc(':', out);
    }
    if (has_choices(row)) {
        fputc('(', out);
        choices(out, row);
        fputc(')', out);
    } else if (row->value) {
        fputs(wants_directory(row) ? "_files -/" : wants_files(row) ? "_files" : " ", out);
    }
    fputc('\'', out);
}

static void complete_zsh(FILE *out) {
    cli_row row;
    fputs("#compdef atrous\n# into a directory of $fpath, as _atrous\n"
          "_atrous() {\n"
          "    local command=$words[2]\n"
          "    case $command in\n",
          out);
    for (const cli_command *const *c = cli_commands; *c; c++) {
        if (!strchr((*c)->name, ' ') || !is_first_of_family(c)) continue;
        fprintf(
            out,
            "    %.*s) command=\"$command $words[3]\"\n        (( CURRENT == 3 )) && { compadd ",
            (int)strcspn((*c)->name, " "), (*c)->name);
        second_words(out, c);
        fputs("; return }\n        (( CURRENT > 3 )) && { shift words; (( CURRENT-- )) } ;;\n",
              out);
    }
    fputs("    esac\n    (( CURRENT == 2 )) && { compadd ", out);
    first_words(out);
    fputs("; return }\n    shift words; (( CURRENT-- ))\n    case $command in\n", out);
    for (const cli_command *const *c = cli_commands; *c; c++) {
        fprintf(out, "    '%s') _arguments '*:file:_files'", (*c)->name);
        for (cli_rows it = {.command = *c}; cli_rows_next(&it, &row);) zsh_option(out, &row);
        fputs(" ;;\n", out);
    }
    fputs("    esac\n}\n_atrous \"$@\"\n", out);
}

/* ---- fish ---- */

static void fish_text(FILE *out, const char *text) {
    for (; *text; text++) {
        if (strchr("'\\", *text)) fputc('\\', out);
        fputc(*text, out);
    }
}

static void fish_condition(FILE *out, const cli_command *c) {
    const int n = (int)strcspn(c->name, " ");
    fprintf(out, "complete -c atrous -n '__fish_seen_subcommand_from %.*s", n, c->name);
    if (c->name[n]) fprintf(out, "; and __fish_seen_subcommand_from %s", c->name + n + 1);
    fputc('\'', out);
}

static void fish_option(FILE *out, const cli_command *c, const cli_row *row) {
    fish_condition(out, c);
    fprintf(out, " -l %s", row->name);
    if (row->letter) fprintf(out, " -s %c", row->letter);
    if (row->value) fputs(wants_files(row) || wants_directory(row) ? " -r" : " -x", out);
    if (has_choices(row)) {
        fputs(" -a '", out);
        choices(out, row);
        fputc('\'', out);
    }
    fputs(" -d '", out);
    fish_text(out, row->help);
    fputs("'\n", out);
}

static void complete_fish(FILE *out) {
    cli_row row;
    fputs("# into ~/.config/fish/completions/atrous.fish\n"
          "complete -c atrous -n __fish_use_subcommand -f -a '",
          out);
    first_words(out);
    fputs("'\n", out);
    for (const cli_command *const *c = cli_commands; *c; c++) {
        if (strchr((*c)->name, ' ') && is_first_of_family(c)) {
            const int n = (int)strcspn((*c)->name, " ");
            fprintf(out, "complete -c atrous -n '__fish_seen_subcommand_from %.*s' -f -a '", n,
                    (*c)->name);
            second_words(out, c);
            fputs("'\n", out);
        }
        for (cli_rows it = {.command = *c}; cli_rows_next(&it, &row);) fish_option(out, *c, &row);
    }
}

static at_status run(cli_args *args, at_error *err) {
    static const struct {
        const char *shell;
        void (*write)(FILE *out);
    } shells[] = {{"bash", complete_bash}, {"zsh", complete_zsh}, {"fish", complete_fish}};
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(args->words[0], shells[i].shell) == 0) {
            shells[i].write(stdout);
            return AT_OK;
        }
    return at_fail(err, AT_ERR_USAGE, "completion for \"%s\": there is bash, zsh and fish",
                   args->words[0]);
}

const cli_command cli_completion = {
    .name = "completion",
    .arguments = "bash|zsh|fish",
    .min_words = 1,
    .max_words = 1,
    .summary = "A script that teaches the shell to complete atrous' words.",
    .options = "",
    .examples =
        "eval \"$(atrous completion bash)\"                                    # this shell\n"
        "atrous completion fish >~/.config/fish/completions/atrous.fish      # for good",
    .run = run,
};
