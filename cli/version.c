/* SPDX-License-Identifier: MIT */
/* atrous version: what this program is and what it computes with. */
#include "cli/cli.h"
#include "nn/kernels/kernels.h"

static at_status run(cli_args *args, at_error *err) {
    (void)args, (void)err;
    printf("atrous " ATROUS_VERSION " (kernels: %s)\n", at_kernels_get()->level);
    return AT_OK;
}

const cli_command cli_version = {
    .name = "version",
    .arguments = "",
    .summary = "The version, and the instruction set that is used.",
    .options = "",
    .examples = "atrous version\nATROUS_CPU=generic atrous version",
    .run = run,
};
