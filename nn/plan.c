/* SPDX-License-Identifier: MIT */
/* Building a plan: which nodes, which shapes, which steps. Memory is plan_memory.c, running is
 * plan_run.c. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nn/kernels/kernels.h"
#include "nn/plan_private.h"
#include "nn/threads.h"

static bool lends_shape(const at_node *n, int input) {
    return (n->op->shape_only >> input) & 1u;
}

static bool is_source(const at_node *n) {
    return n->input_count == 0;
}

/* ---- which nodes ---- */

/* Ancestors of the output, walking ids downwards: a node's inputs have smaller ids. A node that
 * only lends its shape needs a shape, not a value. */
static void mark_needed(at_plan *p, const at_node *output, bool *shaped) {
    p->needed[output->id] = true;
    for (int id = output->id; id >= 0; id--) {
        const at_node *n = p->graph->nodes[id];
        if (!p->needed[id] && !shaped[id]) continue;
        shaped[id] = true;
        for (int i = 0; i < n->input_count; i++) {
            shaped[n->inputs[i]->id] = true;
            if (p->needed[id] && !lends_shape(n, i)) p->needed[n->inputs[i]->id] = true;
        }
    }
}

/* ---- which shapes ---- */

enum { MAX_INPUTS = 64 };

static at_status shape_node(at_plan *p, const at_node *n, at_error *err) {
    at_shape in[MAX_INPUTS];
    at_tensor out[AT_MAX_OUTPUTS] = {0};
    if (is_source(n)) {
        p->shapes[n->id] = (at_shape){p->opts.batch, p->opts.height, p->opts.width, n->channels};
        return AT_OK;
    }
    if (n->input_count > MAX_INPUTS)
        return at_fail(err, AT_ERR_INPUT, "%s: %d inputs, at most %d", n->name, n->input_count,
                       MAX_INPUTS);
    for (int i = 0; i < n->input_count; i++)
        in[i] = n->ports[i] ? p->seconds[n->inputs[i]->id].shape : p->shapes[n->inputs[i]->id];
    out[0].shape.c = n->channels;
    if (n->op->shape(n, in, out, err) != AT_OK) return at_error_context(err, "%s", n->name);
    if (at_shape_pixels(out[0].shape) <= 0 || at_shape_pixels(out[0].shape) > INT32_MAX ||
        at_shape_count(out[0].shape) > (INT64_C(1) << 40))
        return at_fail(err, AT_ERR_INPUT, "%s: output of %d x %d x %d x %d is out of range",
                       n->name, out[0].shape.n, out[0].shape.h, out[0].shape.w, out[0].shape.c);
    p->shapes[n->id] = out[0].shape;
    p->seconds[n->id] = out[1];
    return AT_OK;
}

/* ---- which work is another's ---- */

/* The one reader of a node's value, or NULL if there are none or several. */
static const at_node *only_reader(const at_plan *p, const at_node *n) {
    const at_node *reader = NULL;
    for (int id = n->id + 1; id < p->graph->node_count; id++) {
        const at_node *m = p->graph->nodes[id];
        if (!p->needed[id]) continue;
        for (int i = 0; i < m->input_count; i++) {
            if (m->inputs[i] != n || lends_shape(m, i)) continue;
            if (reader != NULL || m->ports[i] != 0) return NULL;
            reader = m;
        }
    }
    return reader;
}

static bool same_shape(const at_plan *p, const at_node *n) {
    return memcmp(&p->shapes[n->id], &p->shapes[n->inputs[0]->id], sizeof(at_shape)) == 0;
}

/* Would the operator only copy its input, but for its type? */
static bool hands_on(const at_plan *p, const at_node *n) {
    return (n->op->flags & AT_SAME_SIZE_SAME) && same_shape(p, n);
}

/* Does the one reader of the node's value do its work itself? */
static bool inlined(const at_plan *p, const at_node *n) {
    if (is_source(n) || n->ports[0] != 0 || hands_on(p, n)) return false;
    const at_node *reader = only_reader(p, n);
    return reader != NULL && reader->inputs[0] == n && reader->op->inline_input != NULL &&
           reader->op->inline_input(n);
}

bool at_plan_passes_through(const at_plan *p, const at_node *n) {
    return !is_source(n) && hands_on(p, n) && n->ports[0] == 0 &&
           p->dtypes[n->inputs[0]->id] == p->dtypes[n->id];
}

