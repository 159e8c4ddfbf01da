/* SPDX-License-Identifier: MIT */
/* JSON texts are small (a configuration, a file's header): a commented one is copied with its
 * comments blanked out, so that line and column in errors stay right. */
#include "nn/json.h"

#include <stdlib.h>
#include <string.h>

#include "nn/file.h"

enum { MAX_FILE = 64 << 20 };

/* Overwrites each comment outside a string with blanks, up to the end of its line. */
static void blank_comments(char *text, size_t size) {
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        else if (text[i] == '\n')
            in_string = false; /* an unclosed string is the parser's to report */
        else if (!in_string && text[i] == '/' && i + 1 < size && text[i + 1] == '/')
            while (i < size && text[i] != '\n') text[i++] = ' ';
    }
}

at_status at_json_parse(const char *text, size_t size, const char *where, json_t **root,
                        at_error *err) {
    *root = NULL;
    char *plain = malloc(size + 1);
    if (!plain) return at_fail_memory(err, where, size + 1);
    if (size) memcpy(plain, text, size);
    plain[size] = '\0';
    blank_comments(plain, size);
    json_error_t problem;
    *root = json_loadb(plain, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &problem);
    free(plain);
    if (*root) return AT_OK;
    if (json_error_code(&problem) == json_error_out_of_memory)
        return at_fail_memory(err, where, size);
    return at_fail(err, AT_ERR_INPUT, "'%s' is not valid JSON: line %d, column %d: %s", where,
                   problem.line, problem.column, problem.text);
}

at_status at_json_load(const char *path, json_t **root, at_error *err) {
    char *text;
    size_t size;
    *root = NULL;
    AT_TRY(at_file_read(path, MAX_FILE, &text, &size, err));
    at_status status = at_json_parse(text, size, path, root, err);
    free(text);
    return status;
}

at_status at_json_save(const char *path, const json_t *root, at_error *err) {
    char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
    if (!text) return at_fail_memory(err, path, 0);
    at_file_writer w;
    at_status status = at_file_begin(&w, path, err);
    if (!status) {
        fputs(text, w.stream);
        fputc('\n', w.stream);
        status = at_file_commit(&w, err);
    }
    at_json_release(text);
    return status;
}

void at_json_release(char *text) {
    json_free_t release;
    json_get_alloc_funcs(NULL, &release);
    release(text);
}
