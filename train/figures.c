/* SPDX-License-Identifier: MIT */
/* Three digits where a unit is chosen, four behind the point of what lies between 0 and 1. */
#include "train/figures.h"

#include <math.h>
#include <stdio.h>

static const char *scaled(char text[AT_FIGURE], double v, double base, const char *const *units,
                          int count) {
    int i = 0;
    for (; i + 1 < count && v >= 0.9995 * base; i++) v /= base;
    snprintf(text, AT_FIGURE, "%.*f%s%s",
             v >= 99.95 || i == 0 ? 0
             : v >= 9.995         ? 1
                                  : 2,
             v, *units[i] ? " " : "", units[i]);
    return text;
}

const char *at_figure_number(char text[AT_FIGURE], double v) {
    return scaled(text, v, 1000, (const char *const[]){"", "k", "M", "G", "T"}, 5);
}

const char *at_figure_bytes(char text[AT_FIGURE], double v) {
    return scaled(text, v, 1024, (const char *const[]){"B", "KiB", "MiB", "GiB", "TiB"}, 5);
}

const char *at_figure_duration(char text[AT_FIGURE], double seconds) {
    const long s = lround(seconds);
    if (!(seconds >= 0 && seconds < 1e9))
        snprintf(text, AT_FIGURE, "-");
    else if (s < 60)
        snprintf(text, AT_FIGURE, "%.1f s", seconds);
    else if (s < 3600)
        snprintf(text, AT_FIGURE, "%ld min %ld s", s / 60, s % 60);
    else
        snprintf(text, AT_FIGURE, "%ld h %ld min", s / 3600, s / 60 % 60);
    return text;
}

const char *at_figure_share(char text[AT_FIGURE], double v) {
    snprintf(text, AT_FIGURE, isfinite(v) ? "%.4f" : "-", v);
    return text;
}

const char *at_figure_spread(char text[AT_FIGURE], at_study_summary m) {
    if (m.n == 0)
        snprintf(text, AT_FIGURE, "-");
    else if (m.n == 1)
        snprintf(text, AT_FIGURE, "%.4f", m.mean);
    else
        snprintf(text, AT_FIGURE, "%.4f ± %.4f", m.mean, m.deviation);
    return text;
}