/* ---- which precision ---- */

at_precision at_precision_resolve(at_precision precision) {
    if (precision != AT_PRECISION_AUTO) return precision;
    return at_kernels_get()->dot_gain > 1 ? AT_BF16_MIXED : AT_FP32;
}

const char *at_precision_name(at_precision precision) {
    static const char *const names[] = {"fp32", "bf16", "auto"};
    return names[precision];
}

/* fp32 are inputs, the output, what losses read, and what reaches one of these by a node that only
 * hands it on. */
static void choose_dtypes(at_plan *p, const at_node *output) {
    bool bf16 = p->opts.precision == AT_BF16_MIXED;
    for (int id = 0; id <= output->id; id++) {
        const at_node *n = p->graph->nodes[id];
        p->dtypes[id] = bf16 && n->dtype == AT_F32 && !is_source(n) ? AT_BF16 : n->dtype;
    }
    p->dtypes[output->id] = output->dtype;
    for (int id = output->id; id >= 0; id--) {
        const at_node *n = p->graph->nodes[id];
        if (!p->needed[id] || is_source(n)) continue;
        bool between = hands_on(p, n) || inlined(p, n);
        bool wants_f32 = (between && p->dtypes[id] == AT_F32) || (n->op->flags & AT_READS_F32);
        for (int i = 0; i < n->input_count && wants_f32; i++)
            p->dtypes[n->inputs[i]->id] = n->inputs[i]->dtype;
    }
}

/* ---- which steps ---- */

/* Instead of a step's number: none yet; done inside another's step, its value nowhere. */
enum { NO_STEP = -1, ABSORBED = -2 };

/* Lets the step take over what follows it, as long as the operator agrees. */
static void absorb_followers(at_plan *p, at_plan_step *ps, const at_node *output) {
    at_step *s = &ps->s;
    if (s->node->op->absorb == NULL || p->seconds[s->node->id].shape.n != 0) return;
    while (s->last != output) {
        const at_node *next = only_reader(p, s->last);
        if (next == NULL || next->input_count != 1 || !s->node->op->absorb(s, next)) return;
        p->step_of[s->last->id] = ABSORBED;
        s->last = next;
        p->step_of[next->id] = (int)(ps - p->steps);
    }
}

/* Does anything read the node's second output? */
static bool second_read(const at_plan *p, const at_node *n) {
    for (int id = n->id + 1; id < p->graph->node_count; id++) {
        const at_node *m = p->graph->nodes[id];
        for (int i = 0; i < m->input_count && p->needed[id]; i++)
            if (m->inputs[i] == n && m->ports[i] != 0) return true;
    }
    return false;
}

static at_status step_alloc(at_plan_step *ps, int inputs, at_error *err) {
    size_t n = (size_t)inputs + 1;
    ps->s.in = calloc(n, sizeof *ps->s.in);
    ps->s.d_in = calloc(n, sizeof *ps->s.d_in);
    ps->s.first = calloc(n, sizeof *ps->s.first);
    ps->clear = calloc(n, sizeof *ps->clear);
    ps->inputs = malloc(n * sizeof *ps->inputs);
    ps->wide = calloc(2 * n, sizeof *ps->wide);
    if (!ps->s.in || !ps->s.d_in || !ps->s.first || !ps->clear || !ps->inputs || !ps->wide)
        return at_fail_memory(err, "a plan's step", n * sizeof *ps->s.in);
    return AT_OK;
}

static at_tensor dense(at_shape shape, at_dtype dtype) {
    return (at_tensor){.shape = shape, .ld = shape.c, .dtype = dtype};
}

static bool trains(const at_graph *g, const at_node *n) {
    for (int i = 0; i < n->param_count; i++)
        if (!g->params[n->params[i]].spec.buffer) return true;
    return false;
}

