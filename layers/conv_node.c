/* SPDX-License-Identifier: MIT */
/* The steps of conv2d and conv_transpose2d: packing weights (with a folded norm in inference),
 * running the pass that makes the output, and the two gradients. */
#include "layers/conv_node.h"

#include <math.h>
#include <stdlib.h>

#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"
#include "layers/winograd.h"

/* ---- building ---- */

static void default_pair(at_pair *p) {
    if (p->h == 0) p->h = 1;
    if (p->w == 0) p->w = 1;
}

static bool in_range(at_pair p, int least, int most) {
    return p.h >= least && p.w >= least && p.h <= most && p.w <= most;
}

bool at_conv_node_defaults(at_graph *g, const char *name, at_pair *kernel, at_pair *stride,
                           at_pair *padding, at_pair *dilation, int *groups, int in_channels,
                           int out_channels) {
    enum { MOST = 1 << 14 };
    default_pair(stride);
    default_pair(dilation);
    if (*groups == 0) *groups = 1;
    if (!in_range(*kernel, 1, AT_MAX_KERNEL))
        at_graph_fail(g, "%s: kernel %d x %d must be 1 .. %d", name, kernel->h, kernel->w,
                      AT_MAX_KERNEL);
    else if (!in_range(*stride, 1, MOST) || !in_range(*padding, 0, MOST) ||
             !in_range(*dilation, 1, MOST))
        at_graph_fail(g, "%s: stride, padding or dilation out of range", name);
    else if (*groups < 1 || in_channels % *groups != 0 || out_channels < 1 ||
             out_channels % *groups != 0)
        at_graph_fail(g, "%s: %d groups must divide %d input and %d output channels", name, *groups,
                      in_channels, out_channels);
    return !at_graph_failed(g);
}

void at_describe_pair(json_t *attrs, const char *key, at_pair p) {
    json_object_set_new(attrs, key, json_pack("[ii]", p.h, p.w));
}

void at_describe_window(json_t *attrs, at_pair kernel, at_pair stride, at_pair padding,
                        at_pair dilation) {
    at_describe_pair(attrs, "kernel", kernel);
    at_describe_pair(attrs, "stride", stride);
    at_describe_pair(attrs, "padding", padding);
    at_describe_pair(attrs, "dilation", dilation);
}

/* ---- a step's memory ---- */

bool at_conv_node_absorb(at_step *s, const at_node *next) {
    if (s->mode == AT_INFER && next->op == &at_op_batch_norm && s->norm == NULL &&
        s->activation == AT_ACT_NONE) {
        s->norm = next;
        return true;
    }
    if (next->op == &at_op_relu && s->activation == AT_ACT_NONE) {
        s->activation = AT_ACT_RELU;
        s->needs |= AT_NEEDS_OUTPUT; /* its sign is the gradient's mask */
        return true;
    }
    return false;
}

