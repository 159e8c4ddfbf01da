/* SPDX-License-Identifier: MIT */
/* Runs a harness without libFuzzer, as a test: over its corpus, then over mutations of it for about
 * a second (FUZZ_SECONDS). Mutation i depends on i alone, so a failure comes again; what crashed is
 * left in BUILD/crash-NAME. The program is called test_fuzz_NAME. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fuzz/fuzz.h"
#include "nn/file.h"
#include "nn/random.h"

enum { MAX_SEEDS = 256, MAX_BYTES = 1 << 16 };

typedef struct input {
    char *data;
    size_t size;
} input;

static input seeds[MAX_SEEDS];
static int seed_count;
static char crash_path[4096], crash_note[4200];
static size_t note_size;
static uint8_t current[MAX_BYTES];
static size_t current_size;

/* ---- keeping what crashed ---- */

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak)); /* NOLINT */

static void keep_current(void) {
    int fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (fd < 0 || write(fd, current, current_size) < 0) return;
    close(fd);
    if (write(STDERR_FILENO, crash_note, note_size) < 0) return;
}

static void on_signal(int number) {
    keep_current();
    signal(number, SIG_DFL);
    raise(number);
}

/* Called within each test: cmocka sets handlers of its own before it. */
static void watch(void) {
    const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(keep_current);
    for (int i = 0; i < 5; i++) signal(fatal[i], on_signal);
}

static void run(const void *data, size_t size) {
    memcpy(current, data, size);
    current_size = size;
    uint8_t *exact = malloc(size ? size : 1); /* so that the sanitizer sees a read beyond its end */
    assert_non_null(exact);
    memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

/* ---- mutations ---- */

static size_t pick(at_rng *r, size_t n) {
    return n ? at_rng_below(r, (uint32_t)n) : 0;
}

static size_t insert(uint8_t *p, size_t size, size_t at, const void *from, size_t n) {
    if (size + n > MAX_BYTES) return size;
    memmove(p + at + n, p + at, size - at);
    memcpy(p + at, from, n);
    return size + n;
}

static size_t mutate(at_rng *r, uint8_t *p, size_t size) {
    static const char *const words[] = {"0", "-1", "4294967296", "\"", "{",
                                        "[", "//", "\\u0000",    "\n", "1e999"};
    static const uint32_t numbers[] = {0,      1,          0x7f,       0xff,      0x7fff,
                                       0xffff, 0x7fffffff, 0x80000000, 0xffffffff};
    size_t at = pick(r, size), n = 1 + pick(r, 16);
    const input *other = &seeds[pick(r, (size_t)seed_count)];
    uint32_t number = numbers[pick(r, sizeof numbers / sizeof *numbers)];
    if (at_rng_below(r, 2)) number = __builtin_bswap32(number);
    const char *word = words[pick(r, sizeof words / sizeof *words)];
    if (n > size - at) n = size - at;
    switch (at_rng_below(r, 8)) {
    case 0:
        if (size) p[at] ^= (uint8_t)(1u << at_rng_below(r, 8));
        return size;
    case 1:
        if (size) p[at] = (uint8_t)at_rng_u32(r);
        return size;
    case 2:
        memcpy(p + at, &number, n < 4 ? n : 4);
        return size;
    case 3:
        memmove(p + at, p + at + n, size - at - n);
        return size - n;
    case 4:
        return at; /* cut short */
    case 5:
        return insert(p, size, at, word, strlen(word));
    case 6:
        if (n > other->size) return size;
        return insert(p, size, at, other->data + pick(r, other->size - n), n);
    default: {
        uint8_t copy[16];
        memcpy(copy, p + at, n);
        return insert(p, size, pick(r, size), copy, n);
    }
    }
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void mutations(void **state) {
    (void)state;
    static uint8_t p[MAX_BYTES];
    watch();
    const char *seconds = getenv("FUZZ_SECONDS");
    double end = now() + (seconds ? strtod(seconds, NULL) : 1);
    for (uint64_t i = 0; now() < end; i++) {
        at_rng r = at_rng_make(0, AT_RNG_TEST, i, 0);
        const input *seed = &seeds[pick(&r, (size_t)seed_count)];
        size_t size = seed->size;
        memcpy(p, seed->data, size);
        for (uint32_t k = 1 + at_rng_below(&r, 6); k > 0; k--) size = mutate(&r, p, size);
        run(p, size);
    }
}

static void corpus(void **state) {
    (void)state;
    watch();
    run("", 0);
    for (int i = 0; i < seed_count; i++) run(seeds[i].data, seeds[i].size);
}

/* ---- beginning and end ---- */

static int load_corpus(void **state) {
    (void)state;
    const char *name = strstr(program_invocation_short_name, "fuzz_") + strlen("fuzz_");
    const char *build = getenv("BUILD");
    snprintf(crash_path, sizeof crash_path, "%s/crash-%s", build ? build : ".", name);
    note_size = (size_t)snprintf(crash_note, sizeof crash_note, "the input is in %s\n", crash_path);
    char *folder = at_format("fuzz/corpus/%s", name);
    struct dirent **entries;
    int count =
        scandir(folder, &entries, NULL, alphasort); /* an order that is the same everywhere */
    for (int i = 0; i < count; i++) {
        char *path = at_path_join(folder, entries[i]->d_name);
        input *s = &seeds[seed_count];
        if (entries[i]->d_name[0] != '.' && seed_count < MAX_SEEDS &&
            !at_file_read(path, MAX_BYTES, &s->data, &s->size, NULL))
            seed_count++;
        free(path);
        free(entries[i]);
    }
    if (count >= 0) free(entries);
    if (!seed_count) fprintf(stderr, "%s holds no input; run this at the root\n", folder);
    free(folder);
    return !seed_count;
}

static int free_corpus(void **state) {
    (void)state;
    while (seed_count) free(seeds[--seed_count].data);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(corpus), cmocka_unit_test(mutations)};
    return cmocka_run_group_tests(tests, load_corpus, free_corpus);
}