/* Inputs' tensors and step numbers; whether anything upstream wants a gradient. */
static void connect(at_plan *p, at_plan_step *ps) {
    at_step *s = &ps->s;
    const at_node *n = s->node;
    bool wants = is_source(n) ? p->opts.input_grad && n->dtype == AT_F32 : trains(p->graph, n);
    for (int i = 0; i < n->input_count; i++) {
        const at_node *from = i == 0 && s->front != NULL ? s->front->inputs[0] : n->inputs[i];
        bool lent = lends_shape(n, i);
        ps->inputs[i] = lent ? -1 : p->step_of[from->id];
        s->in[i] =
            n->ports[i] ? p->seconds[from->id] : dense(p->shapes[from->id], p->dtypes[from->id]);
        s->d_in[i] = dense(s->in[i].shape, p->dtypes[from->id]);
        if (lent || n->ports[i]) continue;
        const at_plan_step *producer = &p->steps[ps->inputs[i]];
        s->in[i].ld = producer->s.out[0].ld;
        s->d_in[i].ld = producer->s.d_out.ld;
        if (producer->home == n) ps->holds = true;
        if (producer->wants_grad) wants = true;
    }
    ps->wants_grad = wants && p->opts.mode == AT_TRAIN;
}

static at_status add_step(at_plan *p, const at_node *n, const at_node *output, at_error *err) {
    at_plan_step *ps = &p->steps[p->count];
    at_step *s = &ps->s;
    s->node = s->last = n;
    s->mode = p->opts.mode;
    s->conv = p->opts.conv;
    s->tuning = p->opts.tuning;
    s->may_time = p->may_time;
    s->once = p->opts.once && p->opts.mode == AT_INFER;
    s->needs = n->op->flags;
    s->takes_bf16 = n->op->flags & AT_TAKES_BF16 ? AT_PASS_FORWARD | AT_PASS_BACKWARD : 0;
    s->in_count = n->input_count;
    if (!is_source(n) && inlined(p, n->inputs[0])) s->front = n->inputs[0];
    p->step_of[n->id] = p->count++; /* now at_plan_free knows of it */
    AT_TRY(step_alloc(ps, n->input_count, err));
    connect(p, ps);
    if (s->mode == AT_INFER && !second_read(p, n)) p->seconds[n->id] = (at_tensor){0};
    s->out[1] = p->seconds[n->id];
    if (s->out[1].shape.n) s->out[1].ld = s->out[1].shape.c;
    absorb_followers(p, ps, output);
    at_plan_find_home(p, ps, output);
    s->out[0] = s->d_out = dense(p->shapes[s->last->id], p->dtypes[s->last->id]);
    if (ps->home != NULL) s->out[0].ld = ps->home->channels;
    if (ps->grad_home != NULL) s->d_out.ld = ps->grad_home->channels;
    if (n->op->prepare != NULL && n->op->prepare(s, err) != AT_OK)
        return at_error_context(err, "%s", n->name);
    return AT_OK;
}

static bool absorbed_already(const at_plan *p, const at_node *n) {
    return p->step_of[n->id] != NO_STEP;
}

static at_status build_node(at_plan *p, const at_node *n, const at_node *output, at_error *err) {
    bool away = inlined(p, n);
    if (away && !p->opts.keep)
        p->step_of[n->id] = ABSORBED;
    else if (at_plan_passes_through(p, n))
        p->step_of[n->id] = p->step_of[n->inputs[0]->id];
    else
        AT_TRY(add_step(p, n, output, err));
    if (away && p->opts.keep) p->steps[p->step_of[n->id]].wants_grad = false;
    return AT_OK;
}

static at_status build_steps(at_plan *p, const at_node *output, at_error *err) {
    for (int id = 0; id <= output->id; id++) {
        const at_node *n = p->graph->nodes[id];
        if (p->needed[id] && !absorbed_already(p, n)) AT_TRY(build_node(p, n, output, err));
    }
    p->output = p->step_of[output->id];
    return AT_OK;
}

/* ---- putting it together ---- */

