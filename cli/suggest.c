/* SPDX-License-Identifier: MIT */
/* "Did you mean": the optimal string alignment distance (Damerau and Levenshtein's, where no part
 * is edited twice), over short words. */
#include <string.h>

#include "cli/cli.h"

enum { LONGEST = 40 };

static int least(int a, int b) {
    return a < b ? a : b;
}

static int distance(const char *a, int na, const char *b, int nb) {
    int d[LONGEST + 1][LONGEST + 1];
    for (int i = 0; i <= na; i++)
        for (int j = 0; j <= nb; j++) {
            if (i == 0 || j == 0) {
                d[i][j] = i + j;
                continue;
            }
            d[i][j] = least(d[i - 1][j], d[i][j - 1]) + 1;
            d[i][j] = least(d[i][j], d[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                d[i][j] = least(d[i][j], d[i - 2][j - 2] + 1);
        }
    return d[na][nb];
}

void cli_nearest_try(cli_nearest *n, const char *candidate) {
    const size_t length = strlen(candidate);
    if (n->length > LONGEST || length > LONGEST) return;
    const int d = distance(n->word, (int)n->length, candidate, (int)length);
    const int most = (int)(n->length > length ? n->length : length) / 3;
    /* "epoch" for "epochs" and "optim" for "optimizer": a beginning is near as well. */
    const bool begins = n->length >= 3 && strncmp(candidate, n->word, n->length) == 0;
    if ((d <= most || begins) && (!n->best || d < n->distance)) {
        n->best = candidate;
        n->distance = d;
    }
}
