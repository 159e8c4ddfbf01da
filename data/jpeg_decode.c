/* SPDX-License-Identifier: MIT */
/* The only place that holds stb_image, and of that only its JPEG decoder: all other formats have
 * readers of our own, which notice when a file is cut short. */
#include <stdlib.h>

#include "data/decode.h"

/* Not our code: our warnings are off for it (that about unused functions comes at the file's end).
 */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wall"
#pragma GCC diagnostic ignored "-Wextra"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wcast-qual"
/* It reads tables that a broken file never defines: they shall be zeros then. */
#define STBI_MALLOC(size) calloc(1, size)
#define STBI_REALLOC(p, size) realloc(p, size)
#define STBI_FREE(p) free(p)
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_ONLY_JPEG
#define STBI_NO_STDIO
#define STBI_NO_HDR
#define STBI_NO_LINEAR
#define STBI_MAX_DIMENSIONS 65535
#include <stb/stb_image.h>
#pragma GCC diagnostic pop

/* A block of 8x8 takes at least one bit. Fewest are needed with two components sampled 4x1 and 1x4:
 * two blocks for 256 pixels, that is 1024 pixels a byte. A file that claims more is not worth the
 * memory. */
enum { PIXELS_PER_BYTE = 1024 };

at_status at_jpeg_decode(const void *bytes, size_t size, const char *where, at_image *out,
                         at_error *err) {
    int width, height, channels;
    *out = (at_image){0};
    if (size > INT32_MAX) return at_fail(err, AT_ERR_INPUT, "%s: JPEG larger than 2 GiB", where);
    uint8_t *data = NULL;
    if (stbi_info_from_memory(bytes, (int)size, &width, &height, &channels)) {
        if ((uint64_t)width * (uint64_t)height / PIXELS_PER_BYTE > size)
            return at_fail(err, AT_ERR_INPUT, "%s: damaged JPEG: too few bytes for %dx%d pixels",
                           where, width, height);
        data = stbi_load_from_memory(bytes, (int)size, &width, &height, &channels,
                                     channels < 3 ? 1 : 3);
    }
    if (!data) {
        const char *why = stbi_failure_reason();
        if (why && strcmp(why, "outofmem") == 0) return at_fail_memory(err, where, size);
        return at_fail(err, AT_ERR_INPUT, "%s: damaged JPEG (%s); make or copy the file anew",
                       where, why ? why : "unknown reason");
    }
    *out = (at_image){width, height, channels < 3 ? 1 : 3, data};
    return AT_OK;
}