static at_status plan_alloc(at_plan **out, at_graph *g, at_plan_opts opts, at_error *err) {
    *out = NULL;
    AT_TRY(at_graph_finish(g, err));
    if (opts.batch == 0) opts.batch = 1;
    if (opts.batch < 1 || opts.height < 1 || opts.width < 1)
        return at_fail(err, AT_ERR_INPUT, "a plan for batch %d of %d x %d pixels makes no sense",
                       opts.batch, opts.height, opts.width);
    opts.precision = at_precision_resolve(opts.precision);
    at_plan *p = calloc(1, sizeof *p);
    size_t n = (size_t)g->node_count;
    if (p == NULL) return at_fail_memory(err, "a plan", sizeof *p);
    p->graph = g;
    p->opts = opts;
    p->threads = at_threads();
    p->shapes = calloc(n, sizeof *p->shapes);
    p->seconds = calloc(n, sizeof *p->seconds);
    p->step_of = malloc(n * sizeof *p->step_of);
    p->needed = calloc(n, sizeof *p->needed);
    p->dtypes = calloc(n, sizeof *p->dtypes);
    p->steps = calloc(n, sizeof *p->steps);
    *out = p;
    if (!p->shapes || !p->seconds || !p->step_of || !p->needed || !p->dtypes || !p->steps)
        return at_fail_memory(err, "a plan", n * sizeof *p->steps);
    for (size_t i = 0; i < n; i++) p->step_of[i] = NO_STEP;
    return AT_OK;
}

static at_status work_out_shapes(at_plan *p, const at_node *output, at_error *err) {
    bool *shaped = calloc((size_t)p->graph->node_count, sizeof *shaped);
    if (shaped == NULL) return at_fail_memory(err, "a plan", (size_t)p->graph->node_count);
    mark_needed(p, output, shaped);
    at_status status = AT_OK;
    for (int id = 0; id <= output->id && status == AT_OK; id++)
        if (shaped[id]) status = shape_node(p, p->graph->nodes[id], err);
    free(shaped);
    return status;
}

/* Everything but the arena itself. */
static at_status plan_build(at_plan **out, at_graph *g, at_plan_opts opts, bool may_time,
                            at_error *err) {
    AT_TRY(plan_alloc(out, g, opts, err));
    at_plan *p = *out;
    p->may_time = may_time;
    if (may_time && opts.mode == AT_TRAIN) AT_TRY(at_graph_need_grads(g, err));
    const at_node *output = opts.output != NULL ? opts.output : at_graph_output(g);
    AT_TRY(work_out_shapes(p, output, err));
    choose_dtypes(p, output);
    AT_TRY(build_steps(p, output, err));
    bool twice = opts.recompute && opts.mode == AT_TRAIN && !opts.keep;
    return twice ? at_plan_choose_segments(p, err) : at_plan_place(p, err);
}

static size_t total_bytes(const at_plan *p) {
    size_t grads = p->opts.mode == AT_TRAIN && p->graph->grads == NULL
                       ? (size_t)p->graph->flat_count * sizeof(float)
                       : 0;
    return p->arena_bytes + grads;
}

/* The largest batch below opts.batch whose plan fits; 0 if none does. */
static int batch_that_fits(at_graph *g, at_plan_opts opts, size_t limit) {
    for (int batch = opts.batch - 1; batch > 0; batch = batch > 8 ? batch / 2 : batch - 1) {
        size_t bytes;
        opts.batch = batch;
        if (at_plan_measure(g, opts, &bytes, NULL) == AT_OK && bytes <= limit) return batch;
    }
    return 0;
}

/* Would the same plan fit if values were computed twice? */
static bool recompute_fits(at_graph *g, at_plan_opts opts, size_t limit) {
    size_t bytes;
    if (opts.recompute || opts.keep || opts.mode != AT_TRAIN) return false;
    opts.recompute = true;
    return at_plan_measure(g, opts, &bytes, NULL) == AT_OK && bytes <= limit;
}

static at_status refuse(at_plan *p, size_t limit, at_error *err) {
    const double gib = 1024.0 * 1024 * 1024;
    const at_plan_opts *o = &p->opts;
    const int fits = batch_that_fits(p->graph, p->opts, limit);
    const char *twice =
        recompute_fits(p->graph, p->opts, limit) ? "--recompute, in more time," : NULL;
    char batch[32] = "", way[96] = "use smaller images or a smaller network";
    if (fits > 0) snprintf(batch, sizeof batch, "batch %d", fits);
    if (fits > 0 || twice)
        snprintf(way, sizeof way, "%s%s%s would fit", batch, fits > 0 && twice ? " or " : "",
                 twice ? twice : "");
    return at_fail(err, AT_ERR_MEMORY,
                   "batch %d of %d x %d pixels needs %.2f GiB, %.2f GiB are free: %s", o->batch,
                   o->height, o->width, (double)total_bytes(p) / gib, (double)limit / gib, way);
}

