/* SPDX-License-Identifier: MIT */
/* The block that decoders grow with: each operator against its definition, forward and backward;
 * where its first values lie; how evenly taps overlap; what is trained. Interpolation and pixel
 * shuffle have tests of their own. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/blocks.h"
#include "tests/check_op.h"
#include "tests/naive_conv.h"

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return at_grow(g, "up", x[0], *(const at_grow_opts *)arg);
}

static void check(at_grow_opts o, int channels, void (*naive)(const check_data *d, double *out)) {
    check_op(&(check_case){.batch = 2,
                           .height = 3,
                           .width = 4,
                           .channels = {channels},
                           .arg = &o,
                           .build = build,
                           .naive = naive});
}

/* ---- transposed convolution ---- */

/* Kernel, padding and bias by the operator's meaning at factor 2. */
static void naive_transposed(const check_data *d, double *out) {
    const at_grow_opts *o = d->arg;
    bool frozen = o->op == AT_UP_TRANSPOSED_FROZEN, corner = o->op == AT_UP_UNPOOL_CORNER;
    int k = o->op == AT_UP_TRANSPOSED2 ? 2 : o->op == AT_UP_TRANSPOSED3 ? 3 : corner ? 1 : 4;
    int p = k > 2;
    bool biased = o->op >= AT_UP_TRANSPOSED2 && o->op <= AT_UP_TRANSPOSED4;
    naive_conv c = {{k, k}, {2, 2}, {p, p}, {1, 1}, frozen || corner ? d->in_shape[0].c : 1};
    naive_conv_transpose2d(&c, d->in[0], d->in_shape[0], d->params[0], biased ? d->params[1] : NULL,
                           out, d->out_shape);
}

static void test_transposed(void **state) {
    (void)state;
    check((at_grow_opts){.op = AT_UP_TRANSPOSED2, .factor = 2, .channels = 3}, 2, naive_transposed);
    check((at_grow_opts){.op = AT_UP_TRANSPOSED3, .factor = 2, .channels = 2}, 3, naive_transposed);
    check((at_grow_opts){.op = AT_UP_TRANSPOSED4, .factor = 2}, 2, naive_transposed);
    check((at_grow_opts){.op = AT_UP_TRANSPOSED_BILINEAR, .factor = 2, .channels = 2}, 4,
          naive_transposed);
    check((at_grow_opts){.op = AT_UP_TRANSPOSED_FROZEN, .factor = 2}, 3, naive_transposed);
    check((at_grow_opts){.op = AT_UP_UNPOOL_CORNER, .factor = 2}, 3, naive_transposed);
}

/* ---- bilinear additive upsampling ---- */

static double tent(double at, int i) {
    return fmax(0, 1 - fabs(at - i));
}

/* Interpolation first, then sums of every four channels (Wojna et al. 2017), with the sums' weights
 * as they are drawn. */
static void naive_additive(const check_data *d, double *out) {
    at_shape in = d->in_shape[0], s = d->out_shape;
    for (int64_t e = 0; e < at_shape_count(s); e++) {
        int c = (int)(e % s.c), x = (int)(e / s.c % s.w), y = (int)(e / s.c / s.w % s.h);
        int n = (int)(e / s.c / s.w / s.h);
        double v = fmin(fmax((y + 0.5) / 2 - 0.5, 0), in.h - 1), sum = 0;
        double u = fmin(fmax((x + 0.5) / 2 - 0.5, 0), in.w - 1);
        for (int j = 0; j < 4; j++)
            for (int a = (int)v; a < in.h && a <= v + 1; a++)
                for (int b = (int)u; b < in.w && b <= u + 1; b++)
                    sum += d->params[0][4 * c + j] * tent(v, a) * tent(u, b) *
                           d->in[0][check_at(in, n, a, b, 4 * c + j)];
        out[e] = sum;
    }
}

static void test_additive(void **state) {
    (void)state;
    check((at_grow_opts){.op = AT_UP_ADDITIVE, .factor = 2, .conv_follows = true}, 8,
          naive_additive);
}

/* ---- as they begin ---- */

typedef struct grown {
    at_graph *g;
    at_plan *p;
    at_node *x;
    at_tensor in, out;
} grown;

