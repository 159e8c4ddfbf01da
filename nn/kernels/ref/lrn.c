/* SPDX-License-Identifier: MIT */
/* Local response normalisation from its definition, in double. */
#include <math.h>

#include "nn/kernels/ref/ref.h"

#define AT(run, r, j) (run).data[(r) * (run).ld + (j)]

/* k + alpha * the sum of squares over the window of channel j. */
static double spread(const at_lrn *p, at_rows x, int64_t r, int64_t j, int64_t cols) {
    double sum = 0;
    for (int64_t i = j - p->before; i <= j + p->after; i++)
        if (i >= 0 && i < cols) sum += (double)AT(x, r, i) * AT(x, r, i);
    return p->k + p->alpha * sum;
}

void at_lrn_ref(at_rows y, at_rows x, const at_lrn *p, float *work, int64_t rows, int64_t cols) {
    (void)work;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++)
            AT(y, r, j) = (float)(AT(x, r, j) * pow(spread(p, x, r, j, cols), -p->beta));
}

/* Channel j is read by the outputs whose windows hold it: j - after .. j + before. */
void at_dlrn_ref(at_rows dx, at_rows dy, at_rows x, const at_lrn *p, float *work, int64_t rows,
                 int64_t cols, bool add) {
    (void)work;
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < cols; j++) {
            double others = 0;
            for (int64_t i = j - p->after; i <= j + p->before; i++)
                if (i >= 0 && i < cols)
                    others += (double)AT(dy, r, i) * AT(x, r, i) *
                              pow(spread(p, x, r, i, cols), -p->beta - 1);
            double v = AT(dy, r, j) * pow(spread(p, x, r, j, cols), -p->beta) -
                       2.0 * p->alpha * p->beta * AT(x, r, j) * others;
            AT(dx, r, j) = (float)(add ? AT(dx, r, j) + v : v);
        }
}
