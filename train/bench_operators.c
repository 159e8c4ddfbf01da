/* SPDX-License-Identifier: MIT */
/* Operators that only move data, beside a copy: how many times as long they take as a copy of as
 * many bytes. Each is a node of a small training graph; its own step's time counts. Copies are timed
 * just before and after, because the speed of memory changes from one second to the next on machines
 * that are shared; over as much memory as a plan's, most of which no cache keeps; and with loads and
 * stores, as operators have them: what processors have for copying alone (rep movsb) can be faster,
 * since it need not read what it overwrites. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "nn/kernels/kernels.h"
#include "train/bench.h"
#include "train/optim.h"

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- a copy ---- */

enum { CHUNK = 128 << 10, COPY_BYTES = 96 << 20 };

typedef struct copying {
    char *to;
    float *from;
    size_t bytes;
} copying;

static void copy_chunk(void *arg, int64_t index, int worker) {
    const copying *c = arg;
    const size_t at = (size_t)index * CHUNK, left = c->bytes - at;
    const int64_t floats = (int64_t)((left < CHUNK ? left : CHUNK) / sizeof(float));
    at_rows to = {(float *)(void *)(c->to + at), floats},
            from = {c->from + at / sizeof(float), floats};
    (void)worker;
    at_kernels_get()->relu(to, from, 1, floats);
}

/* Bytes read and written a second, the best of some copies. */
static double copy_speed(const copying *c) {
    double best = 0;
    for (int i = 0; i < 4; i++) {
        const double begin = now();
        at_parallel_for((int64_t)((c->bytes + CHUNK - 1) / CHUNK), copy_chunk,
                        (void *)(uintptr_t)c);
        const double speed = 2 * (double)c->bytes / (now() - begin);
        if (speed > best) best = speed;
    }
    return best;
}

/* ---- cases ---- */

static at_node *norm(at_graph *g, at_node *x) {
    return at_relu(g, NULL, at_batch_norm(g, "it", x, (at_batch_norm_opts){0}));
}

static at_node *pool(at_graph *g, at_node *x) {
    return at_max_pool2d(g, "it", x, (at_pool2d_opts){.kernel = {2, 2}});
}

static at_node *unpool(at_graph *g, at_node *x) {
    at_node *small = at_max_pool2d(g, "pool", x, (at_pool2d_opts){.kernel = {2, 2}});
    return at_max_unpool2d(g, "it", small, small, x);
}

static at_node *enlarge(at_graph *g, at_node *x, int factor) {
    at_interpolate_opts o = {.mode = AT_BILINEAR, .factor = {factor, factor}};
    return at_interpolate(g, "it", x, o);
}

static at_node *twice(at_graph *g, at_node *x) {
    return enlarge(g, x, 2);
}

static at_node *eight_times(at_graph *g, at_node *x) {
    return enlarge(g, x, 8);
}

static at_node *cross_entropy(at_graph *g, at_node *x) {
    return at_softmax_cross_entropy(g, "it", x, at_target(g, "target"), (at_loss_opts){0});
}

/* Both written where they are wanted: nothing is left to do. */
static at_node *cat(at_graph *g, at_node *x) {
    return at_cat(g, "it", (at_node *[]){at_relu(g, "a", x), at_relu(g, "b", x)}, 2);
}

static at_node *add(at_graph *g, at_node *x) {
    return at_add(g, "it", x, at_input(g, "y", x->channels));
}

static at_node *response(at_graph *g, at_node *x) {
    return at_local_response_norm(g, "it", x, (at_local_response_norm_opts){0});
}

/* Bytes that must be moved for an element of the input, and of the output: forward, backward. Batch
 * norm's statistics need x before anything can be written, and its gradient needs two sums; so x (and
 * dy) are read twice. Pooling has a byte of index for each of its outputs. */
typedef struct moved {
    double in, out, back_in, back_out;
} moved;

typedef struct operator_case {
    const char *name;
    at_shape in;
    at_node *(*build)(at_graph *g, at_node *x);
    moved moved;
} operator_case;

