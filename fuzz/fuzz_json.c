/* SPDX-License-Identifier: MIT */
/* Parses with comments; whatever is accepted must survive being written and read again. */
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "nn/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    json_t *root, *again;
    at_error err = {0};
    if (at_json_parse((const char *)data, size, "fuzz", &root, &err)) return 0;
    char *text = json_dumps(root, JSON_ENCODE_ANY);
    if (!text || at_json_parse(text, strlen(text), "again", &again, &err)) abort();
    if (!json_equal(root, again)) abort();
    at_json_release(text);
    json_decref(again);
    json_decref(root);
    return 0;
}
