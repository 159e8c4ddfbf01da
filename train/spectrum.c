/* SPDX-License-Identifier: MIT */
/* Power of the logits at the frequencies of a grid, and beside them. A line (a row or column of the
 * picture, one class) of N pixels, N a multiple of the stride s, is weighted by a Hann window and
 * looked at in the bins j N / s, the harmonics of the grid, and NEAR and FAR bins to either side of
 * each: with x[n] the weighted logits, m the offset and n = s a + b,
 *
 *   X(j N / s + m) = sum_b exp(-2 pi i j b / s) sum_a x[s a + b] exp(-2 pi i m (s a + b) / N),
 *
 * so that the line is folded to s numbers for each of three offsets (0, and a cosine and a sine for
 * either distance) and only those are transformed. Logits come from probabilities, as logarithms
 * less their mean over classes, which is exactly the logits less theirs. */
#include <math.h>
#include <stdlib.h>

#include "train/measures_private.h"

enum {
    NEAR = 3, /* a Hann window spreads a line over 2 bins to either side */
    FAR = 4,
    FOLDS = 5, /* plain; cosine and sine of NEAR; of FAR */
    LINES = 32,
};

/* All lines of one direction. */
typedef struct sweep {
    const float *prob;
    int classes, stride;
    int length;             /* N */
    int lines;              /* looked at */
    int line_count;         /* there are */
    size_t step, line_step; /* floats from one pixel to the next, from one line to the next */
    double *weights;        /* [FOLDS][length] */
    double *turns;          /* [2][stride] cosine and sine of 2 pi b / stride */
    double *scratch;        /* [workers][scratch_size] */
    size_t scratch_size;
    double *power; /* [lines][2][stride / 2 + 1] peak, base */
} sweep;

/* ---- one line ---- */

static void centred_logits(double *z, const float *prob, int classes) {
    double mean = 0;
    for (int c = 0; c < classes; c++) mean += z[c] = (double)logf(fmaxf(prob[c], 1e-37f));
    mean /= classes;
    for (int c = 0; c < classes; c++) z[c] -= mean;
}

/* fold[f][b][c] = the sum over a. */
static void fold_line(const sweep *s, const float *line, double *z, double *fold) {
    const size_t k = (size_t)s->classes, sheet = (size_t)s->stride * k;
    for (size_t i = 0; i < FOLDS * sheet; i++) fold[i] = 0;
    for (int n = 0, b = 0; n < s->length; n++, b = b + 1 == s->stride ? 0 : b + 1) {
        centred_logits(z, line + (size_t)n * s->step, s->classes);
        for (int f = 0; f < FOLDS; f++) {
            double *to = fold + (size_t)f * sheet + (size_t)b * k;
            const double weight = s->weights[(size_t)f * (size_t)s->length + (size_t)n];
            for (size_t c = 0; c < k; c++) to[c] += weight * z[c];
        }
    }
}

typedef struct complex_sum {
    double re, im;
} complex_sum;

static complex_sum transform(const sweep *s, const double *fold, int j) {
    complex_sum sum = {0};
    for (int b = 0, turn = 0; b < s->stride; b++) {
        const double v = fold[(size_t)b * (size_t)s->classes];
        sum.re += v * s->turns[turn];
        sum.im -= v * s->turns[s->stride + turn];
        turn += turn + j < s->stride ? j : j - s->stride;
    }
    return sum;
}

static double power(double re, double im) {
    return re * re + im * im;
}

/* Of the bins at the same distance above and below: cosine -+ i sine. */
static double side_power(complex_sum cosine, complex_sum sine) {
    return power(cosine.re + sine.im, cosine.im - sine.re) +
           power(cosine.re - sine.im, cosine.im + sine.re);
}

