/* SPDX-License-Identifier: MIT */
/* What transposition and the pixel shuffle kernels compute. */
#include "nn/kernels/ref/ref.h"

void at_transpose_ref(float *out, ptrdiff_t out_ld, const float *x, ptrdiff_t ld, int rows,
                      int cols) {
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < cols; j++) out[j * out_ld + i] = x[i * ld + j];
}

void at_pixel_shuffle_ref(float *out, ptrdiff_t step, const ptrdiff_t *place, const float *x,
                          ptrdiff_t ld, int64_t pixels, int c, int q) {
    for (int64_t p = 0; p < pixels; p++)
        for (int j = 0; j < c; j++)
            for (int k = 0; k < q; k++) out[p * step + place[k] + j] = x[p * ld + j * q + k];
}

void at_dpixel_shuffle_ref(float *dx, ptrdiff_t ld, const float *dy, ptrdiff_t step,
                           const ptrdiff_t *place, int64_t pixels, int c, int q, bool add) {
    for (int64_t p = 0; p < pixels; p++)
        for (int j = 0; j < c; j++)
            for (int k = 0; k < q; k++) {
                float *to = &dx[p * ld + j * q + k];
                *to = (add ? *to : 0) + dy[p * step + place[k] + j];
            }
}
