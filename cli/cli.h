/* SPDX-License-Identifier: MIT */
/* The program's own header: what a command is, what flags can say, and what commands share. A
 * command is one file with one cli_command; adding one: cli/<name>.c and one line in cli/list.h.
 *
 * The program holds no arithmetic: it turns words into the options of the library's functions, and
 * what they return into lines. Only this room prints and only main exits. */
#ifndef AT_CLI_CLI_H
#define AT_CLI_CLI_H

#include "train/train.h"

/* Everything that flags can say, for all commands. What the training room has options for lies in
 * `train`; the rest is here. Strings belong to argv or to the config file. */
typedef struct cli_opts {
    at_train_opts train;
    bool json, quiet;
    const char *split, *weights, *output;
    /* val, predict */
    const char *tta;
    int tile, overlap;
    bool prob, conf;
    double opacity;
    /* grad */
    const char *image, *mask, *save_weights, *mode;
    bool dropout;
    /* info, bench */
    at_pair size; /* of the input; for train it is a crop */
    int repeat;
    bool train_only, profile, dot;
    const char *rf;
    /* compare */
    at_axis_text axes[AT_MAX_AXES];
    int axis_count, seeds, jobs;
    const char *preset, *equal, *tune_lr;
    double tune_share;
    bool dry_run;
    /* data */
    int count;
    /* arith */
    at_pair in, kernel, stride, padding, dilation, output_padding;
    bool ceil_mode, matrix;
    const char *format;
} cli_opts;

enum { CLI_MAX_GIVEN = 256 };

typedef struct cli_command cli_command;

typedef struct cli_default {
    const char *name, *text;
} cli_default;

/* A command line, understood. */
typedef struct cli_args {
    const cli_command *command;
    cli_opts opts;
    int count; /* words that are no options: files, names */
    const char **words;
    int given_count; /* names of the options that were given, in flags or config */
    const char *given[CLI_MAX_GIVEN];
    bool help;
    json_t *keep; /* owns strings of config files */
} cli_args;

struct cli_command {
    const char *name;         /* "train"; "data check" */
    const char *arguments;    /* "INPUT...", for help; "" if it takes none */
    int min_words, max_words; /* max -1: any number */
    const char *summary;      /* one line */
    const char *details;      /* paragraphs for --help and the manual; NULL: none */
    const char *options; /* names of those it obeys; "*" stands for all of the training room's */
    /* The training room's option that takes a list here, a,b, which makes it an axis; NULL: none */
    const char *several;
    const cli_default
        *defaults;        /* where this command's differ; ends with a NULL name; NULL: nowhere */
    const char *examples; /* lines "command # what it does" */
    /* Results go to stdout, what is going on to stderr. */
    at_status (*run)(cli_args *args, at_error *err);
};

/* ---- commands (list.h) ---- */

extern const cli_command *const cli_commands[]; /* NULL-terminated */
/* The command that argv begins with; *used: how many words named it (1 or 2). An unknown one is
 * AT_ERR_USAGE with the nearest name. */
at_status cli_command_find(int argc, const char *const *argv, const cli_command **command,
                           int *used, at_error *err);
/* Is there a command that begins with the word `family` and has a second one? ("data") */
bool cli_is_family(const char *family);

/* ---- options (options.c, parse.c, suggest.c) ---- */

/* One option as a command knows it, wherever its row lies. */
typedef struct cli_row {
    const char *name, *value, *group, *help; /* value NULL: a switch; "a|b|c": a choice */
    char letter;                             /* 0: none */
    const void *own;                         /* the row in options.c; NULL: the training room's */
    bool several;                            /* takes a list, as the command says */
} cli_row;

/* Walks over a command's options: cli_rows it = {command}; while (cli_rows_next(&it, &row)) */
typedef struct cli_rows {
    const cli_command *command;
    const char *rest;
    int train;  /* inside "*": the row of the training room that comes next, + 1 */
    int common; /* after the command's own: --config, --help */
} cli_rows;
bool cli_rows_next(cli_rows *it, cli_row *row);
/* --config or --help: acts while the line is parsed and can be neither set nor got. */
bool cli_is_common(const cli_row *row);

