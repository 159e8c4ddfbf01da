/* SPDX-License-Identifier: MIT */
/* classes.txt: what is accepted has names and colours in range, and survives as JSON. */
#include <stdlib.h>
#include <string.h>

#include "data/data.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    at_class_table t;
    at_classes again;
    at_error err = {0};
    if (at_class_table_parse((const char *)data, size, "fuzz", &t, &err)) return 0;
    if (t.classes.count < 1 || t.classes.count >= AT_MAX_CLASSES) abort();
    for (int i = 0; i < t.code_count; i++)
        if (t.codes[i].id != AT_IGNORE && t.codes[i].id >= t.classes.count) abort();
    json_t *j = at_classes_to_json(&t.classes);
    if (!j || at_classes_from_json(j, &again, &err)) abort();
    for (int i = 0; i < again.count; i++)
        if (strcmp(again.items[i].name, t.classes.items[i].name) != 0) abort();
    at_classes_free(&again);
    json_decref(j);
    at_class_table_free(&t);
    return 0;
}
