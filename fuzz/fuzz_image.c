/* SPDX-License-Identifier: MIT */
/* Pictures of any format, decoded, and asked for their size: where both answer, they must agree. */
#include <stdlib.h>

#include "data/data.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    at_image image;
    at_error err = {0};
    int width = 0, height = 0;
    at_status known = at_image_size(fuzz_file(data, size), &width, &height, &err);
    if (at_image_decode(data, size, "fuzz", 3, &image, &err)) return 0;
    if (known || width != image.width || height != image.height) abort();
    unsigned sum = 0; /* every byte is there */
    for (size_t i = 0; i < (size_t)width * (size_t)height * 3; i++) sum += image.data[i];
    at_image_free(&image);
    return sum == UINT32_MAX;
}
