/* SPDX-License-Identifier: MIT */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/literal.h"

/* factor, or to half the size by pooling's rule, or from that half back to the whole. */
typedef struct setup {
    at_interpolate_opts opts;
    enum { FACTOR = 0, HALVE, DOUBLE } to;
} setup;

static at_node *resized(at_graph *g, at_node *x, const setup *u) {
    at_interpolate_opts o = u->opts;
    at_node *half = NULL;
    if (u->to != FACTOR) {
        half = at_avg_pool2d(g, NULL, x, (at_pool2d_opts){.kernel = {2, 2}});
        o.size = u->to == HALVE ? half : x;
    }
    return at_interpolate(g, NULL, u->to == DOUBLE ? half : x, o);
}

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return resized(g, x[0], arg);
}

static double keys(double d) {
    d = fabs(d);
    if (d < 1) return 1.25 * d * d * d - 2.25 * d * d + 1;
    return d < 2 ? -0.75 * (d * d * d - 5 * d * d + 8 * d - 4) : 0;
}

/* Weight of input pixel i (any integer; the caller clamps it) for output pixel o. */
static double weight(const at_interpolate_opts *opts, int in, int out, int o, int i) {
    double x = opts->align_corners ? (out > 1 ? o * (in - 1.0) / (out - 1) : 0)
                                   : (o + 0.5) * in / out - 0.5;
    if (opts->mode == AT_NEAREST) return i == (int)((long)o * in / out);
    if (opts->mode == AT_BILINEAR) return fmax(0, 1 - fabs(x - i));
    return keys(x - i);
}

static int clamp(int i, int size) {
    return i < 0 ? 0 : i < size ? i : size - 1;
}

static double value(const at_interpolate_opts *o, const double *in, at_shape s, at_shape out, int n,
                    int y, int x, int c) {
    double sum = 0;
    for (int i = -2; i < s.h + 2; i++)
        for (int j = -2; j < s.w + 2; j++)
            sum += weight(o, s.h, out.h, y, i) * weight(o, s.w, out.w, x, j) *
                   in[check_at(s, n, clamp(i, s.h), clamp(j, s.w), c)];
    return sum;
}

/* The pooled input, for DOUBLE. */
static double halves[4096];
static at_shape halve(const double *x, at_shape s) {
    at_shape h = {s.n, s.h / 2, s.w / 2, s.c};
    for (int i = 0; i < h.n * h.h * h.w * h.c; i++) {
        int c = i % h.c, xx = i / h.c % h.w * 2, y = i / h.c / h.w % h.h * 2,
            n = i / h.c / h.w / h.h;
        halves[i] = (x[check_at(s, n, y, xx, c)] + x[check_at(s, n, y, xx + 1, c)] +
                     x[check_at(s, n, y + 1, xx, c)] + x[check_at(s, n, y + 1, xx + 1, c)]) /
                    4;
    }
    return h;
}

static void naive(const check_data *d, double *out) {
    const setup *u = d->arg;
    at_shape in = d->in_shape[0], s = d->out_shape;
    const double *from = d->in[0];
    if (u->to == DOUBLE) {
        in = halve(from, in);
        from = halves;
    }
    for (int n = 0; n < s.n; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int c = 0; c < s.c; c++)
                    out[check_at(s, n, y, x, c)] = value(&u->opts, from, in, s, n, y, x, c);
}

static void check(setup u, int height, int width, int channels) {
    check_case c = {.batch = 2,
                    .height = height,
                    .width = width,
                    .channels = {channels},
                    .arg = &u,
                    .build = build,
                    .naive = naive,
                    .small_naive = true};
    check_op(&c);
}

static void check_mode(at_interp_mode mode, bool align_corners) {
    at_interpolate_opts o = {.mode = mode, .align_corners = align_corners};
    check((setup){.opts = o, .to = HALVE}, 5, 7, 3);
    check((setup){.opts = o, .to = DOUBLE}, 5, 4, 2);
    o.factor = (at_pair){2, 3};
    check((setup){.opts = o}, 3, 4, 2);
    check((setup){.opts = o}, 1, 2, 19);
}

static void test_nearest(void **state) {
    (void)state;
    check_mode(AT_NEAREST, false);
}

static void test_bilinear(void **state) {
    (void)state;
    check_mode(AT_BILINEAR, false);
    check_mode(AT_BILINEAR, true);
}

static void test_bicubic(void **state) {
    (void)state;
    check_mode(AT_BICUBIC, false);
    check_mode(AT_BICUBIC, true);
}

static at_node *build_literal(at_graph *g, at_node *x, at_node *target, const void *arg) {
    (void)target;
    return resized(g, x, arg);
}

static void pytorch(at_shape in, setup u, int count, const float *y, const float *dx) {
    check_literal(&(literal){
        .in = in, .arg = &u, .build = build_literal, .out_count = count, .y = y, .dx = dx});
}

