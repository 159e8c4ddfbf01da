/* SPDX-License-Identifier: MIT */
/* Convolution in all its forms, private to the layers. A convolution x -> y has three computations:
 * forward (y from x), data (dx from dy) and weights (dw from x and dy). Transposed convolution is
 * the data computation of the convolution it transposes. Weights lie as [kh][kw][x channels /
 * groups] [y channels] (AT_LAYOUT_CONV).
 *
 * Forward and data are one thing here: both sum, for each pixel of their destination, products over
 * taps into their source. Where the convolution has a stride, data falls apart into stride.h *
 * stride.w phases: the destination pixels of one phase meet the same taps, one source pixel apart.
 */
#ifndef AT_LAYERS_CONV_H
#define AT_LAYERS_CONV_H

#include "nn/nn.h"

enum { AT_MAX_KERNEL = 255 };

typedef struct at_conv {
    at_shape x, y;
    at_pair kernel, stride, padding, dilation;
    int groups;
} at_conv;

/* Pixels that meet no other are one long line: a 1 x 1 convolution is recut into rows whose length
 * fills the kernels' tiles. */
void at_conv_flatten(at_conv *c);

typedef enum at_conv_pass { AT_CONV_FORWARD, AT_CONV_DATA } at_conv_pass;

/* ---- geometry along one axis (conv_axis.c) ---- */

/* Destination positions first + r * step, r < count, read source positions r * in_step + offset[t]
 * with kernel element k[t], for those t whose position lies inside 0 .. in_size - 1. */
typedef struct at_conv_axis {
    int first, step, count;
    int in_step, in_size;
    int taps;
    int16_t k[AT_MAX_KERNEL];
    int offset[AT_MAX_KERNEL];
} at_conv_axis;

/* Phases of a pass along an axis: 1 forward, the stride for data. */
int at_conv_phases(at_conv_pass pass, int stride);
at_conv_axis at_conv_axis_make(at_conv_pass pass, int phase, int x_size, int y_size, at_window w);

/* The first r at which tap t is inside, and the first behind that where it no longer is. */
void at_conv_axis_valid(const at_conv_axis *a, int t, int *begin, int *end);

/* The end of the run of positions from r on at which the same taps are inside as at r. */
int at_conv_axis_run(const at_conv_axis *a, int r);

/* ---- direct convolution by tiles (conv_direct.c, conv_direct_dw.c, conv_depthwise.c) ---- */

/* One pass of one convolution. src is x or dy, dst is y or dx. */
typedef struct at_conv_call {
    at_conv conv;
    at_conv_pass pass;
    at_tensor src, dst;
    const float *packed; /* at_conv_pack's, with the bias behind the weights */
    bool dot;            /* src and packed weights are bf16 */
    bool add;            /* add to dst instead of writing */
    bool relu;
    void *work;    /* at_staged_run's */
    char *scratch; /* at_conv_scratch bytes for each worker */
    size_t scratch_bytes;
} at_conv_call;

/* Can products be of bf16, and is that a gain here? The source must be bf16 then. */
bool at_conv_dot_fits(const at_conv *c, at_conv_pass pass);

/* Floats that packed weights and bias of a pass take; bytes of scratch for each worker. */
size_t at_conv_packed_count(const at_conv *c, at_conv_pass pass, bool dot);
size_t at_conv_scratch_bytes(const at_conv *c);

/* Packs weights for a pass. scale (one a destination channel) multiplies; bias is added by the
 * pass; either may be NULL. */
void at_conv_pack(const at_conv *c, at_conv_pass pass, bool dot, const float *weight,
                  const float *scale, const float *bias, float *packed);

/* The same for one panel of conv_nr destination channels and one tap, without groups: [source
 * channels][conv_nr]. */
void at_conv_pack_tap(const at_conv *c, at_conv_pass pass, const float *weight, const float *scale,
                      int panel, int tap, float *out);

void at_conv_run(const at_conv_call *call);

/* ---- maps that are small beside the kernel (conv_narrow.c) ---- */

/* `packed` holds but scale and bias; weights are read as they are. */
bool at_narrow_fits(const at_conv *c, at_conv_pass pass);
size_t at_narrow_packed_count(const at_conv *c, at_conv_pass pass);
size_t at_narrow_scratch_bytes(const at_conv *c);
void at_narrow_pack(const at_conv *c, at_conv_pass pass, const float *scale, const float *bias,
                    float *packed);
void at_narrow_run(const at_conv_call *call, const float *weight);

/* dw += the weight gradient. work: at_conv_dw_work_bytes. */
size_t at_conv_dw_work_bytes(const at_conv *c);
void at_conv_dw(const at_conv *c, const float *x, ptrdiff_t x_ld, const float *dy, ptrdiff_t dy_ld,
                float *dw, void *work);

/* The same with bf16 products, of bf16 tensors (conv_dot_dw.c). scratch: at_dot_dw_scratch_bytes for
 * each worker. */
bool at_dot_dw_fits(const at_conv *c);
size_t at_dot_dw_work_bytes(const at_conv *c);
size_t at_dot_dw_scratch_bytes(const at_conv *c);
void at_dot_dw(const at_conv *c, at_tensor x, at_tensor dy, float *dw, void *work, char *scratch,
               size_t scratch_bytes);

/* db[c] += sum over pixels of d_out; needs at_bias_grad_work_bytes of the step's work. */
size_t at_bias_grad_work_bytes(at_shape dy);
void at_bias_grad(const at_step *step, float *db);

static inline bool at_conv_is_depthwise(const at_conv *c) {
    return c->groups > 1 && c->groups == c->x.c && c->groups == c->y.c;
}

#endif
