/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/literal.h"
#include "tests/naive_loss.h"

static const float weights[] = {0.5f, 2, 1.5f, 0.25f, 1, 0, 3, 1, 1, 0.1f, 1};

static at_node *build(at_graph *g, at_node *const *x, const void *arg) {
    return at_soft_dice(g, NULL, x[0], x[1], *(const at_loss_opts *)arg);
}

static void naive(const check_data *d, double *out) {
    const at_loss_opts *o = d->arg;
    double score = 0, sum = 0, smooth = o->smooth != 0 ? (double)o->smooth : 1;
    for (int k = 0; k < d->in_shape[0].c; k++) {
        double inter = 0, prob = 0, truth = 0;
        for (int64_t i = 0; i < naive_pixels(d); i++) {
            int t = naive_label(d, o, i);
            if (t < 0) continue;
            double p = exp(naive_log_p(d, i, k));
            prob += p;
            if (t == k) truth += 1, inter += p;
        }
        if (truth == 0) continue;
        sum += naive_weight(o, k);
        score += naive_weight(o, k) * (2 * inter + smooth) / (prob + truth + smooth);
    }
    *out = sum > 0 ? 1 - score / sum : 0;
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
    check((at_loss_opts){.class_weights = weights, .smooth = 0.3f}, 11, 13);
    check((at_loss_opts){.class_weights = weights, .ignore = ignore, .ignore_count = 3}, 5, 5);
    check((at_loss_opts){0}, 19, 17); /* two classes are absent */
}

static at_node *build_literal(at_graph *g, at_node *x, at_node *target, const void *arg) {
    return at_soft_dice(g, NULL, x, target, *(const at_loss_opts *)arg);
}

static void test_pytorch(void **state) {
    static const uint8_t labels[] = {0, 3, 255, 1, 2, 3};
    (void)state;
    /* t = torch.tensor([[[0, 3, 255], [1, 2, 3]]]); w = torch.tensor([.5, 2, 1.5, .25])
     * c = (t != 255)[:, None]; o = F.one_hot(t * c[:, 0], 4).permute(0, 3, 1, 2) * c
     * p = x.softmax(1) * c; i = (p * o).sum((0, 2, 3)); d = (p + o).sum((0, 2, 3))
     * 1 - (w * (2 * i + 1) / (d + 1)).sum() / w.sum() */
    static const float dice_y[] = {0.5622855f};
    static const float dice_dx[] = {-0.01315337f,
                                    0.01245262f,
                                    0.004653939f,
                                    -0.003953193f,
                                    0.001113032f,
                                    0.006464798f,
                                    0.007561545f,
                                    -0.01513937f,
                                    0,
                                    0,
                                    0,
                                    0,
                                    0.004137381f,
                                    -0.04473402f,
                                    0.02987173f,
                                    0.01072491f,
                                    0.007850184f,
                                    0.01109133f,
                                    -0.02693376f,
                                    0.007992249f,
                                    -0.008345374f,
                                    0.01129685f,
                                    0.0009793333f,
                                    -0.003930807f};
    check_literal(&(literal){.in = {1, 2, 3, 4},
                             .build = build_literal,
                             .labels = labels,
                             .arg = &(at_loss_opts){.class_weights = weights},
                             .out_count = 1,
                             .y = dice_y,
                             .dx = dice_dx});
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
