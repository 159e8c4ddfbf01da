/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "nn/file.h"
#include "nn/json.h"

static json_t *parse(const char *text) {
    json_t *root;
    at_error err = {0};
    if (at_json_parse(text, strlen(text), "x.json", &root, &err)) fail_msg("%s", err.text);
    return root;
}

static void refuses(const char *text, const char *message) {
    json_t *root = (json_t *)8;
    at_error err = {0};
    assert_int_equal(at_json_parse(text, strlen(text), "x.json", &root, &err), AT_ERR_INPUT);
    assert_null(root);
    if (!strstr(err.text, message)) fail_msg("'%s' is not in '%s'", message, err.text);
}

static void comments(void **state) {
    (void)state;
    json_t *root =
        parse("// a list\n{ // begins\n \"a\": 1, //\n \"b\": [2, // two\n 3]\n} // end");
    assert_int_equal(json_integer_value(json_object_get(root, "a")), 1);
    assert_int_equal(json_array_size(json_object_get(root, "b")), 2);
    json_decref(root);
}

static void no_comments_in_strings(void **state) {
    (void)state;
    json_t *root =
        parse("{\"url\": \"http://x\", \"q\": \"\\\"//\\\\\" // here one is\n, \"c\": \"//\"}");
    assert_string_equal(json_string_value(json_object_get(root, "url")), "http://x");
    assert_string_equal(json_string_value(json_object_get(root, "q")), "\"//\\");
    assert_string_equal(json_string_value(json_object_get(root, "c")), "//");
    json_decref(root);
}

static void errors_name_the_place(void **state) {
    (void)state;
    refuses("{\n  // note\n  \"a\": 1,\n  \"b\": x\n}",
            "'x.json' is not valid JSON: line 4, column 8");
    refuses("{\"a\": 1, \"a\": 2}", "duplicate");
    refuses("", "line 1");
    refuses("{\"a\": 1} x", "end of file expected");
    refuses("[1, 2 / 3]", "column 7");
    refuses("{\"a\": \"\xff\"}", "decode byte 0xff");
    refuses("// nothing but this", "line 1");
    refuses("\"open // \n \"", "line 1");
}

static void save_and_load(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    char *path = at_format("%s/json.%d", tmp ? tmp : "/tmp", (int)getpid());
    json_t
        *root = parse(
            "{\"lr\": 0.1, \"third\": 0.333333343267440796, \"n\": [1, -2], \"s\": \"\xc3\xa9\"}"),
        *back;
    assert_int_equal(at_json_save(path, root, NULL), AT_OK);
    char *text;
    size_t size;
    assert_int_equal(at_file_read(path, 0, &text, &size, NULL), AT_OK);
    assert_non_null(strstr(text, "\"lr\": 0.1,\n"));
    assert_int_equal(text[size - 1], '\n');
    free(text);
    assert_int_equal(at_json_load(path, &back, NULL), AT_OK);
    assert_true((float)json_real_value(json_object_get(back, "third")) == 1.0f / 3.0f);
    assert_string_equal(json_string_value(json_object_get(back, "s")), "\xc3\xa9");
    json_decref(back);
    json_decref(root);
    unlink(path);
    at_error err = {0};
    assert_int_equal(at_json_load(path, &back, &err), AT_ERR_IO);
    assert_null(back);
    assert_non_null(strstr(err.text, path));
    free(path);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comments),
        cmocka_unit_test(no_comments_in_strings),
        cmocka_unit_test(errors_name_the_place),
        cmocka_unit_test(save_and_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
