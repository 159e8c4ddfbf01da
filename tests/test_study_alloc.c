/* SPDX-License-Identifier: MIT */
/* Allocations of studies fail, one at a time: an error comes back, nothing leaks, and what was done
 * stays. Those of jansson do not fail: its lexer asserts when it runs out of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/alloc_fail.h"
#include "tests/tiny_set.h"

static at_study_opts question(const char *name) {
    at_study_opts q = {.base = tiny_opts(), .seeds = 1};
    q.base.name = name, q.base.epochs = 1, q.base.threads = 1;
    q.axes[0] = (at_axis_text){NULL, "upsample=bilinear:transposed", ':'};
    q.axis_count = 1;
    return q;
}

static at_status open_only(void *arg, at_error *err) {
    at_study_opts q = question("opened");
    (void)arg;
    at_study *s;
    q.axes[1] = (at_axis_text){NULL, "norm=batch:group", ':'};
    q.axis_count = 2, q.tune_lr = "0.1,0.01", q.seeds = 3;
    AT_TRY(at_study_open(&s, &q, err));
    at_study_free(s);
    return AT_OK;
}

static void opening(void **state) {
    (void)state;
    check_some_alloc_failures(open_only, NULL, 1);
}

/* In this process, so that leaks are seen. */
static at_status carry_out(void *arg, at_error *err) {
    at_study_opts q = question("works");
    (void)arg;
    const at_study_work w = {.jobs = 0, .machine = &q.base};
    at_study *s;
    int failed = 0;
    AT_TRY(at_study_open(&s, &q, err));
    at_status status = at_study_plan(s, &w, err);
    if (status == AT_OK) status = at_study_do(s, &w, &failed, err);
    if (status == AT_OK && failed) status = at_fail(err, AT_ERR_MEMORY, "%d runs failed", failed);
    at_study_free(s);
    return status;
}

static at_status look(void *arg, at_error *err) {
    at_study *s;
    AT_TRY(at_study_load(&s, arg, err));
    at_status status = at_study_save(s, err);
    json_t *plan = at_study_plan_to_json(s), *all = at_study_to_json(s);
    if (status == AT_OK && (!plan || !all)) status = at_fail_memory(err, "JSON", 0);
    json_decref(plan);
    json_decref(all);
    at_study_free(s);
    return status;
}

static void working(void **state) {
    (void)state;
    size_t n, m;
    check_some_alloc_failures(carry_out, NULL, 97);
    assert_int_equal(carry_out(NULL, NULL), AT_OK);
    char *before = tiny_read(tiny_path("runs/works/runs.csv"), &n);
    check_some_alloc_failures(look, (void *)(uintptr_t)tiny_path("runs/works"), 5);
    char *after = tiny_read(tiny_path("runs/works/runs.csv"), &m);
    assert_string_equal(before, after);
    free(before);
    free(after);
}

static int set_up(void **state) {
    (void)state;
    tiny_set_begin();
    return at_threads_set(1, NULL) != AT_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(opening), cmocka_unit_test(working)};
    return cmocka_run_group_tests(tests, set_up, tiny_tear_down);
}
