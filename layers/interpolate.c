/* SPDX-License-Identifier: MIT */
/* interpolate: nearest, bilinear or bicubic resampling, by an integer factor or to the size of
 * another node. Separable: a row of the output blends rows of the input, then pixels of that row,
 * both by tables made with the plan. Backward applies the transposed tables, so that each input
 * pixel sums its contributors and no two threads write one place. There is no antialiasing when
 * making images smaller, as in PyTorch's default. */
#include <stdlib.h>

#include "layers/chunks.h"
#include "layers/list.h"
#include "layers/resample.h"

typedef struct interp_attrs {
    at_interp_mode mode;
    bool align_corners;
    at_pair factor; /* zero: the size of input 1 */
} interp_attrs;

static const char *const mode_names[] = {"nearest", "bilinear", "bicubic"};

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    const interp_attrs *a = node->attrs;
    int64_t h = a->factor.h ? (int64_t)in[0].h * a->factor.h : in[1].h;
    int64_t w = a->factor.w ? (int64_t)in[0].w * a->factor.w : in[1].w;
    if (h > INT32_MAX || w > INT32_MAX)
        return at_fail(err, AT_ERR_INPUT, "%d x %d pixels enlarged %d x %d times are too many",
                       in[0].h, in[0].w, a->factor.h, a->factor.w);
    out[0].shape.n = in[0].n;
    out[0].shape.h = (int)h;
    out[0].shape.w = (int)w;
    return AT_OK;
}

/* ---- tables ---- */

at_status at_interpolation_new(at_interpolation **made, const at_node *node, at_shape in,
                               at_shape out, bool back, at_error *err) {
    const interp_attrs *a = node->attrs;
    at_interpolation *t = *made = calloc(1, sizeof *t);
    if (t == NULL) return at_fail_memory(err, "a resampling table", sizeof *t);
    AT_TRY(at_axis_make(&t->y, a->mode, a->align_corners, in.h, out.h, err));
    AT_TRY(at_axis_make(&t->x, a->mode, a->align_corners, in.w, out.w, err));
    if (!back) return AT_OK;
    AT_TRY(at_axis_transpose(&t->back_y, &t->y, in.h, err));
    return at_axis_transpose(&t->back_x, &t->x, in.w, err);
}

void at_interpolation_free(at_interpolation *t) {
    if (t == NULL) return;
    at_axis_free(&t->y);
    at_axis_free(&t->x);
    at_axis_free(&t->back_y);
    at_axis_free(&t->back_x);
    free(t);
}

static void release(at_step *s) {
    at_interpolation_free(s->state);
    s->state = NULL;
}

static at_status prepare(at_step *s, at_error *err) {
    at_shape in = s->in[0].shape, out = s->out[0].shape;
    at_interpolation *t;
    at_status status = at_interpolation_new(&t, s->node, in, out, s->mode == AT_TRAIN, err);
    s->state = t;
    if (status != AT_OK) return status;
    size_t floats = at_resampler_scratch(in, out), back = at_resampler_scratch(out, in);
    if (s->mode == AT_TRAIN && back > floats) floats = back;
    s->scratch_bytes = (floats * sizeof(float) + 63) / 64 * 64;
    return AT_OK;
}

/* ---- running: both directions are one ---- */

/* Rows of a chunk, at least: two chunks both work out what their borders need. */
enum { MIN_ROWS = 16 };

typedef struct resampling {
    const at_step *s;
    at_tensor from, to;
    const at_resample *y, *x;
    bool add, stream;
    int64_t chunk, chunks; /* rows of `to` */
} resampling;

static void resample_chunk(void *arg, int64_t index, int worker) {
    const resampling *r = arg;
    int image = (int)(index / r->chunks);
    int64_t row = index % r->chunks * r->chunk, end = row + r->chunk;
    at_resampler rows =
        at_resampler_make(r->from, image, r->y, r->x, at_step_scratch(r->s, worker));
    at_shape out = r->to.shape;
    if (end > out.h) end = out.h;
    for (; row < end; row++) {
        void *to = at_element(r->to, ((ptrdiff_t)image * out.h + row) * out.w * r->to.ld);
        at_resampler_row(&rows, (int)row,
                         (at_line){to, r->to.ld, r->to.dtype == AT_BF16, r->stream}, r->add);
    }
}