static at_status plan_realise(at_plan *p, at_error *err) {
    size_t limit = p->opts.max_bytes ? p->opts.max_bytes : at_memory_available();
    if (total_bytes(p) > limit) return refuse(p, limit, err);
    if (p->opts.mode == AT_TRAIN) AT_TRY(at_graph_need_grads(p->graph, err));
    p->arena = at_arena_map(p->arena_bytes);
    if (p->arena == NULL) return at_fail_memory(err, "a plan's arena", p->arena_bytes);
    at_plan_bind(p);
    return AT_OK;
}

at_status at_plan_new(at_plan **plan, at_graph *g, at_plan_opts opts, at_error *err) {
    bool may_time = opts.conv == AT_CONV_TUNE && opts.tuning != NULL;
    at_status status = plan_build(plan, g, opts, may_time, err);
    if (status == AT_OK) status = plan_realise(*plan, err);
    if (status != AT_OK) {
        at_plan_free(*plan);
        *plan = NULL;
    }
    return status;
}

at_status at_plan_measure(at_graph *g, at_plan_opts opts, size_t *bytes, at_error *err) {
    at_plan *p;
    at_status status = plan_build(&p, g, opts, false, err);
    *bytes =
        status == AT_OK
            ? p->arena_bytes + (opts.mode == AT_TRAIN ? (size_t)g->flat_count * sizeof(float) : 0)
            : 0;
    at_plan_free(p);
    return status;
}

void at_plan_free(at_plan *p) {
    if (p == NULL) return;
    for (int i = 0; i < p->count; i++) {
        at_plan_step *ps = &p->steps[i];
        if (ps->s.node->op->release != NULL) ps->s.node->op->release(&ps->s);
        free(ps->s.in);
        free(ps->s.d_in);
        free(ps->s.first);
        free(ps->clear);
        free(ps->inputs);
        free(ps->wide);
    }
    if (p->arena != NULL) at_arena_unmap(p->arena, p->arena_bytes);
    free(p->shapes);
    free(p->seconds);
    free(p->step_of);
    free(p->needed);
    free(p->dtypes);
    free(p->steps);
    free(p);
}

/* ---- asking ---- */

size_t at_plan_bytes(const at_plan *p) {
    return p->arena_bytes +
           (p->opts.mode == AT_TRAIN ? (size_t)p->graph->flat_count * sizeof(float) : 0);
}

at_shape at_plan_shape(const at_plan *p, const at_node *node) {
    return p->shapes[node->id];
}

at_tensor at_plan_value(const at_plan *p, const at_node *node) {
    int i = p->step_of[node->id];
    return i < 0 ? (at_tensor){.shape = p->shapes[node->id]} : p->steps[i].s.out[0];
}

at_tensor at_plan_grad(const at_plan *p, const at_node *node) {
    int i = p->step_of[node->id];
    return i < 0 ? (at_tensor){.shape = p->shapes[node->id]} : p->steps[i].s.d_out;
}

static double node_macs(const at_plan *p, const at_node *n, at_cost *cost) {
    at_shape in[MAX_INPUTS];
    *cost = (at_cost){0};
    if (n->op->cost == NULL) return 0;
    for (int i = 0; i < n->input_count; i++) in[i] = p->shapes[n->inputs[i]->id];
    n->op->cost(n, in, p->shapes[n->id], cost);
    return cost->macs;
}

double at_plan_macs(const at_plan *p) {
    double macs = 0;
    at_cost cost;
    for (int id = 0; id < p->graph->node_count; id++)
        if (p->needed[id]) macs += node_macs(p, p->graph->nodes[id], &cost);
    return macs;
}

void at_plan_profile(at_plan *p, bool on) {
    p->profile = on;
    for (int i = 0; i < p->count; i++) p->steps[i].forward_s = p->steps[i].backward_s = 0;
}

int at_plan_step_count(const at_plan *p) {
    return p->count;
}

at_step_time at_plan_step_time(const at_plan *p, int step) {
    const at_plan_step *ps = &p->steps[step];
    at_step_time t = {.node = ps->s.node, .forward_s = ps->forward_s, .backward_s = ps->backward_s};
    node_macs(p, t.node, &t.cost);
    return t;
}
