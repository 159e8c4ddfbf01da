/* SPDX-License-Identifier: MIT */
#include "tests/near.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

void assert_all_near(const float *got, const float *want, size_t count, double tolerance) {
    double most = 0, error = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)got[i] - (double)want[i]);
        most = fmax(most, fabs((double)want[i]));
        error = difference <= error ? error : difference; /* NAN too */
    }
    if (!(most > 0 && error <= tolerance * most))
        fail_msg("off by %g, the largest is %g", error, most);
}
