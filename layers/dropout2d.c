/* SPDX-License-Identifier: MIT */
/* Dropout of whole channels (Tompson et al., CVPR 2015): one draw for each channel of each image;
 * otherwise as dropout. */
#include "layers/dropout.h"
#include "layers/layers.h"
#include "layers/list.h"

/* work: the mask, [n, c]. */
static at_status prepare(at_step *s, at_error *err) {
    at_shape shape = s->out[0].shape;
    (void)err;
    if (!at_dropout_idle(s)) s->work_bytes = (size_t)shape.n * (size_t)shape.c * sizeof(float);
    return AT_OK;
}

static void mask_strip(const at_step *s, const at_strip *p, bool add) {
    at_rows mask = {(float *)s->work + p->image * p->cols, 0};
    at_kernels_get()->mul(p->t[0], p->t[1], mask, p->rows, p->cols, add);
}

static void write_strip(const at_step *s, const at_strip *p) {
    mask_strip(s, p, false);
}

static void add_strip(const at_step *s, const at_strip *p) {
    mask_strip(s, p, true);
}

static void apply(const at_step *s, at_tensor to, at_tensor from, bool add) {
    if (to.data == NULL) return;
    if (at_dropout_idle(s)) {
        at_dropout_copy(s, to, from, add);
        return;
    }
    at_dropout_draw(s, s->work, 0, (int64_t)to.shape.n * to.shape.c);
    at_for_strips(s, add ? add_strip : write_strip, AT_STRIP_IMAGES, (at_tensor[]){to, from}, 2, 1);
}

static void forward(const at_step *s) {
    apply(s, s->out[0], s->in[0], false);
}

static void backward(const at_step *s) {
    apply(s, s->d_in[0], s->d_out, !s->first[0]);
}

const at_op at_op_dropout2d = {
    .name = "dropout2d",
    .flags = AT_FIRST_WRITE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = at_dropout_describe,
};

at_node *at_dropout2d(at_graph *g, const char *name, at_node *x, float p) {
    return at_dropout_node(g, &at_op_dropout2d, name, x, p);
}
