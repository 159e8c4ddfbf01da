/* SPDX-License-Identifier: MIT */
#include "tests/check_trial.h"

#include <stdlib.h>

static double projected(const check_trial *t, at_plan *plan) {
    double sum = 0;
    if (t->c->naive != NULL) {
        double *y = check_zeros(t->out_count, sizeof *y);
        t->c->naive(&t->d, y);
        for (int64_t i = 0; i < t->out_count; i++) sum += t->projection[i] * y[i];
        free(y);
        return sum;
    }
    check_forward(t, plan);
    float *y = check_from_view(at_plan_value(plan, t->out));
    for (int64_t i = 0; i < t->out_count; i++) sum += t->projection[i] * (double)y[i];
    free(y);
    return sum;
}

static void differences(const check_trial *t, at_plan *plan, double *v, double *dv, int64_t count) {
    double h = t->c->naive != NULL ? 1e-5 : 4e-3;
    for (int64_t i = 0; i < count; i++) {
        double middle = v[i];
        v[i] = middle + h;
        dv[i] = projected(t, plan);
        v[i] = middle - h;
        dv[i] = (dv[i] - projected(t, plan)) / (2 * h);
        v[i] = middle;
    }
}

/* A direction in the space of many numbers: plus or minus one, without a pattern. */
double check_direction(int64_t i) {
    return ((uint64_t)i * 0x9e3779b97f4a7c15u) >> 63 ? 1 : -1;
}

static void move(double *v, int64_t count, double h) {
    for (int64_t i = 0; i < count; i++) v[i] += h * check_direction(i);
}

/* Derivative of the projected output along that direction. */
static double slope(const check_trial *t, double *v, int64_t count) {
    const double h = 1e-6;
    move(v, count, h);
    double up = projected(t, NULL);
    move(v, count, -2 * h);
    double down = projected(t, NULL);
    move(v, count, h);
    return (up - down) / (2 * h);
}

bool check_has_large_truth(const check_case *c) {
    return c->naive != NULL && !c->small_naive;
}

/* The truth about a large trial: the output, and a slope in the first element of each gradient. */
void check_find_large_truth(check_trial *t) {
    t->c->naive(&t->d, t->y);
    for (int k = 0; k < t->inputs && !t->c->infer; k++)
        t->d_in[k][0] = slope(t, t->in[k], t->in_count[k]);
    for (int k = 0; k < t->params && !t->c->infer; k++)
        t->d_param[k][0] = slope(t, t->param[k], t->param_count[k]);
}

void check_find_truth(check_trial *t) {
    at_plan *plan = check_plan(t);
    if (t->c->naive != NULL) t->c->naive(&t->d, t->y);
    for (int k = 0; k < t->inputs && !t->c->infer; k++)
        differences(t, plan, t->in[k], t->d_in[k], t->in_count[k]);
    for (int k = 0; k < t->params && !t->c->infer; k++)
        if (!at_graph_param(t->g, k)->spec.buffer)
            differences(t, plan, t->param[k], t->d_param[k], t->param_count[k]);
    at_plan_free(plan);
}
