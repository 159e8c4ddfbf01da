/* SPDX-License-Identifier: MIT */
/* The list of commands, in the order of the help. X(name): the cli_command cli_name in a file of
 * its own. */
#ifndef AT_CLI_LIST_H
#define AT_CLI_LIST_H

/* clang-format off */
#define CLI_COMMAND_LIST(X) \
    X(train)                \
    X(val)                  \
    X(predict)              \
    X(compare)              \
    X(report)               \
    X(info)                 \
    X(grad)                 \
    X(data_check)           \
    X(data_stats)           \
    X(data_synth)           \
    X(data_split)           \
    X(data_palette)         \
    X(arith_conv)           \
    X(arith_deconv)         \
    X(arith_pool)           \
    X(bench_model)          \
    X(bench_kernels)        \
    X(completion)           \
    X(man)                  \
    X(version)
/* clang-format on */

#endif
