/* SPDX-License-Identifier: MIT */
/* A study's report.html from the inside: what its sections share. A section is one function and one
 * line in the list of study_html.c. Variants carry the number of their rank by mIoU, a hue and a
 * pattern through the whole page. */
#ifndef AT_TRAIN_STUDY_PAGE_H
#define AT_TRAIN_STUDY_PAGE_H

#include "train/chart.h"
#include "train/study.h"
#include "train/study_pictures.h"

typedef struct at_study_page {
    const at_study *s;
    FILE *f;
    int order[AT_MAX_VARIANTS];          /* variants by rank */
    at_chart_look look[AT_MAX_VARIANTS]; /* of each variant; key: rank, from 1 */
    const at_study_pictures *pictures;   /* NULL: not made */
    const char *no_pictures;             /* why not */
} at_study_page;

/* Writes a section's content. */
typedef at_status at_study_section(const at_study_page *p, at_error *err);

at_study_section at_section_ranking, at_section_beyond, at_section_rates; /* study_html_tables.c */
at_study_section at_section_runs;                                         /* study_html_runs.c */
at_study_section at_section_pairs;                                        /* study_html_pairs.c */
at_study_section at_section_curves, at_section_cost, at_section_trimap;   /* study_html_charts.c */
at_study_section at_section_classes;                                      /* study_html_classes.c */
at_study_section at_section_pictures; /* study_html_pictures.c */

/* ---- what they share (study_html.c) ---- */

/* The variant's number in its colours, and with at_page_variant its name. */
void at_page_number(const at_study_page *p, int variant);
void at_page_variant(const at_study_page *p, int variant);
/* All variants with a measure, as the key to charts; folded where there are many. */
void at_page_key(const at_study_page *p);
/* A run of a seed (counted from 0) and a variant. */
const at_study_run *at_page_run(const at_study_page *p, int seed, int variant);
bool at_page_has(const at_study_page *p, const char *measure);
/* How many variants have an mIoU. */
int at_page_measured(const at_study_page *p);
/* Mean, lowest and highest over seeds of n values, NANs left out; y is NAN if there is none. */
at_chart_point at_page_point(double x, const double *values, int n);

#endif
