/* SPDX-License-Identifier: MIT */
/* The options common to all architectures: defaults and limits. Spellings are names.c, JSON is
 * options_json.c. */
#include "models/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_CLASSES = 255, MOST_WIDTH = 16, MOST_RATE = 1 << 10, LIST = 256 };

/* ---- widths ---- */

int at_scale_width(int channels, double width) {
    double fours = floor(channels * width / 4 + 0.5);
    return fours < 1 ? 4 : 4 * (int)fours;
}

int at_decoder_width(int channels, int index, const at_model_opts *o) {
    if (o->decoder_width == 0) return at_scale_width(channels, o->width);
    double each = channels * o->width * o->decoder_width / o->decoder_unit;
    double units = floor((index + 1) * each + 0.5) - floor(index * each + 0.5);
    return units < 1 ? o->decoder_unit : o->decoder_unit * (int)units;
}

/* ---- choices ---- */

/* Appends to a list that is read as "a, b, c"; a list that does not fit is cut. */
static void list_add(char *list, size_t size, const char *item) {
    size_t used = strlen(list);
    snprintf(list + used, size - used, "%s%s", used ? ", " : "", item);
}

/* Why an operator can't do without what an architecture lacks. */
static const char *reason(at_upsample u) {
    switch (u) {
    case AT_UP_UNPOOL:
        return " (no pooling there has indices for it)";
    case AT_UP_UNPOOL_CORNER:
        return " (it leaves zeros between class scores)";
    case AT_UP_ADDITIVE:
        return " (it would add up the scores of different classes)";
    case AT_UP_DUC:
        return " (its scores are not made from features in one step)";
    default:
        return "";
    }
}

/* `value` must be one of the bits of `works`. */
static at_status check_choice(const at_model *m, const char *flag, const char *const *names,
                              int count, unsigned works, int value, const char *why,
                              at_error *err) {
    char list[LIST] = "";
    bool known = value > 0 && value < count;
    if (known && (works >> value & 1u)) return AT_OK;
    for (int i = 1; i < count; i++)
        if (works >> i & 1u) list_add(list, sizeof list, names[i]);
    return at_fail(err, AT_ERR_USAGE, "%s %s makes no sense for %s%s: what works is %s", flag,
                   known ? names[value] : "?", m->name, why, list);
}

static at_status check_choices(const at_model *m, const at_model_opts *o, at_error *err) {
    AT_TRY(check_choice(m, "--upsample", at_upsample_names, AT_UP_COUNT, m->upsamples,
                        (int)o->upsample, reason(o->upsample), err));
    if (m->skips != 0)
        AT_TRY(check_choice(m, "--skip", at_skip_names, AT_SKIP_COUNT, m->skips, (int)o->skip, "",
                            err));
    if (m->decoders != 0)
        AT_TRY(check_choice(m, "--decoder", at_decoder_names, AT_DECODER_COUNT, m->decoders,
                            (int)o->decoder, "", err));
    if (o->upsample == AT_UP_DUC && (o->skip == AT_SKIP_ADD || o->decoder == AT_DECODER_SINGLE))
        return at_fail(err, AT_ERR_USAGE,
                       "--upsample duc takes the place of %s's whole decoder: leave out --skip add "
                       "and --decoder single",
                       m->name);
    return AT_OK;
}

static at_status check_depth(const at_model *m, int depth, at_error *err) {
    char works[LIST] = "";
    for (const int *d = m->depths; *d != 0; d++) {
        char number[16];
        if (*d == depth) return AT_OK;
        snprintf(number, sizeof number, "%d", *d);
        list_add(works, sizeof works, number);
    }
    return at_fail(err, AT_ERR_USAGE, "depth %d (%s) makes no sense for %s: what works is %s",
                   depth, m->depth_help, m->name, works);
}

/* ---- options that only some architectures have ---- */

static bool has_rates(const at_model *m) {
    return m->has_rates;
}
static bool has_stride(const at_model *m) {
    return m->has_output_stride;
}
static bool has_fc(const at_model *m) {
    return m->has_fc;
}
static bool has_lrn(const at_model *m) {
    return m->has_lrn;
}
static bool has_skip(const at_model *m) {
    return m->skips != 0;
}
static bool has_decoder(const at_model *m) {
    return m->decoders != 0;
}

/* An option that this architecture lacks was given: names those that have it. */
static at_status refuse_option(const at_model *m, const char *flag, bool (*has)(const at_model *),
                               at_error *err) {
    char works[LIST] = "";
    for (const at_model *const *i = at_model_list; *i != NULL; i++)
        if (has(*i)) list_add(works, sizeof works, (*i)->name);
    return at_fail(err, AT_ERR_USAGE, "%s means nothing for %s: it is for %s", flag, m->name,
                   works);
}

