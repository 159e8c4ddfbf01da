/* SPDX-License-Identifier: MIT */
/* Frames of one size go through a pipe, smaller than what the system writes in one piece. A
 * terminal's Ctrl-C reaches children too, who must not heed it: they are asked by SIGTERM, once. */
#include "train/jobs.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

typedef struct frame {
    bool last;        /* `payload` is the text of the error; otherwise a note */
    at_status status; /* last */
    char payload[AT_JOB_NOTE];
} frame;
static_assert(sizeof(frame) <= PIPE_BUF, "a frame is written in one piece");

typedef struct child {
    pid_t pid; /* 0: a free place */
    int fd, index;
    bool told; /* `end` holds the last frame */
    frame end;
} child;

typedef struct crew {
    const at_jobs *j;
    child *children; /* [places] */
    struct pollfd *polls;
    int places, next, living;
    bool stopping, cut; /* asked to stop; something was left undone */
    at_status status;   /* of `ended` */
} crew;

/* ---- in the child ---- */

static volatile int asked_to_stop;

static void on_ask(int signal) {
    (void)signal;
    asked_to_stop = 1;
}

static void write_frame(int fd, const frame *f) {
    while (write(fd, f, sizeof *f) < 0 && errno == EINTR) continue;
}

void at_job_tell(const at_job_line *line, const void *note, size_t size) {
    frame f = {0};
    assert(size <= sizeof f.payload);
    if (line->fd < 0) {
        line->direct(line->arg, line->index, note);
        return;
    }
    memcpy(f.payload, note, size);
    write_frame(line->fd, &f);
}

/* Signals, and dying with the parent. */
static void settle_in(pid_t parent, const sigset_t *mask) {
    const struct sigaction action = {.sa_handler = on_ask, .sa_flags = SA_RESTART};
    signal(SIGINT, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    asked_to_stop = 0;
    sigaction(SIGTERM, &action, NULL);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != parent) _exit(1);
    sigprocmask(SIG_SETMASK, mask, NULL);
}

static void be_child(const at_jobs *j, int index, int fd, pid_t parent, const sigset_t *mask) {
    at_error err = {0};
    const at_job_line line = {.fd = fd, .stop = &asked_to_stop};
    settle_in(parent, mask);
    frame f = {.last = true};
    f.status = j->work(j->arg, index, &line, &err);
    snprintf(f.payload, sizeof f.payload, "%s", err.text);
    write_frame(fd, &f);
    _exit(0);
}

/* ---- in the caller ---- */

/* Signals wait until the child knows what to do with them. */
static pid_t fork_child(const crew *c, const int ends[2]) {
    sigset_t all, old;
    const pid_t parent = getpid();
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
    const pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_child(c->j, c->next, ends[1], parent, &old);
    }
    sigprocmask(SIG_SETMASK, &old, NULL);
    return pid;
}

static at_status start(crew *c, child *place, at_error *err) {
    int ends[2];
    if (pipe(ends) != 0) return at_fail(err, AT_ERR_IO, "cannot make a pipe: %s", strerror(errno));
    const pid_t pid = fork_child(c, ends);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return at_fail(err, AT_ERR_MEMORY, "cannot start a process: %s", strerror(errno));
    }
    *place = (child){.pid = pid, .fd = ends[0], .index = c->next++};
    c->living++;
    return AT_OK;
}

static void ask_to_stop(crew *c) {
    if (c->stopping) return;
    c->stopping = true;
    for (int i = 0; i < c->places; i++)
        if (c->children[i].pid) kill(c->children[i].pid, SIGTERM);
}

/* The child has closed its end: it is over. */
static void bury(crew *c, child *k, at_error *err) {
    int code = 0;
    char text[128];
    while (waitpid(k->pid, &code, 0) < 0 && errno == EINTR) continue;
    close(k->fd);
    k->pid = 0;
    c->living--;
    if (!k->told) {
        if (WIFSIGNALED(code) && WTERMSIG(code) == SIGKILL)
            snprintf(text, sizeof text, "its process was killed (signal 9): out of memory?");
        else
            snprintf(text, sizeof text, "its process ended without a word (%s %d)",
                     WIFSIGNALED(code) ? "signal" : "code",
                     WIFSIGNALED(code) ? WTERMSIG(code) : WEXITSTATUS(code));
    }
    const at_status s = k->told
                            ? c->j->ended(c->j->arg, k->index, k->end.status, k->end.payload, err)
                            : c->j->ended(c->j->arg, k->index, AT_ERR_IO, text, err);
    c->cut |= k->told && k->end.status == AT_ERR_STOPPED;
    if (s == AT_OK) return;
    c->status = s;
    ask_to_stop(c);
}

/* Whole frames come whole: each is written in one piece. */
static void hear(crew *c, child *k, at_error *err) {
    frame f;
    const ssize_t got = read(k->fd, &f, sizeof f);
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) return;
    if (got != sizeof f) {
        bury(c, k, err);
    } else if (f.last) {
        k->end = f;
        k->told = true;
    } else
        c->j->noted(c->j->arg, k->index, f.payload);
}

/* Waits a moment for news. */
static void listen(crew *c, at_error *err) {
    int count = 0, who[64];
    for (int i = 0; i < c->places && count < 64; i++)
        if (c->children[i].pid) {
            who[count] = i;
            c->polls[count++] = (struct pollfd){.fd = c->children[i].fd, .events = POLLIN};
        }
    if (poll(c->polls, (nfds_t)count, 200) <= 0) return;
    for (int i = 0; i < count; i++)
        if (c->polls[i].revents) hear(c, &c->children[who[i]], err);
}

static child *free_place(crew *c) {
    for (int i = 0; i < c->places; i++)
        if (!c->children[i].pid) return &c->children[i];
    return NULL;
}

static at_status conduct(crew *c, at_error *err) {
    while (true) {
        if (c->j->stop && *c->j->stop) ask_to_stop(c);
        child *place = free_place(c);
        if (place && c->next < c->j->count && !c->stopping) {
            if ((c->status = start(c, place, err)) != AT_OK) ask_to_stop(c);
        } else if (c->living > 0)
            listen(c, err);
        else
            break;
    }
    if (c->status != AT_OK) return c->status;
    return c->cut || c->next < c->j->count ? at_fail(err, AT_ERR_STOPPED, "stopped") : AT_OK;
}

/* ---- without children ---- */

static at_status one_by_one(const at_jobs *j, at_error *err) {
    static const volatile int never;
    for (int i = 0; i < j->count; i++) {
        at_error inner = {0};
        const at_job_line line = {.fd = -1,
                                  .stop = j->stop ? j->stop : &never,
                                  .direct = j->noted,
                                  .arg = j->arg,
                                  .index = i};
        const at_status s = j->work(j->arg, i, &line, &inner);
        AT_TRY(j->ended(j->arg, i, s, inner.text, err));
        if (*line.stop) return at_fail(err, AT_ERR_STOPPED, "stopped");
    }
    return AT_OK;
}

at_status at_jobs_run(const at_jobs *j, at_error *err) {
    crew c = {.j = j, .places = j->at_once < 64 ? j->at_once : 64};
    if (!j->at_once) return one_by_one(j, err);
    AT_TRY(at_threads_set(1, err));
    c.children = calloc((size_t)c.places, sizeof *c.children);
    c.polls = calloc((size_t)c.places, sizeof *c.polls);
    const at_status s = c.children && c.polls
                            ? conduct(&c, err)
                            : at_fail_memory(err, "child processes", sizeof *c.children);
    free(c.children);
    free(c.polls);
    return s;
}