static void resample(resampling r) {
    size_t row = (size_t)r.to.shape.w * (size_t)r.to.shape.c * sizeof(float);
    size_t read = (size_t)r.from.shape.w * (size_t)r.from.shape.c * sizeof(float) *
                  (size_t)r.from.shape.h / (size_t)r.to.shape.h;
    r.chunk = at_chunk_rows(r.to.shape.h, row + read);
    if (r.chunk < MIN_ROWS) r.chunk = r.to.shape.h < MIN_ROWS ? r.to.shape.h : MIN_ROWS;
    r.stream = at_streams(r.to);
    r.chunks = at_chunk_count(r.to.shape.h, r.chunk);
    at_parallel_for(r.to.shape.n * r.chunks, resample_chunk, &r);
}

static void forward(const at_step *s) {
    const at_interpolation *t = s->state;
    resample(
        (resampling){.s = s, .from = s->in[0], .to = s->out[0], .y = &t->y.taps, .x = &t->x.taps});
}

static void backward(const at_step *s) {
    const at_interpolation *t = s->state;
    if (s->d_in[0].data == NULL) return;
    resample((resampling){.s = s,
                          .from = s->d_out,
                          .to = s->d_in[0],
                          .y = &t->back_y.taps,
                          .x = &t->back_x.taps,
                          .add = !s->first[0]});
}

/* ---- describing ---- */

static void cost(const at_node *node, const at_shape *in, at_shape out, at_cost *cost) {
    (void)node;
    cost->bytes = 4.0 * ((double)at_shape_count(in[0]) + (double)at_shape_count(out));
}

static void reach(const at_node *node, at_reach *r) {
    const interp_attrs *a = node->attrs;
    int taps = a->mode == AT_NEAREST ? 1 : a->mode == AT_BILINEAR ? 2 : 4;
    r->kernel = (at_pair){taps, taps};
    if (a->factor.h) r->upscale = a->factor;
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *attrs) {
    const interp_attrs *a = node->attrs;
    (void)in, (void)out;
    json_object_set_new(attrs, "mode", json_string(mode_names[a->mode]));
    json_object_set_new(attrs, "align_corners", /* PyTorch wants None where it has no meaning */
                        a->mode == AT_NEAREST ? json_null() : json_boolean(a->align_corners));
    if (a->factor.h)
        json_object_set_new(attrs, "scale_factor", json_pack("[ii]", a->factor.h, a->factor.w));
}

const at_op at_op_interpolate = {
    .name = "interpolate",
    .flags = AT_SAME_SIZE_SAME | AT_FIRST_WRITE | AT_TAKES_BF16,
    .shape_only = 1u << 1,
    .shape = shape,
    .prepare = prepare,
    .release = release,
    .forward = forward,
    .backward = backward,
    .cost = cost,
    .reach = reach,
    .describe = describe,
};

at_node *at_interpolate(at_graph *g, const char *name, at_node *x, at_interpolate_opts o) {
    const char *who = name ? name : "interpolate";
    interp_attrs attrs = {o.mode, o.align_corners, o.factor};
    at_node *inputs[] = {x, o.size};
    bool by_factor = o.factor.h != 0 || o.factor.w != 0;
    if (by_factor == (o.size != NULL) && !at_graph_failed(g))
        return at_graph_fail(g, "%s: give either a factor or a node whose size to take", who);
    if (by_factor && (o.factor.h < 1 || o.factor.w < 1))
        return at_graph_fail(g, "%s: factors %d x %d must be at least 1", who, o.factor.h,
                             o.factor.w);
    if (o.align_corners && o.mode == AT_NEAREST)
        return at_graph_fail(g, "%s: align_corners means nothing with nearest", who);
    return at_node_new(g, &at_op_interpolate, name, inputs, by_factor ? 1 : 2, x ? x->channels : 0,
                       &attrs, sizeof attrs);
}
