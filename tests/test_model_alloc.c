/* SPDX-License-Identifier: MIT */
/* Every allocation fails once while an architecture is built, described and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "models/models.h"
#include "tests/alloc_fail.h"

static at_status or_memory(bool good, at_error *err) {
    return good ? AT_OK : at_fail_memory(err, "the test", 0);
}

static at_status build(void *arg, at_error *err) {
    const char *name = arg;
    at_graph *g;
    AT_TRY(
        at_model_new(&g, at_model_find(name), (at_model_opts){.classes = 2, .width = 0.02}, err));
    at_graph_free(g);
    return AT_OK;
}

/* As the program's `info` does. */
static at_status describe(void *arg, at_error *err) {
    at_survey s;
    AT_TRY(at_survey_new(&s, arg, (at_shape){1, 33, 20, 3}, err));
    json_t *j = at_survey_json(&s, NULL);
    char *table = at_survey_table(&s, 1, 1), *dot = at_survey_dot(&s), *svg = at_survey_svg(&s);
    at_status status = or_memory(j && table && dot && svg, err);
    json_decref(j);
    free(table);
    free(dot);
    free(svg);
    at_survey_free(&s);
    return status;
}

static at_status options(void *arg, at_error *err) {
    const at_model *m = at_model_find("deeplabv3");
    at_model_opts o = {.classes = 2};
    (void)arg;
    AT_TRY(at_model_resolve(m, &o, err));
    json_t *j = at_model_opts_to_json(m, &o);
    AT_TRY(or_memory(j != NULL, err));
    at_status status = at_model_from_json(j, &m, &o, err);
    json_decref(j);
    return status;
}

static void test_build(void **state) {
    static char names[][16] = {"segnet-basic", "fcn-basic", "unet", "fcn8s", "deeplabv3", "hdc"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) check_alloc_failures(build, names[i]);
}

static void test_describe(void **state) {
    at_graph *g;
    at_error err = {0};
    (void)state;
    const at_model *m = at_model_find("segnet-basic");
    assert_int_equal(at_model_new(&g, m, (at_model_opts){.classes = 2, .width = 0.02}, &err),
                     AT_OK);
    check_alloc_failures(describe, g);
    at_graph_free(g);
}

static void test_options(void **state) {
    (void)state;
    check_alloc_failures(options, NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_build),
        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests_name("model allocations", tests, NULL, NULL);
}
