/* SPDX-License-Identifier: MIT */
/* dropout and dropout2d: the mask is the documented function of seed, step number, node and
 * element; it has the right density; inference and p = 0 change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/check_op.h"
#include "tests/near.h"

typedef struct drop_case {
    float p;
    bool channels, off; /* off: inference */
} drop_case;

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    const drop_case *c = arg;
    return c->channels ? at_dropout2d(g, NULL, x[0], c->p) : at_dropout(g, NULL, x[0], c->p);
}

enum { MOST = 256 << 10 };

/* Draws for all elements: the stream of (seed 3, step 5, node 1), which is what check_op runs. 16
 * blocks of four words, half a word each, serve 128 elements. */
static void draw(float p, double *factors, int64_t count) {
    at_rng r = at_rng_make(3, AT_RNG_DROPOUT, 5, 1);
    for (int64_t group = 0; group < count; group += 128)
        for (int64_t i = 0; i < 64; i++) {
            uint32_t word = at_rng_u32(&r);
            int64_t e = group + i % 4 * 16 + i / 4;
            factors[e] = (word & 0xffff) < p * 65536 ? 0 : 1 / (1 - (double)p);
            factors[e + 64] = (word >> 16) < p * 65536 ? 0 : 1 / (1 - (double)p);
        }
}

static void naive(const check_data *d, double *out) {
    static double factors[MOST + 128];
    static float drawn_for = -1;
    const drop_case *c = d->arg;
    at_shape s = d->in_shape[0];
    int64_t count = at_shape_count(s);
    assert_true(count <= MOST);
    if (c->p != drawn_for) draw(c->p, factors, MOST);
    drawn_for = c->p;
    for (int64_t i = 0; i < count; i++) {
        int64_t image = i / ((int64_t)s.h * s.w * s.c);
        double f = factors[c->channels ? image * s.c + i % s.c : i];
        out[i] = d->in[0][i] * (c->off || c->p == 0 ? 1 : f);
    }
}

static void test_masks(void **state) {
    (void)state;
    for (int channels = 0; channels < 2; channels++) {
        drop_case half = {0.5f, channels, false}, some = {0.1f, channels, false};
        check_case k = {.arg = &half, .build = build, .naive = naive, .twice_differs = true};
        check_op(&k);
        k.arg = &some;
        check_op(&k);
        k = (check_case){.batch = 3,
                         .height = 4,
                         .width = 3,
                         .channels = {19},
                         .arg = &half,
                         .build = build,
                         .naive = naive,
                         .twice_differs = true};
        check_op(&k);
    }
}

static void test_off(void **state) {
    (void)state;
    for (int channels = 0; channels < 2; channels++) {
        drop_case zero = {0, channels, false}, off = {0.5f, channels, true},
                  all = {1, channels, false};
        check_op(&(check_case){.arg = &zero, .build = build, .naive = naive});
        check_op(&(check_case){.arg = &off, .build = build, .naive = naive, .infer = true});
        check_op_refuses(&(check_case){.arg = &all, .build = build}, "probability 1");
    }
}

/* Of a million ones, near (1 - p) are kept, at the right size; the next step draws others. */
static void test_density(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    at_plan *plan;
    at_node *x = at_input(g, "x", 4), *y = at_dropout(g, NULL, x, 0.2f);
    at_plan_opts opts = {
        .batch = 1, .height = 512, .width = 512, .mode = AT_TRAIN, .output = y, .input_grad = true};
    assert_int_equal(at_plan_new(&plan, g, opts, NULL), AT_OK);
    int64_t count = at_shape_count(at_plan_shape(plan, y)), kept = 0, both = 0;
    float *first = malloc((size_t)count * sizeof *first);
    assert_non_null(first);
    for (uint64_t step = 0; step < 2; step++) {
        for (int64_t i = 0; i < count; i++) at_f32(at_plan_value(plan, x))[i] = 1;
        at_plan_set_iteration(plan, 9, step);
        at_plan_forward(plan);
        const float *out = at_f32(at_plan_value(plan, y));
        for (int64_t i = 0; i < count; i++) {
            assert_true(out[i] == 0 || out[i] == 1.25f);
            kept += out[i] != 0;
            both += step == 1 && out[i] != 0 && first[i] != 0;
            first[i] = out[i];
        }
    }
    assert_near((double)kept / (double)count, 1.6, 0.004);
    assert_near((double)both / (double)count, 0.64, 0.004);
    free(first);
    at_plan_free(plan);
    at_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_masks),
        cmocka_unit_test(test_off),
        cmocka_unit_test(test_density),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
