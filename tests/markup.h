/* SPDX-License-Identifier: MIT */
/* Holds pages to the rules of XML, which ours keep (train/html.h), and finds what is in them. */
#ifndef AT_TESTS_MARKUP_H
#define AT_TESTS_MARKUP_H

#include <stdbool.h>

/* Fails the test, with the place, unless every tag is closed in order, attributes are quoted and
 * named once, references are known, and the text is UTF-8 without control characters. */
void check_markup(const char *page);

/* Fails if the page would load anything: an address in src, href, url() or @import that is not
 * data: or #; or mentions http at all. */
void check_self_contained(const char *page);

/* The value of data-v in the `column`th cell (from 0) of the `row`th row of the body of the table
 * that has this id; "" where there is none. Static. */
const char *cell_value(const char *page, const char *table, int row, int column);

/* How often `word` occurs. */
int count_of(const char *page, const char *word);

#endif
