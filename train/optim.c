/* SPDX-License-Identifier: MIT */
/* Optimisers as a list of spans, each a piece of one trainable parameter: cut by sizes alone, so
 * any number of threads gives the same bits. Which formula runs is the kernels' business
 * (kernels/list.h); here are hyper-parameters, clipping and state. */
#include "train/optim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/kernels/kernels.h"

const char *const at_optim_names[AT_OPTIM_COUNT] = {"adamw", "adam", "sgd"};

enum { SPAN = 32768 };

typedef struct span {
    int64_t offset, count;
    bool decay;
} span;

struct at_optim {
    at_graph *graph;
    at_optim_opts opts;
    span *spans;
    int64_t span_count;
    double *partial; /* one a span */
    float *state[2]; /* m and v; SGD has no v */
    int64_t steps;
    at_update now; /* the numbers of the step that is being made */
};

static int64_t spans_of(const at_param *p) {
    return p->spec.buffer || p->spec.frozen ? 0 : (p->count + SPAN - 1) / SPAN;
}

static void fill_spans(at_optim *o) {
    int64_t n = 0;
    for (int i = 0; i < at_graph_param_count(o->graph); i++) {
        const at_param *p = at_graph_param(o->graph, i);
        for (int64_t s = 0; s < spans_of(p); s++) {
            const int64_t rest = p->count - s * SPAN;
            o->spans[n++] =
                (span){p->offset + s * SPAN, rest < SPAN ? rest : SPAN, !p->spec.no_decay};
        }
    }
}

at_status at_optim_new(at_optim **out, at_graph *g, at_optim_opts opts, at_error *err) {
    *out = NULL;
    at_optim *o = calloc(1, sizeof *o);
    if (!o) return at_fail_memory(err, "optimiser", sizeof *o);
    *o = (at_optim){.graph = g, .opts = opts};
    if (!(opts.beta1 > 0)) o->opts.beta1 = 0.9;
    if (!(opts.beta2 > 0)) o->opts.beta2 = 0.999;
    if (!(opts.eps > 0)) o->opts.eps = 1e-8;
    for (int i = 0; i < at_graph_param_count(g); i++)
        o->span_count += spans_of(at_graph_param(g, i));
    const size_t spans = (size_t)o->span_count + 1, flat = (size_t)at_graph_flat_count(g) + 1;
    o->spans = calloc(spans, sizeof *o->spans);
    o->partial = calloc(spans, sizeof *o->partial);
    o->state[0] = calloc(flat, sizeof(float));
    if (opts.kind != AT_OPTIM_SGD) o->state[1] = calloc(flat, sizeof(float));
    if (!o->spans || !o->partial || !o->state[0] || (opts.kind != AT_OPTIM_SGD && !o->state[1])) {
        at_optim_free(o);
        return at_fail_memory(err, "state of the optimiser", flat * 2 * sizeof(float));
    }
    fill_spans(o);
    *out = o;
    return AT_OK;
}

void at_optim_free(at_optim *o) {
    if (!o) return;
    free(o->spans);
    free(o->partial);
    free(o->state[0]);
    free(o->state[1]);
    free(o);
}

static void norm_body(void *arg, int64_t i, int worker) {
    at_optim *o = arg;
    (void)worker;
    const float *g = at_graph_grads(o->graph) + o->spans[i].offset;
    o->partial[i] = at_kernels_get()->sum_squares(g, o->spans[i].count);
}

static double gradient_norm(at_optim *o) {
    at_parallel_for(o->span_count, norm_body, o);
    double sum = 0;
    for (int64_t i = 0; i < o->span_count; i++) sum += o->partial[i];
    return sqrt(sum);
}

static void step_body(void *arg, int64_t i, int worker) {
    const at_optim *o = arg;
    (void)worker;
    const span s = o->spans[i];
    at_update u = o->now;
    u.w = at_graph_values(o->graph) + s.offset;
    u.g = at_graph_grads(o->graph) + s.offset;
    u.m = o->state[0] + s.offset;
    u.v = o->state[1] ? o->state[1] + s.offset : NULL;
    u.count = s.count;
    if (!s.decay) u.decay = 0, u.shrink = 1;
    if (o->opts.kind == AT_OPTIM_SGD)
        at_kernels_get()->sgd_step(&u);
    else
        at_kernels_get()->adam_step(&u);
}

/* Bias correction as in torch.optim.Adam: lr / (1 - beta1^t), sqrt(1 - beta2^t), in double. */
static at_update numbers(const at_optim *o, double lr, double scale) {
    const at_optim_opts *p = &o->opts;
    const bool adamw = p->kind == AT_OPTIM_ADAMW;
    at_update u = {.scale = (float)scale,
                   .decay = adamw ? 0 : (float)p->weight_decay,
                   .shrink = adamw ? (float)(1 - lr * p->weight_decay) : 1,
                   .lr = (float)lr,
                   .beta1 = (float)p->momentum,
                   .nesterov = p->nesterov};
    if (p->kind == AT_OPTIM_SGD) return u;
    const double t = (double)o->steps;
    u.lr = (float)(lr / (1 - pow(p->beta1, t)));
    u.root2 = (float)sqrt(1 - pow(p->beta2, t));
    u.beta2 = (float)p->beta2, u.eps = (float)p->eps;
    u.rest1 = (float)(1 - p->beta1), u.rest2 = (float)(1 - p->beta2);
    return u;
}

double at_optim_step(at_optim *o, double lr, double scale) {
    const double norm = gradient_norm(o) * scale;
    if (!isfinite(norm)) return norm;
    /* torch.nn.utils.clip_grad_norm_ adds 1e-6 too. */
    if (o->opts.clip > 0 && norm > o->opts.clip) scale *= o->opts.clip / (norm + 1e-6);
    o->steps++;
    o->now = numbers(o, lr, scale);
    at_parallel_for(o->span_count, step_body, o);
    at_graph_touch(o->graph);
    return norm;
}

void at_optim_zero_grad(at_optim *o) {
    memset(at_graph_grads(o->graph), 0, (size_t)at_graph_flat_count(o->graph) * sizeof(float));
}

float *at_optim_state(at_optim *o, int i, const char **name) {
    static const char *const adam[] = {"exp_avg", "exp_avg_sq"}, *const sgd[] = {"momentum_buffer",
                                                                                 NULL};
    *name = i < 0 || i > 1 ? NULL : o->opts.kind == AT_OPTIM_SGD ? sgd[i] : adam[i];
    return *name ? o->state[i] : NULL;
}

int64_t at_optim_steps(const at_optim *o) {
    return o->steps;
}

void at_optim_set_steps(at_optim *o, int64_t steps) {
    o->steps = steps;
}
