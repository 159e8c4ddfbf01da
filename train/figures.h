/* SPDX-License-Identifier: MIT */
/* Numbers as people read them, for reports. */
#ifndef AT_TRAIN_FIGURES_H
#define AT_TRAIN_FIGURES_H

#include "train/study.h"

enum { AT_FIGURE = 48 };

/* "1.42 M", "46.9 MiB", "12.3 s", "4 min 5 s"; "-" for a duration that does not exist. */
const char *at_figure_number(char text[AT_FIGURE], double v);
const char *at_figure_bytes(char text[AT_FIGURE], double v);
const char *at_figure_duration(char text[AT_FIGURE], double seconds);
/* "0.4389"; "-" for NAN. */
const char *at_figure_share(char text[AT_FIGURE], double v);
/* "0.4389 ± 0.0120", without the deviation of a single seed; "-" for none. */
const char *at_figure_spread(char text[AT_FIGURE], at_study_summary m);

#endif
