/* SPDX-License-Identifier: MIT */
/* What the resampling kernels compute, as plainly as it can be said. */
#include "nn/kernels/ref/ref.h"

void at_blend_rows_ref(at_line out, at_line x, ptrdiff_t row, at_taps t, int64_t pixels, int c,
                       bool add) {
    void *to = (void *)(uintptr_t)out.data;
    for (int64_t i = 0; i < pixels; i++)
        for (int j = 0; j < c; j++) {
            double sum = add ? at_ref_load(to, i * out.ld + j, out.bf16) : 0;
            for (int k = 0; k < t.count; k++)
                sum += (double)t.weight[k] *
                       at_ref_load(x.data, t.index[k] * row + i * x.ld + j, x.bf16);
            at_ref_store(to, i * out.ld + j, (float)sum, out.bf16);
        }
}

void at_mix_pixels_ref(at_line out, at_line x, const at_resample *r, int c, bool add) {
    void *to = (void *)(uintptr_t)out.data;
    for (int o = 0; o < r->size; o++)
        for (int j = 0; j < c; j++) {
            at_taps t = at_resample_taps(r, o);
            double sum = add ? at_ref_load(to, o * out.ld + j, out.bf16) : 0;
            for (int k = 0; k < t.count; k++)
                sum += (double)t.weight[k] * at_ref_load(x.data, t.index[k] * x.ld + j, x.bf16);
            at_ref_store(to, o * out.ld + j, (float)sum, out.bf16);
        }
}
