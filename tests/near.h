/* SPDX-License-Identifier: MIT */
/* Doubles that are nearly equal; Debian's cmocka compares floats only. Include after cmocka.h. */
#ifndef AT_TESTS_NEAR_H
#define AT_TESTS_NEAR_H

#include <math.h>

/* |got - want| <= tolerance; a NAN on either side fails, with both numbers printed. */
#define assert_near(got, want, tolerance)                                                          \
    do {                                                                                           \
        const double near_got = (got), near_want = (want);                                         \
        if (!(fabs(near_got - near_want) <= (tolerance)))                                          \
            fail_msg("%s is %.12g, not %.12g", #got, near_got, near_want);                         \
    } while (0)

/* |got - want| <= tolerance times the largest of want, which is not all zeros. */
static inline void assert_all_near(const float *got, const float *want, size_t count,
                                   double tolerance) {
    double most = 0, error = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)got[i] - (double)want[i]);
        most = fmax(most, fabs((double)want[i]));
        error = difference <= error ? error : difference; /* NAN too */
    }
    if (!(most > 0 && error <= tolerance * most))
        fail_msg("off by %g, the largest is %g", error, most);
}

#endif
