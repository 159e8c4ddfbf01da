/* SPDX-License-Identifier: MIT */
/* One tile through the network: cut out, scaled, mirrored, normalised; softmax; scaled and mirrored
 * back; added where it belongs. A line of pixels is the unit of work. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "nn/kernels/kernels.h"
#include "train/predict_private.h"

at_status at_predictor_measure(at_predictor *p, at_pair size, size_t *bytes, at_error *err) {
    const at_plan_opts opts = {.batch = 1,
                               .height = size.h,
                               .width = size.w,
                               .precision = p->opts.precision,
                               .conv = p->opts.conv,
                               .tuning = p->opts.tuning,
                               .once = p->opts.once};
    return at_plan_measure(p->net->graph, opts, bytes, err);
}

static at_status plan_for(at_predictor *p, at_pair size, at_error *err) {
    if (p->plan && p->plan_size.h == size.h && p->plan_size.w == size.w) return AT_OK;
    at_plan_free(p->plan);
    p->plan = NULL;
    p->plan_size = size;
    const at_plan_opts opts = {.batch = 1,
                               .height = size.h,
                               .width = size.w,
                               .precision = p->opts.precision,
                               .conv = p->opts.conv,
                               .tuning = p->opts.tuning,
                               .once = p->opts.once,
                               .max_bytes = p->opts.max_bytes};
    return at_plan_new(&p->plan, p->net->graph, opts, err);
}

/* ---- in ---- */

typedef struct feed {
    const at_image *image; /* the window begins at y, x and has the size of `to` */
    int y, x;
    bool flip;
    at_tensor to;
    float value[4][256]; /* of a byte of each channel, normalised */
} feed;

static void set_values(feed *f, const at_network *net) {
    for (int k = 0; k < f->to.shape.c; k++)
        for (int v = 0; v < 256; v++)
            f->value[k][v] = (float)(((double)v / 255 - net->mean[k]) / net->std[k]);
}

static void feed_line(void *arg, int64_t line, int worker) {
    const feed *f = arg;
    (void)worker;
    const int c = f->to.shape.c, w = f->to.shape.w;
    const uint8_t *from =
        f->image->data +
        (((size_t)f->y + (size_t)line) * (size_t)f->image->width + (size_t)f->x) * (size_t)c;
    float *to = at_f32(f->to) + line * w * f->to.ld;
    for (int x = 0; x < w; x++) {
        const uint8_t *pixel = from + (size_t)(f->flip ? w - 1 - x : x) * (size_t)c;
        for (int k = 0; k < c; k++) to[x * f->to.ld + k] = f->value[k][pixel[k]];
    }
}

static void forward(at_predictor *p, const at_image *image, int y, int x, bool flip) {
    const at_node *input = at_graph_find(p->net->graph, "image");
    feed f = {.image = image, .y = y, .x = x, .flip = flip};
    f.to = at_plan_value(p->plan, input);
    set_values(&f, p->net);
    at_parallel_for(f.to.shape.h, feed_line, &f);
    at_plan_forward(p->plan);
}

/* ---- out ---- */

typedef struct harvest {
    const at_patch *patch;
    at_tensor logits; /* [1, h, w, classes], becomes probabilities */
    bool flip;
    float share;
} harvest;

static void softmax(float *v, int count) {
    float top = v[0], sum = 0;
    for (int k = 1; k < count; k++) top = v[k] > top ? v[k] : top;
    for (int k = 0; k < count; k++) sum += v[k] = expf(v[k] - top);
    for (int k = 0; k < count; k++) v[k] /= sum;
}

static void softmax_line(void *arg, int64_t line, int worker) {
    const harvest *h = arg;
    (void)worker;
    const int w = h->logits.shape.w;
    float *row = at_f32(h->logits) + line * w * h->logits.ld;
    for (int x = 0; x < w; x++) softmax(row + x * h->logits.ld, h->logits.shape.c);
}

/* Half-pixel centres, edges clamped: where pixel i of `size` lies among `from` pixels. */
static float source(int i, int size, int from, int *low, int *high) {
    const double at = ((double)i + 0.5) * from / size - 0.5, clamped = at < 0 ? 0 : at;
    *low = (int)clamped < from - 1 ? (int)clamped : from - 1;
    *high = *low + 1 < from ? *low + 1 : *low;
    return (float)(clamped - *low > 1 ? 1 : clamped - *low);
}

