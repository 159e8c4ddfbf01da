/* SPDX-License-Identifier: MIT */
#include "nn/huge.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "nn/threads.h"

enum { SMALL_PAGE = 4096 };

typedef struct pieces {
    size_t head, bytes; /* the first piece's, the block's */
    at_huge_body *body;
    void *arg;
} pieces;

/* From the block's begin to the first huge page. */
static size_t head_of(const void *block) {
    return (AT_HUGE_PAGE - (uintptr_t)block % AT_HUGE_PAGE) % AT_HUGE_PAGE;
}

/* Piece 0 is what lies before the first huge page; on a page's border it is empty. */
static void run_piece(void *arg, int64_t index, int worker) {
    const pieces *p = arg;
    const size_t begin = index == 0 ? 0 : p->head + (size_t)(index - 1) * AT_HUGE_PAGE;
    const size_t end = p->head + (size_t)index * AT_HUGE_PAGE;
    (void)worker;
    if (end > begin) p->body(p->arg, begin, (end < p->bytes ? end : p->bytes) - begin);
}

void at_huge_for(const void *block, size_t bytes, at_huge_body *body, void *arg) {
    pieces p = {head_of(block), bytes, body, arg};
    const size_t rest = bytes > p.head ? bytes - p.head : 0;
    at_parallel_for(1 + (int64_t)((rest + AT_HUGE_PAGE - 1) / AT_HUGE_PAGE), run_piece, &p);
}

void at_huge_pages(void *block, size_t bytes) {
    const size_t head = head_of(block);
    if (bytes < head + AT_HUGE_PAGE) return;
    madvise((char *)block + head, (bytes - head) / AT_HUGE_PAGE * AT_HUGE_PAGE, MADV_HUGEPAGE);
}

/* Every small page of it, for the system may have no huge one. A read first would cost a fault of
 * its own. */
static void touch(void *arg, size_t at, size_t bytes) {
    volatile char *p = (char *)arg + at;
    for (size_t i = 0; i < bytes; i += SMALL_PAGE) p[i] = 0;
}

void at_huge_touch(void *block, size_t bytes) {
    at_huge_pages(block, bytes);
    at_huge_for(block, bytes, touch, block);
}

static void zero(void *arg, size_t at, size_t bytes) {
    memset((char *)arg + at, 0, bytes);
}

void at_huge_zero(void *block, size_t bytes) {
    at_huge_pages(block, bytes);
    at_huge_for(block, bytes, zero, block);
}
