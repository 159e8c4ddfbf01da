/* SPDX-License-Identifier: MIT */
/* The option table. Parsing, help, config keys, completion and the manual all walk over it. What a
 * training run can be told stands in the training room's table (train/options.h); here is the rest.
 * Where a name stands in both, a command that lists the name means the row here, and "*" the other:
 * --size is the input of `info` and a crop of `train`. */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

typedef enum own_type { SWITCH, TEXT, CHOICE, INT, REAL, PAIR, AXIS } own_type;

typedef struct own_row {
    const char *name, *value, *group, *help;
    const char *standard; /* the default; NULL: none */
    double min, max;      /* INT, REAL, and both halves of a PAIR */
    size_t offset;
    own_type type;
    char letter;
} own_row;

#define AT(member) offsetof(cli_opts, member)

/* clang-format off */
static const own_row own_rows[] = {
    {"split", "NAME", "data", "train, val, test or what dataset.json names", NULL, 0, 0, AT(split), TEXT, 's'},
    {"count", "N", "data", "pictures to draw; a fifth of them are for validation", "500", 2, 1e6, AT(count), INT, 'n'},

    {"weights", "FILE", "network", "weights file, or the directory of a run: then its best", NULL, 0, 0, AT(weights), TEXT, 'w'},
    {"size", "HxW", "network", "height and width of the input", "360x480", 1, 65536, AT(size), PAIR, 0},

    {"tta", "WHAT", "prediction", "average over variants: flip, scales, scales=0.5,1,1.5; joined by +", NULL, 0, 0, AT(tta), TEXT, 0},
    {"tile", "N", "prediction", "largest side of a tile, a multiple of 64; 0: whole pictures if they fit in memory", "0", 0, 65536, AT(tile), INT, 0},
    {"overlap", "N", "prediction", "pixels that neighbouring tiles share; 0: a quarter of the tile", "0", 0, 65536, AT(overlap), INT, 0},
    {"prob", NULL, "prediction", "also write the probabilities of all classes: prob/NAME.safetensors", NULL, 0, 0, AT(prob), SWITCH, 0},
    {"conf", NULL, "prediction", "also write the largest probability as a grey picture: conf/NAME.png", NULL, 0, 0, AT(conf), SWITCH, 0},
    {"opacity", "X", "prediction", "of the colours in overlays", "0.5", 0.01, 1, AT(opacity), REAL, 0},

    {"image", "FILE", "gradients", "the picture to feed", NULL, 0, 0, AT(image), TEXT, 'i'},
    {"mask", "FILE", "gradients", "its mask: class ids as --data codes them, without --data as they stand", NULL, 0, 0, AT(mask), TEXT, 0},
    {"save-weights", "FILE", "gradients", "write the weights that were used", NULL, 0, 0, AT(save_weights), TEXT, 0},
    {"mode", "train|infer", "gradients", "infer: the logits of inference only, with running statistics and folded norms", "train", 0, 0, AT(mode), CHOICE, 0},
    {"dropout", NULL, "gradients", "leave dropout on", NULL, 0, 0, AT(dropout), SWITCH, 0},

    {"repeat", "N", "measuring", "runs to measure; median and minimum are told", "5", 1, 100000, AT(repeat), INT, 0},
    {"train-only", NULL, "measuring", "leave inference out", NULL, 0, 0, AT(train_only), SWITCH, 0},
    {"profile", NULL, "measuring", "also tell where the time goes, node by node", NULL, 0, 0, AT(profile), SWITCH, 0},

    {"axis", "NAME=V1:V2", "study", "vary this option over these values; may be given several times", NULL, 0, 0, 0, AXIS, 0},
    {"preset", "segnet-table1", "study", "a ready-made question: its axes, and its options where nothing else is said", NULL, 0, 0, AT(preset), CHOICE, 0},
    {"seeds", "N", "study", "runs of each variant, with seeds --seed, --seed + 1, ...", "3", 1, AT_MAX_SEEDS, AT(seeds), INT, 0},
    {"equal", "epochs|time", "study", "what is the same for all runs; time: give --time", "epochs", 0, 0, AT(equal), CHOICE, 0},
    {"tune-lr", "A,B,C", "study", "for each variant the best of these learning rates, by short pilots", NULL, 0, 0, AT(tune_lr), TEXT, 0},
    {"tune-share", "X", "study", "length of a pilot over that of a run", "0.2", 0.001, 1, AT(tune_share), REAL, 0},
    {"jobs", "N", "study", "runs trained at the same time, each with its share of the threads", "1", 1, 64, AT(jobs), INT, 0},
    {"dry-run", NULL, "study", "list the runs with their costs and stop", NULL, 0, 0, AT(dry_run), SWITCH, 0},

    {"in", "N|HxW", "arithmetic", "size of the input", "5", 1, 65536, AT(in), PAIR, 'i'},
    {"kernel", "N|HxW", "arithmetic", "size of the kernel", "3", 1, 1024, AT(kernel), PAIR, 'k'},
    {"stride", "N|HxW", "arithmetic", "stride", "1", 1, 1024, AT(stride), PAIR, 's'},
    {"padding", "N|HxW", "arithmetic", "pixels on each side", "0", 0, 1024, AT(padding), PAIR, 'p'},
    {"dilation", "N|HxW", "arithmetic", "distance from one tap to the next", "1", 1, 1024, AT(dilation), PAIR, 0},
    {"output-padding", "N|HxW", "arithmetic", "extra rows and columns at the bottom and right", "0", 0, 1024, AT(output_padding), PAIR, 0},
    {"ceil-mode", NULL, "arithmetic", "round sizes up", NULL, 0, 0, AT(ceil_mode), SWITCH, 0},
    {"matrix", NULL, "arithmetic", "write out the matrix C and its transpose", NULL, 0, 0, AT(matrix), SWITCH, 0},

    {"output", "PATH", "output", "where the results go", NULL, 0, 0, AT(output), TEXT, 'o'},
    {"json", NULL, "output", "print JSON", NULL, 0, 0, AT(json), SWITCH, 0},
    {"dot", NULL, "output", "print the graph for Graphviz", NULL, 0, 0, AT(dot), SWITCH, 0},
    {"rf", "FILE", "output", "also draw the receptive fields, and what dilated convolutions reach, into FILE, an SVG", NULL, 0, 0, AT(rf), TEXT, 0},
    {"format", "roff|markdown", "output", "of the manual", "roff", 0, 0, AT(format), CHOICE, 0},
    {"quiet", NULL, "output", "say only what goes wrong", NULL, 0, 0, AT(quiet), SWITCH, 'q'},
};

