/* SPDX-License-Identifier: MIT */
/* Work in child processes: everything is done once, at most so many at a time; notes and errors
 * come back; a child that dies is noticed; stopping leaves nothing behind; and children die with
 * their parent. */
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "train/jobs.h"

enum { MOST = 16 };

/* What is known of the pieces; the counters are shared with the children. */
typedef struct ledger {
    int notes[MOST], ends[MOST], order[MOST], ended;
    at_status status[MOST];
    char text[MOST][64];
    int *living, *most; /* in shared memory */
    volatile int stop;
    bool refuse; /* `ended` fails */
} ledger;

typedef struct number {
    int index, square;
} number;

static at_status work(void *arg, int index, const at_job_line *line, at_error *err) {
    const ledger *l = arg;
    const int living = __atomic_add_fetch(l->living, 1, __ATOMIC_SEQ_CST);
    if (living > *l->most) *l->most = living;
    const number n = {index, index * index};
    for (int i = 0; i < 3; i++) at_job_tell(line, &n, sizeof n);
    if (index == 3) return at_fail(err, AT_ERR_INPUT, "three is not liked");
    if (index == 4 && line->fd >= 0) raise(SIGKILL);
    for (int i = 0; i < 20 && !*line->stop; i++) usleep(1000);
    __atomic_sub_fetch(l->living, 1, __ATOMIC_SEQ_CST);
    return *line->stop ? at_fail(err, AT_ERR_STOPPED, "stopped") : AT_OK;
}

static void noted(void *arg, int index, const void *note) {
    ledger *l = arg;
    const number *n = note;
    assert_int_equal(n->index, index);
    assert_int_equal(n->square, index * index);
    l->notes[index]++;
}

static at_status ended(void *arg, int index, at_status status, const char *text, at_error *err) {
    ledger *l = arg;
    l->ends[index]++;
    l->order[l->ended++] = index;
    l->status[index] = status;
    snprintf(l->text[index], sizeof l->text[index], "%s", text);
    return l->refuse ? at_fail(err, AT_ERR_IO, "the disk is full") : AT_OK;
}

static at_status run(ledger *l, int count, int at_once, at_error *err) {
    int *shared =
        mmap(NULL, 2 * sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(shared != MAP_FAILED);
    l->living = shared, l->most = shared + 1;
    const at_jobs j = {count, at_once, work, noted, ended, l, &l->stop};
    const at_status s = at_jobs_run(&j, err);
    assert_true(*l->most <=
                (at_once ? at_once + 2 : 8)); /* two end without counting themselves out */
    munmap(shared, 2 * sizeof(int));
    return s;
}

static void all_are_done(void **state) {
    (void)state;
    for (int at_once = 0; at_once <= 3; at_once++) {
        ledger l = {0};
        assert_int_equal(run(&l, 8, at_once, NULL), AT_OK);
        for (int i = 0; i < 8; i++) {
            assert_int_equal(l.ends[i], 1);
            assert_int_equal(l.notes[i], 3);
        }
        assert_int_equal(l.status[0], AT_OK);
        assert_int_equal(l.status[3], AT_ERR_INPUT);
        assert_string_equal(l.text[3], "three is not liked");
        assert_int_equal(l.status[4], at_once ? AT_ERR_IO : AT_OK);
        if (at_once) assert_non_null(strstr(l.text[4], "killed"));
        for (int i = 0; i < 8 && at_once < 2; i++) assert_int_equal(l.order[i], i);
    }
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
}

static void an_end_that_fails_stops_all(void **state) {
    (void)state;
    ledger l = {.refuse = true};
    at_error err = {0};
    assert_int_equal(run(&l, MOST, 2, &err), AT_ERR_IO);
    assert_string_equal(err.text, "the disk is full");
    assert_true(l.ended >= 1 && l.ended <= 2);
}

static void asked_to_stop(void **state) {
    (void)state;
    ledger l = {.stop = 1};
    assert_int_equal(run(&l, 2, 1, NULL), AT_ERR_STOPPED);
    assert_int_equal(l.ended, 0);
}

static at_status stop_me(void *arg, int index, const at_job_line *line, at_error *err) {
    const pid_t parent = *(pid_t *)arg;
    (void)index;
    at_job_tell(line, &parent, sizeof parent);
    for (int i = 0; i < 5000 && !*line->stop; i++) usleep(1000);
    return *line->stop ? at_fail(err, AT_ERR_STOPPED, "stopped") : AT_OK;
}

static volatile int stop;
static int stopped_count;

static void stop_now(void *arg, int index, const void *note) {
    (void)arg, (void)index, (void)note;
    stop = 1;
}

static at_status count_stopped(void *arg, int index, at_status status, const char *text,
                               at_error *err) {
    (void)arg, (void)index, (void)text, (void)err;
    stopped_count += status == AT_ERR_STOPPED;
    return AT_OK;
}

/* Children that are at work are asked, and waited for; those not begun are not begun. */
static void stopped_at_work(void **state) {
    (void)state;
    pid_t self = getpid();
    const at_jobs j = {9, 2, stop_me, stop_now, count_stopped, &self, &stop};
    assert_int_equal(at_jobs_run(&j, NULL), AT_ERR_STOPPED);
    assert_true(stopped_count == 1 || stopped_count == 2);
}

static int pipe_ends[2];

/* Tells the test who it is, and stays. */
static at_status stay(void *arg, int index, const at_job_line *line, at_error *err) {
    const pid_t self = getpid();
    (void)arg, (void)index, (void)line, (void)err;
    if (write(pipe_ends[1], &self, sizeof self) != sizeof self) return AT_ERR_IO;
    for (int i = 0; i < 30; i++) sleep(1);
    return AT_OK;
}

static void children_die_with_their_parent(void **state) {
    (void)state;
    pid_t child;
    char nothing;
    assert_int_equal(pipe(pipe_ends), 0);
    const pid_t parent = fork();
    if (parent == 0) {
        const at_jobs j = {1, 1, stay, stop_now, count_stopped, NULL, NULL};
        close(pipe_ends[0]);
        at_jobs_run(&j, NULL);
        _exit(0);
    }
    close(pipe_ends[1]);
    assert_int_equal(read(pipe_ends[0], &child, sizeof child), sizeof child);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    /* Its end of the pipe closes when it is dead. */
    struct pollfd end = {.fd = pipe_ends[0], .events = POLLIN};
    const bool dead = poll(&end, 1, 10000) == 1;
    if (!dead) kill(child, SIGKILL);
    assert_true(dead);
    assert_int_equal(read(pipe_ends[0], &nothing, 1), 0);
    close(pipe_ends[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_are_done), cmocka_unit_test(an_end_that_fails_stops_all),
        cmocka_unit_test(asked_to_stop), cmocka_unit_test(stopped_at_work),
        cmocka_unit_test(children_die_with_their_parent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
