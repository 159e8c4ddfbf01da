/* SPDX-License-Identifier: MIT */
#include "layers/loss.h"

#include <assert.h>
#include <math.h>

#include "layers/chunks.h"

/* ---- chunks ---- */

static int64_t pixels_of(const at_step *s) {
    return at_shape_pixels(s->in[1].shape);
}

static int64_t chunk_pixels(const at_step *s) {
    at_shape x = s->in[0].shape;
    int64_t n = at_chunk_rows(at_shape_pixels(x), (size_t)x.c * sizeof(float));
    return (n + 63) / 64 * 64; /* whole vectors, and lines of saved floats of one's own */
}

int64_t at_loss_chunk_count(const at_step *s) {
    const at_loss_head *head = s->state;
    if (head != NULL) return s->in[1].shape.n * head->strips;
    return at_chunk_count(pixels_of(s), chunk_pixels(s));
}

/* All but the logits and their gradient. */
static at_loss_chunk chunk_of_pixels(const at_step *s, int64_t first, int64_t pixels) {
    float *lse = (float *)((at_loss_saved *)s->saved + 1);
    assert(s->in[1].ld == 1);
    return (at_loss_chunk){.pixels = pixels,
                           .label = (const uint8_t *)s->in[1].data + first,
                           .lse = lse + first,
                           .slope = lse + pixels_of(s) + first};
}

static at_loss_chunk chunk_of_head(const at_step *s, int64_t index, int worker) {
    const at_loss_head *head = s->state;
    at_shape out = s->in[1].shape;
    at_loss_rows r = at_loss_head_rows(s, head, index);
    at_loss_chunk c = chunk_of_pixels(s, (r.image * out.h + r.first) * out.w, r.count * out.w);
    c.x = at_loss_head_logits(s, head, r, worker);
    c.dx = at_loss_head_gradient(s, head, worker);
    c.ld = c.dx_ld = s->in[0].shape.c;
    return c;
}

at_loss_chunk at_loss_chunk_at(const at_step *s, int64_t index, int worker) {
    if (s->state != NULL) return chunk_of_head(s, index, worker);
    int64_t all = pixels_of(s), size = chunk_pixels(s), first = index * size;
    at_loss_chunk c = chunk_of_pixels(s, first, all - first < size ? all - first : size);
    c.x = at_f32(s->in[0]) + first * s->in[0].ld;
    c.ld = s->in[0].ld;
    c.add = !s->first[0];
    if (s->d_in[0].data != NULL) {
        c.dx = at_f32(s->d_in[0]) + first * s->d_in[0].ld;
        c.dx_ld = s->d_in[0].ld;
    }
    return c;
}

void at_loss_chunk_done(const at_step *s, int64_t index, int worker) {
    const at_loss_head *head = s->state;
    if (head != NULL) at_loss_head_gather(s, head, at_loss_head_rows(s, head, index), worker);
}

bool at_loss_early(const at_step *s) {
    return s->state != NULL && s->mode == AT_TRAIN && s->d_in[0].data != NULL;
}

void at_loss_finish(const at_step *s, double scale) {
    if (s->state != NULL) at_loss_head_finish(s, s->state, scale);
}

at_status at_loss_prepare(at_step *s, size_t part, at_error *err) {
    s->saved_bytes = sizeof(at_loss_saved) + 2 * (size_t)pixels_of(s) * sizeof(float);
    if (s->front != NULL) {
        at_loss_head *head;
        at_status status = at_loss_head_prepare(s, &head, err);
        s->state = head;
        if (status != AT_OK) return status;
    }
    s->work_bytes += (size_t)at_loss_chunk_count(s) * part;
    return AT_OK;
}

void at_loss_release(at_step *s) {
    at_loss_head_free(s->state);
    s->state = NULL;
}

/* ---- weights ---- */

void at_loss_label_weights(const at_loss_attrs *a, double scale, float *by_label) {
    for (int k = 0; k < AT_LABELS; k++)
        by_label[k] = a->counted[k] ? (float)(a->weight[k] * scale) : 0;
}

