/* SPDX-License-Identifier: MIT */
/* The arena of a plan: one mapping, aligned to huge pages and asking for them (a page fault costs
 * about 2 us per 4 KiB, several times what a pointwise operator does with the page), and how much
 * memory there is for it. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "nn/huge.h"
#include "nn/plan_private.h"

static size_t rounded(size_t bytes) {
    return (bytes + AT_HUGE_PAGE - 1) / AT_HUGE_PAGE * AT_HUGE_PAGE;
}

void *at_arena_map(size_t bytes) {
    size_t size = rounded(bytes ? bytes : 1), extra = size + AT_HUGE_PAGE;
    if (bytes > SIZE_MAX - 2 * AT_HUGE_PAGE) return NULL;
    char *p = mmap(NULL, extra, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return NULL;
    size_t head = (AT_HUGE_PAGE - (uintptr_t)p % AT_HUGE_PAGE) % AT_HUGE_PAGE;
    if (head > 0) munmap(p, head);
    if (extra - head > size) munmap(p + head + size, extra - head - size);
    at_huge_touch(p + head, size);
    return p + head;
}

void at_arena_unmap(void *arena, size_t bytes) {
    munmap(arena, rounded(bytes ? bytes : 1));
}

/* The number after `key` in a small text file; false if there is none. */
static bool read_number(const char *path, const char *key, double *value) {
    FILE *f = fopen(path, "r");
    char line[256];
    bool found = false;
    if (f == NULL) return false;
    while (!found && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, key, strlen(key)) == 0)
            found = sscanf(line + strlen(key), "%lf", value) == 1;
    fclose(f);
    return found;
}

size_t at_memory_available(void) {
    double available = 0, limit, used;
    if (!read_number("/proc/meminfo", "MemAvailable:", &available)) return SIZE_MAX;
    available *= 1024;
    if (read_number("/sys/fs/cgroup/memory.max", "", &limit) &&
        read_number("/sys/fs/cgroup/memory.stat", "anon ", &used) && limit - used < available)
        available = limit > used ? limit - used : 0;
    return (size_t)available;
}
