/* SPDX-License-Identifier: MIT */
/* y = a b, element by element; or, with b of height and width 1, every channel of an image of `a`
 * times its gate. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

static bool gated(at_shape a, at_shape b) {
    return (b.h == 1 && b.w == 1) && (a.h != 1 || a.w != 1);
}

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    (void)node;
    bool same = in[0].h == in[1].h && in[0].w == in[1].w;
    if (in[0].n != in[1].n || !(same || gated(in[0], in[1])))
        return at_fail(err, AT_ERR_INPUT,
                       "cannot multiply %d x %d x %d by %d x %d x %d (images, height, width): the "
                       "second must be as large as the first, or 1 x 1",
                       in[0].n, in[0].h, in[0].w, in[1].n, in[1].h, in[1].w);
    out[0].shape = in[0];
    return AT_OK;
}

static bool by_gate(const at_step *s) {
    return gated(s->in[0].shape, s->in[1].shape);
}

/* work: the gates' gradient, [strips][channels]. */
static at_status prepare(at_step *s, at_error *err) {
    (void)err;
    int64_t strips = at_strip_count(s->out[0].shape, AT_STRIP_IMAGES);
    if (s->mode == AT_TRAIN && by_gate(s))
        s->work_bytes = (size_t)(strips * s->node->channels) * sizeof(float);
    return AT_OK;
}

/* ---- of one shape ---- */

static void multiply(const at_step *s, const at_strip *p) {
    (void)s;
    at_kernels_get()->mul(p->t[0], p->t[1], p->t[2], p->rows, p->cols, false);
}

/* t: the gradient of one input, d_out, the other input. */
static void multiply_first(const at_step *s, const at_strip *p) {
    at_kernels_get()->mul(p->t[0], p->t[1], p->t[2], p->rows, p->cols, !s->first[0]);
}
static void multiply_second(const at_step *s, const at_strip *p) {
    at_kernels_get()->mul(p->t[0], p->t[1], p->t[2], p->rows, p->cols, !s->first[1]);
}

/* ---- by a gate ---- */

static at_rows gate(const at_step *s, int image) {
    return (at_rows){at_f32(s->in[1]) + image * s->in[1].ld, 0};
}

static void gate_forward(const at_step *s, const at_strip *p) {
    at_kernels_get()->mul(p->t[0], p->t[1], gate(s, p->image), p->rows, p->cols, false);
}

/* t: d_a, d_out, a. */
static void gate_backward(const at_step *s, const at_strip *p) {
    const at_kernels *k = at_kernels_get();
    if (p->t[0].data != NULL)
        k->mul(p->t[0], p->t[1], gate(s, p->image), p->rows, p->cols, !s->first[0]);
    if (s->d_in[1].data != NULL)
        k->column_dots((float *)s->work + p->index * p->cols, p->t[1], p->t[2], p->rows, p->cols);
}

static void gather_gates(const at_step *s) {
    int c = s->node->channels, n = s->in[1].shape.n;
    int64_t strips = at_strip_count(s->out[0].shape, AT_STRIP_IMAGES) / n;
    for (int image = 0; image < n; image++) {
        float *db = at_f32(s->d_in[1]) + image * s->d_in[1].ld;
        const float *parts = (const float *)s->work + image * strips * c;
        for (int j = 0; j < c; j++) {
            double sum = s->first[1] ? 0 : db[j];
            for (int64_t i = 0; i < strips; i++) sum += parts[i * c + j];
            db[j] = (float)sum;
        }
    }
}

/* ---- the operator ---- */

static void forward(const at_step *s) {
    at_tensor t[] = {s->out[0], s->in[0], s->in[1]};
    if (by_gate(s))
        at_for_strips(s, gate_forward, AT_STRIP_IMAGES, t, 2, 1);
    else
        at_for_strips(s, multiply, AT_STRIP_ELEMENTS, t, 3, 1);
}

static void backward(const at_step *s) {
    at_tensor a = s->in[0], b = s->in[1], dy = s->d_out;
    if (by_gate(s)) {
        at_for_strips(s, gate_backward, AT_STRIP_IMAGES, (at_tensor[]){s->d_in[0], dy, a}, 3, 1);
        if (s->d_in[1].data != NULL) gather_gates(s);
        return;
    }
    if (s->d_in[0].data != NULL)
        at_for_strips(s, multiply_first, AT_STRIP_ELEMENTS, (at_tensor[]){s->d_in[0], dy, b}, 3, 1);
    if (s->d_in[1].data != NULL)
        at_for_strips(s, multiply_second, AT_STRIP_ELEMENTS, (at_tensor[]){s->d_in[1], dy, a}, 3,
                      1);
}

const at_op at_op_mul = {
    .name = "mul",
    .flags = AT_NEEDS_INPUT | AT_FIRST_WRITE,
    .shape = shape,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = at_describe_nothing,
};

at_node *at_mul(at_graph *g, const char *name, at_node *a, at_node *b) {
    if (a != NULL && b != NULL && a->channels != b->channels)
        return at_graph_fail(g, "%s: cannot multiply %d channels (%s) by %d (%s)",
                             name ? name : "mul", a->channels, a->name, b->channels, b->name);
    return at_node_new(g, &at_op_mul, name, (at_node *[]){a, b}, 2, a != NULL ? a->channels : 0,
                       NULL, 0);
}
