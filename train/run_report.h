/* SPDX-License-Identifier: MIT */
/* A training run as a page: run/report.html, one file that needs nothing else. */
#ifndef AT_TRAIN_RUN_REPORT_H
#define AT_TRAIN_RUN_REPORT_H

#include "data/data.h"

typedef struct at_run_report_opts {
    const at_dataset *dataset; /* already open; NULL: opened as the run's options say... */
    const char *data;          /* ...but from here; NULL: where the run had it */
    const char *split;         /* NULL: val, or train where there is no val */
    void (*progress)(void *arg, int done, int total); /* after each measured picture; NULL: none */
    void *arg;
    const volatile int *stop; /* not 0: AT_ERR_STOPPED; NULL: never */
} at_run_report_opts;

/* Measures the run's best weights (the last ones where there are no best) on the split, in the
 * threads that are set, predicts some of its pictures, and writes the page. A run that is not over
 * is shown as far as it is. Where weights or data can't be read the page says why and has the
 * rest. A directory without config.json is AT_ERR_INPUT, a split that does not exist AT_ERR_USAGE. */
at_status at_run_save_report(const char *run, at_run_report_opts opts, at_error *err);

#endif
