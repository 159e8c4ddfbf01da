/* SPDX-License-Identifier: MIT */
/* The steps of conv2d and conv_transpose2d: packing weights (with a folded norm in inference),
 * running the pass that makes the output, and the two gradients. */
#include "layers/conv_node.h"

#include <math.h>
#include <stdlib.h>

#include "layers/layers.h"
#include "layers/list.h"
#include "nn/kernels/kernels.h"

/* ---- building
 * ------------------------------------------------------------------------------------------- */

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

/* ---- a step's memory
 * -------------------------------------------------------------------------------------- */

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

static size_t packed_bytes(const at_conv *c, at_conv_pass pass) {
    return (at_conv_packed_count(c, pass) * sizeof(float) + 63) / 64 * 64;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* Inference keeps packed weights from run to run; state holds the version they were packed from. */
at_status at_conv_node_prepare(at_step *s, const at_conv *c, at_conv_pass pass, at_error *err) {
    size_t packed = packed_bytes(c, pass);
    s->scratch_bytes = at_conv_scratch_bytes(c);
    if (s->mode == AT_TRAIN) {
        s->work_bytes =
            larger(larger(packed, packed_bytes(c, other(pass))),
                   larger(at_conv_dw_work_bytes(c), at_bias_grad_work_bytes(s->out[0].shape)));
        return AT_OK;
    }
    s->kept_bytes = packed;
    s->work_bytes = 2 * (size_t)s->out[0].shape.c * sizeof(float);
    s->state = calloc(1, sizeof(uint64_t));
    return s->state ? AT_OK : at_fail_memory(err, "a convolution's state", sizeof(uint64_t));
}

void at_conv_node_release(at_step *s) {
    free(s->state);
}

/* ---- forward
 * -------------------------------------------------------------------------------------------------
 */

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
    uint64_t *packed_version = s->state;
    float *packed = s->mode == AT_TRAIN ? s->work : s->kept;
    if (s->mode == AT_INFER && *packed_version == s->version) return packed;
    const float *scale = NULL, *bias = bias_of(s);
    if (s->norm != NULL) {
        float *folded = s->work;
        fold_norm(s, folded, folded + s->out[0].shape.c);
        scale = folded;
        bias = folded + s->out[0].shape.c;
    }
    at_conv_pack(c, pass, at_step_param(s, 0), scale, bias, packed);
    if (s->mode == AT_INFER) *packed_version = s->version;
    return packed;
}

void at_conv_node_forward(const at_step *s, const at_conv *c, at_conv_pass pass) {
    at_conv_call call = {.conv = *c,
                         .pass = pass,
                         .src = at_f32(s->in[0]),
                         .src_ld = s->in[0].ld,
                         .dst = at_f32(s->out[0]),
                         .dst_ld = s->out[0].ld,
                         .packed = packed_weights(s, c, pass),
                         .relu = s->activation == AT_ACT_RELU,
                         .scratch = s->scratch,
                         .scratch_bytes = s->scratch_bytes};
    at_conv_run(&call);
}

/* ---- backward
 * -------------------------------------------------------------------------------------------------
 */

enum { MASK_PIXELS = 1024 };

/* d_out of the absorbed ReLU becomes d_out of the convolution, in place. */
static void mask_body(void *arg, int64_t index, int worker) {
    const at_step *s = arg;
    int64_t begin = index * MASK_PIXELS, rest = at_shape_pixels(s->d_out.shape) - begin;
    at_rows d = {at_f32(s->d_out) + begin * s->d_out.ld, s->d_out.ld};
    at_rows y = {at_f32(s->out[0]) + begin * s->out[0].ld, s->out[0].ld};
    (void)worker;
    at_kernels_get()->drelu(d, d, y, rest < MASK_PIXELS ? rest : MASK_PIXELS, s->d_out.shape.c,
                            false);
}

static void data_gradient(const at_step *s, const at_conv *c, at_conv_pass pass) {
    at_conv_call call = {.conv = *c,
                         .pass = pass,
                         .src = at_f32(s->d_out),
                         .src_ld = s->d_out.ld,
                         .dst = at_f32(s->d_in[0]),
                         .dst_ld = s->d_in[0].ld,
                         .packed = s->work,
                         .add = !s->first[0],
                         .scratch = s->scratch,
                         .scratch_bytes = s->scratch_bytes};
    at_conv_pack(c, pass, at_step_param(s, 0), NULL, NULL, s->work);
    at_conv_run(&call);
}

void at_conv_node_backward(const at_step *s, const at_conv *c, at_conv_pass pass) {
    at_tensor in = s->in[0], d = s->d_out;
    if (s->activation == AT_ACT_RELU)
        at_parallel_for((at_shape_pixels(d.shape) + MASK_PIXELS - 1) / MASK_PIXELS, mask_body,
                        (void *)(uintptr_t)s);
    if (s->node->param_count > 1) at_bias_grad(d, at_step_param_grad(s, 1), s->work);
    if (pass == AT_CONV_FORWARD)
        at_conv_dw(c, at_f32(in), in.ld, at_f32(d), d.ld, at_step_param_grad(s, 0), s->work);
    else
        at_conv_dw(c, at_f32(d), d.ld, at_f32(in), in.ld, at_step_param_grad(s, 0), s->work);
    if (s->d_in[0].data != NULL) data_gradient(s, c, other(pass));
}
