/* SPDX-License-Identifier: MIT */
/* Dropout (Srivastava et al., JMLR 2014), inverted: in training an element is zero with probability
 * p and multiplied by 1 / (1 - p) otherwise; in inference nothing happens. Element i (in dense
 * order) always draws number i of the node's stream, so the mask depends neither on threads nor on
 * the layout, and backward draws it again. */
#include "layers/dropout.h"
#include "layers/layers.h"
#include "layers/list.h"

enum { PIECE = 4096 }; /* elements masked at a time: the mask stays in the first-level cache */

static at_status prepare(at_step *s, at_error *err) {
    (void)err;
    if (!at_dropout_idle(s)) s->scratch_bytes = PIECE * sizeof(float);
    return AT_OK;
}

/* The dense case: a strip is one row. */
static void mask_row(const at_step *s, const at_strip *p, bool add) {
    float *mask = at_step_scratch(s, p->worker);
    for (int64_t i = 0; i < p->cols; i += PIECE) {
        int64_t count = p->cols - i < PIECE ? p->cols - i : PIECE;
        at_rows to = {p->t[0].data + i, count}, from = {p->t[1].data + i, count};
        at_dropout_draw(s, mask, p->first + i, count);
        at_kernels_get()->mul(to, from, (at_rows){mask, count}, 1, count, add);
    }
}

/* Slices: numbers are drawn in whole groups from the last multiple of 128 before each pixel on. */
static void mask_pixels(const at_step *s, const at_strip *p, bool add) {
    float *mask = at_step_scratch(s, p->worker);
    for (int64_t r = 0; r < p->rows; r++)
        for (int64_t j = 0; j < p->cols;) {
            int64_t element = p->first + r * p->cols + j, before = element % 128;
            int64_t count = p->cols - j < PIECE - before ? p->cols - j : PIECE - before;
            at_rows to = {p->t[0].data + r * p->t[0].ld + j, count};
            at_rows from = {p->t[1].data + r * p->t[1].ld + j, count};
            at_dropout_draw(s, mask, element - before, before + count);
            at_kernels_get()->mul(to, from, (at_rows){mask + before, count}, 1, count, add);
            j += count;
        }
}

static void mask_strip(const at_step *s, const at_strip *p, bool add) {
    if (p->rows == 1 && p->first % 128 == 0)
        mask_row(s, p, add);
    else
        mask_pixels(s, p, add);
}

static void write_strip(const at_step *s, const at_strip *p) {
    mask_strip(s, p, false);
}

static void add_strip(const at_step *s, const at_strip *p) {
    mask_strip(s, p, true);
}

static void apply(const at_step *s, at_tensor to, at_tensor from, bool add) {
    if (to.data == NULL) return;
    if (at_dropout_idle(s))
        at_dropout_copy(s, to, from, add);
    else
        at_for_strips(s, add ? add_strip : write_strip, AT_STRIP_ELEMENTS, (at_tensor[]){to, from},
                      2, 1);
}

static void forward(const at_step *s) {
    apply(s, s->out[0], s->in[0], false);
}

static void backward(const at_step *s) {
    apply(s, s->d_in[0], s->d_out, !s->first[0]);
}

const at_op at_op_dropout = {
    .name = "dropout",
    .flags = AT_FIRST_WRITE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = at_dropout_describe,
};

at_node *at_dropout(at_graph *g, const char *name, at_node *x, float p) {
    return at_dropout_node(g, &at_op_dropout, name, x, p);
}