static at_status check_owned(const at_model *m, const at_model_opts *o, at_error *err) {
    const struct {
        bool given;
        const char *flag;
        bool (*has)(const at_model *);
    } owned[] = {
        {o->rate_count != 0, "--rates", has_rates},
        {o->output_stride != 0, "--output-stride", has_stride},
        {o->fc != 0, "--fc", has_fc},
        {o->lrn, "--lrn", has_lrn},
        {o->skip != AT_SKIP_DEFAULT, "--skip", has_skip},
        {o->decoder != AT_DECODER_DEFAULT, "--decoder", has_decoder},
    };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        if (owned[i].given && !owned[i].has(m))
            return refuse_option(m, owned[i].flag, owned[i].has, err);
    return AT_OK;
}

/* ---- numbers ---- */

static at_status check_rates(const at_model_opts *o, at_error *err) {
    if (o->rate_count < 0 || o->rate_count > AT_MAX_RATES)
        return at_fail(err, AT_ERR_USAGE, "--rates takes 1 to %d numbers", AT_MAX_RATES);
    for (int i = 0; i < o->rate_count; i++)
        if (o->rates[i] < 1 || o->rates[i] > MOST_RATE)
            return at_fail(err, AT_ERR_USAGE, "--rates: %d is not in 1 .. %d", o->rates[i],
                           MOST_RATE);
    return AT_OK;
}

static at_status check_match(const at_model_opts *o, at_error *err) {
    if (at_match_name(o->match) == NULL)
        return at_fail(err, AT_ERR_USAGE, "--match: what works is none, params, macs");
    if (o->match == AT_MATCH_NONE && o->decoder_width != 0)
        return at_fail(err, AT_ERR_USAGE, "a decoder_width of %g without match", o->decoder_width);
    if (o->decoder_width != 0 && !(o->decoder_width > 0 && o->decoder_width <= MOST_WIDTH))
        return at_fail(err, AT_ERR_USAGE, "a decoder_width of %g is not above 0 and at most %d",
                       o->decoder_width, MOST_WIDTH);
    if (o->decoder_width != 0 && o->decoder_unit != 1 && o->decoder_unit != 4)
        return at_fail(err, AT_ERR_USAGE, "decoder_unit %d: what works is 1, 4", o->decoder_unit);
    return AT_OK;
}

static at_status check_numbers(const at_model_opts *o, at_error *err) {
    if (o->classes < 2 || o->classes > MOST_CLASSES)
        return at_fail(err, AT_ERR_USAGE, "--classes %d is not in 2 .. %d", o->classes,
                       MOST_CLASSES);
    if (o->in_channels != 1 && o->in_channels != 3 && o->in_channels != 4)
        return at_fail(err, AT_ERR_USAGE, "%d input channels: what works is 1, 3, 4",
                       o->in_channels);
    if (!(o->width > 0 && o->width <= MOST_WIDTH))
        return at_fail(err, AT_ERR_USAGE, "--width %g is not above 0 and at most %d", o->width,
                       MOST_WIDTH);
    if (o->fc < 0 || o->fc > AT_MOST_FC)
        return at_fail(err, AT_ERR_USAGE, "--fc %d is not in 1 .. %d", o->fc, AT_MOST_FC);
    if (at_norm_name(o->norm) == NULL)
        return at_fail(err, AT_ERR_USAGE, "--norm: what works is batch, group, none");
    if (o->output_stride != 0 && o->output_stride != 8 && o->output_stride != 16)
        return at_fail(err, AT_ERR_USAGE, "--output-stride %d: what works is 8, 16",
                       o->output_stride);
    AT_TRY(check_match(o, err));
    return check_rates(o, err);
}

/* ---- defaults ---- */

at_status at_model_resolve(const at_model *m, at_model_opts *o, at_error *err) {
    AT_TRY(check_owned(m, o, err));
    if (o->in_channels == 0) o->in_channels = 3;
    if (o->width == 0) o->width = 1;
    if (o->depth == 0) o->depth = m->depths[0];
    if (o->upsample == AT_UP_DEFAULT) o->upsample = m->default_upsample;
    if (o->skip == AT_SKIP_DEFAULT) o->skip = m->default_skip;
    if (o->decoder == AT_DECODER_DEFAULT) o->decoder = m->default_decoder;
    AT_TRY(check_numbers(o, err));
    AT_TRY(check_depth(m, o->depth, err));
    AT_TRY(check_choices(m, o, err));
    if (m->has_fc && o->fc == 0) o->fc = at_scale_width(1024, o->width);
    if (m->defaults != NULL) m->defaults(o);
    if (o->match != AT_MATCH_NONE && o->decoder_width == 0) return at_model_match(m, o, err);
    return AT_OK;
}
