/* SPDX-License-Identifier: MIT */
/* global_avg_pool2d (adaptive_avg_pool2d with output_size 1): the mean over each image. Pixels are
 * summed in blocks, in fp32, and the blocks' sums in order, in double. */
#include "layers/layers.h"
#include "layers/list.h"
#include "nn/kernels/kernels.h"

enum { BLOCK = 512 }; /* pixels */

static int64_t image_pixels(at_shape s) {
    return (int64_t)s.h * s.w;
}

static int64_t block_count(at_shape s) {
    return (image_pixels(s) + BLOCK - 1) / BLOCK;
}

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    (void)node, (void)err;
    out[0].shape = (at_shape){in[0].n, 1, 1, out[0].shape.c};
    return AT_OK;
}

/* Work: forward, the blocks' sums [n, blocks, c]; backward, one pixel an image, [n, c]. */
static at_status prepare(at_step *s, at_error *err) {
    at_shape x = s->in[0].shape;
    (void)err;
    s->work_bytes = (size_t)x.n * (size_t)block_count(x) * (size_t)x.c * sizeof(float);
    return AT_OK;
}

/* Block `index` of an activation: its first pixel, and how many there are. */
static float *block_of(at_tensor t, int64_t index, int64_t *pixels) {
    int64_t blocks = block_count(t.shape), image = index / blocks;
    int64_t first = index % blocks * BLOCK, rest = image_pixels(t.shape) - first;
    *pixels = rest < BLOCK ? rest : BLOCK;
    return at_f32(t) + (image * image_pixels(t.shape) + first) * t.ld;
}

static void sum_block(void *arg, int64_t index, int worker) {
    const at_step *s = arg;
    at_tensor x = s->in[0];
    float *sum = (float *)s->work + index * x.shape.c;
    int64_t pixels;
    const float *p = block_of(x, index, &pixels);
    (void)worker;
    for (int j = 0; j < x.shape.c; j++) sum[j] = 0;
    at_kernels_get()->pixel_sum(sum, p, x.ld, pixels, x.shape.c);
}

static void mean_of(const at_step *s, int image) {
    at_shape x = s->in[0].shape;
    int64_t blocks = block_count(x);
    const float *sums = (const float *)s->work + image * blocks * x.c;
    for (int j = 0; j < x.c; j++) {
        double sum = 0;
        for (int64_t b = 0; b < blocks; b++) sum += sums[b * x.c + j];
        at_f32(s->out[0])[image * s->out[0].ld + j] = (float)(sum / (double)image_pixels(x));
    }
}

static void forward(const at_step *s) {
    at_shape x = s->in[0].shape;
    at_step copy = *s;
    at_parallel_for(x.n * block_count(x), sum_block, &copy);
    for (int i = 0; i < x.n; i++) mean_of(s, i);
}

static void spread_block(void *arg, int64_t index, int worker) {
    const at_step *s = arg;
    at_tensor dx = s->d_in[0];
    int64_t pixels, image = index / block_count(dx.shape);
    float *p = block_of(dx, index, &pixels);
    at_rows row = {(float *)s->work + image * dx.shape.c, 0};
    (void)worker;
    at_kernels_get()->copy((at_rows){p, dx.ld}, row, pixels, dx.shape.c, !s->first[0]);
}

static void backward(const at_step *s) {
    at_shape x = s->in[0].shape;
    at_step copy = *s;
    if (s->d_in[0].data == NULL) return;
    for (int i = 0; i < x.n; i++)
        for (int j = 0; j < x.c; j++)
            ((float *)s->work)[i * x.c + j] =
                at_f32(s->d_out)[i * s->d_out.ld + j] / (float)image_pixels(x);
    at_parallel_for(x.n * block_count(x), spread_block, &copy);
}

static void cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    (void)node, (void)out;
    cost->bytes = 4.0 * (double)at_shape_count(in[0]);
}

static void reach(const at_node *node, at_reach *r) {
    (void)node;
    r->global = true;
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    (void)node, (void)in, (void)out;
    json_object_set_new(attrs, "output_size", json_pack("[ii]", 1, 1));
}

const at_op at_op_global_avg_pool2d = {
    .name = "adaptive_avg_pool2d",
    .flags = AT_FIRST_WRITE,
    .shape = shape,
    .prepare = prepare,
    .forward = forward,
    .backward = backward,
    .cost = cost,
    .reach = reach,
    .describe = describe,
};

at_node *at_global_avg_pool2d(at_graph *g, const char *name, at_node *x) {
    return at_node_new(g, &at_op_global_avg_pool2d, name, &x, 1, x ? x->channels : 0, NULL, 0);
}
