/* SPDX-License-Identifier: MIT */
/* The list of commands, and finding one. */
#include <string.h>

#include "cli/cli.h"
#include "cli/list.h"

#define CLI_DECLARE(name) extern const cli_command cli_##name;
CLI_COMMAND_LIST(CLI_DECLARE)
#undef CLI_DECLARE

#define CLI_ENTRY(name) &cli_##name,
const cli_command *const cli_commands[] = {CLI_COMMAND_LIST(CLI_ENTRY) NULL};
#undef CLI_ENTRY

/* Is `command` the name made of these one or two words? */
static bool is_called(const char *command, const char *first, const char *second) {
    const size_t length = strlen(first);
    if (strncmp(command, first, length) != 0) return false;
    return command[length] == ' ' ? second && strcmp(command + length + 1, second) == 0
                                  : !command[length];
}

bool cli_is_family(const char *family) {
    const size_t length = strlen(family);
    for (const cli_command *const *c = cli_commands; *c; c++)
        if (strncmp((*c)->name, family, length) == 0 && (*c)->name[length] == ' ') return true;
    return false;
}

/* "data chekc": the second word is wrong. */
static at_status unknown_second(const char *family, const char *second, at_error *err) {
    const size_t length = strlen(family);
    cli_nearest near = {.word = second ? second : "", .length = second ? strlen(second) : 0};
    for (const cli_command *const *c = cli_commands; *c; c++)
        if (strncmp((*c)->name, family, length) == 0 && (*c)->name[length] == ' ')
            cli_nearest_try(&near, (*c)->name + length + 1);
    if (!second || second[0] == '-')
        return at_fail(err, AT_ERR_USAGE,
                       "`atrous %s` needs a command: `atrous help %s` lists them", family, family);
    if (near.best)
        return at_fail(err, AT_ERR_USAGE, "unknown command \"%s %s\": did you mean \"%s %s\"?",
                       family, second, family, near.best);
    return at_fail(err, AT_ERR_USAGE, "unknown command \"%s %s\": `atrous help %s` lists them",
                   family, second, family);
}

at_status cli_command_find(int argc, const char *const *argv, const cli_command **command,
                           int *used, at_error *err) {
    const char *second = argc > 1 ? argv[1] : NULL;
    cli_nearest near = {.word = argv[0], .length = strlen(argv[0])};
    for (const cli_command *const *c = cli_commands; *c; c++)
        if (is_called((*c)->name, argv[0], second)) {
            *command = *c;
            *used = strchr((*c)->name, ' ') ? 2 : 1;
            return AT_OK;
        }
    if (cli_is_family(argv[0])) return unknown_second(argv[0], second, err);
    for (const cli_command *const *c = cli_commands; *c; c++) cli_nearest_try(&near, (*c)->name);
    if (near.best)
        return at_fail(err, AT_ERR_USAGE, "unknown command \"%s\": did you mean \"%s\"?", argv[0],
                       near.best);
    return at_fail(err, AT_ERR_USAGE, "unknown command \"%s\": `atrous help` lists them", argv[0]);
}
