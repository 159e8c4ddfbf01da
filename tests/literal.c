/* SPDX-License-Identifier: MIT */
#include "tests/literal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *what, const float *got, const float *want, int64_t count) {
    for (int64_t i = 0; i < count; i++)
        if (!(fabsf(got[i] - want[i]) <= 2e-6f * (1 + fabsf(want[i]))))
            fail_msg("%s %d is %.8g, PyTorch says %.8g", what, (int)i, (double)got[i],
                     (double)want[i]);
}

void check_literal(const literal *l) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "x", l->in.c), *target = at_target(g, "labels");
    at_node *out = l->build(g, x, target, l->arg);
    at_plan *plan = NULL;
    at_error err = {0};
    at_plan_opts opts = {.batch = l->in.n,
                         .height = l->in.h,
                         .width = l->in.w,
                         .mode = AT_TRAIN,
                         .output = out,
                         .input_grad = true};
    if (at_graph_finish(g, &err) || at_plan_new(&plan, g, opts, &err)) fail_msg("%s", err.text);
    float *in = at_f32(at_plan_value(plan, x));
    for (int64_t i = 0; i < at_shape_count(l->in); i++) in[i] = (float)sin((double)i);
    if (l->labels != NULL)
        memcpy(at_plan_value(plan, target).data, l->labels, (size_t)at_shape_pixels(l->in));
    at_plan_forward(plan);
    assert_int_equal(at_shape_count(at_plan_shape(plan, out)), l->out_count);
    expect("output", at_f32(at_plan_value(plan, out)), l->y, l->out_count);
    float *dy = at_f32(at_plan_grad(plan, out));
    for (int i = 0; i < l->out_count; i++) dy[i] = (float)cos((double)i);
    at_plan_backward(plan);
    expect("gradient", at_f32(at_plan_grad(plan, x)), l->dx, at_shape_count(l->in));
    at_plan_free(plan);
    at_graph_free(g);
}
