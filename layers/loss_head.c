/* SPDX-License-Identifier: MIT */
/* The head of a network in one pass: where the logits come from an interpolation that nobody else
 * reads, a loss works them out strip by strip (a few rows of an image, in scratch), and they never
 * exist as a whole. Their gradient goes back the same way: each row is gathered along x while it is
 * in the cache, which leaves h_out x w_in numbers a class, and these are gathered along y in the
 * end. Which rows make a strip depends on shapes alone. */
#include <stdlib.h>

#include "layers/chunks.h"
#include "layers/list.h"
#include "layers/loss.h"

bool at_loss_inlines(const at_node *producer) {
    return producer->op == &at_op_interpolate;
}

static size_t lines(size_t floats) {
    return (floats + 15) / 16 * 16;
}

/* Scratch: the interpolation's, a strip of logits, a strip of their gradient. Saved: the gradient
 * gathered along x, [n * h_out][w_in][c]. */
at_status at_loss_head_prepare(at_step *s, at_loss_head **made, at_error *err) {
    at_shape in = s->in[0].shape, out = s->in[1].shape;
    at_loss_head *head = *made = calloc(1, sizeof *head);
    if (head == NULL) return at_fail_memory(err, "a loss", sizeof *head);
    AT_TRY(at_interpolation_new(&head->tables, s->front, in, out, s->mode == AT_TRAIN, err));
    size_t row = (size_t)out.w * (size_t)in.c;
    head->rows = at_chunk_rows(out.h, 2 * row * sizeof(float));
    head->strips = at_chunk_count(out.h, head->rows);
    head->logits = lines(at_resampler_scratch(in, out));
    head->gradient = head->logits + lines((size_t)head->rows * row);
    s->scratch_bytes = (head->gradient + lines((size_t)head->rows * row)) * sizeof(float);
    if (s->mode == AT_TRAIN) {
        head->gathered = s->saved_bytes;
        s->saved_bytes +=
            (size_t)out.n * (size_t)out.h * (size_t)in.w * (size_t)in.c * sizeof(float);
        s->work_bytes += (size_t)head->tables->back_y.taps.begin[in.h] * sizeof(float);
    }
    return AT_OK;
}

void at_loss_head_free(at_loss_head *head) {
    if (head != NULL) at_interpolation_free(head->tables);
    free(head);
}

/* ---- a strip ---- */

at_loss_rows at_loss_head_rows(const at_step *s, const at_loss_head *head, int64_t index) {
    at_loss_rows r = {.image = (int)(index / head->strips),
                      .first = index % head->strips * head->rows,
                      .count = head->rows};
    if (r.count > s->in[1].shape.h - r.first) r.count = s->in[1].shape.h - r.first;
    return r;
}

const float *at_loss_head_logits(const at_step *s, const at_loss_head *head, at_loss_rows r,
                                 int worker) {
    float *scratch = at_step_scratch(s, worker), *to = scratch + head->logits;
    int w = s->in[1].shape.w, c = s->in[0].shape.c;
    at_resampler rows =
        at_resampler_make(s->in[0], r.image, &head->tables->y.taps, &head->tables->x.taps, scratch);
    for (int64_t y = 0; y < r.count; y++)
        at_resampler_row(&rows, (int)(r.first + y), (at_line){.data = to + y * w * c, .ld = c},
                         false);
    return to;
}

float *at_loss_head_gradient(const at_step *s, const at_loss_head *head, int worker) {
    return (float *)at_step_scratch(s, worker) + head->gradient;
}

/* Row y of image i, gathered along x. */
static float *gathered(const at_step *s, const at_loss_head *head, int image, int64_t y) {
    float *all = (float *)(void *)((char *)s->saved + head->gathered);
    return all + (image * s->in[1].shape.h + y) * s->in[0].shape.w * s->in[0].shape.c;
}

void at_loss_head_gather(const at_step *s, const at_loss_head *head, at_loss_rows r, int worker) {
    const float *from = at_loss_head_gradient(s, head, worker);
    int w = s->in[1].shape.w, c = s->in[0].shape.c;
    for (int64_t y = 0; y < r.count; y++)
        at_kernels_get()->mix_pixels(
            (at_line){.data = gathered(s, head, r.image, r.first + y), .ld = c},
            (at_line){.data = from + y * w * c, .ld = c}, &head->tables->back_x.taps, c, false);
}

/* ---- the rest of backward ---- */

typedef struct finish {
    const at_step *s;
    const at_loss_head *head;
    const float *weight; /* of the taps along y, times the scale */
} finish;

static void finish_row(void *arg, int64_t index, int worker) {
    const finish *f = arg;
    const at_step *s = f->s;
    at_shape in = s->in[0].shape;
    int image = (int)(index / in.h), y = (int)(index % in.h);
    at_taps t = at_resample_taps(&f->head->tables->back_y.taps, y);
    float *row = at_step_scratch(s, worker);
    ptrdiff_t ld = s->d_in[0].ld;
    t.weight = f->weight + (t.weight - f->head->tables->back_y.taps.weight);
    at_kernels_get()->blend_rows((at_line){.data = row, .ld = in.c},
                                 (at_line){.data = gathered(s, f->head, image, 0), .ld = in.c},
                                 (ptrdiff_t)in.w * in.c, t, in.w, in.c, false);
    at_kernels_get()->copy((at_rows){at_f32(s->d_in[0]) + index * in.w * ld, ld},
                           (at_rows){row, in.c}, in.w, in.c, !s->first[0]);
}

void at_loss_head_finish(const at_step *s, const at_loss_head *head, double scale) {
    const at_resample *y = &head->tables->back_y.taps;
    float *weight = s->work;
    for (int32_t i = 0; i < y->begin[y->size]; i++) weight[i] = (float)(scale * y->weight[i]);
    finish f = {s, head, weight};
    at_parallel_for((int64_t)s->in[0].shape.n * s->in[0].shape.h, finish_row, &f);
}
