/* SPDX-License-Identifier: MIT */
/* Five steps of each optimiser against torch.optim (numbers printed by PyTorch 2.13), on a weight
 * and a bias that is not decayed; frozen parameters and buffers stay; EMA by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

static at_status one_pixel(const at_node *n, const at_shape *in, at_tensor *out, at_error *err) {
    (void)n, (void)in, (void)err;
    out->shape = (at_shape){1, 1, 1, 1};
    return AT_OK;
}
static void nothing(const at_step *s) {
    (void)s;
}

static const at_op holder = {.name = "holder",
                             .shape = one_pixel,
                             .forward = nothing,
                             .backward = nothing,
                             .param_names = {"weight", "bias", "frozen", "buffer"}};

static const float start[8] = {0.5f, -1.25f, 2, 0.1f, 0.7f, -0.3f, 9, 8};

/* weight [4], bias [2], frozen [1], buffer [1], with values `start` and a buffer for gradients. */
static at_graph *make(at_plan **plan) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "image", 1);
    at_node *n = at_node_new(g, &holder, "h", &x, 1, 1, NULL, 0);
    at_node_add_param(n, (at_param_spec){.rank = 1, .dims = {4}});
    at_node_add_param(n, (at_param_spec){.rank = 1, .dims = {2}, .no_decay = true});
    at_node_add_param(n, (at_param_spec){.rank = 1, .dims = {1}, .frozen = true});
    at_node_add_param(n, (at_param_spec){.rank = 1, .dims = {1}, .buffer = true});
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    const at_plan_opts opts = {.batch = 1, .height = 1, .width = 1, .mode = AT_TRAIN};
    assert_int_equal(at_plan_new(plan, g, opts, NULL), AT_OK);
    const float *from = start;
    for (int i = 0; i < 4; from += at_graph_param(g, i++)->count)
        at_param_import(at_graph_param(g, i), from, at_graph_values(g));
    return g;
}

static void set_gradients(at_graph *g, int t, double factor) {
    const double f = factor;
    const float grads[8] = {(float)(f * 0.3 * (t + 1)),
                            (float)(f * -0.2),
                            (float)(f * (0.05 * t - 0.4)),
                            (float)(f * (1.5 - 0.5 * t)),
                            (float)(f * (0.1 * t - 0.2)),
                            (float)(f * 0.6),
                            5,
                            5};
    const float *from = grads;
    for (int i = 0; i < 4; from += at_graph_param(g, i++)->count)
        at_param_import(at_graph_param(g, i), from, at_graph_grads(g));
}

static void expect(const at_graph *g, const float *want, double tolerance) {
    float got[8], *to = got;
    for (int i = 0; i < 4; to += at_graph_param(g, i++)->count)
        at_param_export(at_graph_param(g, i), at_graph_values(g), to);
    for (int i = 0; i < 6; i++) assert_near(got[i], want[i], tolerance);
    assert_true(got[6] == 9 && got[7] == 8);
}

/* Gradients come doubled and are halved by `scale`, as accumulation does. */
static void five_steps(at_optim_opts opts, double lr, const float *want) {
    at_plan *plan;
    at_graph *g = make(&plan);
    at_optim *o;
    assert_int_equal(at_optim_new(&o, g, opts, NULL), AT_OK);
    for (int t = 0; t < 5; t++) {
        set_gradients(g, t, 2);
        at_optim_step(o, lr, 0.5);
    }
    expect(g, want, 3e-6);
    assert_int_equal(at_optim_steps(o), 5);
    at_optim_free(o);
    at_plan_free(plan);
    at_graph_free(g);
}

static void as_pytorch(void **state) {
    (void)state;
    at_optim_opts o = {.kind = AT_OPTIM_SGD, .weight_decay = 0.01};
    five_steps(o, 0.1,
               (float[]){0.0481045134f, -1.14396214f, 2.13967061f, -0.149500266f, 0.699999988f,
                         -0.600000024f});
    o.momentum = 0.9;
    five_steps(o, 0.1,
               (float[]){-0.456131458f, -0.9713462f, 2.40560198f, -0.941310406f, 0.777291954f,
                         -1.08864605f});
    o.nesterov = true;
    five_steps(o, 0.1,
               (float[]){-0.810758293f, -0.89382273f, 2.50367236f, -1.08330357f, 0.769562721f,
                         -1.30978143f});
    o = (at_optim_opts){.kind = AT_OPTIM_ADAM, .weight_decay = 0.01};
    five_steps(o, 0.1,
               (float[]){0.0145458505f, -0.750210106f, 2.48674846f, -0.304979861f, 0.980564356f,
                         -0.800000072f});
    o = (at_optim_opts){.kind = AT_OPTIM_ADAMW, .weight_decay = 0.05};
    five_steps(o, 0.1,
               (float[]){0.00740267336f, -0.724036157f, 2.43387818f, -0.303039312f, 0.980564356f,
                         -0.800000072f});
    o = (at_optim_opts){.beta1 = 0.8, .beta2 = 0.95, .eps = 1e-3, .weight_decay = 0.1};
    five_steps(o, 0.02,
               (float[]){0.396458805f, -1.13844514f, 2.07619929f, 0.0225660503f, 0.749166846f,
                         -0.39983362f});
    o = (at_optim_opts){.kind = AT_OPTIM_SGD, .momentum = 0.9, .clip = 0.5};
    five_steps(o, 0.1,
               (float[]){0.165347546f, -1.15981948f, 2.14713097f, -0.244051665f, 0.723720074f,
                         -0.570541739f});
}

static void not_finite_changes_nothing(void **state) {
    (void)state;
    at_plan *plan;
    at_graph *g = make(&plan);
    at_optim *o;
    assert_int_equal(at_optim_new(&o, g, (at_optim_opts){0}, NULL), AT_OK);
    set_gradients(g, 0, 1);
    at_graph_grads(g)[at_graph_param(g, 1)->offset] = NAN;
    assert_true(isnan(at_optim_step(o, 0.1, 1)));
    expect(g, start, 0);
    at_optim_zero_grad(o);
    assert_true(at_optim_step(o, 0, 1) == 0);
    at_optim_free(o);
    at_plan_free(plan);
    at_graph_free(g);
}

static void average(void **state) {
    (void)state;
    at_plan *plan;
    at_graph *g = make(&plan);
    at_ema *e;
    assert_int_equal(at_ema_new(&e, g, 0.9, NULL), AT_OK);
    float *w = at_graph_values(g) + at_graph_param(g, 0)->offset;
    float *buffer = at_graph_values(g) + at_graph_param(g, 3)->offset;
    w[0] = 1.5f, *buffer = 3;
    at_ema_update(e, 0);    /* decay 1 / 10: 0.5 -> 1.4 */
    at_ema_update(e, 1000); /* decay 0.9: 1.41 */
    at_ema_swap(e);
    assert_near(w[0], 1.41, 1e-6);
    assert_true(*buffer == 3);
    at_ema_swap(e);
    assert_true(w[0] == 1.5f);
    at_ema_free(e);
    at_plan_free(plan);
    at_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(as_pytorch),
                                       cmocka_unit_test(not_finite_changes_nothing),
                                       cmocka_unit_test(average)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