/* The option of that name, or with that letter, of this command. */
bool cli_find(const cli_command *c, const char *name, size_t length, cli_row *row);
bool cli_find_letter(const cli_command *c, char letter, cli_row *row);
/* Any command that has it, preferably with "train"; NULL: none. */
const cli_command *cli_owner(const char *name, size_t length);

void cli_defaults(const cli_command *c, cli_opts *o);
/* A switch takes NULL, "true" or "false". Strings are borrowed. */
at_status cli_set(cli_opts *o, const cli_row *row, const char *text, at_error *err);
at_status cli_set_json(cli_opts *o, const cli_row *row, const json_t *value, at_error *err);
/* The present value as people would type it; "" if there is none. malloc'ed. */
char *cli_get(const cli_opts *o, const cli_row *row);

/* Everything after the command's name. Flags win over the file of --config, wherever they stand. */
at_status cli_parse(const cli_command *c, int argc, const char *const *argv, cli_args *args,
                    at_error *err);
void cli_args_free(cli_args *args);
bool cli_given(const cli_args *args, const char *name);

/* The candidate nearest to `word` by Damerau and Levenshtein, if near enough: at most a third of
 * the letters differ. Feed candidates one by one. */
typedef struct cli_nearest {
    const char *word;
    size_t length;    /* of word */
    const char *best; /* NULL: none so far */
    int distance;
} cli_nearest;
void cli_nearest_try(cli_nearest *n, const char *candidate);

/* ---- help, made from the tables (help.c) ---- */

void cli_help(FILE *out);
void cli_help_family(FILE *out, const char *family);
void cli_help_command(FILE *out, const cli_command *c);
/* Is this default one to tell? Not a switch's, nor one that only says that it is one. */
bool cli_worth_telling(const char *standard);

/* ---- the terminal (terminal.c) ---- */

/* One line on stderr that is drawn anew, if stderr is a terminal; otherwise nothing, and only
 * cli_say's lines appear. */
void cli_live(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* True if a live line would be shown and the last one is old enough for another. */
bool cli_live_due(void);
void cli_live_end(void);
/* A line on stderr, above the live line. */
void cli_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "1.50 GB", "12.3 M", "1:02:03", into a buffer that is the caller's. */
enum { CLI_SHORT = 32 };
const char *cli_bytes(char *buffer, double bytes);
const char *cli_number(char *buffer, double n);
const char *cli_duration(char *buffer, double seconds);

/* Ctrl-C: the first sets the flag, the second ends the program at once with code 130. */
const volatile int *cli_stop_on_interrupt(void);

/* ---- what several commands do (common.c) ---- */

/* The threads that --threads names. */
at_status cli_start_threads(const cli_opts *o, at_error *err);
at_status cli_open_data(const cli_opts *o, at_dataset **d, at_error *err);
/* Without data: what suits the synthetic set, where nobody said otherwise. */
at_status cli_suit_synthetic(const cli_args *args, at_train_opts *t, at_error *err);
/* `count` classes named class0, class1, ... in the VOC colours. */
at_status cli_plain_classes(int count, at_classes *out, at_error *err);
/* A weights file as it was named, or the best one of a run's directory. *path is malloc'ed. */
at_status cli_weights_path(const char *word, char **path, at_error *err);
/* The network of --weights. */
at_status cli_load_network(const cli_opts *o, at_network *net, at_error *err);
at_status cli_predict_opts(const cli_opts *o, at_predict_opts *p, at_error *err);
/* An error unless --classes was given; an error that names the models there are; an error if an
 * option was given that a weights file decides. */
at_status cli_need_classes(const cli_opts *o, at_error *err);
at_status cli_unknown_model(const char *word, at_error *err);
at_status cli_no_model_options(const cli_args *args, at_error *err);
/* Changes *loss as far as loss options were given. `d` may be NULL: class weights can't be worked
 * out then. */
at_status cli_loss(const cli_args *args, const at_dataset *d, int classes, at_loss_spec *loss,
                   at_error *err);
/* Prints indented JSON on stdout and drops the reference; NULL is AT_ERR_MEMORY. */
at_status cli_print_json(json_t *j, at_error *err);

#endif
