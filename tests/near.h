/* SPDX-License-Identifier: MIT */
/* Doubles that are nearly equal; Debian's cmocka compares floats only. Include after cmocka.h. */
#ifndef AT_TESTS_NEAR_H
#define AT_TESTS_NEAR_H

#include <math.h>
#include <stddef.h>

/* |got - want| <= tolerance; a NAN on either side fails, with both numbers printed. */
#define assert_near(got, want, tolerance)                                                          \
    do {                                                                                           \
        const double near_got = (got), near_want = (want);                                         \
        if (!(fabs(near_got - near_want) <= (tolerance)))                                          \
            fail_msg("%s is %.12g, not %.12g", #got, near_got, near_want);                         \
    } while (0)

/* |got - want| <= tolerance times the largest of want, which is not all zeros. */
void assert_all_near(const float *got, const float *want, size_t count, double tolerance);

#endif