static void test_pytorch_factor(void **state) {
    (void)state;
    /* F.interpolate(x, scale_factor=[2, 3], mode="bilinear", align_corners=False) */
    static const float bilinear_y[] = {0,          0,          0.2804903f, 0.5609807f, 0.841471f,
                                       0.841471f,  0.2273244f, 0.2273244f, 0.3736773f, 0.5200303f,
                                       0.6663832f, 0.6663832f, 0.6819731f, 0.6819731f, 0.5600513f,
                                       0.4381295f, 0.3162078f, 0.3162078f, 0.9092974f, 0.9092974f,
                                       0.6532383f, 0.3971791f, 0.14112f,   0.14112f};
    static const float bilinear_dx[] = {2.315203f, -2.710042f, 3.258762f, -3.404838f};
    /* F.interpolate(x, scale_factor=[2, 2], mode="bilinear", align_corners=True) */
    static const float corners_y[] = {
        0,           0.2804903f,  0.5609807f,  0.841471f,    0.363719f,    0.4295895f,
        0.4954601f,  0.5613306f,  0.7274379f,  0.5786887f,   0.4299394f,   0.2811902f,
        0.5760774f,  0.3577553f,  0.1394332f,  -0.07888885f, -0.09036253f, -0.2332105f,
        -0.3760585f, -0.5189066f, -0.7568025f, -0.8241764f,  -0.8915503f,  -0.9589243f};
    static const float corners_dx[] = {0.9282765f, -0.3659141f, -0.05676048f,
                                       0.1505355f, -0.5441092f, -0.6529427f};
    /* F.interpolate(x, scale_factor=[2, 2], mode="bicubic", align_corners=False) */
    static const float bicubic_y[] = {
        -0.1229811f,  0.2139398f,     0.7676735f,  1.139954f,   1.120551f,   1.116493f,
        -0.01521313f, 0.1330999f,     0.3772973f,  0.5280581f,  0.5002467f,  0.4867315f,
        0.162287f,    -4.832549e-05f, -0.2656751f, -0.4797698f, -0.5214318f, -0.5505223f,
        0.2700549f,   -0.08088829f,   -0.6560512f, -1.091665f,  -1.141737f,  -1.180284f};
    static const float bicubic_dx[] = {3.290186f, -2.488807f,  -1.220325f,
                                       3.462964f, -0.7245757f, -2.860358f};
    at_interpolate_opts o = {.mode = AT_BILINEAR, .factor = {2, 3}};
    pytorch((at_shape){1, 2, 2, 1}, (setup){.opts = o}, 24, bilinear_y, bilinear_dx);
    o = (at_interpolate_opts){.mode = AT_BILINEAR, .factor = {2, 2}, .align_corners = true};
    pytorch((at_shape){1, 3, 2, 1}, (setup){.opts = o}, 24, corners_y, corners_dx);
    o = (at_interpolate_opts){.mode = AT_BICUBIC, .factor = {2, 2}};
    pytorch((at_shape){1, 2, 3, 1}, (setup){.opts = o}, 24, bicubic_y, bicubic_dx);
}

static void test_pytorch_size(void **state) {
    (void)state;
    /* F.interpolate(F.avg_pool2d(x, 2), size=(3, 4), mode="bicubic", align_corners=True) */
    static const float up_y[] = {-0.2185639f, -0.03736879f, 0.175802f, 0.3569971f,
                                 -0.2185639f, -0.03736879f, 0.175802f, 0.3569971f,
                                 -0.2185639f, -0.03736879f, 0.175802f, 0.3569971f};
    static const float up_dx[] = {0.01206154f, 0.01206154f, -0.115317f, -0.115317f,
                                  0.01206154f, 0.01206154f, -0.115317f, -0.115317f,
                                  0,           0,           0,          0};
    /* F.interpolate(x, size=(3, 2), mode="bilinear", align_corners=False) */
    static const float down_y[] = {-0.08916072f, 0.5355787f, -0.05335553f,
                                   -0.5257711f,  0.1758752f, 0.3189154f};
    static const float down_dx[] = {
        0.08333333f, 0.25f,       0,           0.1350756f,  0.04502519f, 0.1666667f,  0.5f,
        0,           0.2701512f,  0.09005038f, 0,           0,           0,           0,
        0,           -0.1040367f, -0.3121101f, 0,           -0.7424944f, -0.2474981f, 0,
        0,           0,           0,           0,           -0.1089406f, -0.3268218f, 0,
        0.1418311f,  0.04727703f, -0.0544703f, -0.1634109f, 0,           0.07091555f, 0.02363852f};
    /* F.interpolate(x, size=(3, 2), mode="nearest") */
    static const float nearest_y[] = {0,           0.9092974f, -0.5440211f,
                                      -0.5365729f, 0.9129453f, -0.008851309f};
    static const float nearest_dx[] = {
        1, 0, 0.5403023f,  0, 0,          0, 0, 0, 0, 0, -0.4161468f, 0, -0.9899925f, 0, 0, 0, 0, 0,
        0, 0, -0.6536436f, 0, 0.2836622f, 0, 0, 0, 0, 0, 0,           0, 0,           0, 0, 0, 0};
    at_interpolate_opts o = {.mode = AT_BICUBIC, .align_corners = true};
    pytorch((at_shape){1, 3, 4, 1}, (setup){.opts = o, .to = DOUBLE}, 12, up_y, up_dx);
    o = (at_interpolate_opts){.mode = AT_BILINEAR};
    pytorch((at_shape){1, 7, 5, 1}, (setup){.opts = o, .to = HALVE}, 6, down_y, down_dx);
    o.mode = AT_NEAREST;
    pytorch((at_shape){1, 7, 5, 1}, (setup){.opts = o, .to = HALVE}, 6, nearest_y, nearest_dx);
}

static void refuse(at_interpolate_opts o, const char *text) {
    setup u = {.opts = o};
    check_op_refuses(&(check_case){.arg = &u, .build = build}, text);
}

static void test_refusals(void **state) {
    (void)state;
    refuse((at_interpolate_opts){.mode = AT_BILINEAR}, "either a factor or a node");
    refuse((at_interpolate_opts){.factor = {2, 0}}, "factors 2 x 0");
    refuse((at_interpolate_opts){.factor = {2, 2}, .align_corners = true}, "nearest");
    refuse((at_interpolate_opts){.factor = {1 << 30, 1}}, "too many");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),      cmocka_unit_test(test_bilinear),
        cmocka_unit_test(test_bicubic),      cmocka_unit_test(test_pytorch_factor),
        cmocka_unit_test(test_pytorch_size), cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
