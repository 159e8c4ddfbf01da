/* SPDX-License-Identifier: MIT */
/* pixel_shuffle: depth to space (Shi et al., CVPR 2016). Input channel c r r + i r + j of a pixel
 * is channel c of its sub-pixel (i, j). */
#include <stdlib.h>

#include "layers/chunks.h"
#include "layers/layers.h"
#include "layers/list.h"
#include "nn/kernels/kernels.h"

enum { MAX_FACTOR = 64 };

static int factor_of(const at_node *node) {
    return *(const int *)node->attrs;
}

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    int r = factor_of(node);
    if (in[0].h > INT32_MAX / r || in[0].w > INT32_MAX / r)
        return at_fail(err, AT_ERR_INPUT, "%d x %d pixels enlarged %d times are too many", in[0].h,
                       in[0].w, r);
    out[0].shape = (at_shape){in[0].n, in[0].h * r, in[0].w * r, out[0].shape.c};
    return AT_OK;
}

/* State: where sub-pixel i r + j lies relative to sub-pixel 0, in floats; filled in for the leading
 * dimension of each call. */
static at_status prepare(at_step *s, at_error *err) {
    size_t count = (size_t)factor_of(s->node) * (size_t)factor_of(s->node);
    s->state = malloc(count * sizeof(ptrdiff_t));
    return s->state ? AT_OK : at_fail_memory(err, "pixel shuffle", count * sizeof(ptrdiff_t));
}

static void release(at_step *s) {
    free(s->state);
}

/* Between the low tensor, [n, h, w, c r r], and the high one, [n, h r, w r, c]. */
typedef struct shuffling {
    at_tensor low, high;
    int r;
    ptrdiff_t *place;
    bool back, add;
    int64_t chunk; /* rows of low, of all images */
} shuffling;

static void shuffle_row(const shuffling *f, int64_t row) {
    const at_kernels *k = at_kernels_get();
    at_shape s = f->low.shape;
    int c = f->high.shape.c, q = f->r * f->r;
    float *low = at_f32(f->low) + row * s.w * f->low.ld;
    float *high = at_f32(f->high) + row * q * s.w * f->high.ld;
    if (f->back)
        k->dpixel_shuffle(low, f->low.ld, high, f->r * f->high.ld, f->place, s.w, c, q, f->add);
    else
        k->pixel_shuffle(high, f->r * f->high.ld, f->place, low, f->low.ld, s.w, c, q);
}

static void shuffle_chunk(void *arg, int64_t index, int worker) {
    const shuffling *f = arg;
    int64_t rows = (int64_t)f->low.shape.n * f->low.shape.h, end = (index + 1) * f->chunk;
    (void)worker;
    for (int64_t row = index * f->chunk; row < end && row < rows; row++) shuffle_row(f, row);
}

static void shuffle(shuffling f) {
    at_shape s = f.low.shape;
    int64_t rows = (int64_t)s.n * s.h;
    for (int i = 0; i < f.r; i++)
        for (int j = 0; j < f.r; j++)
            f.place[i * f.r + j] = ((ptrdiff_t)i * f.high.shape.w + j) * f.high.ld;
    f.chunk = at_chunk_rows(rows, 2 * (size_t)s.w * (size_t)s.c * sizeof(float));
    at_parallel_for(at_chunk_count(rows, f.chunk), shuffle_chunk, &f);
}

static void forward(const at_step *s) {
    shuffle((shuffling){
        .low = s->in[0], .high = s->out[0], .r = factor_of(s->node), .place = s->state});
}

static void backward(const at_step *s) {
    if (s->d_in[0].data == NULL) return;
    shuffle((shuffling){.low = s->d_in[0],
                        .high = s->d_out,
                        .r = factor_of(s->node),
                        .place = s->state,
                        .back = true,
                        .add = !s->first[0]});
}

static void cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    (void)node, (void)out;
    cost->bytes = 8.0 * (double)at_shape_count(in[0]);
}

static void reach(const at_node *node, at_reach *r) {
    r->upscale = (at_pair){factor_of(node), factor_of(node)};
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    (void)in, (void)out;
    json_object_set_new(attrs, "upscale_factor", json_integer(factor_of(node)));
}

const at_op at_op_pixel_shuffle = {
    .name = "pixel_shuffle",
    .flags = AT_FIRST_WRITE,
    .shape = shape,
    .prepare = prepare,
    .release = release,
    .forward = forward,
    .backward = backward,
    .cost = cost,
    .reach = reach,
    .describe = describe,
};

at_node *at_pixel_shuffle(at_graph *g, const char *name, at_node *x, int factor) {
    const char *who = name ? name : "pixel_shuffle";
    if (factor < 1 || factor > MAX_FACTOR)
        return at_graph_fail(g, "%s: factor %d must be 1 .. %d", who, factor, MAX_FACTOR);
    if (x != NULL && x->channels % (factor * factor) != 0)
        return at_graph_fail(g, "%s: %d channels are not a multiple of %d x %d", who, x->channels,
                             factor, factor);
    int channels = x ? x->channels / (factor * factor) : 0;
    return at_node_new(g, &at_op_pixel_shuffle, name, &x, 1, channels, &factor, sizeof factor);
}