double at_loss_weight_sum(const at_loss_attrs *a, const int64_t *count) {
    double sum = 0;
    for (int k = 0; k < a->classes; k++)
        if (a->counted[k]) sum += (double)count[k] * a->weight[k];
    return sum;
}

/* ---- descriptor ---- */

at_status at_loss_shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    (void)node;
    if (in[0].n != in[1].n || in[0].h != in[1].h || in[0].w != in[1].w)
        return at_fail(err, AT_ERR_INPUT,
                       "logits of %d x %d x %d pixels and labels of %d x %d x %d: they must be "
                       "equal",
                       in[0].n, in[0].h, in[0].w, in[1].n, in[1].h, in[1].w);
    out[0].shape = (at_shape){1, 1, 1, 1};
    return AT_OK;
}

void at_loss_cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    (void)node, (void)out;
    cost->bytes = 4.0 * (double)at_shape_count(in[0]) + 5.0 * (double)at_shape_pixels(in[0]);
}

void at_loss_describe(const at_loss_attrs *a, json_t *attrs) {
    json_t *weight = json_array(), *ignored = json_array();
    bool plain = true;
    for (int k = 0; k < a->classes; k++) {
        json_array_append_new(weight, json_real((double)a->weight[k]));
        if (!a->counted[k]) json_array_append_new(ignored, json_integer(k));
        if (a->weight[k] != 1) plain = false;
    }
    if (!plain) json_object_set(attrs, "weight", weight);
    json_object_set(attrs, "ignore", ignored);
    json_decref(weight);
    json_decref(ignored);
}

/* ---- building ---- */

static bool options_valid(at_graph *g, const char *name, const at_loss_opts *o, int classes) {
    if (classes > AT_MAX_CLASSES)
        at_graph_fail(g, "%s: %d classes, at most %d", name, classes, AT_MAX_CLASSES);
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1))
        at_graph_fail(g, "%s: label smoothing %g must be 0 .. 1", name, (double)o->label_smoothing);
    if (!(o->gamma >= 0 && o->gamma <= 100) || !(o->smooth >= 0 && isfinite(o->smooth)))
        at_graph_fail(g, "%s: gamma %g must be 0 .. 100, smooth %g at least 0", name,
                      (double)o->gamma, (double)o->smooth);
    for (int k = 0; k < classes && k < AT_MAX_CLASSES && o->class_weights != NULL; k++)
        if (!(o->class_weights[k] >= 0 && isfinite(o->class_weights[k])))
            at_graph_fail(g, "%s: the weight of class %d is %g; it must be at least 0", name, k,
                          (double)o->class_weights[k]);
    return !at_graph_failed(g);
}

static at_loss_attrs attrs_of(const at_loss_opts *o, int classes) {
    at_loss_attrs a = {.classes = classes,
                       .label_smoothing = o->label_smoothing,
                       .gamma = o->gamma != 0 ? o->gamma : 2,
                       .smooth = o->smooth != 0 ? o->smooth : 1};
    for (int k = 0; k < classes; k++) {
        a.counted[k] = true;
        a.weight[k] = o->class_weights != NULL ? o->class_weights[k] : 1;
    }
    for (int i = 0; i < o->ignore_count; i++) a.counted[o->ignore[i]] = false;
    return a;
}

at_node *at_loss_node(at_graph *g, const at_op *op, const char *name, at_node *logits,
                      at_node *target, const at_loss_opts *opts) {
    at_node *inputs[] = {logits, target};
    const char *who = name ? name : op->name;
    at_loss_attrs a = {0};
    if (logits != NULL && target != NULL) {
        if (target->dtype != AT_U8 || logits->dtype != AT_F32)
            return at_graph_fail(g, "%s: takes logits and a target, not '%s' and '%s'", who,
                                 logits->name, target->name);
        if (!options_valid(g, who, opts, logits->channels)) return NULL;
        a = attrs_of(opts, logits->channels);
    }
    return at_node_new(g, op, name, inputs, 2, 1, &a, sizeof a);
}