/* One line of the patch from one or, where scaled, two lines of probabilities. */
static void add_line(void *arg, int64_t line, int worker) {
    const harvest *h = arg;
    (void)worker;
    const at_patch *p = h->patch;
    const at_shape s = h->logits.shape;
    const ptrdiff_t ld = h->logits.ld;
    int y0, y1, x0, x1;
    const float fy = source((int)line, p->h, s.h, &y0, &y1), weight = p->row[line] * h->share;
    const float *top = at_f32(h->logits) + (ptrdiff_t)y0 * s.w * ld;
    const float *bottom = at_f32(h->logits) + (ptrdiff_t)y1 * s.w * ld;
    for (int x = 0; x < p->w; x++) {
        const float fx = source(h->flip ? p->w - 1 - x : x, p->w, s.w, &x0, &x1);
        const float own = weight * p->column[x], a = own * (1 - fy) * (1 - fx),
                    b = own * (1 - fy) * fx;
        const float c = own * fy * (1 - fx), d = own * fy * fx;
        float *out = p->out + line * p->stride + (ptrdiff_t)x * s.c;
        if (p->w == s.w && p->h == s.h)
            for (int k = 0; k < s.c; k++) out[k] += own * top[x0 * ld + k];
        else
            for (int k = 0; k < s.c; k++)
                out[k] += a * top[x0 * ld + k] + b * top[x1 * ld + k] + c * bottom[x0 * ld + k] +
                          d * bottom[x1 * ld + k];
    }
}

static void add(at_predictor *p, const at_patch *patch, bool flip, float share) {
    harvest h = {patch, at_plan_value(p->plan, at_graph_output(p->net->graph)), flip, share};
    at_parallel_for(h.logits.shape.h, softmax_line, &h);
    at_parallel_for(patch->h, add_line, &h);
}

/* ---- both ---- */

static at_status cut_out(const at_patch *patch, at_image *out, at_error *err) {
    const size_t c = (size_t)patch->image->channels, line = (size_t)patch->w * c;
    *out = (at_image){patch->w, patch->h, patch->image->channels, malloc(line * (size_t)patch->h)};
    if (!out->data) return at_fail_memory(err, "a tile", line * (size_t)patch->h);
    for (int y = 0; y < patch->h; y++)
        memcpy(out->data + (size_t)y * line,
               patch->image->data + (((size_t)patch->y + (size_t)y) * (size_t)patch->image->width +
                                     (size_t)patch->x) *
                                        c,
               line);
    return AT_OK;
}

static int scaled(int size, double scale) {
    const int s = (int)lround(size * scale);
    return s < 1 ? 1 : s;
}

/* The patch at another scale: resized as a picture, so that shrinking averages. */
static at_status resized(const at_patch *patch, at_pair size, at_image *out, at_error *err) {
    at_image piece;
    AT_TRY(cut_out(patch, &piece, err));
    const at_status s = at_image_resize(&piece, size.w, size.h, out, err);
    at_image_free(&piece);
    return s;
}

static at_status add_scale(at_predictor *p, const at_patch *patch, double scale, float share,
                           at_error *err) {
    const at_pair size = {scaled(patch->h, scale), scaled(patch->w, scale)};
    const bool same = size.h == patch->h && size.w == patch->w;
    at_image image = {0};
    AT_TRY(plan_for(p, size, err));
    if (!same) AT_TRY(resized(patch, size, &image, err));
    for (int flip = 0; flip <= (p->opts.flip ? 1 : 0); flip++) {
        if (same)
            forward(p, patch->image, patch->y, patch->x, flip);
        else
            forward(p, &image, 0, 0, flip);
        add(p, patch, flip, share);
    }
    at_image_free(&image);
    return AT_OK;
}

/* ---- ids alone ---- */

typedef struct naming {
    at_tensor logits;
    uint8_t *ids;
} naming;

static void name_line(void *arg, int64_t line, int worker) {
    const naming *n = arg;
    const at_shape s = n->logits.shape;
    const float *row = at_f32(n->logits) + line * s.w * n->logits.ld;
    (void)worker;
    at_kernels_get()->argmax(n->ids + line * s.w, row, s.c, n->logits.ld, s.w);
}

at_status at_patch_ids(at_predictor *p, const at_image *image, uint8_t *ids, at_error *err) {
    AT_TRY(plan_for(p, (at_pair){image->height, image->width}, err));
    forward(p, image, 0, 0, false);
    naming n = {at_plan_value(p->plan, at_graph_output(p->net->graph)), ids};
    at_parallel_for(n.logits.shape.h, name_line, &n);
    return AT_OK;
}

at_status at_patch_add(at_predictor *p, const at_patch *patch, at_error *err) {
    const int scales = p->opts.scale_count > 0 ? p->opts.scale_count : 1;
    const float share = 1 / (float)(scales * (p->opts.flip ? 2 : 1));
    for (int i = 0; i < scales; i++)
        AT_TRY(add_scale(p, patch, p->opts.scale_count > 0 ? p->opts.scales[i] : 1, share, err));
    return AT_OK;
}
