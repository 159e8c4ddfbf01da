/* SPDX-License-Identifier: MIT */
/* atrous COMMAND ...: finds the command, reads its options, runs it, and turns its status into one
 * line on stderr and an exit code: 0 good, 1 data or user error, 2 usage, 130 stopped by Ctrl-C. */
#include <errno.h>
#include <locale.h>
#include <string.h>

#include "cli/cli.h"

static int exit_code(at_status s) {
    return s == AT_OK ? 0 : s == AT_ERR_USAGE ? 2 : s == AT_ERR_STOPPED ? 130 : 1;
}

/* `help`, `help train`, `help data`, `help data check`, and `data --help`. */
static at_status help(int argc, const char *const *argv, at_error *err) {
    const cli_command *c;
    int used;
    if (argc == 0)
        cli_help(stdout);
    else if (argc == 1 && cli_is_family(argv[0]))
        cli_help_family(stdout, argv[0]);
    else {
        AT_TRY(cli_command_find(argc, argv, &c, &used, err));
        cli_help_command(stdout, c);
    }
    return AT_OK;
}

static bool is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static at_status run(int argc, const char *const *argv, at_error *err) {
    const cli_command *c;
    cli_args args;
    int used;
    AT_TRY(cli_command_find(argc, argv, &c, &used, err));
    at_status s = cli_parse(c, argc - used, argv + used, &args, err);
    if (s == AT_OK && args.help)
        cli_help_command(stdout, c);
    else if (s == AT_OK)
        s = c->run(&args, err);
    cli_live_end();
    cli_args_free(&args);
    return s;
}

static at_status dispatch(int argc, const char *const *argv, at_error *err) {
    if (argc == 0) {
        cli_help(stderr);
        return at_fail(err, AT_ERR_USAGE, "a command is missing");
    }
    if (is_help(argv[0])) return help(argc - 1, argv + 1, err);
    if (argc == 2 && is_help(argv[1]) && cli_is_family(argv[0])) return help(1, argv, err);
    if (strcmp(argv[0], "--version") == 0) return run(1, (const char *const[]){"version"}, err);
    return run(argc, argv, err);
}

/* One line, whatever the text holds. */
static void complain(at_error *err) {
    for (char *c = err->text; *c; c++)
        if (*c == '\n') *c = ' ';
    fprintf(stderr, "atrous: %s\n", err->text);
}

int main(int argc, char **argv) {
    at_error err = {0};
    at_status s = dispatch(argc - 1, (const char *const *)argv + 1, &err);
    /* A full disk or a closed pipe shows only here. */
    if ((fflush(stdout) != 0 || ferror(stdout)) && s == AT_OK)
        s = at_fail(&err, AT_ERR_IO, "standard output: %s", strerror(errno));
    if (s != AT_OK) complain(&err);
    return exit_code(s);
}