static const operator_case cases[] = {
    {"batch norm, ReLU, 64, 2 of 180x240", {2, 180, 240, 64}, norm, {8, 4, 12, 8}},
    {"max-pool 2x2, 64, 2 of 180x240", {2, 180, 240, 64}, pool, {4, 5, 4, 5}},
    {"max-unpool 2x2, 64, 2 of 180x240", {2, 180, 240, 64}, unpool, {1.25, 4, 1.25, 4}},
    {"bilinear x2, 64, 4 of 45x60", {4, 45, 60, 64}, twice, {4, 4, 4, 4}},
    {"bilinear x8, 11, 2 of 45x60", {2, 45, 60, 11}, eight_times, {4, 4, 4, 4}},
    {"cross-entropy, 11, 2 of 360x480", {2, 360, 480, 11}, cross_entropy, {4, 0, 8, 0}},
    {"cat, 64 and 64, 2 of 180x240", {2, 180, 240, 64}, cat, {4, 4, 8, 4}},
    {"add, 64, 2 of 180x240", {2, 180, 240, 64}, add, {8, 4, 8, 4}},
    {"local response norm, 64, 2 of 180x240", {2, 180, 240, 64}, response, {4, 4, 8, 4}},
};
enum { NODES = sizeof cases / sizeof *cases, ARGMAX = NODES, SGD, ADAMW, ALL };

const char *at_bench_operator_name(int i) {
    static const char *const others[] = {"argmax, 11, 2 of 360x480", "SGD, 10 M parameters",
                                         "AdamW, 10 M parameters"};
    return i < NODES ? cases[i].name : i < ALL ? others[i - NODES] : NULL;
}

/* ---- operators of a graph ---- */

static void fill(at_plan *plan, at_graph *g) {
    at_rng rng = at_rng_make(1, AT_RNG_TEST, 0, 0);
    for (int i = 0; i < at_graph_node_count(g); i++) {
        const at_node *n = at_graph_node(g, i);
        if (n->input_count > 0) continue;
        const at_tensor t = at_plan_value(plan, n);
        for (int64_t k = 0; k < at_shape_count(t.shape); k++)
            if (n->dtype == AT_F32)
                at_f32(t)[k] = at_rng_range(&rng, -2, 2);
            else
                ((uint8_t *)t.data)[k] = (uint8_t)at_rng_below(&rng, 11);
    }
}

static void fill_gradient(at_tensor t) {
    for (int64_t i = 0; i < at_shape_count(t.shape); i++)
        at_f32(t)[i] = 0.25f * (float)(i % 7) - 0.5f;
}

static at_step_time own_time(const at_plan *plan) {
    for (int i = 0; i < at_plan_step_count(plan); i++) {
        at_step_time t = at_plan_step_time(plan, i);
        if (strcmp(t.node->name, "it") == 0) return t;
    }
    return (at_step_time){0};
}

static void best(double *least, double now) {
    if (*least == 0 || now < *least) *least = now;
}

static void run_graph(at_plan *plan, const at_node *end, int repeat, at_bench_pass *out) {
    for (int i = 0; i <= repeat; i++) {
        at_plan_profile(plan, true);
        at_plan_forward(plan);
        fill_gradient(at_plan_grad(plan, end));
        at_plan_backward(plan);
        const at_step_time t = own_time(plan);
        if (i == 0) continue;
        best(&out->forward_s, t.forward_s);
        best(&out->backward_s, t.backward_s);
    }
}

static at_status measure_node(const operator_case *c, int repeat, at_bench_pass *out,
                              at_error *err) {
    at_graph *g = at_graph_new();
    at_plan *plan = NULL;
    if (!g) return at_fail_memory(err, "a graph", 0);
    at_plan_opts o = {.batch = c->in.n, .height = c->in.h, .width = c->in.w, .mode = AT_TRAIN};
    o.input_grad = true;
    at_node *x = at_input(g, "x", c->in.c), *y = c->build(g, x);
    at_graph_set_output(g, y);
    at_status s = at_graph_finish(g, err);
    if (s == AT_OK) s = at_graph_init(g, 1, err);
    if (s == AT_OK) s = at_plan_new(&plan, g, o, err);
    if (s == AT_OK) {
        const double in = (double)at_shape_count(c->in);
        const double values = (double)at_shape_count(at_plan_shape(plan, y));
        fill(plan, g);
        run_graph(plan, y, repeat, out);
        out->forward_bytes = c->moved.in * in + c->moved.out * values;
        out->backward_bytes = c->moved.back_in * in + c->moved.back_out * values;
    }
    at_plan_free(plan);
    at_graph_free(g);
    return s;
}