/* Options of every command. They act while the line is parsed and set nothing. */
static const own_row common_rows[] = {
    {"config", "FILE", "output", "read options from a JSON file: names as here without dashes, // comments; flags win", NULL, 0, 0, 0, TEXT, 0},
    {"help", NULL, "output", "show this help", NULL, 0, 0, 0, SWITCH, 'h'},
};

/* Letters for rows of the training room. */
static const struct {
    const char *name;
    char letter;
} letters[] = {{"data", 'd'}, {"model", 'm'}, {"batch", 'b'}, {"epochs", 'e'}, {"threads", 'j'}, {"name", 'n'}};
/* clang-format on */

enum {
    OWN_COUNT = sizeof own_rows / sizeof *own_rows,
    COMMON_COUNT = sizeof common_rows / sizeof *common_rows,
    LETTER_COUNT = sizeof letters / sizeof *letters,
};

/* ---- walking ---- */

static cli_row row_of_own(const own_row *r) {
    return (cli_row){r->name, r->value, r->group, r->help, r->letter, r, false};
}

static cli_row row_of_train(const at_train_option *r) {
    cli_row row = {r->name, r->value, r->group, r->help, 0, NULL, false};
    for (int i = 0; i < LETTER_COUNT; i++)
        if (strcmp(letters[i].name, r->name) == 0) row.letter = letters[i].letter;
    return row;
}

static bool same(const char *name, const char *text, size_t length) {
    return strlen(name) == length && memcmp(name, text, length) == 0;
}

/* A name in a command's list. That it stands in a table is an invariant of the tables. */
static cli_row row_named(const char *name, size_t length) {
    for (int i = 0; i < OWN_COUNT; i++)
        if (same(own_rows[i].name, name, length)) return row_of_own(&own_rows[i]);
    const at_train_option *t = at_train_options;
    while (t->name && !same(t->name, name, length)) t++;
    assert(t->name);
    return row_of_train(t);
}

