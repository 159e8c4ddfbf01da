/* SPDX-License-Identifier: MIT */
/* The indices come from a max pooling of the first input, the values from an average pooling of the
 * second with the same windows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/literal.h"
#include "tests/naive_pool.h"

typedef struct setup {
    at_pool2d_opts pool;
    bool smaller; /* to a plane one row and one column smaller than the one pooled */
} setup;

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    const setup *u = arg;
    at_node *pool = at_max_pool2d(g, NULL, x[0], u->pool), *size = x[0];
    at_node *values = at_avg_pool2d(g, NULL, x[1], u->pool);
    if (u->smaller)
        size = at_max_pool2d(g, "size", x[0], (at_pool2d_opts){.kernel = {2, 2}, .stride = {1, 1}});
    return at_max_unpool2d(g, NULL, values, pool, size);
}

/* Mean of a window, padding counted as PyTorch does; no ceil mode here. */
static double mean(const at_pool2d_opts *o, const double *x, at_shape s, int n, int oy, int ox,
                   int c) {
    double sum = 0;
    for (int i = 0; i < o->kernel.h; i++)
        for (int j = 0; j < o->kernel.w; j++) {
            int yy = oy * o->stride.h - o->padding.h + i, xx = ox * o->stride.w - o->padding.w + j;
            if (yy >= 0 && yy < s.h && xx >= 0 && xx < s.w) sum += x[check_at(s, n, yy, xx, c)];
        }
    return sum / (o->kernel.h * o->kernel.w);
}

static void naive(const check_data *d, double *out) {
    const at_pool2d_opts *o = &((const setup *)d->arg)->pool;
    at_shape in = d->in_shape[0], s = d->out_shape;
    int rows = (in.h + 2 * o->padding.h - o->kernel.h) / o->stride.h + 1;
    int columns = (in.w + 2 * o->padding.w - o->kernel.w) / o->stride.w + 1;
    for (int64_t i = 0; i < at_shape_count(s); i++) out[i] = 0;
    for (int n = 0; n < s.n; n++)
        for (int oy = 0; oy < rows; oy++)
            for (int ox = 0; ox < columns; ox++)
                for (int c = 0; c < s.c; c++) {
                    naive_max m = naive_max_at(o, d->in[0], in, n, oy, ox, c);
                    int y = oy * o->stride.h - o->padding.h + m.i;
                    int x = ox * o->stride.w - o->padding.w + m.j;
                    if (y < s.h && x < s.w)
                        out[check_at(s, n, y, x, c)] = mean(o, d->in[1], in, n, oy, ox, c);
                }
}

static void check(setup u, int height, int width, int channels) {
    check_case c = {.batch = 2,
                    .height = height,
                    .width = width,
                    .channels = {channels, channels},
                    .arg = &u,
                    .build = build,
                    .naive = naive};
    check_op(&c);
}

static void test_tiled(void **state) {
    setup u = {.pool = {.kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}}};
    (void)state;
    check(u, 5, 7, 18);
    check(u, 4, 6, 3);
    u.smaller = true;
    check(u, 5, 7, 4);
}

static void test_overlapping(void **state) {
    setup u = {.pool = {.kernel = {3, 2}, .stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 1}}};
    (void)state;
    check(u, 5, 4, 17);
}

static at_node *build_literal(at_graph *g, at_node *x, at_node *target, const void *arg) {
    (void)target, (void)arg;
    at_node *pool = at_max_pool2d(g, NULL, x, (at_pool2d_opts){.kernel = {2, 2}});
    return at_max_unpool2d(g, NULL, pool, pool, x);
}

static void test_pytorch(void **state) {
    (void)state;
    /* F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=(5, 3)) */
    static const float unpool_y[] = {0, 0.841471f,  0, 0, 0,          0, 0, 0, 0.9893582f, 0,
                                     0, 0,          0, 0, 0.9906074f, 0, 0, 0, 0,          0,
                                     0, 0.8366556f, 0, 0, 0,          0, 0, 0, 0,          0};
    static const float unpool_dx[] = {0, 0.5403023f,  0, 0, 0,          0, 0, 0, -0.1455f, 0,
                                      0, 0,           0, 0, 0.1367372f, 0, 0, 0, 0,        0,
                                      0, -0.5477293f, 0, 0, 0,          0, 0, 0, 0,        0};
    check_literal(&(literal){.in = {1, 5, 3, 2},
                             .build = build_literal,
                             .out_count = 30,
                             .y = unpool_y,
                             .dx = unpool_dx});
}

static at_node *build_wrong(at_graph *g, at_node *const *x, const void *arg) {
    at_node *pool = at_max_pool2d(g, NULL, x[0], (at_pool2d_opts){.kernel = {2, 2}});
    switch (*(const int *)arg) {
    case 0:
        return at_max_unpool2d(g, NULL, pool, x[0], x[0]);
    case 1:
        return at_max_unpool2d(g, NULL, x[1], pool, x[0]);
    case 2:
        return at_max_unpool2d(g, NULL, x[0], pool, x[0]);
    default:
        return at_max_unpool2d(g, NULL, pool, pool, pool);
    }
}

static void test_refusals(void **state) {
    static const char *const texts[] = {"come from a max_pool2d", "must be equal",
                                        "must be as many", "take the size of the node"};
    (void)state;
    for (int i = 0; i < 4; i++)
        check_op_refuses(&(check_case){.batch = 1,
                                       .height = 6,
                                       .width = 6,
                                       .channels = {3, 2},
                                       .arg = &i,
                                       .build = build_wrong},
                         texts[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tiled),
        cmocka_unit_test(test_overlapping),
        cmocka_unit_test(test_pytorch),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
