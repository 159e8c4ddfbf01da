/* SPDX-License-Identifier: MIT */
/* soft_dice: 1 - weighted mean, over the classes present among the counted labels, of
 *   (2 I + smooth) / (P + T + smooth)
 * with I the sum of p over the class's own pixels, P over all counted ones, and T how many are its
 * own; over the whole batch (Milletari et al., 3DV 2016, but with P and T not squared). */
#include <string.h>

#include "layers/list.h"
#include "layers/loss.h"

typedef struct part {
    int64_t count[AT_LABELS];
    double prob[AT_LABELS], inter[AT_LABELS];
} part;

typedef struct pass {
    const at_step *s;
    float hit[AT_LABELS], base[AT_LABELS], extra[AT_LABELS];
} pass;

static const at_loss_attrs *attrs_of(const at_step *s) {
    return s->node->attrs;
}

static void pass_init(pass *p, const at_step *s) {
    p->s = s;
    for (int k = 0; k < AT_LABELS; k++) p->hit[k] = attrs_of(s)->counted[k];
}

static at_status prepare(at_step *s, at_error *err) {
    return at_loss_prepare(s, sizeof(part), err);
}

static void forward_chunk(void *arg, int64_t index, int worker) {
    const pass *p = arg;
    const at_kernels *k = at_kernels_get();
    part *sum = (part *)p->s->work + index;
    at_loss_chunk c = at_loss_chunk_at(p->s, index, worker);
    memset(sum, 0, sizeof *sum);
    k->count_labels(sum->count, c.label, c.pixels);
    k->dice_sums(c.lse, sum->prob, sum->inter, c.x, c.ld, c.label, p->hit, c.pixels,
                 attrs_of(p->s)->classes);
}

/* Adds all parts up into the first. */
static const part *total(part *parts, int64_t count) {
    for (int64_t i = 1; i < count; i++)
        for (int k = 0; k < AT_LABELS; k++) {
            parts->count[k] += parts[i].count[k];
            parts->prob[k] += parts[i].prob[k];
            parts->inter[k] += parts[i].inter[k];
        }
    return parts;
}

static double weight_of(const at_loss_attrs *a, const part *t, int k) {
    return a->counted[k] && t->count[k] > 0 ? (double)a->weight[k] : 0;
}

static void forward(const at_step *s) {
    const at_loss_attrs *a = attrs_of(s);
    at_loss_saved *saved = s->saved;
    double weight = 0, score = 0;
    pass p;
    pass_init(&p, s);
    at_parallel_for(at_loss_chunk_count(s), forward_chunk, &p);
    const part *t = total(s->work, at_loss_chunk_count(s));
    for (int k = 0; k < a->classes; k++) weight += weight_of(a, t, k);
    for (int k = 0; k < a->classes; k++) {
        double w = weight > 0 ? weight_of(a, t, k) / weight : 0, smooth = (double)a->smooth;
        double above = 2 * t->inter[k] + smooth;
        double below = t->prob[k] + (double)t->count[k] + smooth;
        score += w * above / below;
        saved->base[k] = (float)(w * above / (below * below));
        saved->extra[k] = (float)(-2 * w / below);
    }
    *at_f32(s->out[0]) = weight > 0 ? (float)(1 - score) : 0;
}

static void backward_chunk(void *arg, int64_t index, int worker) {
    const pass *p = arg;
    at_loss_chunk c = at_loss_chunk_at(p->s, index, worker);
    at_kernels_get()->ddice(c.dx, c.dx_ld, c.x, c.ld, c.lse, c.label, p->hit, p->base, p->extra,
                            c.pixels, attrs_of(p->s)->classes, c.add);
    at_loss_chunk_done(p->s, index, worker);
}

static void backward(const at_step *s) {
    const at_loss_saved *saved = s->saved;
    pass p;
    if (s->d_in[0].data == NULL) return;
    pass_init(&p, s);
    for (int k = 0; k < attrs_of(s)->classes; k++) {
        p.base[k] = saved->base[k] * *at_f32(s->d_out);
        p.extra[k] = saved->extra[k] * *at_f32(s->d_out);
    }
    at_parallel_for(at_loss_chunk_count(s), backward_chunk, &p);
    at_loss_finish(s, 1);
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    const at_loss_attrs *a = node->attrs;
    (void)in, (void)out;
    at_loss_describe(a, attrs);
    json_object_set_new(attrs, "smooth", json_real((double)a->smooth));
}

const at_op at_op_soft_dice = {
    .name = "dice_loss",
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

at_node *at_soft_dice(at_graph *g, const char *name, at_node *logits, at_node *target,
                      at_loss_opts opts) {
    return at_loss_node(g, &at_op_soft_dice, name, logits, target, &opts);
}
