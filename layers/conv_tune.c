/* SPDX-License-Identifier: MIT */
/* --conv tune: which way of computing a convolution is fastest here, found by running it. A copy of
 * the step with tensors of its own runs forward, then backward without and with the gradient of the
 * input, in each way that is possible; the three choices follow from one another in that order. The
 * way that the cost model prefers is left only for one that is clearly faster, so that noise decides
 * little. What is remembered (nn/tuning.h) is not timed again. */
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "layers/conv_node.h"

enum { RUNS = 4, ALIGN = 64, PROBLEM = 256 };

/* A step that may run at any time. */
typedef struct trial {
    at_step s;
    at_tensor in, d_in;
    bool first;
    const at_conv *conv;
    at_conv_pass pass;
    float *gradients[2]; /* what backward adds to, as it was */
    void *memory;
} trial;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- memory ---- */

static size_t rounded(size_t bytes) {
    return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* With what lies between pixels, where the tensor is a slice of another. */
static int64_t elements(at_tensor t) {
    return at_shape_pixels(t.shape) * t.ld;
}

static size_t tensor_bytes(at_tensor t) {
    return rounded((size_t)elements(t) * at_dtype_size(t.dtype));
}

static void *take(char **free, size_t bytes) {
    void *p = *free;
    *free += rounded(bytes);
    return p;
}

/* Ones everywhere: kernels take as long for any numbers but denormal ones. */
static void fill(at_tensor t) {
    const float one = 1;
    const uint16_t one_bf16 = 0x3f80;
    bool wide = t.dtype == AT_F32;
    for (int64_t i = 0; i < elements(t); i++)
        if (wide)
            memcpy((char *)t.data + 4 * i, &one, sizeof one);
        else
            memcpy((char *)t.data + 2 * i, &one_bf16, sizeof one_bf16);
}

/* Memory for the ways that are set now. */
static at_status equip(trial *t, at_error *err) {
    at_step *s = &t->s;
    size_t scratch = s->scratch_bytes * (size_t)at_threads();
    size_t stage = s->stage_bytes * (size_t)at_threads();
    size_t bytes = tensor_bytes(s->out[0]) + tensor_bytes(s->d_out) + tensor_bytes(t->in) +
                   tensor_bytes(t->d_in) + rounded(s->kept_bytes) + rounded(s->work_bytes) +
                   rounded(scratch) + rounded(stage) + ALIGN;
    free(t->memory);
    t->memory = aligned_alloc(ALIGN, rounded(bytes));
    if (t->memory == NULL) return at_fail_memory(err, "timing a convolution", bytes);
    char *free = t->memory;
    t->in.data = take(&free, tensor_bytes(t->in));
    t->d_in.data = take(&free, tensor_bytes(t->d_in));
    s->out[0].data = take(&free, tensor_bytes(s->out[0]));
    s->d_out.data = take(&free, tensor_bytes(s->d_out));
    s->kept = take(&free, s->kept_bytes);
    s->work = take(&free, s->work_bytes);
    s->scratch = take(&free, scratch);
    s->stage = take(&free, stage);
    fill(t->in);
    fill(s->out[0]);
    fill(s->d_out);
    return AT_OK;
}

static size_t gradient_bytes(const at_step *s, int i) {
    return (size_t)at_graph_param(s->node->graph, s->node->params[i])->count * sizeof(float);
}

static at_status keep_gradients(trial *t, at_error *err) {
    for (int i = 0; i < t->s.node->param_count && t->s.mode == AT_TRAIN; i++) {
        if (t->gradients[i] != NULL) continue;
        size_t bytes = gradient_bytes(&t->s, i);
        t->gradients[i] = malloc(bytes);
        if (t->gradients[i] == NULL) return at_fail_memory(err, "timing a convolution", bytes);
        memcpy(t->gradients[i], at_step_param_grad(&t->s, i), bytes);
    }
    return AT_OK;
}

static void trial_free(trial *t) {
    for (int i = 0; i < 2 && t->gradients[i] != NULL; i++) {
        memcpy(at_step_param_grad(&t->s, i), t->gradients[i], gradient_bytes(&t->s, i));
        free(t->gradients[i]);
    }
    free(t->memory);
    at_conv_node_release(&t->s);
}

/* ---- timing ---- */

static void run(trial *t, at_conv_sum sum) {
    if (sum == (t->pass == AT_CONV_FORWARD ? AT_SUM_FORWARD : AT_SUM_DATA)) {
        at_conv_node_forward(&t->s, t->conv, t->pass);
        return;
    }
    void *d_in = t->d_in.data;
    if (sum == AT_SUM_WEIGHTS) t->d_in.data = NULL;
    at_conv_node_backward(&t->s, t->conv, t->pass);
    t->d_in.data = d_in;
}

/* The shortest of a few runs after a first one; of one alone if that is hopeless. */
static double seconds(trial *t, at_conv_sum sum, double best) {
    double least = DBL_MAX;
    for (int i = 0; i <= RUNS; i++) {
        double begin = now();
        run(t, sum);
        double took = now() - begin;
        if (took > 3 * best) return took;
        if (i > 0 && took < least) least = took;
    }
    return least;
}

static at_status fastest(trial *t, at_conv_sum sum, int *way, at_error *err) {
    const int guess = at_conv_node_way(&t->s, sum);
    double best = DBL_MAX;
    *way = guess;
    for (int i = 0; i < AT_CONV_WAYS; i++) {
        int w = i == 0 ? guess : i <= guess ? i - 1 : i; /* the guess first */
        if (!at_conv_node_can(&t->s, t->conv, sum, w)) continue;
        at_conv_node_set_way(&t->s, sum, w);
        at_conv_node_lay_out(&t->s, t->conv, t->pass);
        AT_TRY(equip(t, err));
        double took = seconds(t, sum, best);
        if (took >= (i == 0 ? best : 0.97 * best)) continue;
        best = took;
        *way = w;
    }
    at_conv_node_set_way(&t->s, sum, *way);
    return AT_OK;
}

/* ---- choosing ---- */

static int choices(const at_step *s, const at_conv *c, at_conv_sum sum) {
    int count = 0;
    for (int w = 0; w < AT_CONV_WAYS; w++) count += at_conv_node_can(s, c, sum, w);
    return count;
}

/* The problem's name in the table: all that time depends on but the machine. */
static void describe(char *text, const at_step *s, const at_conv *c, at_conv_sum sum) {
    static const char *const names[] = {"forward", "data", "weights"};
    snprintf(text, PROBLEM,
             "%s %dx%dx%dx%d-%dx%dx%d kernel %dx%d padding %dx%d dilation %dx%d%s%s%s", names[sum],
             c->x.n, c->x.h, c->x.w, c->x.c, c->y.h, c->y.w, c->y.c, c->kernel.h, c->kernel.w,
             c->padding.h, c->padding.w, c->dilation.h, c->dilation.w,
             s->mode == AT_TRAIN ? "" : " inference", s->in[0].dtype == AT_BF16 ? " from bf16" : "",
             s->out[0].dtype == AT_BF16 ? " to bf16" : "");
}

static int known(const at_step *s, const at_conv *c, at_conv_sum sum, const char *problem) {
    const char *name = at_tuning_find(s->tuning, problem);
    for (int w = 0; name != NULL && w < AT_CONV_WAYS; w++)
        if (strcmp(name, at_conv_way_names[w]) == 0 && at_conv_node_can(s, c, sum, w)) return w;
    return -1;
}

/* One of the three sums: remembered or timed with a trial that is made when the first needs it. */
static at_status choose(at_step *s, const at_conv *c, at_conv_sum sum, trial *t, at_error *err) {
    char problem[PROBLEM];
    describe(problem, s, c, sum);
    int way = known(s, c, sum, problem);
    bool timed = way < 0;
    if (timed && !s->may_time) return AT_OK;
    if (timed) AT_TRY(keep_gradients(t, err));
    for (int i = 0; i < AT_CONV_SUMS; i++)
        at_conv_node_set_way(&t->s, (at_conv_sum)i, at_conv_node_way(s, (at_conv_sum)i));
    if (timed) AT_TRY(fastest(t, sum, &way, err));
    at_conv_node_set_way(s, sum, way);
    return at_tuning_use(s->tuning, problem, at_conv_way_names[way], timed)
               ? AT_OK
               : at_fail_memory(err, "what tuning remembers", 0);
}

/* Narrow maps are computed in fp32 alone, and only the runner makes copies for that. */
static bool only_fp32(const at_step *s, const at_conv *c) {
    bool bf16 = s->in[0].dtype == AT_BF16 || s->out[0].dtype == AT_BF16;
    for (int w = 0; w < AT_CONV_WAYS && bf16; w++)
        if (strcmp(at_conv_way_names[w], "narrow") == 0)
            return at_conv_node_can(s, c, AT_SUM_FORWARD, w) ||
                   at_conv_node_can(s, c, AT_SUM_DATA, w);
    return false;
}

at_status at_conv_tune(at_step *s, const at_conv *c, at_conv_pass pass, at_error *err) {
    at_conv_sum made = pass == AT_CONV_FORWARD ? AT_SUM_FORWARD : AT_SUM_DATA;
    at_conv_sum given = pass == AT_CONV_FORWARD ? AT_SUM_DATA : AT_SUM_FORWARD;
    at_conv_sum sums[] = {made, AT_SUM_WEIGHTS, given};
    trial t = {.s = *s, .in = s->in[0], .d_in = s->d_in[0], .first = true, .conv = c, .pass = pass};
    t.s.in = &t.in;
    t.s.d_in = &t.d_in;
    t.s.first = &t.first;
    t.s.version = 1;
    t.s.stage_bytes = at_stage_bytes(c->x.c > c->y.c ? c->x.c : c->y.c);
    if (only_fp32(s, c)) return AT_OK;
    AT_TRY(at_conv_node_state(&t.s, err));
    at_status status = AT_OK;
    for (int i = 0; i < (s->mode == AT_TRAIN ? 3 : 1) && status == AT_OK; i++)
        if (choices(s, c, sums[i]) > 1) status = choose(s, c, sums[i], &t, err);
    trial_free(&t);
    return status;
}
