/* SPDX-License-Identifier: MIT */
/* Tables and numbers of report.md. */
#ifndef AT_TRAIN_STUDY_MARKDOWN_H
#define AT_TRAIN_STUDY_MARKDOWN_H

#include <stdio.h>

#include "train/study.h"

typedef struct at_study_markdown {
    const at_study *s;
    FILE *f;
} at_study_markdown;

/* Text for a cell of a table. */
void at_markdown_cell(const at_study_markdown *r, const char *text);

/* Variants by mIoU, with boundary measures and costs; then the measures beyond, where there are
 * any. */
void at_markdown_ranking(const at_study_markdown *r);
void at_markdown_beyond(const at_study_markdown *r);

#endif
