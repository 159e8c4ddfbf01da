/* SPDX-License-Identifier: MIT */
/* The pictures that `predict` was given: files, and folders with all pictures below them. */
#ifndef AT_CLI_INPUTS_H
#define AT_CLI_INPUTS_H

#include "cli/cli.h"

typedef struct cli_input {
    char *path; /* to read */
    char *name; /* below its folder, with the extension: "day2/a.jpg" */
    char *stem; /* name without the extension: what is written is called stem.png */
} cli_input;

typedef struct cli_inputs {
    int count, room;
    cli_input *items; /* owned */
} cli_inputs;

/* A word that is no file, a folder without pictures, and two inputs with one stem are errors. */
at_status cli_inputs_list(const char *const *words, int count, cli_inputs *out, at_error *err);
void cli_inputs_free(cli_inputs *in);

#endif
