/* SPDX-License-Identifier: MIT */
/* focal: -w (1 - p)^gamma log p of each counted pixel's label, summed, over the sum of the w (Lin
 * et al., ICCV 2017, equation 5; their alpha is w). */
#include <string.h>

#include "layers/list.h"
#include "layers/loss.h"

typedef struct part {
    double loss;
    int64_t count[AT_LABELS];
} part;

typedef struct pass {
    const at_step *s;
    float hit[AT_LABELS];
} pass;

static const float no_smoothing[AT_LABELS];

static const at_loss_attrs *attrs_of(const at_step *s) {
    return s->node->attrs;
}

static at_status prepare(at_step *s, at_error *err) {
    return at_loss_prepare(s, sizeof(part), err);
}

static void gradient(const pass *p, const at_loss_chunk *c, int64_t index, int worker) {
    at_label_table t = {.hit = p->hit, .smooth = no_smoothing};
    at_kernels_get()->dcross_entropy(c->dx, c->dx_ld, c->x, c->ld, c->lse, c->slope, c->label, &t,
                                     c->pixels, attrs_of(p->s)->classes, c->add);
    at_loss_chunk_done(p->s, index, worker);
}

static void forward_chunk(void *arg, int64_t index, int worker) {
    const pass *p = arg;
    const at_kernels *k = at_kernels_get();
    const at_loss_attrs *a = attrs_of(p->s);
    part *sum = (part *)p->s->work + index;
    at_loss_chunk c = at_loss_chunk_at(p->s, index, worker);
    memset(sum, 0, sizeof *sum);
    k->count_labels(sum->count, c.label, c.pixels);
    sum->loss =
        k->focal(c.lse, c.slope, c.x, c.ld, c.label, p->hit, a->gamma, c.pixels, a->classes);
    if (at_loss_early(p->s)) gradient(p, &c, index, worker);
}

static void forward(const at_step *s) {
    at_loss_saved *saved = s->saved;
    int64_t chunks = at_loss_chunk_count(s);
    double loss = 0, weight = 0;
    pass p = {.s = s};
    at_loss_label_weights(attrs_of(s), 1, p.hit);
    at_parallel_for(chunks, forward_chunk, &p);
    for (int64_t i = 0; i < chunks; i++) {
        loss += ((part *)s->work)[i].loss;
        weight += at_loss_weight_sum(attrs_of(s), ((part *)s->work)[i].count);
    }
    saved->scale = weight > 0 ? 1 / weight : 0;
    *at_f32(s->out[0]) = weight > 0 ? (float)(loss / weight) : 0;
}

static void backward_chunk(void *arg, int64_t index, int worker) {
    const pass *p = arg;
    at_loss_chunk c = at_loss_chunk_at(p->s, index, worker);
    gradient(p, &c, index, worker);
}

static void backward(const at_step *s) {
    const at_loss_saved *saved = s->saved;
    double scale = saved->scale * (double)*at_f32(s->d_out);
    pass p = {.s = s};
    if (s->d_in[0].data == NULL) return;
    if (at_loss_early(s)) {
        at_loss_finish(s, scale);
        return;
    }
    at_loss_label_weights(attrs_of(s), scale, p.hit);
    at_parallel_for(at_loss_chunk_count(s), backward_chunk, &p);
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    const at_loss_attrs *a = node->attrs;
    (void)in, (void)out;
    at_loss_describe(a, attrs);
    json_object_set_new(attrs, "gamma", json_real((double)a->gamma));
}

const at_op at_op_focal = {
    .name = "focal_loss",
    .flags = AT_NEEDS_INPUT | AT_FIRST_WRITE | AT_READS_F32,
    .shape = at_loss_shape,
    .prepare = prepare,
    .release = at_loss_release,
    .inline_input = at_loss_inlines,
    .forward = forward,
    .backward = backward,
    .cost = at_loss_cost,
    .describe = describe,
};

at_node *at_focal(at_graph *g, const char *name, at_node *logits, at_node *target,
                  at_loss_opts opts) {
    return at_loss_node(g, &at_op_focal, name, logits, target, &opts);
}
