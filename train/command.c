/* SPDX-License-Identifier: MIT */
/* Options back to a command line. */
#include <stdlib.h>
#include <string.h>

#include "train/study.h"

/* Text in single quotes where a shell would read it otherwise. malloc'ed. */
static char *quoted(const char *text) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_./=,:+-@%";
    if (*text && strspn(text, plain) == strlen(text)) return strdup(text);
    char *out = malloc(4 * strlen(text) + 3), *to = out;
    if (!out) return NULL;
    *to++ = '\'';
    for (; *text; text++) {
        if (*text == '\'') {
            memcpy(to, "'\\''", 4);
            to += 4;
        } else
            *to++ = *text;
    }
    *to++ = '\'';
    *to = '\0';
    return out;
}

/* " --name value"; "" for a switch that is off. malloc'ed. */
static char *flag(const at_train_option *opt, const char *text) {
    if (!opt->value) return strcmp(text, "true") == 0 ? at_format(" --%s", opt->name) : strdup("");
    char *value = quoted(text), *out = value ? at_format(" --%s %s", opt->name, value) : NULL;
    free(value);
    return out;
}

/* Without data the program has defaults of its own: what they are about is always said. */
static bool always_said(const at_train_opts *o, const char *name) {
    if (strcmp(name, "model") == 0 || strcmp(name, "seed") == 0) return true;
    for (const at_train_suit *s = at_train_synthetic; !o->data && s->name; s++)
        if (strcmp(s->name, name) == 0) return true;
    return false;
}

static bool never_said(const at_train_option *opt) {
    return strcmp(opt->name, "resume") == 0 || strcmp(opt->name, "threads") == 0 ||
           strcmp(opt->name, "loader-threads") == 0 || strcmp(opt->name, "cache") == 0 ||
           strcmp(opt->name, "max-mem") == 0;
}

/* Appends to *command, which becomes NULL when memory runs out. */
static void append(char **command, const at_train_opts *o, const at_train_option *opt) {
    const at_train_opts defaults = at_train_defaults();
    char *text = at_train_get(o, opt->name), *usual = at_train_get(&defaults, opt->name),
         *said = NULL, *longer = NULL;
    if (text && usual)
        said = *text && (strcmp(text, usual) != 0 || always_said(o, opt->name)) ? flag(opt, text)
                                                                                : strdup("");
    if (said && *command) longer = at_format("%s%s", *command, said);
    free(text);
    free(usual);
    free(said);
    free(*command);
    *command = longer;
}

char *at_train_command(const at_train_opts *o) {
    char *command = strdup("atrous train");
    for (const at_train_option *opt = at_train_options; command && opt->name; opt++)
        if (!never_said(opt)) append(&command, o, opt);
    return command;
}
