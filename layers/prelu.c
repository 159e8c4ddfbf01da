/* SPDX-License-Identifier: MIT */
/* y = x where x > 0, else weight[channel] x, with slopes that are learned (He et al., ICCV 2015). A
 * slope may become negative, so the sign is taken from the input. */
#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

/* work: the slopes' gradient, [strips][channels]. */
static float *partial(const at_step *s, int64_t strip) {
    return (float *)s->work + strip * s->node->channels;
}

static at_status prepare(at_step *s, at_error *err) {
    (void)err;
    int64_t strips = at_strip_count(s->out[0].shape, AT_STRIP_PIXELS);
    if (s->mode == AT_TRAIN) s->work_bytes = (size_t)(strips * s->node->channels) * sizeof(float);
    return AT_OK;
}

static void forward_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->prelu(p->t[0], p->t[1], at_step_param(s, 0), p->rows, p->cols);
}

static void forward(const at_step *s) {
    at_for_strips(s, forward_strip, AT_STRIP_PIXELS, (at_tensor[]){s->out[0], s->in[0]}, 2, 1);
}

static void backward_strip(const at_step *s, const at_strip *p) {
    at_kernels_get()->dprelu(p->t[0], partial(s, p->index), p->t[1], p->t[2], at_step_param(s, 0),
                             p->rows, p->cols, !s->first[0]);
}

static void backward(const at_step *s) {
    float *dw = at_step_param_grad(s, 0);
    at_for_strips(s, backward_strip, AT_STRIP_PIXELS, (at_tensor[]){s->d_in[0], s->d_out, s->in[0]},
                  3, 1);
    for (int j = 0; j < s->node->channels; j++) {
        double sum = 0;
        for (int64_t i = 0; i < at_strip_count(s->out[0].shape, AT_STRIP_PIXELS); i++)
            sum += partial(s, i)[j];
        dw[j] += (float)sum;
    }
}

const at_op at_op_prelu = {
    .name = "prelu",
    .flags = AT_NEEDS_INPUT | AT_FIRST_WRITE | AT_TAKES_BF16,
    .shape = at_shape_of_input,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .describe = at_describe_nothing,
    .param_names = {"weight"},
};

at_node *at_prelu(at_graph *g, const char *name, at_node *x) {
    at_node *node = at_unary(g, &at_op_prelu, name, x, NULL, 0);
    if (node == NULL) return NULL;
    at_node_add_param(node, (at_param_spec){.rank = 1,
                                            .dims = {node->channels},
                                            .init = {.kind = AT_INIT_CONSTANT, .value = 0.25f},
                                            .no_decay = true});
    return node;
}
