/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "nn/status.h"

static void fail_records(void **state) {
    (void)state;
    at_error err = {0};
    assert_int_equal(at_fail(&err, AT_ERR_INPUT, "'%s': label %d", "a.png", 12), AT_ERR_INPUT);
    assert_int_equal(err.status, AT_ERR_INPUT);
    assert_string_equal(err.text, "'a.png': label 12");
    assert_int_equal(at_fail_memory(&err, "the arena", 123), AT_ERR_MEMORY);
    assert_non_null(strstr(err.text, "123"));
    assert_non_null(strstr(err.text, "the arena"));
}

static void fail_without_error(void **state) {
    (void)state;
    assert_int_equal(at_fail(NULL, AT_ERR_IO, "%d", 1), AT_ERR_IO);
    assert_int_equal(at_fail_memory(NULL, "x", 1), AT_ERR_MEMORY);
    assert_int_not_equal(at_error_context(NULL, "x"), AT_OK);
}

static void context_goes_in_front(void **state) {
    (void)state;
    at_error err = {0};
    at_fail(&err, AT_ERR_IO, "no space");
    assert_int_equal(at_error_context(&err, "writing %s", "x"), AT_ERR_IO);
    assert_string_equal(err.text, "writing x: no space");
    assert_int_equal(err.status, AT_ERR_IO);
}

/* Longer texts are cut, and always end. */
static void long_texts_are_cut(void **state) {
    (void)state;
    char longer[3 * AT_ERROR_TEXT];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    at_error err = {0};
    at_fail(&err, AT_ERR_INPUT, "%s", longer);
    assert_int_equal(strlen(err.text), AT_ERROR_TEXT - 1);
    at_error_context(&err, "b");
    assert_memory_equal(err.text, "b: aaa", 6);
    assert_int_equal(strlen(err.text), AT_ERROR_TEXT - 1);
    at_error_context(&err, "%s", longer);
    assert_int_equal(strlen(err.text), AT_ERROR_TEXT - 1);
}

static at_status tried(at_status inner, int *after) {
    AT_TRY(inner);
    (*after)++;
    return AT_OK;
}

static void try_returns_failures(void **state) {
    (void)state;
    int after = 0;
    assert_int_equal(tried(AT_OK, &after), AT_OK);
    assert_int_equal(tried(AT_ERR_STOPPED, &after), AT_ERR_STOPPED);
    assert_int_equal(after, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_records),          cmocka_unit_test(fail_without_error),
        cmocka_unit_test(context_goes_in_front), cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(try_returns_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
