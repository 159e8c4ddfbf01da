/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/literal.h"

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return at_avg_pool2d(g, NULL, x[0], *(const at_pool2d_opts *)arg);
}

static double mean(const at_pool2d_opts *o, const double *x, at_shape s, int n, int oy, int ox,
                   int c) {
    double sum = 0;
    int inside = 0, padded = 0;
    for (int i = 0; i < o->kernel.h; i++)
        for (int j = 0; j < o->kernel.w; j++) {
            int yy = oy * o->stride.h - o->padding.h + i, xx = ox * o->stride.w - o->padding.w + j;
            padded += yy < s.h + o->padding.h && xx < s.w + o->padding.w;
            if (yy < 0 || yy >= s.h || xx < 0 || xx >= s.w) continue;
            inside++;
            sum += x[check_at(s, n, yy, xx, c)];
        }
    return sum / (o->count_exclude_pad ? inside : padded);
}

static void naive(const check_data *d, double *out) {
    at_shape s = d->out_shape;
    for (int n = 0; n < s.n; n++)
        for (int y = 0; y < s.h; y++)
            for (int x = 0; x < s.w; x++)
                for (int c = 0; c < s.c; c++)
                    out[check_at(s, n, y, x, c)] =
                        mean(d->arg, d->in[0], d->in_shape[0], n, y, x, c);
}

static void check(at_pool2d_opts opts, int height, int width, int channels) {
    check_case c = {.batch = 2,
                    .height = height,
                    .width = width,
                    .channels = {channels},
                    .arg = &opts,
                    .build = build,
                    .naive = naive};
    check_op(&c);
}

static void test_windows(void **state) {
    at_pool2d_opts o = {.kernel = {2, 2}, .stride = {2, 2}};
    (void)state;
    check(o, 5, 7, 19);
    o = (at_pool2d_opts){.kernel = {3, 2}, .stride = {2, 3}, .padding = {1, 1}, .ceil_mode = true};
    check(o, 6, 5, 3);
    o.count_exclude_pad = true;
    check(o, 6, 5, 3);
    o = (at_pool2d_opts){.kernel = {3, 3}, .stride = {1, 1}, .padding = {1, 1}};
    check(o, 4, 5, 17);
}

static at_node *build_literal(at_graph *g, at_node *x, at_node *target, const void *arg) {
    (void)target;
    return at_avg_pool2d(g, NULL, x, *(const at_pool2d_opts *)arg);
}

static void test_pytorch(void **state) {
    (void)state;
    /* F.avg_pool2d(x, 3, 2, 1, ceil_mode=True) */
    static const float avg_y[] = {-0.09713953f, 0.145615f,   0.1330178f,  -0.04785066f, 0.03864625f,
                                  0.05121404f,  -0.1517452f, 0.05539497f, 0.1333608f};
    static const float avg_dx[] = {0.1111111f,    0.1711447f,   0.06003359f,  -0.009324217f,
                                   0.001111945f,  -0.01148153f, -0.01259348f, -0.03467425f,
                                   -0.1099992f,   -0.1826262f,  -0.07262707f, -0.02535004f,
                                   -0.003313579f, 0.007826269f, 0.01113985f,  0.03416687f,
                                   0.1066856f,    0.1904525f,   0.08376692f,  0.05951691f};
    /* F.avg_pool2d(x, (3, 2), (2, 3), (1, 1), ceil_mode=True, count_include_pad=False) */
    static const float avgx_y[] = {-0.3784012f, 0.3569971f,  -0.1013391f,
                                   0.07907583f, -0.4122381f, 0.2599463f};
    static const float avgx_dx[] = {
        0.5f,         0,           0.1350756f,  0.1350756f,  0.3612844f,  0,           -0.02992317f,
        -0.02992317f, -0.1387156f, 0,           -0.1649987f, -0.1649987f, -0.4655374f, 0,
        -0.0940832f,  -0.0940832f, -0.3268218f, 0,           0.07091555f, 0.07091555f};
    at_pool2d_opts o = {.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}, .ceil_mode = true};
    check_literal(&(literal){.in = {1, 5, 4, 1},
                             .build = build_literal,
                             .arg = &o,
                             .out_count = 9,
                             .y = avg_y,
                             .dx = avg_dx});
    o = (at_pool2d_opts){.kernel = {3, 2},
                         .stride = {2, 3},
                         .padding = {1, 1},
                         .ceil_mode = true,
                         .count_exclude_pad = true};
    check_literal(&(literal){.in = {1, 5, 4, 1},
                             .build = build_literal,
                             .arg = &o,
                             .out_count = 6,
                             .y = avgx_y,
                             .dx = avgx_dx});
}

static void test_refuses_dilation(void **state) {
    at_pool2d_opts o = {.kernel = {2, 2}, .dilation = {2, 1}};
    (void)state;
    check_op_refuses(&(check_case){.arg = &o, .build = build}, "no dilation");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_pytorch),
        cmocka_unit_test(test_refuses_dilation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
