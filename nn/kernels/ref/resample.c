/* SPDX-License-Identifier: MIT */
/* What the resampling kernels compute, as plainly as it can be said. */
#include "nn/kernels/ref/ref.h"

void at_blend_rows_ref(float *out, const void *x, bool bf16, ptrdiff_t row, ptrdiff_t ld, at_taps t,
                       int64_t pixels, int c) {
    for (int64_t i = 0; i < pixels * c; i++) {
        double sum = 0;
        for (int k = 0; k < t.count; k++)
            sum +=
                (double)t.weight[k] * at_ref_load(x, t.index[k] * row + i / c * ld + i % c, bf16);
        out[i] = (float)sum;
    }
}

void at_mix_pixels_ref(void *out, bool bf16, ptrdiff_t out_ld, const float *x, ptrdiff_t ld,
                       const at_resample *r, int c, bool add) {
    for (int o = 0; o < r->size; o++)
        for (int j = 0; j < c; j++) {
            at_taps t = at_resample_taps(r, o);
            double sum = add ? at_ref_load(out, o * out_ld + j, bf16) : 0;
            for (int k = 0; k < t.count; k++) sum += (double)t.weight[k] * x[t.index[k] * ld + j];
            at_ref_store(out, o * out_ld + j, (float)sum, bf16);
        }
}