/* An initialised operator over h x w pixels, with a size to go to of twice that less `cut`. */
static grown begin(at_grow_opts o, int channels, int h, int w, int cut) {
    grown t = {.g = at_graph_new()};
    at_error err = {0};
    at_node *like = at_input(t.g, "like", 1);
    at_pool2d_opts halve = {.kernel = {2, 2}, .ceil_mode = true};
    at_node *small = at_max_pool2d(t.g, "small", like, halve);
    t.x = at_conv2d(t.g, "x", small, (at_conv2d_opts){.channels = channels, .kernel = {1, 1}});
    o.like = like;
    at_node *y = at_grow(t.g, "up", t.x, o);
    assert_int_equal(at_graph_finish(t.g, &err), AT_OK);
    assert_int_equal(at_graph_init(t.g, 4, &err), AT_OK);
    at_plan_opts p = {.height = 2 * h - cut, .width = 2 * w - cut, .output = y, .keep = true};
    if (at_plan_new(&t.p, t.g, p, &err) != AT_OK) fail_msg("%s", err.text);
    t.in = at_plan_value(t.p, like);
    t.out = at_plan_value(t.p, y);
    return t;
}

static void end(grown *t) {
    at_plan_free(t->p);
    at_graph_free(t->g);
}

static void set_param(const at_graph *g, const char *name, float value) {
    const at_param *p = at_graph_find_param(g, name);
    assert_non_null(p);
    for (int64_t i = 0; i < p->count; i++) at_graph_values(g)[p->offset + i] = value;
}

/* Runs with an image that makes channel c of x, at row i and column j, 100 c + 10 i + j. */
static void run(grown *t, at_shape small) {
    at_shape s = t->in.shape;
    set_param(t->g, "x.weight", 1);
    const at_param *bias = at_graph_find_param(t->g, "x.bias");
    for (int c = 0; c < small.c; c++) at_graph_values(t->g)[bias->offset + c] = (float)(100 * c);
    for (int i = 0; i < s.h * s.w; i++)
        at_f32(t->in)[i] = (float)(10 * (i / s.w / 2) + i % s.w / 2);
    at_plan_forward(t->p);
}

static float pixel(const grown *t, int y, int x, int c) {
    return at_f32(t->out)[(y * t->out.shape.w + x) * t->out.ld + c];
}

/* Values at the top left of their blocks, or all over them, also where the last one is cut. */
static void test_unpooling(void **state) {
    (void)state;
    for (int cut = 0; cut < 2; cut++)
        for (int corner = 0; corner < 2; corner++) {
            at_upsample op = corner ? AT_UP_UNPOOL_CORNER : AT_UP_REPLICATE;
            grown t = begin((at_grow_opts){.op = op, .factor = 2}, 3, 4, 3, cut);
            run(&t, (at_shape){1, 4, 3, 3});
            assert_true(t.out.shape.h == 8 - cut && t.out.shape.w == 6 - cut);
            for (int y = 0; y < 8 - cut; y++)
                for (int x = 0; x < 6 - cut; x++)
                    for (int c = 0; c < 3; c++) {
                        bool here = !corner || (y % 2 == 0 && x % 2 == 0);
                        int want = here ? 100 * c + 10 * (y / 2) + x / 2 : 0;
                        assert_float_equal(pixel(&t, y, x, c), (float)want, 1e-4);
                    }
            end(&t);
        }
}

/* A frozen or bilinear transposed convolution interpolates what has half-pixel centres; corners
 * lie on corners with align_corners; sums of four channels are 4 (mean). */
static void test_ramps(void **state) {
    (void)state;
    static const at_upsample ops[] = {AT_UP_TRANSPOSED_FROZEN, AT_UP_TRANSPOSED_BILINEAR,
                                      AT_UP_BILINEAR_CORNERS, AT_UP_ADDITIVE};
    for (int k = 0; k < 4; k++) {
        bool corners = ops[k] == AT_UP_BILINEAR_CORNERS, sums = ops[k] == AT_UP_ADDITIVE;
        grown t =
            begin((at_grow_opts){.op = ops[k], .factor = 2, .conv_follows = true}, 4, 4, 3, 0);
        run(&t, (at_shape){1, 4, 3, 4});
        assert_int_equal(t.out.shape.c, sums ? 1 : 4);
        int edge = corners ? 0 : 1;
        for (int y = edge; y < 8 - edge; y++)
            for (int x = edge; x < 6 - edge; x++) {
                double row = corners ? y * 3 / 7.0 : (y - 0.5) / 2;
                double column = corners ? x * 2 / 5.0 : (x - 0.5) / 2;
                float want = (float)(10 * row + column);
                assert_float_equal(pixel(&t, y, x, 0), sums ? 4 * want + 600 : want, 2e-4);
            }
        end(&t);
    }
}