bool cli_rows_next(cli_rows *it, cli_row *row) {
    if (!it->rest) it->rest = it->command->options;
    if (it->train && at_train_options[it->train - 1].name) {
        *row = row_of_train(&at_train_options[it->train++ - 1]);
        row->several = it->command->several && strcmp(it->command->several, row->name) == 0;
        return true;
    }
    it->train = 0;
    it->rest += strspn(it->rest, " ");
    const char *name = it->rest;
    const size_t length = strcspn(name, " ");
    it->rest += length;
    if (*name == '*') {
        it->train = 1;
        return cli_rows_next(it, row);
    }
    if (!length && it->common == COMMON_COUNT) return false;
    *row = length ? row_named(name, length) : row_of_own(&common_rows[it->common++]);
    return true;
}

bool cli_is_common(const cli_row *row) {
    const own_row *r = row->own;
    return r >= common_rows && r < common_rows + COMMON_COUNT;
}

bool cli_find(const cli_command *c, const char *name, size_t length, cli_row *row) {
    for (cli_rows it = {.command = c}; cli_rows_next(&it, row);)
        if (same(row->name, name, length)) return true;
    return false;
}

bool cli_find_letter(const cli_command *c, char letter, cli_row *row) {
    for (cli_rows it = {.command = c}; cli_rows_next(&it, row);)
        if (row->letter == letter) return true;
    return false;
}

const cli_command *cli_owner(const char *name, size_t length) {
    cli_row row;
    for (const cli_command *const *c = cli_commands; *c; c++)
        if (cli_find(*c, name, length, &row)) return *c;
    return NULL;
}

/* ---- values ---- */

static at_status bad_value(const own_row *r, const char *text, at_error *err) {
    const char *what = r->type == INT    ? "a whole number"
                       : r->type == PAIR ? "N or HxW"
                                         : "a number";
    if (r->type == CHOICE)
        return at_fail(err, AT_ERR_USAGE, "%s \"%s\": expected %s", r->name, text, r->value);
    return at_fail(err, AT_ERR_USAGE, "%s \"%s\": expected %s, from %.12g to %.12g", r->name, text,
                   what, r->min, r->max);
}

/* A whole number at the beginning of *text, which is moved past it. */
static bool read_int(const char **text, const own_row *r, int *out) {
    char *end;
    errno = 0;
    const long v = strtol(*text, &end, 10);
    if (end == *text || errno || (double)v < r->min || (double)v > r->max) return false;
    *text = end;
    *out = (int)v;
    return true;
}

static bool read_pair(const char *text, const own_row *r, at_pair *out) {
    if (!read_int(&text, r, &out->h)) return false;
    out->w = out->h;
    if (*text != 'x' && *text != 'X') return !*text;
    text++;
    return read_int(&text, r, &out->w) && !*text;
}

static bool read_real(const char *text, const own_row *r, double *out) {
    char *end;
    *out = strtod(text, &end);
    return end != text && !*end && isfinite(*out) && *out >= r->min && *out <= r->max;
}

/* One of the words between the bars of `choices`. */
static bool is_choice(const char *text, const char *choices) {
    for (const char *p = choices; p; p = strchr(p, '|')) {
        p += *p == '|';
        if (same(text, p, strcspn(p, "|"))) return true;
    }
    return false;
}

static at_status set_switch(bool *field, const own_row *r, const char *text, at_error *err) {
    *field = !text || strcmp(text, "true") == 0;
    if (*field || strcmp(text, "false") == 0) return AT_OK;
    return at_fail(err, AT_ERR_USAGE, "%s \"%s\": expected true or false, or no value", r->name,
                   text);
}

static at_status add_axis(cli_opts *o, const char *name, const char *text, char separator,
                          at_error *err) {
    if (o->axis_count == AT_MAX_AXES)
        return at_fail(err, AT_ERR_USAGE, "axis: more than %d are too many", AT_MAX_AXES);
    o->axes[o->axis_count++] = (at_axis_text){name, text, separator};
    return AT_OK;
}

