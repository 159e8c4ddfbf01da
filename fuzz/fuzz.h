/* SPDX-License-Identifier: MIT */
/* A harness is one file, fuzz/fuzz_NAME.c, that defines LLVMFuzzerTestOneInput, and a folder of
 * small inputs, fuzz/corpus/NAME/. `make test` runs it over the folder and over a second of
 * mutations (fuzz/driver.c); `make fuzz` builds it for libFuzzer. A harness returns 0; whatever is
 * wrong shows as a crash, a failed assert or a sanitizer's report. */
#ifndef AT_FUZZ_FUZZ_H
#define AT_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The path of a file in memory that holds these bytes until the next call, for what reads paths. */
const char *fuzz_file(const uint8_t *data, size_t size);

#endif
