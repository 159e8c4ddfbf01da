/* SPDX-License-Identifier: MIT */
/* What people see on stderr: on a terminal one live line that is drawn anew, otherwise plain lines
 * only. Also the short forms of amounts, and Ctrl-C. */
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

enum { LINE_MAX_BYTES = 512 };
static const double redraw_s = 0.1;

static bool live_shown;
static double live_drawn_at = -1;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool terminal(void) {
    static int known = -1;
    if (known < 0) {
        const char *term = getenv("TERM");
        known = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
    }
    return known;
}

static int columns(void) {
    struct winsize w;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 0) return w.ws_col;
    return 80;
}

bool cli_live_due(void) {
    return terminal() && now() - live_drawn_at >= redraw_s;
}

void cli_live(const char *format, ...) {
    char line[LINE_MAX_BYTES];
    va_list list;
    if (!terminal()) return;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    /* A line that wraps could not be taken back. */
    fprintf(stderr, "\r\033[K%.*s", columns() - 1, line);
    fflush(stderr);
    live_shown = true;
    live_drawn_at = now();
}

void cli_live_end(void) {
    if (live_shown) fprintf(stderr, "\r\033[K");
    live_shown = false;
}

void cli_say(const char *format, ...) {
    va_list list;
    cli_live_end();
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
}

/* ---- amounts ---- */

/* Three significant digits and a unit. */
static const char *scaled(char *buffer, double v, double base, const char *const *units,
                          int count) {
    int i = 0;
    for (; i + 1 < count && v >= 0.9995 * base; i++) v /= base;
    const int digits = i == 0 || v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2;
    snprintf(buffer, CLI_SHORT, *units[i] ? "%.*f %s" : "%.*f%s", digits, v, units[i]);
    return buffer;
}

const char *cli_bytes(char *buffer, double bytes) {
    return scaled(buffer, bytes, 1024, (const char *const[]){"B", "KiB", "MiB", "GiB", "TiB"}, 5);
}

const char *cli_number(char *buffer, double n) {
    return scaled(buffer, n, 1000, (const char *const[]){"", "k", "M", "G", "T"}, 5);
}

const char *cli_duration(char *buffer, double seconds) {
    if (!(seconds >= 0 && seconds < 1e9)) {
        snprintf(buffer, CLI_SHORT, "?");
        return buffer;
    }
    const long s = lround(seconds);
    if (s < 3600)
        snprintf(buffer, CLI_SHORT, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(buffer, CLI_SHORT, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    return buffer;
}

/* ---- Ctrl-C ---- */

static volatile int stop;

static void on_interrupt(int signal) {
    (void)signal;
    if (stop) _exit(130);
    stop = 1;
}

const volatile int *cli_stop_on_interrupt(void) {
    struct sigaction action = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return &stop;
}