/* How many taps meet in each place (Odena et al. 2016): evenly with kernels 2 and 4, but 1, 2 and 4
 * of them with 3. */
static void test_overlap(void **state) {
    (void)state;
    static const struct {
        at_upsample op;
        double least, most;
    } cases[] = {{AT_UP_TRANSPOSED2, 1, 1}, {AT_UP_TRANSPOSED3, 1, 4}, {AT_UP_TRANSPOSED4, 4, 4}};
    for (int k = 0; k < 3; k++) {
        grown t = begin((at_grow_opts){.op = cases[k].op, .factor = 2}, 1, 5, 5, 0);
        double least = INFINITY, most = 0;
        set_param(t.g, "x.weight", 0);
        set_param(t.g, "x.bias", 1);
        set_param(t.g, "up.transposed.weight", 1);
        at_plan_forward(t.p);
        for (int y = 2; y < 8; y++)
            for (int x = 2; x < 8; x++) {
                least = fmin(least, pixel(&t, y, x, 0));
                most = fmax(most, pixel(&t, y, x, 0));
            }
        assert_true(least == cases[k].least && most == cases[k].most);
        end(&t);
    }
}

/* Blocks of equal values with ICNR, not without (Aitken et al. 2017). */
static void test_icnr(void **state) {
    (void)state;
    for (int random = 0; random < 2; random++) {
        at_upsample op = random ? AT_UP_PIXELSHUFFLE_RANDOM : AT_UP_PIXELSHUFFLE;
        grown t = begin((at_grow_opts){.op = op, .factor = 2, .no_bias = true}, 4, 4, 3, 0);
        double apart = 0;
        run(&t, (at_shape){1, 4, 3, 4});
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 6; x++)
                for (int c = 0; c < 4; c++)
                    apart = fmax(apart, fabsf(pixel(&t, y, x, c) - pixel(&t, y & ~1, x & ~1, c)));
        assert_true(random ? apart > 1 : apart < 1e-3);
        end(&t);
    }
}

/* ---- what is trained ---- */

static int64_t trained(at_upsample op, int in, int out) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", in);
    at_grow(g, "up", x, (at_grow_opts){.op = op, .factor = 2, .channels = out, .no_bias = true});
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    int64_t count = at_graph_trainable_count(g);
    at_graph_free(g);
    return count;
}

static void test_parameters(void **state) {
    (void)state;
    assert_int_equal(trained(AT_UP_TRANSPOSED_FROZEN, 8, 8), 0);
    assert_int_equal(trained(AT_UP_TRANSPOSED_FROZEN, 8, 4), 9 * 8 * 4);
    assert_int_equal(trained(AT_UP_TRANSPOSED_BILINEAR, 8, 4), 16 * 8 * 4);
    assert_int_equal(trained(AT_UP_TRANSPOSED3, 8, 4), 9 * 8 * 4);
    assert_int_equal(trained(AT_UP_UNPOOL_CORNER, 8, 8), 0);
    assert_int_equal(trained(AT_UP_REPLICATE, 8, 4), 9 * 8 * 4);
    assert_int_equal(trained(AT_UP_ADDITIVE, 8, 4), 9 * 2 * 4);
    assert_int_equal(trained(AT_UP_PIXELSHUFFLE_RANDOM, 8, 4), 9 * 8 * 16);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transposed), cmocka_unit_test(test_additive),
        cmocka_unit_test(test_unpooling),  cmocka_unit_test(test_ramps),
        cmocka_unit_test(test_overlap),    cmocka_unit_test(test_icnr),
        cmocka_unit_test(test_parameters),
    };
    return cmocka_run_group_tests_name("upsample", tests, NULL, NULL);
}