static at_status set_own(cli_opts *o, const own_row *r, const char *text, at_error *err) {
    void *field = (char *)o + r->offset;
    const char *rest = text;
    bool good = true;
    switch (r->type) {
    case SWITCH:
        return set_switch(field, r, text, err);
    case AXIS:
        return add_axis(o, NULL, text, ':', err);
    case INT:
        good = read_int(&rest, r, field) && !*rest;
        break;
    case REAL:
        good = read_real(text, r, field);
        break;
    case PAIR:
        good = read_pair(text, r, field);
        break;
    case CHOICE:
        good = is_choice(text, r->value);
        *(const char **)field = text;
        break;
    case TEXT:
        *(const char **)field = text;
    }
    return good ? AT_OK : bad_value(r, text, err);
}

at_status cli_set(cli_opts *o, const cli_row *row, const char *text, at_error *err) {
    if (row->own) return set_own(o, row->own, text, err);
    if (row->several && strchr(text, ',')) return add_axis(o, row->name, text, ',', err);
    return at_train_set(&o->train, row->name, text, err);
}

static at_status set_train_json(cli_opts *o, const cli_row *row, const json_t *value,
                                at_error *err) {
    json_t *one = json_object();
    if (!one || json_object_set(one, row->name, (json_t *)(uintptr_t)value) != 0) {
        json_decref(one);
        return at_fail_memory(err, "a configuration", 0);
    }
    const at_status s = at_train_opts_from_json(&o->train, one, err);
    json_decref(one); /* the strings are value's */
    return s;
}

/* A list of axes. */
static at_status set_axes(cli_opts *o, const own_row *r, const json_t *list, at_error *err) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        if (!text) return at_fail(err, AT_ERR_USAGE, "%s: expected a list of strings", r->name);
        AT_TRY(set_own(o, r, text, err));
    }
    return AT_OK;
}

at_status cli_set_json(cli_opts *o, const cli_row *row, const json_t *value, at_error *err) {
    const own_row *r = row->own;
    char text[64];
    if (row->several && json_is_string(value))
        return cli_set(o, row, json_string_value(value), err);
    if (!r) return set_train_json(o, row, value, err);
    if (json_is_string(value)) return set_own(o, r, json_string_value(value), err);
    if (json_is_array(value) && r->type == AXIS) return set_axes(o, r, value, err);
    if (json_is_boolean(value) && r->type == SWITCH)
        return set_own(o, r, json_is_true(value) ? "true" : "false", err);
    if (json_is_number(value) && (r->type == INT || r->type == REAL || r->type == PAIR)) {
        snprintf(text, sizeof text, "%.17g", json_number_value(value));
        return set_own(o, r, text, err);
    }
    return at_fail(err, AT_ERR_USAGE, "%s: expected %s", r->name,
                   r->type == SWITCH                      ? "true or false"
                   : r->type == AXIS                      ? "a list of strings"
                   : r->type == TEXT || r->type == CHOICE ? "a string"
                                                          : "a number");
}

void cli_defaults(const cli_command *c, cli_opts *o) {
    *o = (cli_opts){.train = at_train_defaults()};
    at_status s = AT_OK;
    for (int i = 0; i < OWN_COUNT && s == AT_OK; i++)
        if (own_rows[i].standard) s = set_own(o, &own_rows[i], own_rows[i].standard, NULL);
    for (const cli_default *d = c->defaults; d && d->name && s == AT_OK; d++) {
        const cli_row row = row_named(d->name, strlen(d->name));
        s = cli_set(o, &row, d->text, NULL);
    }
    assert(s == AT_OK); /* the tables are right */
}

char *cli_get(const cli_opts *o, const cli_row *row) {
    const own_row *r = row->own;
    if (!r) return at_train_get(&o->train, row->name);
    if (cli_is_common(row)) return strdup("");
    const void *field = (const char *)o + r->offset;
    const char *text;
    at_pair pair;
    switch (r->type) {
    case SWITCH:
        return strdup(*(const bool *)field ? "true" : "");
    case INT:
        return at_format("%d", *(const int *)field);
    case REAL:
        return at_format("%g", *(const double *)field);
    case AXIS:
        return strdup("");
    case PAIR:
        pair = *(const at_pair *)field;
        return pair.h == pair.w ? at_format("%d", pair.h) : at_format("%dx%d", pair.h, pair.w);
    default:
        text = *(const char *const *)field;
        return strdup(text ? text : "");
    }
}
