/* SPDX-License-Identifier: MIT */
/* Studies whose runs break: what is to blame is kept, what is not to blame gets another chance, and
 * nothing is made up in the place of what is missing. */
#include <ctype.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/tiny_set.h"

static at_study_opts question(const char *name) {
    at_study_opts q = {.base = tiny_opts(), .seeds = 1};
    q.base.name = name, q.base.epochs = 1;
    q.axes[0] = (at_axis_text){NULL, "upsample=bilinear:transposed", ':'};
    q.axis_count = 1;
    return q;
}

/* Kills a child of this process as soon as there is news of one, once. */
static bool kill_one;

static void listen(void *arg, const at_study_progress *p) {
    char path[64], text[64] = "";
    (void)arg;
    if (!kill_one || p->event != AT_STUDY_STEP) return;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", (int)getpid());
    FILE *f = fopen(path, "r");
    if (!f) return;
    if (fgets(text, sizeof text, f) && isdigit((unsigned char)*text))
        kill_one = kill((pid_t)strtol(text, NULL, 10), SIGKILL) != 0;
    fclose(f);
}

static at_status carry_out(const at_study_opts *q, int jobs, at_study **s, int *failed,
                           at_error *err) {
    const at_study_work w = {.jobs = jobs, .machine = &q->base, .progress = listen};
    at_status status = at_study_open(s, q, err);
    if (status == AT_OK) status = at_study_plan(*s, &w, err);
    return status == AT_OK ? at_study_do(*s, &w, failed, err) : status;
}

static bool is_there(const char *path) {
    return access(path, F_OK) == 0;
}

/* A study of one value that is done, and `dir` of a second value's run, in which a file lies that
 * nobody knows. */
static at_study_opts half_done(const char *name, const char *tune_lr, const char *dir) {
    at_study *s;
    int failed;
    at_study_opts q = question(name);
    q.tune_lr = tune_lr;
    q.axes[0].values = "upsample=bilinear";
    assert_int_equal(carry_out(&q, 0, &s, &failed, NULL), AT_OK);
    at_study_free(s);
    q.axes[0].values = "upsample=bilinear:transposed";
    assert_int_equal(at_make_dirs(tiny_path("runs/%s/%s/weights", name, dir), NULL), AT_OK);
    FILE *f = fopen(tiny_path("runs/%s/%s/weights/stray", name, dir), "w");
    assert_non_null(f);
    fclose(f);
    return q;
}

/* A pilot that could not be trained says nothing about its learning rate: the study waits for it,
 * where it once went on with a rate that nobody chose. */
static void a_pilot_without_end(void **state) {
    (void)state;
    int failed;
    at_study *s;
    at_error err = {0};
    const at_study_opts q = half_done("piloted", "0.01,0.001", "pilots/transposed-lr0.001");
    for (int jobs = 0; jobs < 2; jobs++) {
        assert_int_equal(carry_out(&q, jobs, &s, &failed, &err), AT_ERR_IO);
        assert_non_null(strstr(err.text, "transposed, pilot with learning rate 0.001"));
        assert_non_null(strstr(err.text, "in the way"));
        assert_false(is_there(tiny_path("runs/piloted/runs/transposed-seed7")));
        at_study_free(s);
    }
    assert_int_equal(remove(tiny_path("runs/piloted/pilots/transposed-lr0.001/weights/stray")), 0);
    assert_int_equal(carry_out(&q, 1, &s, &failed, &err), AT_OK);
    assert_true(s->variants[1].lr >= 0);
    assert_int_equal(s->runs[1].state, AT_RUN_DONE);
    at_study_free(s);
}

static void a_pilot_killed(void **state) {
    (void)state;
    int failed;
    at_study *s;
    at_error err = {0};
    at_study_opts q = question("shot");
    q.tune_lr = "0.01,0.001", q.base.epochs = 50, q.tune_share = 1;
    kill_one = true;
    assert_int_equal(carry_out(&q, 1, &s, &failed, &err), AT_ERR_IO);
    if (kill_one) skip(); /* this system does not tell children */
    assert_non_null(strstr(err.text, "killed"));
    for (int i = 0; i < s->run_count; i++) assert_int_equal(s->runs[i].state, AT_RUN_PLANNED);
    at_study_free(s);
}

/* A run that fails before it has a directory has failed all the same, tomorrow too. */
static void a_run_that_never_began(void **state) {
    (void)state;
    int failed;
    at_study *s;
    at_error err = {0};
    const at_study_opts q = half_done("begun", NULL, "runs/transposed-seed7");
    assert_int_equal(carry_out(&q, 1, &s, &failed, &err), AT_OK);
    assert_int_equal(failed, 1);
    at_study_free(s);
    assert_int_equal(at_study_load(&s, tiny_path("runs/begun"), NULL), AT_OK);
    assert_int_equal(s->runs[1].state, AT_RUN_FAILED);
    assert_non_null(strstr(s->runs[1].error, "in the way"));
    at_study_free(s);
    assert_int_equal(remove(tiny_path("runs/begun/runs/transposed-seed7/weights/stray")), 0);
    assert_int_equal(carry_out(&q, 1, &s, &failed, &err), AT_OK);
    assert_int_equal(s->runs[1].state, AT_RUN_DONE);
    at_study_free(s);
}

/* The reason is known, though the run could not write it down. */
static void a_run_killed(void **state) {
    (void)state;
    int failed;
    at_study *s;
    at_study_opts q = question("killed");
    q.base.epochs = 50;
    kill_one = true;
    assert_int_equal(carry_out(&q, 1, &s, &failed, NULL), AT_OK);
    if (kill_one) skip();
    assert_int_equal(failed, 1);
    assert_int_equal(s->runs[0].state, AT_RUN_FAILED);
    assert_non_null(strstr(s->runs[0].error, "killed"));
    assert_int_equal(s->runs[1].state, AT_RUN_DONE);
    at_study_free(s);
    assert_int_equal(carry_out(&q, 1, &s, &failed, NULL), AT_OK);
    assert_int_equal(failed, 0);
    assert_int_equal(s->runs[0].state, AT_RUN_DONE);
    at_study_free(s);
}

/* Where weights are averaged, the average is measured, as while training. */
static void averages(void **state) {
    (void)state;
    int failed, count, alike = 0;
    at_study *s;
    at_study_opts q = question("averaged");
    q.axes[0].values = "ema=0.5:0.999";
    q.base.epochs = 3, q.base.lr = 0.02;
    assert_int_equal(carry_out(&q, 0, &s, &failed, NULL), AT_OK);
    for (int i = 0; i < s->run_count; i++) {
        at_epoch_row *rows;
        char path[256];
        snprintf(path, sizeof path, "%s/results.csv", s->runs[i].dir);
        assert_int_equal(at_results_read(path, &rows, &count, NULL), AT_OK);
        assert_true(fabs(rows[count - 1].miou - at_study_value(&s->runs[i], "miou")) < 1e-8);
        alike += rows[count - 1].pixel_accuracy == at_study_value(&s->runs[0], "pixel_accuracy");
        free(rows);
    }
    assert_true(alike < 2);
    at_study_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_pilot_without_end),
                                       cmocka_unit_test(a_pilot_killed),
                                       cmocka_unit_test(a_run_that_never_began),
                                       cmocka_unit_test(a_run_killed), cmocka_unit_test(averages)};
    return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down);
}
