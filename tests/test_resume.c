/* SPDX-License-Identifier: MIT */
/* A run that is broken off, by SIGKILL at moments of its own and at moments of the clock, or by a
 * stop, and continued, ends with the files of a run that was not: weights byte for byte,
 * results.csv but for the column of clock times. Each session is a process of its own. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/data_files.h"
#include "tests/tiny_set.h"

/* What a session does to itself at its n-th event of a kind; kind -1: nothing. */
typedef struct fate {
    int kind, n;
    bool stop; /* ask to stop instead of dying */
} fate;

static fate doom;
static volatile int stop;

static void progress(void *arg, const at_train_progress *p) {
    (void)arg;
    if ((int)p->event != doom.kind || --doom.n > 0) return;
    if (!doom.stop) raise(SIGKILL);
    stop = 1;
}

/* Everything that has state: running statistics, average, momentum, accumulation, augmentation. */
static at_train_opts options(const char *name) {
    at_train_opts o = tiny_opts();
    o.name = name;
    o.ema = 0.9, o.accumulate = 2, o.batch = 1, o.augment.rotate = 10, o.optim.clip = 0.5;
    return o;
}

/* In a child: begins the run, or continues it. Exit code: the status. */
static void session(const char *name, bool again, fate f) {
    at_error err = {0};
    at_train_result result;
    at_train_opts o = options(name);
    json_t *keep = NULL;
    const char *run = tiny_path("runs/%s", name);
    if (again && at_train_resume_opts(run, &o, &keep, &err) != AT_OK) _exit(99);
    doom = f;
    const at_status s =
        at_train(&o, (at_train_hooks){.progress = progress, .stop = &stop}, &result, &err);
    if (s != AT_OK && s != AT_ERR_STOPPED) fprintf(stderr, "%s\n", err.text);
    at_train_result_free(&result);
    json_decref(keep);
    fflush(NULL);
    _exit((int)s);
}

/* The wait status of a session; after `ms` milliseconds it is killed (0: never). */
static int run(const char *name, bool again, fate f, int ms) {
    int status;
    const pid_t child = fork();
    if (child == 0) session(name, again, f);
    if (ms) {
        usleep((useconds_t)ms * 1000);
        kill(child, SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static const fate none = {-1, 0, false};

static bool done(int status) {
    return WIFEXITED(status) && WEXITSTATUS(status) == AT_OK;
}

static void same_file(const char *name, const char *file) {
    size_t n, m;
    char *a = tiny_read(tiny_path("runs/whole/%s", file), &n),
         *b = tiny_read(tiny_path("runs/%s/%s", name, file), &m);
    if (n != m || memcmp(a, b, n) != 0) fail_msg("%s: %s differs", name, file);
    free(a);
    free(b);
}

/* Blanks the second field of each line. */
static void blank_times(char *csv) {
    for (int field = 0; *csv; csv++) {
        if (*csv == '\n')
            field = 0;
        else if (*csv == ',')
            field++;
        else if (field == 1)
            *csv = ' ';
    }
}

static void without_spaces(char *text) {
    char *to = text;
    for (; *text; text++)
        if (*text != ' ') *to++ = *text;
    *to = '\0';
}

static void same_results(const char *name) {
    size_t n, m;
    char *a = tiny_read(tiny_path("runs/whole/results.csv"), &n),
         *b = tiny_read(tiny_path("runs/%s/results.csv", name), &m);
    blank_times(a), blank_times(b);
    without_spaces(a), without_spaces(b);
    assert_string_equal(a, b);
    free(a);
    free(b);
    same_file(name, "weights/last.safetensors");
    same_file(name, "weights/best.safetensors");
    same_file(name, "results.svg");
    same_file(name, "confusion_matrix.svg");
}

static void killed_at_events(void **state) {
    (void)state;
    static const fate fates[] = {{AT_TRAIN_STARTS, 1, false}, {AT_TRAIN_STEP, 1, false},
                                 {AT_TRAIN_STEP, 5, false},   {AT_TRAIN_VAL, 2, false},
                                 {AT_TRAIN_EPOCH, 1, false},  {AT_TRAIN_VAL, 5, false},
                                 {AT_TRAIN_EPOCH, 2, false}};
    for (int i = 0; i < (int)(sizeof fates / sizeof *fates); i++) {
        char name[32];
        snprintf(name, sizeof name, "event%d", i);
        assert_true(WIFSIGNALED(run(name, false, fates[i], 0)));
        assert_true(done(run(name, true, none, 0)));
        same_results(name);
    }
}

static void append(const char *path, const char *text) {
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

/* Killed in the third epoch after its row was written, and before its checkpoint was. */
static void killed_before_the_checkpoint(void **state) {
    (void)state;
    assert_true(WIFSIGNALED(run("row", false, (fate){AT_TRAIN_VAL, 2 * TINY_VAL + 1, false}, 0)));
    append(tiny_path("runs/row/results.csv"), "3,1.5,9,9,9,9,9,9,9,9,9\n4,");
    append(tiny_path("runs/row/metrics.jsonl"), "{\"type\":\"epoch\",\"epoch\":3}\n{\"ty");
    assert_true(done(run("row", true, none, 0)));
    same_results("row");
    size_t size;
    int lines = 0;
    char *text = tiny_read(tiny_path("runs/row/metrics.jsonl"), &size);
    for (const char *p = text; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, 1 + 3); /* the start, three epochs */
    free(text);
}

static void killed_by_the_clock(void **state) {
    (void)state;
    bool again = false;
    for (int i = 0; i < 40; i++) {
        again = again || at_path_exists(tiny_path("runs/clock/config.json"));
        if (done(run("clock", again, none, 15 + 23 * i % 90 + 5 * i))) break;
        /* Killed before there was anything to continue: begun anew. */
        if (!at_path_exists(tiny_path("runs/clock/config.json")))
            files_remove(tiny_path("runs/clock"));
    }
    again = at_path_exists(tiny_path("runs/clock/config.json"));
    assert_true(done(run("clock", again, none, 0)));
    same_results("clock");
}

static void stopped_in_mid_epoch(void **state) {
    (void)state;
    static const fate fates[] = {
        {AT_TRAIN_STEP, 1, true}, {AT_TRAIN_STEP, 4, true}, {AT_TRAIN_VAL, 1, true}};
    assert_true(WEXITSTATUS(run("stop", false, fates[0], 0)) == AT_ERR_STOPPED);
    assert_true(WEXITSTATUS(run("stop", true, fates[1], 0)) == AT_ERR_STOPPED);
    assert_true(WEXITSTATUS(run("stop", true, fates[2], 0)) == AT_ERR_STOPPED);
    assert_true(done(run("stop", true, none, 0)));
    same_results("stop");
    assert_true(done(run("stop", true, none, 0))); /* nothing is left to do */
    same_results("stop");
}

static int set_up(void **state) {
    (void)state;
    tiny_set_begin();
    return done(run("whole", false, none, 0)) ? 0 : 1;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_events), cmocka_unit_test(killed_before_the_checkpoint),
        cmocka_unit_test(killed_by_the_clock), cmocka_unit_test(stopped_in_mid_epoch)};
    return cmocka_run_group_tests(tests, set_up, tiny_tear_down);
}