/* ---- others ---- */

enum { CLASSES = 11, PIXELS = 2 * 360 * 480, PART = 2048 };

typedef struct choosing {
    uint8_t *out;
    const float *x;
} choosing;

static void argmax_part(void *arg, int64_t index, int worker) {
    const choosing *c = arg;
    const int64_t first = index * PART, left = PIXELS - first;
    (void)worker;
    at_kernels_get()->argmax(c->out + first, c->x + first * CLASSES, CLASSES, CLASSES,
                             left < PART ? left : PART);
}

static at_status measure_argmax(int repeat, at_bench_pass *out, at_error *err) {
    const size_t bytes = (size_t)PIXELS * CLASSES * sizeof(float);
    float *x = malloc(bytes);
    uint8_t *ids = calloc(PIXELS, 1);
    if (x == NULL || ids == NULL) {
        free(x), free(ids);
        return at_fail_memory(err, "scores", bytes);
    }
    for (int64_t i = 0; i < (int64_t)PIXELS * CLASSES; i++) x[i] = (float)(i * 7919 % 1013);
    for (int i = 0; i <= repeat; i++) {
        const double begin = now();
        at_parallel_for((PIXELS + PART - 1) / PART, argmax_part, &(choosing){ids, x});
        if (i) best(&out->forward_s, now() - begin);
    }
    out->forward_bytes = (double)bytes + PIXELS;
    free(x), free(ids);
    return AT_OK;
}

/* All parameters are one matrix. SGD moves w and m both ways and reads g twice, once for its norm;
 * AdamW moves v too. */
static at_status measure_optim(at_optim_kind kind, int repeat, at_bench_pass *out, at_error *err) {
    at_graph *g = at_graph_new();
    at_plan *plan = NULL;
    at_optim *optim = NULL;
    if (!g) return at_fail_memory(err, "a graph", 0);
    at_conv2d_opts o = {.channels = 4096, .kernel = {1, 1}};
    at_conv2d(g, NULL, at_input(g, "x", 2560), o);
    at_status s = at_graph_finish(g, err);
    if (s == AT_OK) s = at_graph_init(g, 1, err);
    if (s == AT_OK) /* makes the gradients */
        s = at_plan_new(&plan, g, (at_plan_opts){.height = 1, .width = 1, .mode = AT_TRAIN}, err);
    if (s == AT_OK)
        s = at_optim_new(&optim, g, (at_optim_opts){.kind = kind, .momentum = 0.9}, err);
    for (int i = 0; i <= repeat && s == AT_OK; i++) {
        const double begin = now();
        at_optim_step(optim, 1e-4, 1);
        if (i) best(&out->forward_s, now() - begin);
    }
    out->forward_bytes = (kind == AT_OPTIM_SGD ? 24 : 32) * (double)at_graph_flat_count(g);
    at_optim_free(optim);
    at_plan_free(plan);
    at_graph_free(g);
    return s;
}

static at_status measure(int i, int repeat, at_bench_pass *out, at_error *err) {
    if (i < NODES) return measure_node(&cases[i], repeat, out, err);
    if (i == ARGMAX) return measure_argmax(repeat, out, err);
    return measure_optim(i == SGD ? AT_OPTIM_SGD : AT_OPTIM_ADAMW, repeat, out, err);
}

at_status at_bench_operator(int i, int repeat, at_bench_pass *out, at_error *err) {
    const size_t bytes = COPY_BYTES;
    copying c = {malloc(bytes), calloc(bytes, 1), bytes};
    *out = (at_bench_pass){0};
    at_status s = AT_OK;
    if (c.to == NULL || c.from == NULL) {
        s = at_fail_memory(err, "a copy", bytes);
    } else {
        const double before = copy_speed(&c);
        s = measure(i, repeat, out, err);
        const double after = copy_speed(&c);
        out->copy_speed = before > after ? before : after;
    }
    free(c.to);
    free(c.from);
    return s;
}
