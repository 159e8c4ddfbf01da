/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/literal.h"
#include "tests/naive_loss.h"

static const float weights[] = {0.5f, 2, 1.5f, 0.25f, 1, 0, 3, 1, 1, 0.1f, 1};

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return at_focal(g, NULL, x[0], x[1], *(const at_loss_opts *)arg);
}

static void naive(const check_data *d, double *out) {
    const at_loss_opts *o = d->arg;
    double loss = 0, sum = 0, gamma = o->gamma != 0 ? (double)o->gamma : 2;
    for (int64_t i = 0; i < naive_pixels(d); i++) {
        int t = naive_label(d, o, i);
        if (t < 0) continue;
        double log_p = naive_log_p(d, i, t);
        sum += naive_weight(o, t);
        loss -= naive_weight(o, t) * pow(-expm1(log_p), gamma) * log_p;
    }
    *out = sum > 0 ? loss / sum : 0;
}

static void check(at_loss_opts opts, int classes, int labels) {
    check_case c = {.batch = 2,
                    .height = 3,
                    .width = 5,
                    .channels = {classes},
                    .labels = labels,
                    .low = -4,
                    .high = 4,
                    .arg = &opts,
                    .build = build,
                    .naive = naive};
    check_op(&c);
}

static void test_options(void **state) {
    static const uint8_t ignore[] = {1, 255, 4};
    (void)state;
    check((at_loss_opts){0}, 2, 2);
    check((at_loss_opts){.class_weights = weights, .gamma = 0.5f}, 11, 13);
    check((at_loss_opts){.class_weights = weights, .ignore = ignore, .ignore_count = 3}, 5, 5);
    check((at_loss_opts){0}, 19, 17); /* two classes are absent */
}

static at_node *build_literal(at_graph *g, at_node *x, at_node *target, const void *arg) {
    return at_focal(g, NULL, x, target, *(const at_loss_opts *)arg);
}

static void test_pytorch(void **state) {
    static const uint8_t labels[] = {0, 3, 255, 1, 2, 3};
    (void)state;
    /* t = torch.tensor([[[0, 3, 255], [1, 2, 3]]]); w = torch.tensor([.5, 2, 1.5, .25]); c = t !=
     * 255 l = x.log_softmax(1).gather(1, (t * c)[:, None])[:, 0]; w = w[t * c] * c
     * -(w * (1 - l.exp())**2 * l).sum() / w.sum() */
    static const float focal_y[] = {1.093694f};
    static const float focal_dx[] = {-0.1151701f,
                                     0.04487279f,
                                     0.04802195f,
                                     0.02227535f,
                                     0.003739414f,
                                     0.003055084f,
                                     0.006027401f,
                                     -0.0128219f,
                                     0,
                                     0,
                                     0,
                                     0,
                                     0.04327953f,
                                     -0.3844067f,
                                     0.1993097f,
                                     0.1418174f,
                                     0.1073902f,
                                     0.05476079f,
                                     -0.3285268f,
                                     0.1663758f,
                                     0.0269315f,
                                     0.02495332f,
                                     0.01071345f,
                                     -0.06259827f};
    check_literal(&(literal){.in = {1, 2, 3, 4},
                             .build = build_literal,
                             .labels = labels,
                             .arg = &(at_loss_opts){.class_weights = weights},
                             .out_count = 1,
                             .y = focal_y,
                             .dx = focal_dx});
}

static void test_all_ignored(void **state) {
    static const uint8_t labels[] = {7, 7, 7, 7, 7, 7};
    static const float zeros[24];
    (void)state;
    check_literal(&(literal){.in = {1, 2, 3, 4},
                             .build = build_literal,
                             .labels = labels,
                             .arg = &(at_loss_opts){0},
                             .out_count = 1,
                             .y = zeros,
                             .dx = zeros});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_pytorch),
        cmocka_unit_test(test_all_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
