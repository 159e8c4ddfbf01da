/* SPDX-License-Identifier: MIT */
/* A run's report.html from the inside. run_measure.c gathers what the page tells, run_html.c
 * writes its head and the list of sections; a section is one function and one line there. */
#ifndef AT_TRAIN_RUN_PAGE_H
#define AT_TRAIN_RUN_PAGE_H

#include <stdio.h>

#include "train/evaluate.h"
#include "train/options.h"
#include "train/run.h"
#include "train/run_report.h"

enum { AT_RUN_PICTURES = 6 };

/* A picture of the split as the page shows it: small. */
typedef struct at_run_picture {
    const char *name; /* the data set's */
    double miou, pixel_accuracy;
    at_image image; /* 3 channels */
    uint8_t *truth, *ids;
} at_run_picture;

typedef struct at_run_page {
    FILE *f;
    const char *dir;
    at_run_report_opts opts;
    at_train_opts o; /* the run's */
    json_t *config;  /* config.json; owns their strings */
    json_t *start;   /* the first line of metrics.jsonl; NULL: there is none */
    int64_t iteration;
    at_epoch_row *rows; /* of results.csv */
    int row_count;
    /* From here on only where `measured`. */
    bool measured;
    at_error why;        /* not measured: why */
    const char *weights; /* "best" or "last" */
    const char *split;
    at_network net;
    at_dataset *own_data; /* NULL: the caller's is used */
    const at_dataset *data;
    at_evaluation e;
    int picture_count;
    at_run_picture pictures[AT_RUN_PICTURES];
} at_run_page;

/* All but the FILE; what it leaves behind on an error is freed by at_run_page_free too. */
at_status at_run_page_read(at_run_page *p, at_error *err);
void at_run_page_free(at_run_page *p);
/* Has the run come to its end? */
bool at_run_is_over(const at_run_page *p);

typedef at_status at_run_section(const at_run_page *p, at_error *err);
at_run_section at_run_curves, at_run_trimap; /* run_html_charts.c */
at_run_section at_run_classes, at_run_confusion, at_run_objects, at_run_checkerboard,
    at_run_pictures; /* run_html_parts.c */

#endif
