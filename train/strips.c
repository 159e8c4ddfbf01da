/* SPDX-License-Identifier: MIT */
/* Prediction by strips: the tiles of one row add their weighted probabilities into a strip as high
 * as a tile; lines no later tile will touch are turned into ids and leave. Memory for probabilities
 * is thus a strip's, not the picture's, unless they are asked for or the picture was resized. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/kernels/kernels.h"
#include "train/predict_private.h"

static at_cut cut(const at_predictor *p, int length, int tile) {
    int overlap = p->opts.overlap;
    if (overlap == 0) {
        overlap = tile / 4;
        if (p->radius >= 0 && 2 * p->radius + 8 > overlap && 2 * p->radius + 8 <= tile / 2)
            overlap = 2 * p->radius + 8;
    }
    return at_cut_side(length, tile, overlap, p->radius);
}

/* ---- lines that are finished ---- */

typedef struct emission {
    at_prediction *out;
    const float *probs; /* [rows, width, classes] */
    at_pair size;       /* of the probabilities' plane */
    int first;          /* the plane's line in probs[0] */
    int line;           /* of the output: the first of those that are emitted */
} emission;

/* One output pixel's probabilities: as they are, or between four neighbours (half-pixel centres).
 */
static const float *pixel_at(const emission *e, int y, int x, float *buffer) {
    const int k = e->out->classes, w = e->size.w;
    if (e->size.h == e->out->height && w == e->out->width)
        return e->probs + ((ptrdiff_t)(y - e->first) * w + x) * k;
    const double sy = fmin(fmax((y + 0.5) * e->size.h / e->out->height - 0.5, 0), e->size.h - 1);
    const double sx = fmin(fmax((x + 0.5) * w / e->out->width - 0.5, 0), w - 1);
    const int y0 = (int)sy, x0 = (int)sx;
    const int y1 = y0 + 1 < e->size.h ? y0 + 1 : y0, x1 = x0 + 1 < w ? x0 + 1 : x0;
    const float fy = (float)(sy - y0), fx = (float)(sx - x0);
    const float *top = e->probs + (ptrdiff_t)y0 * w * k, *bottom = e->probs + (ptrdiff_t)y1 * w * k;
    for (int c = 0; c < k; c++)
        buffer[c] = (1 - fy) * ((1 - fx) * top[x0 * k + c] + fx * top[x1 * k + c]) +
                    fy * ((1 - fx) * bottom[x0 * k + c] + fx * bottom[x1 * k + c]);
    return buffer;
}

static void emit_line(void *arg, int64_t i, int worker) {
    const emission *e = arg;
    (void)worker;
    at_prediction *out = e->out;
    const int y = e->line + (int)i, k = out->classes;
    float buffer[AT_MAX_CLASSES];
    for (int x = 0; x < out->width; x++) {
        const size_t at = (size_t)y * (size_t)out->width + (size_t)x;
        const float *p = pixel_at(e, y, x, buffer);
        at_kernels_get()->argmax(&out->ids[at], p, k, k, 1);
        const float top = p[out->ids[at]];
        if (out->confidence) out->confidence[at] = (uint8_t)lrintf(255 * fminf(fmaxf(top, 0), 1));
        if (out->prob) memcpy(out->prob + at * (size_t)k, p, (size_t)k * sizeof *p);
    }
}

/* ---- strips ---- */

typedef struct work {
    at_predictor *p;
    const at_image *image; /* as the network sees it */
    at_cut rows, columns;
    bool resized;
    float *strip; /* [strip_rows, width, classes] */
    size_t line;  /* floats a line */
    int strip_rows;
} work;

static void fill_weights(float *to, at_cut c, int i) {
    for (int p = 0; p < at_cut_size(c, i); p++) to[p] = at_cut_weight(c, i, p);
}

static at_status predict_row(work *w, int i, at_error *err) {
    float *row = w->p->weights, *column = row + w->rows.tile;
    const int y = at_cut_start(w->rows, i);
    fill_weights(row, w->rows, i);
    for (int j = 0; j < w->columns.count; j++) {
        const int x = at_cut_start(w->columns, j);
        fill_weights(column, w->columns, j);
        const at_patch patch = {.image = w->image,
                                .y = y,
                                .x = x,
                                .h = at_cut_size(w->rows, i),
                                .w = at_cut_size(w->columns, j),
                                .row = row,
                                .column = column,
                                .out = w->strip + (w->resized ? (size_t)y * w->line : 0) +
                                       (size_t)x * (size_t)w->p->net->opts.classes,
                                .stride = (ptrdiff_t)w->line};
        AT_TRY(at_patch_add(w->p, &patch, err));
    }
    return AT_OK;
}

/* Emits what tile row i has finished and makes room for the next. */
static void finish_row(work *w, int i, at_prediction *out) {
    const int first = at_cut_start(w->rows, i), height = at_cut_size(w->rows, i);
    const int done = i == w->rows.count - 1 ? height : w->rows.step;
    emission e = {out, w->strip, {w->image->height, w->image->width}, first, first};
    at_parallel_for(done, emit_line, &e);
    if (i == w->rows.count - 1) return;
    memmove(w->strip, w->strip + (size_t)done * w->line,
            (size_t)(w->strip_rows - done) * w->line * sizeof(float));
    memset(w->strip + (size_t)(w->strip_rows - done) * w->line, 0,
           (size_t)done * w->line * sizeof(float));
}

static at_status run(work *w, at_prediction *out, at_error *err) {
    for (int i = 0; i < w->rows.count; i++) {
        AT_TRY(predict_row(w, i, err));
        if (!w->resized) finish_row(w, i, out);
    }
    if (!w->resized) return AT_OK;
    emission e = {out, w->strip, {w->image->height, w->image->width}, 0, 0};
    at_parallel_for(out->height, emit_line, &e);
    return AT_OK;
}

static at_status need_weights(at_predictor *p, size_t count, at_error *err) {
    if (count <= p->weight_count) return AT_OK;
    float *w = realloc(p->weights, count * sizeof *w);
    if (!w) return at_fail_memory(err, "weights of a tile", count * sizeof *w);
    p->weights = w;
    p->weight_count = count;
    return AT_OK;
}

/* Is there nothing to add up or to tell but the classes? */
static bool only_ids(const work *w, const at_prediction *out) {
    const at_predict_opts *o = &w->p->opts;
    return out->tiles == 1 && !w->resized && !o->flip && o->scale_count == 0 && !out->prob &&
           !out->confidence && !out->plane;
}

at_status at_predict_strips(at_predictor *p, const at_image *seen, int tile, at_prediction *out,
                            at_error *err) {
    const at_pair size = {seen->height, seen->width};
    work w = {.p = p,
              .image = seen,
              .rows = cut(p, size.h, tile),
              .columns = cut(p, size.w, tile),
              .resized = size.h != out->height || size.w != out->width};
    out->tiles = w.rows.count * w.columns.count;
    if (only_ids(&w, out)) return at_patch_ids(p, seen, out->ids, err);
    AT_TRY(need_weights(p, (size_t)w.rows.tile + (size_t)w.columns.tile, err));
    w.strip_rows = w.resized ? size.h : w.rows.tile;
    w.line = (size_t)size.w * (size_t)out->classes;
    w.strip = out->plane ? out->plane : calloc((size_t)w.strip_rows, w.line * sizeof(float));
    if (!w.strip)
        return at_fail_memory(err, "probabilities", (size_t)w.strip_rows * w.line * sizeof(float));
    const at_status s = run(&w, out, err);
    if (!out->plane) free(w.strip);
    return s;
}
