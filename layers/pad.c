/* SPDX-License-Identifier: MIT */
/* Padding by zeros, by reflection (without the edge itself) or by the edge's pixels. `multiple`
 * becomes amounts when the size is known. Backward is a gather: a row of the input's gradient
 * collects from every padded row that was copied from it, so that rows can go to any thread. */
#include <string.h>

#include "layers/layers.h"
#include "layers/list.h"
#include "layers/strips.h"

static at_pad_opts amounts(const at_node *node, at_shape in) {
    at_pad_opts p = *(const at_pad_opts *)node->attrs;
    if (p.multiple > 0) {
        p.bottom = (p.multiple - in.h % p.multiple) % p.multiple;
        p.right = (p.multiple - in.w % p.multiple) % p.multiple;
    }
    return p;
}

/* Where the padded place `at` takes its value from, along an axis of n; -1: nowhere, it is zero. */
static int source(int at, int before, int n, at_pad_mode mode) {
    int i = at - before;
    if (i >= 0 && i < n) return i;
    if (mode == AT_PAD_REFLECT) return i < 0 ? -i : 2 * (n - 1) - i;
    if (mode == AT_PAD_REPLICATE) return i < 0 ? 0 : n - 1;
    return -1;
}

static bool fits(int size, int before, int after, at_pad_mode mode) {
    if (mode == AT_PAD_REFLECT && (before >= size || after >= size)) return false;
    return (int64_t)size + before + after <= INT32_MAX;
}

static at_status shape(const at_node *node, const at_shape *in, at_tensor *out, at_error *err) {
    at_pad_opts p = amounts(node, in[0]);
    if (!fits(in[0].h, p.top, p.bottom, p.mode) || !fits(in[0].w, p.left, p.right, p.mode))
        return at_fail(err, AT_ERR_INPUT,
                       "cannot pad %d x %d by left %d, right %d, top %d, bottom %d%s", in[0].h,
                       in[0].w, p.left, p.right, p.top, p.bottom,
                       p.mode == AT_PAD_REFLECT ? ": reflection needs less than the image's size"
                                                : ": the result is too large");
    out[0].shape =
        (at_shape){in[0].n, in[0].h + p.top + p.bottom, in[0].w + p.left + p.right, in[0].c};
    return AT_OK;
}

typedef struct pad {
    const at_step *step;
    at_pad_opts p;
    at_shape small, large;
} pad;

static pad pad_of(const at_step *s) {
    return (pad){s, amounts(s->node, s->in[0].shape), s->in[0].shape, s->out[0].shape};
}

static at_rows at_pixel(at_tensor t, int64_t row, int64_t x) {
    return (at_rows){at_f32(t) + (row * t.shape.w + x) * t.ld, t.ld};
}

static void zero_pixels(at_rows to, int64_t count, int c) {
    for (int64_t i = 0; i < count; i++) memset(to.data + i * to.ld, 0, (size_t)c * sizeof(float));
}

/* The x-th of the columns that are padding: left ones first. */
static int border_column(const pad *d, int x) {
    return x < d->p.left ? x : d->small.w + x;
}

static void forward_row(void *arg, int64_t row, int worker) {
    const pad *d = arg;
    const at_kernels *k = at_kernels_get();
    at_tensor out = d->step->out[0], in = d->step->in[0];
    int c = d->small.c, y = source((int)(row % d->large.h), d->p.top, d->small.h, d->p.mode);
    int64_t from = row / d->large.h * d->small.h + y;
    (void)worker;
    if (y < 0) {
        zero_pixels(at_pixel(out, row, 0), d->large.w, c);
        return;
    }
    k->copy(at_pixel(out, row, d->p.left), at_pixel(in, from, 0), d->small.w, c, false);
    for (int i = 0; i < d->p.left + d->p.right; i++) {
        int at = border_column(d, i), x = source(at, d->p.left, d->small.w, d->p.mode);
        if (x < 0)
            zero_pixels(at_pixel(out, row, at), 1, c);
        else
            k->copy(at_pixel(out, row, at), at_pixel(in, from, x), 1, c, false);
    }
}

/* Adds padded row `from` to row `to` of the input's gradient (or writes it there). */
static void gather_row(const pad *d, int64_t to, int64_t from, bool add) {
    const at_kernels *k = at_kernels_get();
    at_tensor dx = d->step->d_in[0], dy = d->step->d_out;
    k->copy(at_pixel(dx, to, 0), at_pixel(dy, from, d->p.left), d->small.w, d->small.c, add);
    for (int i = 0; i < d->p.left + d->p.right; i++) {
        int at = border_column(d, i), x = source(at, d->p.left, d->small.w, d->p.mode);
        if (x >= 0) k->copy(at_pixel(dx, to, x), at_pixel(dy, from, at), 1, d->small.c, true);
    }
}

static void backward_row(void *arg, int64_t row, int worker) {
    const pad *d = arg;
    int h = d->small.h, y = (int)(row % h);
    int64_t image = row / h * d->large.h;
    (void)worker;
    gather_row(d, row, image + d->p.top + y, !d->step->first[0]);
    for (int i = 0; i < d->p.top + d->p.bottom; i++) {
        int at = i < d->p.top ? i : h + i;
        if (source(at, d->p.top, h, d->p.mode) == y) gather_row(d, row, image + at, true);
    }
}

static void forward(const at_step *s) {
    pad d = pad_of(s);
    at_parallel_for((int64_t)d.large.n * d.large.h, forward_row, &d);
}

static void backward(const at_step *s) {
    pad d = pad_of(s);
    if (s->d_in[0].data != NULL) at_parallel_for((int64_t)d.small.n * d.small.h, backward_row, &d);
}

/* Asked without a size: what is the same for every size. */
static void reach(const at_node *node, at_reach *r) {
    const at_pad_opts *p = node->attrs;
    r->padding = (at_pair){p->top, p->left};
}

static void describe(const at_node *node, const at_shape *in, at_shape out, json_t *j) {
    static const char *const modes[] = {"constant", "reflect", "replicate"};
    at_pad_opts p = amounts(node, in[0]);
    (void)out;
    json_object_set_new(j, "pad", json_pack("[iiii]", p.left, p.right, p.top, p.bottom));
    json_object_set_new(j, "mode", json_string(modes[p.mode]));
}

const at_op at_op_pad = {
    .name = "pad",
    .flags = AT_SAME_SIZE_SAME | AT_FIRST_WRITE,
    .shape = shape,
    .forward = forward,
    .backward = backward,
    .cost = at_cost_of_pass,
    .reach = reach,
    .describe = describe,
};

at_node *at_pad(at_graph *g, const char *name, at_node *x, at_pad_opts opts) {
    if (opts.left < 0 || opts.right < 0 || opts.top < 0 || opts.bottom < 0 || opts.multiple < 0)
        return at_graph_fail(g,
                             "%s: padding (left %d, right %d, top %d, bottom %d, multiple %d) "
                             "must not be negative",
                             name ? name : "pad", opts.left, opts.right, opts.top, opts.bottom,
                             opts.multiple);
    if (opts.multiple > 0) opts.left = opts.top = 0;
    return at_unary(g, &at_op_pad, name, x, &opts, sizeof opts);
}
