/* SPDX-License-Identifier: MIT */
/* Classes: names and colours, as JSON, and as people write them in classes.txt. */
#include <stdlib.h>
#include <string.h>

#include "data/text.h"

/* Bits of the id are dealt out to red, green and blue from the top bit down. */
at_rgb at_voc_color(int i) {
    at_rgb c = {0, 0, 0};
    for (int bit = 7; bit >= 0; bit--, i >>= 3) {
        c.r = (uint8_t)(c.r | (i & 1) << bit);
        c.g = (uint8_t)(c.g | (i >> 1 & 1) << bit);
        c.b = (uint8_t)(c.b | (i >> 2 & 1) << bit);
    }
    return c;
}