static at_conv_pass other(at_conv_pass pass) {
    return pass == AT_CONV_FORWARD ? AT_CONV_DATA : AT_CONV_FORWARD;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

typedef enum conv_way { DIRECT = 0, NARROW, WINOGRAD, STAGED, DOT } conv_way;
const char *const at_conv_way_names[AT_CONV_WAYS] = {"direct", "narrow", "winograd", "staged",
                                                     "dot"};

/* How a node computes; chosen when it is planned, from shapes and the machine's vector width alone,
 * or by timing (conv_tune.c). */
typedef struct conv_state {
    conv_way way[2]; /* of each pass */
    conv_way dw_way;
    size_t wide;         /* where in work fp32 copies begin */
    size_t packed_bytes; /* the largest packed weights, where they lie at the start of work: in
                          * training, and where nothing is worth keeping */
    uint64_t packed;     /* inference keeps packed weights: of this version of the parameters */
} conv_state;

/* AUTO takes Winograd where it is clearly faster; WINOGRAD wherever there is a scheme. */
static conv_way choose(const at_step *s, const at_conv *c, at_conv_pass pass, at_tensor src) {
    bool dot = src.dtype == AT_BF16 && at_conv_dot_fits(c, pass);
    conv_way direct = dot ? DOT : at_narrow_fits(c, pass) ? NARROW : DIRECT;
    if (s->conv == AT_CONV_DIRECT || !at_winograd_fits(c)) return direct;
    double fused = at_winograd_cost(c, pass), best = fused;
    conv_way way = WINOGRAD;
    if (at_staged_fits(c) && at_staged_cost(c, pass) < fused) {
        way = STAGED;
        best = at_staged_cost(c, pass);
    }
    return s->conv == AT_CONV_WINOGRAD || best < 0.8 * at_direct_cost(c, pass, dot) ? way : direct;
}

/* Where the data gradient is NARROW all of backward is given fp32 copies. */
static conv_way choose_dw(const at_step *s, const at_conv *c, conv_way data) {
    bool bf16 = s->in[0].dtype == AT_BF16 && s->d_out.dtype == AT_BF16 && data != NARROW;
    at_tensor like = {.dtype = bf16 && at_dot_dw_fits(c) ? AT_BF16 : AT_F32};
    conv_way way = choose(s, c, AT_CONV_FORWARD, like);
    if (like.dtype == AT_BF16 && way != WINOGRAD && way != STAGED) return DOT;
    if (way == DIRECT || way == NARROW) return DIRECT;
    return at_staged_fits(c) && at_winograd_dw_splits(c) ? STAGED : WINOGRAD;
}

static size_t lines(size_t bytes) {
    return (bytes + 63) / 64 * 64;
}

static size_t packed_bytes(const at_conv *c, at_conv_pass pass, conv_way way) {
    size_t count = way == DIRECT   ? at_conv_packed_count(c, pass, false)
                   : way == DOT    ? at_conv_packed_count(c, pass, true)
                   : way == NARROW ? at_narrow_packed_count(c, pass)
                                   : at_winograd_packed_count(c, pass);
    return lines(count * sizeof(float));
}

static size_t pass_work(const at_conv *c, at_conv_pass pass, conv_way way) {
    return way == STAGED ? lines(at_staged_bytes(c, pass)) : 0;
}

static size_t dw_work(const at_conv *c, conv_way way) {
    return way == STAGED     ? at_staged_dw_bytes(c)
           : way == DOT      ? at_dot_dw_work_bytes(c)
           : way == WINOGRAD ? at_winograd_dw_work_bytes(c)
                             : at_conv_dw_work_bytes(c);
}

static void training_memory(at_step *s, const at_conv *c, conv_state *state) {
    for (int i = 0; i < 2; i++)
        state->packed_bytes =
            larger(state->packed_bytes, packed_bytes(c, (at_conv_pass)i, state->way[i]));
    for (int i = 0; i < 2; i++)
        s->work_bytes = larger(s->work_bytes,
                               state->packed_bytes + pass_work(c, (at_conv_pass)i, state->way[i]));
    s->work_bytes = larger(s->work_bytes, dw_work(c, state->dw_way));
    s->work_bytes = larger(s->work_bytes, at_bias_grad_work_bytes(s->out[0].shape));
    if (state->dw_way == WINOGRAD)
        s->scratch_bytes = larger(s->scratch_bytes, at_winograd_dw_scratch_bytes(c));
    if (state->dw_way == DOT)
        s->scratch_bytes = larger(s->scratch_bytes, at_dot_dw_scratch_bytes(c));
}

/* work, behind packed weights: a folded norm's scale and bias while packing; a pass's own otherwise.
 */
static void inference_memory(at_step *s, const at_conv *c, at_conv_pass pass, conv_state *state) {
    size_t packed = packed_bytes(c, pass, state->way[pass]);
    if (s->once)
        state->packed_bytes = packed;
    else
        s->kept_bytes = packed;
    s->work_bytes = state->packed_bytes + larger(2 * (size_t)s->out[0].shape.c * sizeof(float),
                                                 pass_work(c, pass, state->way[pass]));
}

/* ---- bf16: direct computation reads fp32, so it is given copies of what is not, in work ---- */

static bool reads_f32(conv_way way) {
    return way == DIRECT;
}

/* Behind all other work: the input, and in backward the output's gradient. */
static size_t wide_bytes(const at_step *s, at_conv_pass pass, const conv_state *state) {
    size_t in = at_tensor_wide_bytes(s->in[0]), out = at_tensor_wide_bytes(s->d_out);
    conv_way data = state->way[other(pass)];
    if (reads_f32(state->dw_way) && s->mode == AT_TRAIN) return in + out;
    if (reads_f32(data) && s->mode == AT_TRAIN) return larger(in, out);
    return reads_f32(state->way[pass]) ? in : 0;
}

static at_tensor widened(const at_step *s, at_tensor t, size_t offset) {
    const conv_state *state = s->state;
    if (t.dtype != AT_BF16) return t;
    at_tensor wide = {(char *)s->work + state->wide + offset, t.shape, t.shape.c, AT_F32};
    at_tensor_convert(wide, t);
    return wide;
}

at_status at_conv_node_state(at_step *s, at_error *err) {
    s->state = calloc(1, sizeof(conv_state));
    return s->state != NULL ? AT_OK
                            : at_fail_memory(err, "a convolution's state", sizeof(conv_state));
}

void at_conv_node_lay_out(at_step *s, const at_conv *c, at_conv_pass pass) {
    bool depthwise = at_conv_is_depthwise(c);
    conv_state *state = s->state;
    s->work_bytes = s->kept_bytes = state->packed_bytes = 0;
    s->scratch_bytes = at_conv_scratch_bytes(c);
    if (state->way[0] == NARROW || state->way[1] == NARROW)
        s->scratch_bytes = larger(s->scratch_bytes, at_narrow_scratch_bytes(c));
    if (state->way[0] == WINOGRAD || state->way[1] == WINOGRAD)
        s->scratch_bytes = larger(s->scratch_bytes, at_winograd_scratch_bytes(c));
    if (s->mode == AT_TRAIN)
        training_memory(s, c, state);
    else
        inference_memory(s, c, pass, state);
    s->scratch_bytes = lines(s->scratch_bytes);
    state->wide = lines(s->work_bytes);
    s->work_bytes = state->wide + wide_bytes(s, pass, state);
    s->takes_bf16 = state->way[pass] != NARROW && !depthwise ? AT_PASS_FORWARD : 0;
    if (state->way[other(pass)] != NARROW && !depthwise) s->takes_bf16 |= AT_PASS_BACKWARD;
}

at_status at_conv_node_prepare(at_step *s, const at_conv *c, at_conv_pass pass, at_error *err) {
    AT_TRY(at_conv_node_state(s, err));
    conv_state *state = s->state;
    state->way[pass] = choose(s, c, pass, s->in[0]);
    state->way[other(pass)] = choose(s, c, other(pass), s->d_out);
    state->dw_way = choose_dw(s, c, state->way[other(pass)]);
    if (s->conv == AT_CONV_TUNE && s->tuning != NULL) AT_TRY(at_conv_tune(s, c, pass, err));
    at_conv_node_lay_out(s, c, pass);
    return AT_OK;
}

/* ---- for conv_tune.c ---- */

int at_conv_node_way(const at_step *s, at_conv_sum sum) {
    const conv_state *state = s->state;
    return (int)(sum == AT_SUM_WEIGHTS ? state->dw_way : state->way[sum]);
}

void at_conv_node_set_way(at_step *s, at_conv_sum sum, int way) {
    conv_state *state = s->state;
    *(sum == AT_SUM_WEIGHTS ? &state->dw_way : &state->way[sum]) = (conv_way)way;
    state->packed = 0;
}

bool at_conv_node_can(const at_step *s, const at_conv *c, at_conv_sum sum, int way) {
    bool bf16 = s->in[0].dtype == AT_BF16 && s->d_out.dtype == AT_BF16;
    bool weights = sum == AT_SUM_WEIGHTS;
    switch ((conv_way)way) {
    case DIRECT:
        return true;
    case NARROW:
        return !weights && at_narrow_fits(c, (at_conv_pass)sum);
    case WINOGRAD:
        return at_winograd_fits(c);
    case STAGED:
        return at_staged_fits(c);
    case DOT:
        return bf16 && (weights ? at_dot_dw_fits(c) : at_conv_dot_fits(c, (at_conv_pass)sum));
    }
    return false;
}

void at_conv_node_release(at_step *s) {
    free(s->state);
}

static void pack(const at_step *s, const at_conv *c, at_conv_pass pass, const float *scale,
                 const float *bias, float *packed) {
    const conv_state *state = s->state;
    conv_way way = state->way[pass];
    if (way == DIRECT || way == DOT)
        at_conv_pack(c, pass, way == DOT, at_step_param(s, 0), scale, bias, packed);
    else if (state->way[pass] == NARROW)
        at_narrow_pack(c, pass, scale, bias, packed);
    else
        at_winograd_pack(c, pass, at_step_param(s, 0), scale, bias, packed);
}

static void run(const at_step *s, at_conv_call *call) {
    const conv_state *state = s->state;
    call->work = (char *)s->work + state->packed_bytes;
    call->dot = state->way[call->pass] == DOT;
    switch (state->way[call->pass]) {
    case DIRECT:
    case DOT:
        at_conv_run(call);
        break;
    case NARROW:
        at_narrow_run(call, at_step_param(s, 0));
        break;
    case WINOGRAD:
        at_winograd_run(call);
        break;
    case STAGED:
        at_staged_run(call);
    }
}

static void weight_gradient(const at_step *s, const at_conv *c, at_tensor x, at_tensor dy) {
    const conv_state *state = s->state;
    float *dw = at_step_param_grad(s, 0);
    if (state->dw_way == STAGED)
        at_staged_dw(c, x, dy, dw, s->work);
    else if (state->dw_way == WINOGRAD)
        at_winograd_dw(c, x, dy, dw, s->work, s->scratch, s->scratch_bytes);
    else if (state->dw_way == DOT)
        at_dot_dw(c, x, dy, dw, s->work, s->scratch, s->scratch_bytes);
    else
        at_conv_dw(c, at_f32(x), x.ld, at_f32(dy), dy.ld, dw, s->work);
}

/* ---- forward ---- */

static const float *bias_of(const at_step *s) {
    return s->node->param_count > 1 ? at_step_param(s, 1) : NULL;
}

/* y = (conv + b - mean) w / sqrt(var + eps) + bias, as a scale and a bias of the convolution. */
static void fold_norm(const at_step *s, float *scale, float *bias) {
    const float *weight = at_node_param(s->norm, 0), *beta = at_node_param(s->norm, 1);
    const float *mean = at_node_param(s->norm, 2), *var = at_node_param(s->norm, 3),
                *own = bias_of(s);
    const at_batch_norm_opts *norm = s->norm->attrs;
    for (int c = 0; c < s->out[0].shape.c; c++) {
        double k = weight[c] / sqrt((double)var[c] + norm->eps);
        scale[c] = (float)k;
        bias[c] = (float)(beta[c] + k * ((own != NULL ? own[c] : 0) - (double)mean[c]));
    }
}

static const float *packed_weights(const at_step *s, const at_conv *c, at_conv_pass pass) {
    conv_state *state = s->state;
    bool keeps = s->mode == AT_INFER && !s->once;
    float *packed = keeps ? s->kept : s->work;
    if (keeps && state->packed == s->version) return packed;
    const float *scale = NULL, *bias = bias_of(s);
    if (s->norm != NULL) {
        float *folded = (float *)(void *)((char *)s->work + state->packed_bytes);
        fold_norm(s, folded, folded + s->out[0].shape.c);
        scale = folded;
        bias = folded + s->out[0].shape.c;
    }
    pack(s, c, pass, scale, bias, packed);
    state->packed = s->version;
    return packed;
}

void at_conv_node_forward(const at_step *s, const at_conv *c, at_conv_pass pass) {
    const conv_state *state = s->state;
    at_conv_call call = {.conv = *c,
                         .pass = pass,
                         .src = reads_f32(state->way[pass]) ? widened(s, s->in[0], 0) : s->in[0],
                         .dst = s->out[0],
                         .packed = packed_weights(s, c, pass),
                         .relu = s->activation == AT_ACT_RELU,
                         .scratch = s->scratch,
                         .scratch_bytes = s->scratch_bytes};
    run(s, &call);
}

/* ---- backward ---- */

/* d_out of the absorbed ReLU becomes d_out of the convolution, in place. */
static void mask_strip(const at_step *s, const at_strip *p) {
    (void)s;
    at_kernels_get()->drelu(p->t[0], p->t[0], p->t[1], p->rows, p->cols, false);
}

static void data_gradient(const at_step *s, const at_conv *c, at_conv_pass pass, at_tensor d) {
    at_conv_call call = {.conv = *c,
                         .pass = pass,
                         .src = d,
                         .dst = s->d_in[0],
                         .packed = s->work,
                         .add = !s->first[0],
                         .scratch = s->scratch,
                         .scratch_bytes = s->scratch_bytes};
    pack(s, c, pass, NULL, NULL, s->work);
    run(s, &call);
}

void at_conv_node_backward(const at_step *s, const at_conv *c, at_conv_pass pass) {
    const conv_state *state = s->state;
    at_tensor in = s->in[0], d = s->d_out, wide_d = d;
    bool dw_wide = reads_f32(state->dw_way), data_wide = reads_f32(state->way[other(pass)]);
    if (s->activation == AT_ACT_RELU)
        at_for_strips(s, mask_strip, AT_STRIP_ELEMENTS, (at_tensor[]){d, s->out[0]}, 2, 1);
    if (s->node->param_count > 1) at_bias_grad(s, at_step_param_grad(s, 1));
    if (dw_wide) in = widened(s, in, 0);
    if (dw_wide || (data_wide && s->d_in[0].data != NULL))
        wide_d = widened(s, d, dw_wide ? at_tensor_wide_bytes(s->in[0]) : 0);
    at_tensor dw_d = dw_wide ? wide_d : d;
    weight_gradient(s, c, pass == AT_CONV_FORWARD ? in : dw_d, pass == AT_CONV_FORWARD ? dw_d : in);
    if (s->d_in[0].data != NULL) data_gradient(s, c, other(pass), data_wide ? wide_d : d);
}
