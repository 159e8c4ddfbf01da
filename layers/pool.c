/* SPDX-License-Identifier: MIT */
#include "layers/pool.h"

#include <assert.h>

#include "layers/chunks.h"

/* ---- attributes ---- */

bool at_pool_defaults(at_graph *g, const char *name, at_pool2d_opts *o) {
    if (o->stride.h == 0) o->stride.h = o->kernel.h;
    if (o->stride.w == 0) o->stride.w = o->kernel.w;
    if (o->dilation.h == 0) o->dilation.h = 1;
    if (o->dilation.w == 0) o->dilation.w = 1;
    if (o->kernel.h < 1 || o->kernel.w < 1)
        at_graph_fail(g, "%s: kernel %d x %d must be at least 1 x 1", name, o->kernel.h,
                      o->kernel.w);
    else if (o->stride.h < 1 || o->stride.w < 1 || o->dilation.h < 1 || o->dilation.w < 1)
        at_graph_fail(g, "%s: stride %d x %d and dilation %d x %d must be at least 1", name,
                      o->stride.h, o->stride.w, o->dilation.h, o->dilation.w);
    return !at_graph_failed(g);
}

void at_pool_reach(const at_node *node, at_reach *r) {
    const at_pool2d_opts *o = node->attrs;
    r->kernel = o->kernel;
    r->stride = o->stride;
    r->padding = o->padding;
    r->dilation = o->dilation;
}

static void describe_pair(json_t *attrs, const char *key, at_pair p) {
    json_object_set_new(attrs, key, json_pack("[ii]", p.h, p.w));
}

void at_pool_describe(const at_pool2d_opts *o, json_t *attrs) {
    describe_pair(attrs, "kernel", o->kernel);
    describe_pair(attrs, "stride", o->stride);
    describe_pair(attrs, "padding", o->padding);
    json_object_set_new(attrs, "ceil_mode", json_boolean(o->ceil_mode));
}

/* ---- sizes ---- */

/* Does every window have a tap inside? Only a dilated one can step over the plane. */
static bool all_touch(int size, at_window w, int out) {
    for (int o = 0; o < out && w.dilation > 1; o++) {
        int64_t start = (int64_t)o * w.stride - w.padding;
        int64_t skip = start < 0 ? (-start + w.dilation - 1) / w.dilation : 0;
        if (skip >= w.kernel || start + skip * w.dilation >= size) return false;
    }
    return true;
}

static at_status axis_size(int size, at_window w, bool ceil_mode, int *out, at_error *err) {
    AT_TRY(at_pool_size(size, w, ceil_mode, out, err));
    if (!all_touch(size, w, *out))
        return at_fail(err, AT_ERR_INPUT,
                       "size %d with kernel %d, padding %d, dilation %d: a window lies in the "
                       "padding alone; use a larger input or less padding",
                       size, w.kernel, w.padding, w.dilation);
    return AT_OK;
}

at_status at_pool_shape(const at_pool2d_opts *o, at_shape large, at_shape *small, at_error *err) {
    at_window h = {o->kernel.h, o->stride.h, o->padding.h, o->dilation.h};
    at_window w = {o->kernel.w, o->stride.w, o->padding.w, o->dilation.w};
    small->n = large.n;
    AT_TRY(axis_size(large.h, h, o->ceil_mode, &small->h, err));
    return axis_size(large.w, w, o->ceil_mode, &small->w, err);
}

/* ---- running ---- */

at_status at_pool_prepare(at_step *s, at_error *err) {
    (void)err;
    bool same = s->in[0].dtype == s->out[0].dtype;
    s->takes_bf16 = same ? AT_PASS_FORWARD | AT_PASS_BACKWARD : 0;
    return AT_OK;
}

typedef struct pool_cut {
    const at_pool_run *run;
    at_pool first; /* of image 0 */
    int64_t chunk, chunks, rows;
} pool_cut;

static at_pool first_image(const at_pool_run *r) {
    const at_pool2d_opts *o = r->opts;
    return (at_pool){.large = r->large.data,
                     .small = r->small.data,
                     .bf16 = r->large.dtype == AT_BF16,
                     .code = r->code.data,
                     .large_ld = r->large.ld,
                     .small_ld = r->small.ld,
                     .code_ld = r->code.ld,
                     .h = r->large.shape.h,
                     .w = r->large.shape.w,
                     .out_h = r->small.shape.h,
                     .out_w = r->small.shape.w,
                     .c = r->small.shape.c,
                     .kernel_h = o->kernel.h,
                     .kernel_w = o->kernel.w,
                     .stride_h = o->stride.h,
                     .stride_w = o->stride.w,
                     .pad_h = o->padding.h,
                     .pad_w = o->padding.w,
                     .dilation_h = o->dilation.h,
                     .dilation_w = o->dilation.w,
                     .exclude_pad = o->count_exclude_pad,
                     .add = r->add,
                     .stream = r->cut_large && at_streams(r->large)};
}

static void run_chunk(void *arg, int64_t index, int worker) {
    const pool_cut *cut = arg;
    at_pool p = cut->first;
    int64_t image = index / cut->chunks, y0 = index % cut->chunks * cut->chunk,
            y1 = y0 + cut->chunk;
    (void)worker;
    p.large = at_element(cut->run->large, image * p.h * p.w * p.large_ld);
    p.small = at_element(cut->run->small, image * p.out_h * p.out_w * p.small_ld);
    if (p.code != NULL) p.code += image * p.out_h * p.out_w * p.code_ld;
    cut->run->rows(&p, (int)y0, (int)(y1 < cut->rows ? y1 : cut->rows));
}

void at_pool_run_all(const at_pool_run *r) {
    pool_cut cut = {.run = r, .first = first_image(r)};
    assert(r->large.dtype == r->small.dtype);
    const at_pool *p = &cut.first;
    size_t large_row = (size_t)p->w * (size_t)p->c * sizeof(float);
    cut.rows = r->cut_large ? p->h : p->out_h;
    cut.chunk = at_chunk_rows(cut.rows, r->cut_large ? large_row : large_row * (size_t)p->stride_h);
    if (r->cut_large) cut.chunk = (cut.chunk + p->kernel_h - 1) / p->kernel_h * p->kernel_h;
    cut.chunks = at_chunk_count(cut.rows, cut.chunk);
    at_parallel_for(r->large.shape.n * cut.chunks, run_chunk, &cut);
}
