/* SPDX-License-Identifier: MIT */
#include "layers/dropout.h"

#include <math.h>

typedef struct attrs {
    float p;
} attrs;

static float probability(const at_node *node) {
    return ((const attrs *)node->attrs)->p;
}

void at_dropout_draw(const at_step *s, float *mask, int64_t first, int64_t count) {
    at_rng r = at_rng_make(s->seed, AT_RNG_DROPOUT, s->iteration, (uint64_t)s->node->id);
    float p = probability(s->node);
    uint32_t threshold = (uint32_t)lrintf(p * 65536.0f); /* of the 16 bits an element draws */
    at_kernels_get()->dropout_mask(mask, r.key, r.counter, (uint64_t)first, count,
                                   threshold < 65535 ? threshold : 65535, 1 / (1 - p));
}

bool at_dropout_idle(const at_step *s) {
    return s->mode != AT_TRAIN || probability(s->node) == 0;
}

static void copy_strip(const at_step *s, const at_strip *p) {
    (void)s;
    at_kernels_get()->copy(p->t[0], p->t[1], p->rows, p->cols, false);
}

static void add_strip(const at_step *s, const at_strip *p) {
    (void)s;
    at_kernels_get()->copy(p->t[0], p->t[1], p->rows, p->cols, true);
}

void at_dropout_copy(const at_step *s, at_tensor to, at_tensor from, bool add) {
    at_for_strips(s, add ? add_strip : copy_strip, AT_STRIP_ELEMENTS, (at_tensor[]){to, from}, 2,
                  1);
}

void at_dropout_describe(const at_node *node, const at_shape *in, at_shape out, json_t *j) {
    (void)in, (void)out;
    at_describe_number(j, "p", probability(node));
}

at_node *at_dropout_node(at_graph *g, const at_op *op, const char *name, at_node *x, float p) {
    attrs a = {p};
    if (!(p >= 0 && p < 1))
        return at_graph_fail(g, "%s: probability %g: it must be at least 0 and below 1",
                             name ? name : op->name, (double)p);
    return at_unary(g, op, name, x, &a, sizeof a);
}
