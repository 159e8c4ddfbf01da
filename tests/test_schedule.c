/* SPDX-License-Identifier: MIT */
/* Learning rates against values worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

static void near(double got, double want) {
    assert_near(got, want, 1e-12);
}

static void decays(void **state) {
    (void)state;
    at_schedule s = {.kind = AT_SCHEDULE_POLY, .lr = 2, .total = 100};
    near(at_schedule_lr(&s, 0), 2);
    near(at_schedule_lr(&s, 50), 2 * 0.535886731268146); /* 0.5^0.9 */
    near(at_schedule_lr(&s, 100), 0);
    near(at_schedule_lr(&s, 1000), 0);
    s.power = 1;
    near(at_schedule_lr(&s, 25), 1.5);
    s.kind = AT_SCHEDULE_COSINE;
    near(at_schedule_lr(&s, 0), 2);
    near(at_schedule_lr(&s, 25), 1 + 0.707106781186548);
    near(at_schedule_lr(&s, 50), 1);
    near(at_schedule_lr(&s, 100), 0);
    s.kind = AT_SCHEDULE_CONSTANT;
    near(at_schedule_lr(&s, 99), 2);
}

static void steps(void **state) {
    (void)state;
    at_schedule s = {.kind = AT_SCHEDULE_STEP, .lr = 1, .total = 90, .every = 20, .gamma = 0.5};
    near(at_schedule_lr(&s, 19), 1);
    near(at_schedule_lr(&s, 20), 0.5);
    near(at_schedule_lr(&s, 89), 0.0625);
    s.every = 0; /* a third of the run, by a tenth */
    s.gamma = 0;
    near(at_schedule_lr(&s, 29), 1);
    near(at_schedule_lr(&s, 30), 0.1);
    near(at_schedule_lr(&s, 60), 0.01);
    near(at_schedule_lr_at(&s, 7, 0.5), 0.1);
}

static void warm_up(void **state) {
    (void)state;
    at_schedule s = {.kind = AT_SCHEDULE_POLY, .lr = 1, .total = 14, .warmup = 4, .power = 1};
    const double want[] = {0.2, 0.4, 0.6, 0.8, 1, 0.9, 0.8};
    for (int i = 0; i < 7; i++) near(at_schedule_lr(&s, i), want[i]);
    near(at_schedule_lr(&s, 14), 0);
    near(at_schedule_lr_at(&s, 1, 0.5), 0.4 * 0.5);
    near(at_schedule_lr_at(&s, 100, 0.25), 0.75);
    s.total = 0; /* unknown: no decay */
    near(at_schedule_lr(&s, 500), 1);
    s.total = 2; /* the run ends in its warm-up */
    near(at_schedule_lr(&s, 1), 0.4);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(decays), cmocka_unit_test(steps),
                                       cmocka_unit_test(warm_up)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
