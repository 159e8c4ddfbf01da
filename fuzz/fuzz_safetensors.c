/* SPDX-License-Identifier: MIT */
/* Parses; whatever is accepted must be readable to its last byte. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "nn/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *buffer = malloc(size ? size : 1);
    if (!buffer) return 0;
    if (size) memcpy(buffer, data, size);
    at_st_file f;
    at_error err = {0};
    if (at_st_parse(&f, "fuzz", buffer, size, &err)) return 0;
    for (int i = 0; i < f.count; i++) {
        const at_st_tensor *t = at_st_find(&f, f.tensors[i].name);
        float *values = malloc((size_t)at_st_count(t) * sizeof *values + 1);
        if (values) (void)at_st_read_f32(&f, t, values, &err);
        free(values);
    }
    at_st_close(&f);
    return 0;
}
