/* SPDX-License-Identifier: MIT */
/* --match: the decoder's width at which an upsampling costs what the architecture's default costs.
 * Cost grows with the width, in steps, so halving intervals finds the two widths about the
 * reference. Where a decoder has no width of its own the costs may still be near enough. Only
 * structure is built, no weights. */
#include <math.h>

#include "models/options.h"

enum {
    SIDE = 256,       /* of the image that multiply-accumulates are counted for */
    GRID = 10000,     /* steps of the width: few decimals, so that text keeps them exactly */
    LEAST = GRID / 4, /* a decoder that is narrower is a bottleneck, not a variant */
    MOST = 4 * GRID,
};
static const double fine = 0.02;  /* multiples of 4 channels are good enough */
static const double limit = 0.05; /* beyond it nothing is matched */

static at_status cost_of(const at_model *m, const at_model_opts *o, double *cost, at_error *err) {
    at_survey s = {0};
    at_graph *g = at_graph_new();
    if (g == NULL) return at_fail_memory(err, "a graph", 0);
    at_graph_set_output(g, m->build(g, at_input(g, "image", o->in_channels), o));
    at_status status = at_survey_new(&s, g, (at_shape){1, SIDE, SIDE, o->in_channels}, err);
    *cost = o->match == AT_MATCH_MACS ? s.macs : (double)s.parameters;
    at_survey_free(&s);
    at_graph_free(g);
    return status == AT_OK ? AT_OK : at_error_context(err, "%s", m->name);
}

static at_status error_at(const at_model *m, at_model_opts o, int step, double reference,
                          double *error, at_error *err) {
    double cost;
    o.decoder_width = (double)step / GRID;
    AT_TRY(cost_of(m, &o, &cost, err));
    *error = (cost - reference) / reference;
    return AT_OK;
}

/* Takes this width if its error is as small as what was found before. */
static at_status consider(const at_model *m, at_model_opts *o, int step, double reference,
                          double *error, at_error *err) {
    AT_TRY(error_at(m, *o, step, reference, error, err));
    if (fabs(*error) > fabs(o->match_error)) return AT_OK;
    o->decoder_width = (double)step / GRID;
    o->match_error = *error;
    return AT_OK;
}

/* With opts->decoder_unit: the width whose cost is nearest, and its error; 1 if that is as near as
 * any. */
static at_status seek(const at_model *m, at_model_opts *o, double reference, at_error *err) {
    int low = LEAST, high = MOST;
    double error;
    o->match_error = INFINITY;
    AT_TRY(consider(m, o, low, reference, &error, err));
    AT_TRY(consider(m, o, high, reference, &error, err));
    while (high - low > 1) {
        int middle = (low + high) / 2;
        AT_TRY(consider(m, o, middle, reference, &error, err));
        *(error < 0 ? &low : &high) = middle;
    }
    return consider(m, o, GRID, reference, &error, err);
}

at_status at_model_match(const at_model *m, at_model_opts *o, at_error *err) {
    at_model_opts other = *o, fours = *o, ones = *o;
    double reference;
    other.upsample = m->default_upsample;
    AT_TRY(cost_of(m, &other, &reference, err));
    fours.decoder_unit = 4, ones.decoder_unit = 1;
    if (o->upsample == m->default_upsample) {
        o->decoder_width = 1;
        o->decoder_unit = 4;
        o->match_error = 0;
        return AT_OK;
    }
    AT_TRY(seek(m, &fours, reference, err));
    if (fabs(fours.match_error) > fine && o->upsample != AT_UP_ADDITIVE) /* that adds up fours */
        AT_TRY(seek(m, &ones, reference, err));
    else
        ones.match_error = INFINITY;
    const at_model_opts *best = fabs(ones.match_error) < fabs(fours.match_error) ? &ones : &fours;
    if (fabs(best->match_error) > limit)
        return at_fail(err, AT_ERR_USAGE,
                       "--match %s: %s with %s comes no nearer than %+.1f %% to what it costs with "
                       "%s: leave --match out, or try a larger --width",
                       at_match_name(o->match), m->name, at_upsample_name(o->upsample),
                       100 * best->match_error, at_upsample_name(m->default_upsample));
    *o = *best;
    return AT_OK;
}