static void sweep_line(void *arg, int64_t i, int worker) {
    const sweep *s = arg;
    const size_t sheet = (size_t)s->stride * (size_t)s->classes, bins = (size_t)s->stride / 2 + 1;
    double *z = s->scratch + (size_t)worker * s->scratch_size, *fold = z + s->classes;
    double *peak = s->power + (size_t)i * 2 * bins, *base = peak + bins;
    const size_t at = (size_t)((2 * i + 1) * s->line_count / (2 * s->lines));
    fold_line(s, s->prob + at * s->line_step, z, fold);
    for (int c = 0; c < s->classes; c++)
        for (int j = 1; j <= s->stride / 2; j++) {
            complex_sum x[FOLDS];
            for (int f = 0; f < FOLDS; f++) x[f] = transform(s, fold + (size_t)f * sheet + c, j);
            peak[j] += power(x[0].re, x[0].im);
            base[j] += (side_power(x[1], x[2]) + side_power(x[3], x[4])) / 4;
        }
}

/* ---- a direction ---- */

static void fill_tables(sweep *s) {
    const double turn = 2 * acos(-1.0);
    static const int offset[FOLDS] = {0, NEAR, NEAR, FAR, FAR};
    for (int f = 0; f < FOLDS; f++)
        for (int n = 0; n < s->length; n++) {
            const double hann = (1 - cos(turn * (n + 0.5) / s->length)) / 2;
            const double angle = turn * offset[f] * n / s->length;
            s->weights[(size_t)f * (size_t)s->length + (size_t)n] =
                hann * (f == 2 || f == 4 ? sin(angle) : cos(angle));
        }
    for (int b = 0; b < s->stride; b++) {
        s->turns[b] = cos(turn * b / s->stride);
        s->turns[s->stride + b] = sin(turn * b / s->stride);
    }
}

static at_status sweep_new(sweep *s, at_error *err) {
    const size_t bins = (size_t)s->stride / 2 + 1;
    s->scratch_size = (size_t)s->classes * (1 + FOLDS * (size_t)s->stride);
    s->weights = malloc(FOLDS * (size_t)s->length * sizeof *s->weights);
    s->turns = malloc(2 * (size_t)s->stride * sizeof *s->turns);
    s->scratch = malloc(s->scratch_size * (size_t)at_threads() * sizeof *s->scratch);
    s->power = calloc((size_t)s->lines * 2 * bins, sizeof *s->power);
    if (s->weights && s->turns && s->scratch && s->power) return AT_OK;
    return at_fail_memory(err, "the logits' spectrum", s->scratch_size * sizeof *s->scratch);
}

/* Harmonics of a coarser grid are those of the finer one with gaps: `skip` apart. */
static void add_power(at_checkerboard *c, const sweep *s) {
    const int skip = c->stride / s->stride, bins = s->stride / 2 + 1;
    for (int i = 0; i < s->lines; i++)
        for (int j = 1; j < bins; j++) {
            c->peak[j * skip] += s->power[(2 * i) * bins + j];
            c->base[j * skip] += s->power[(2 * i + 1) * bins + j];
        }
}

static at_status sweep_all(at_checkerboard *c, sweep s, int length, at_error *err) {
    /* Neighbours of one harmonic must not reach the next: where the line is too short for the
     * grid, a grid twice as fine has half the harmonics. */
    while (s.stride > 1 && length / s.stride < 2 + 1 + FAR)
        s.stride = s.stride % 2 ? 1 : s.stride / 2;
    if (s.stride == 1) return AT_OK;
    s.length = length / s.stride * s.stride;
    s.lines = s.line_count < LINES ? s.line_count : LINES;
    const at_status status = sweep_new(&s, err);
    if (status == AT_OK) {
        fill_tables(&s);
        at_parallel_for(s.lines, sweep_line, &s);
        add_power(c, &s);
    }
    free(s.weights);
    free(s.turns);
    free(s.scratch);
    free(s.power);
    return status;
}

at_status at_spectrum_add(at_checkerboard *c, const float *prob, int classes, int height, int width,
                          at_error *err) {
    const size_t k = (size_t)classes, row = (size_t)width * k;
    sweep along = {.prob = prob, .classes = classes, .stride = c->stride}, down = along;
    along.line_count = height, along.step = k, along.line_step = row;
    down.line_count = width, down.step = row, down.line_step = k;
    AT_TRY(sweep_all(c, along, width, err));
    return sweep_all(c, down, height, err);
}
