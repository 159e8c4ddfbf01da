/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/literal.h"
#include "tests/naive_loss.h"

static const float weights[19] = {0.5f, 2, 1.5f, 0.25f, 1, 0, 3, 1, 1, 0.1f,
                                  1,    1, 1,    2,     1, 1, 1, 1, 4};

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return at_softmax_cross_entropy(g, NULL, x[0], x[1], *(const at_loss_opts *)arg);
}

static void naive(const check_data *d, double *out) {
    const at_loss_opts *o = d->arg;
    int classes = d->in_shape[0].c;
    double loss = 0, sum = 0, e = (double)o->label_smoothing;
    for (int64_t i = 0; i < naive_pixels(d); i++) {
        int t = naive_label(d, o, i);
        if (t < 0) continue;
        sum += naive_weight(o, t);
        loss -= (1 - e) * naive_weight(o, t) * naive_log_p(d, i, t);
        for (int k = 0; k < classes; k++)
            loss -= e / classes * naive_weight(o, k) * naive_log_p(d, i, k);
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

static void test_plain(void **state) {
    (void)state;
    check((at_loss_opts){0}, 2, 2);
    check((at_loss_opts){0}, 19, 23); /* labels 19 .. 22 are no classes */
}

static void test_weights_smoothing_ignore(void **state) {
    static const uint8_t ignore[] = {1, 255, 4};
    at_loss_opts o = {.class_weights = weights};
    (void)state;
    check(o, 11, 11);
    o.label_smoothing = 0.3f;
    check(o, 19, 19);
    o.ignore = ignore;
    o.ignore_count = 3;
    check(o, 5, 5);
    o.label_smoothing = 1;
    check(o, 3, 4);
}

static at_node *build_literal(at_graph *g, at_node *x, at_node *target, const void *arg) {
    return at_softmax_cross_entropy(g, NULL, x, target, *(const at_loss_opts *)arg);
}

static void test_pytorch(void **state) {
    static const uint8_t labels[] = {0, 3, 255, 1, 2, 3}, ignore[] = {2, 255};
    (void)state;
    /* t = torch.tensor([[[0, 3, 255], [1, 2, 3]]])
     * F.cross_entropy(x, t, ignore_index=255) */
    static const float plain_y[] = {1.694497f};
    static const float plain_dx[] = {
        -0.1712392f, 0.06671856f,  0.07140084f, 0.03311983f, 0.02652394f, 0.02166994f,
        0.0427528f,  -0.09094669f, 0,           0,           0,           0,
        0.01741379f, -0.1546685f,  0.08019354f, 0.05706115f, 0.05422217f, 0.02764917f,
        -0.1658758f, 0.0840045f,   0.08011087f, 0.07422656f, 0.0318684f,  -0.1862058f};
    /* t[t == 2] = 255
     * F.cross_entropy(x, t, torch.tensor([.5, 2, 1.5, .25]), ignore_index=255,
     *                 label_smoothing=0.1) */
    static const float mixed_y[] = {1.63434f};
    static const float mixed_dx[] = {-0.127503f,
                                     0.045187f,
                                     0.05369453f,
                                     0.02862151f,
                                     0.01047676f,
                                     -0.004703054f,
                                     0.01110311f,
                                     -0.01687682f,
                                     0,
                                     0,
                                     0,
                                     0,
                                     0.05115841f,
                                     -0.4726446f,
                                     0.2422816f,
                                     0.1792047f,
                                     0,
                                     0,
                                     0,
                                     0,
                                     0.04006121f,
                                     0.02431258f,
                                     0.005094014f,
                                     -0.0694678f};
    literal l = {.in = {1, 2, 3, 4},
                 .build = build_literal,
                 .labels = labels,
                 .out_count = 1,
                 .arg = &(at_loss_opts){0},
                 .y = plain_y,
                 .dx = plain_dx};
    check_literal(&l);
    l.arg = &(at_loss_opts){
        .class_weights = weights, .ignore = ignore, .ignore_count = 2, .label_smoothing = 0.1f};
    l.y = mixed_y;
    l.dx = mixed_dx;
    check_literal(&l);
}

/* Every label ignored: loss 0, gradient 0. */
static void test_all_ignored(void **state) {
    static const uint8_t labels[] = {7, 7, 7, 7, 7, 7};
    static const float zeros[24];
    (void)state;
    literal l = {.in = {1, 2, 3, 4},
                 .build = build_literal,
                 .labels = labels,
                 .out_count = 1,
                 .arg = &(at_loss_opts){.label_smoothing = 0.1f},
                 .y = zeros,
                 .dx = zeros};
    check_literal(&l);
}

static void refuse(at_loss_opts o, int classes, const char *text) {
    check_case c = {.batch = 1,
                    .height = 2,
                    .width = 2,
                    .channels = {classes},
                    .labels = 2,
                    .arg = &o,
                    .build = build};
    check_op_refuses(&c, text);
}

static at_node *build_swapped(at_graph *g, at_node *const *x, const void *arg) {
    return at_softmax_cross_entropy(g, NULL, x[1], x[0], *(const at_loss_opts *)arg);
}

static at_node *build_smaller(at_graph *g, at_node *const *x, const void *arg) {
    at_node *half = at_max_pool2d(g, NULL, x[0], (at_pool2d_opts){.kernel = {2, 2}});
    return at_softmax_cross_entropy(g, NULL, half, x[1], *(const at_loss_opts *)arg);
}

static void test_refusals(void **state) {
    static const float bad[] = {1, -1};
    at_loss_opts none = {0};
    (void)state;
    refuse((at_loss_opts){.label_smoothing = 1.5f}, 2, "label smoothing 1.5");
    refuse((at_loss_opts){.class_weights = bad}, 2, "class 1 is -1");
    refuse(none, 256, "256 classes");
    check_op_refuses(&(check_case){.labels = 2, .arg = &none, .build = build_swapped},
                     "takes logits and a target");
    check_op_refuses(&(check_case){.labels = 2, .arg = &none, .build = build_smaller},
                     "they must be equal");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),    cmocka_unit_test(test_weights_smoothing_ignore),
        cmocka_unit_test(test_pytorch),  cmocka_unit_test(test_all_ignored),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
