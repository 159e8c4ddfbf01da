/* SPDX-License-Identifier: MIT */
/* Options of architectures: defaults, what is refused and in which words, and JSON there and back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/models.h"

static at_model_opts resolved(const char *name, at_model_opts o) {
    at_error err = {0};
    if (at_model_resolve(at_model_find(name), &o, &err) != AT_OK) fail_msg("%s", err.text);
    return o;
}

static void test_defaults(void **state) {
    (void)state;
    at_model_opts o = resolved("deeplabv3", (at_model_opts){.classes = 5});
    assert_true(o.in_channels == 3 && o.width == 1 && o.depth == 18 && o.output_stride == 16);
    assert_int_equal(o.upsample, AT_UP_BILINEAR);
    assert_int_equal(o.norm, AT_NORM_BATCH);
    assert_true(o.rate_count == 3 && o.rates[0] == 6 && o.rates[1] == 12 && o.rates[2] == 18);
    o = resolved("deeplabv3", (at_model_opts){.classes = 5, .output_stride = 8});
    assert_true(o.rate_count == 3 && o.rates[0] == 12 && o.rates[1] == 24 && o.rates[2] == 36);
    o = resolved("hdc", (at_model_opts){.classes = 5});
    assert_true(o.output_stride == 8 && o.rates[0] == 1 && o.rates[1] == 2 && o.rates[2] == 5);
    assert_int_equal(o.upsample, AT_UP_PIXELSHUFFLE);
    o = resolved("fcn8s", (at_model_opts){.classes = 5, .width = 0.25});
    assert_true(o.fc == 256 && o.depth == 16 && o.upsample == AT_UP_TRANSPOSED);
    at_model_opts twice = resolved("fcn8s", o);
    assert_memory_equal(&twice, &o, sizeof o);
    o = resolved("segnet-basic", (at_model_opts){.classes = 2});
    assert_true(o.skip == AT_SKIP_NONE && o.decoder == AT_DECODER_FULL);
    o = resolved("fcn-basic", (at_model_opts){.classes = 2});
    assert_true(o.skip == AT_SKIP_ADD && o.decoder == AT_DECODER_REDUCED);
}

/* The names that scripts count on come first, in their documented order. */
static void test_names(void **state) {
    (void)state;
    static const char *const first[] = {"nearest",    "bilinear", "bicubic",
                                        "transposed", "unpool",   "pixelshuffle"};
    for (int i = 0; i < 6; i++)
        assert_string_equal(at_upsample_name((at_upsample)(i + 1)), first[i]);
    for (int i = 1; i < AT_UP_COUNT; i++)
        assert_int_equal(at_upsample_find(at_upsample_name((at_upsample)i)), i);
    assert_null(at_upsample_name(AT_UP_DEFAULT));
    assert_null(at_upsample_name(AT_UP_COUNT));
    assert_null(at_skip_name(AT_SKIP_DEFAULT));
    assert_null(at_decoder_name(AT_DECODER_COUNT));
    assert_string_equal(at_match_name(AT_MATCH_NONE), "none");
}

static void refused(const char *name, at_model_opts o, const char *text) {
    at_error err = {0};
    at_graph *g;
    if (o.classes == 0) o.classes = 2;
    assert_int_equal(at_model_new(&g, at_model_find(name), o, &err), AT_ERR_USAGE);
    assert_null(g);
    if (strstr(err.text, text) == NULL) fail_msg("'%s' does not say '%s'", err.text, text);
}

static void test_refuses(void **state) {
    (void)state;
    refused("fcn8s", (at_model_opts){.upsample = AT_UP_UNPOOL},
            "(no pooling there has indices for it): what works is nearest, bilinear, bicubic, "
            "transposed, pixelshuffle, bilinear-corners, transposed2, ");
    refused("deeplabv3", (at_model_opts){.upsample = AT_UP_UNPOOL_CORNER}, "zeros between");
    refused("hdc", (at_model_opts){.upsample = AT_UP_ADDITIVE}, "add up the scores");
    refused("unet", (at_model_opts){.upsample = AT_UP_DUC}, "in one step");
    refused("unet", (at_model_opts){.upsample = AT_UP_COUNT}, "what works is nearest, ");
    refused("unet", (at_model_opts){.output_stride = 8}, "it is for deeplabv3, hdc");
    refused("unet", (at_model_opts){.rates = {2}, .rate_count = 1}, "it is for deeplabv3, hdc");
    refused("unet", (at_model_opts){.fc = 4096}, "it is for fcn32s, fcn16s, fcn8s");
    refused("unet", (at_model_opts){.lrn = true}, "it is for segnet-basic, fcn-basic");
    refused("unet", (at_model_opts){.skip = AT_SKIP_ADD}, "it is for segnet-basic, fcn-basic");
    refused("hdc", (at_model_opts){.decoder = AT_DECODER_FULL}, "for segnet-basic, fcn-basic");
    refused("fcn-basic", (at_model_opts){.decoder = AT_DECODER_SINGLE}, "works is full, reduced");
    refused("segnet-basic", (at_model_opts){.decoder = AT_DECODER_REDUCED}, "is full, single");
    refused("segnet-basic", (at_model_opts){.upsample = AT_UP_DUC, .skip = AT_SKIP_ADD},
            "place of segnet-basic's whole decoder");
    refused("hdc", (at_model_opts){.output_stride = 32}, "what works is 8, 16");
    refused("hdc", (at_model_opts){.rates = {1, 0}, .rate_count = 2}, "--rates: 0");
    refused("hdc", (at_model_opts){.depth = 50}, "what works is 18, 34");
    refused("unet", (at_model_opts){.width = -1}, "--width");
    refused("unet", (at_model_opts){.classes = 300}, "--classes 300");
    refused("unet", (at_model_opts){.in_channels = 2}, "what works is 1, 3, 4");
    assert_null(at_model_find("u-net"));
    assert_int_equal(at_upsample_find("linear"), AT_UP_DEFAULT);
}

static void test_json_there_and_back(void **state) {
    (void)state;
    for (const at_model *const *m = at_model_list; *m != NULL; m++) {
        at_model_opts o = {.classes = 7, .in_channels = 1, .width = 0.1, .norm = AT_NORM_GROUP};
        o.upsample = AT_UP_BICUBIC;
        o.lrn = (*m)->has_lrn;
        o.fc = (*m)->has_fc ? 33 : 0;
        if ((*m)->has_rates) o.rates[0] = 3, o.rate_count = 1;
        if ((*m)->skips) o.skip = AT_SKIP_ADD;
        o = resolved((*m)->name, o);
        json_t *j = at_model_opts_to_json(*m, &o);
        const at_model *found;
        at_model_opts back;
        at_error err = {0};
        if (at_model_from_json(j, &found, &back, &err) != AT_OK) fail_msg("%s", err.text);
        assert_ptr_equal(found, *m);
        json_t *again = at_model_opts_to_json(found, &back);
        assert_true(json_equal(j, again) && back.width == 0.1 && back.norm == AT_NORM_GROUP);
        json_decref(j);
        json_decref(again);
    }
}

static void bad_json(const char *text, const char *says) {
    json_t *j = json_loads(text, 0, NULL);
    const at_model *m;
    at_model_opts o;
    at_error err = {0};
    assert_non_null(j);
    assert_int_not_equal(at_model_from_json(j, &m, &o, &err), AT_OK);
    if (strstr(err.text, says) == NULL) fail_msg("'%s' does not say '%s'", err.text, says);
    json_decref(j);
}

static void test_bad_json(void **state) {
    (void)state;
    bad_json("[]", "no name");
    bad_json("{\"name\": \"resnet\"}", "'resnet'");
    bad_json("{\"name\": \"unet\"}", "--classes 0");
    bad_json("{\"name\": \"unet\", \"classes\": 2, \"colour\": 1}", "\"colour\"");
    bad_json("{\"name\": \"unet\", \"classes\": \"2\"}", "\"classes\"");
    bad_json("{\"name\": \"unet\", \"classes\": 2, \"norm\": \"layer\"}", "\"norm\"");
    bad_json("{\"name\": \"hdc\", \"classes\": 2, \"rates\": [1, \"2\"]}", "\"rates\"");
    bad_json("{\"name\": \"hdc\", \"classes\": 1e9}", "\"classes\"");
    bad_json("{\"name\": \"fcn-basic\", \"classes\": 2, \"skip\": \"cat\"}", "\"skip\"");
    bad_json("{\"name\": \"unet\", \"classes\": 2, \"decoder_width\": 2}", "without match");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_names),
        cmocka_unit_test(test_refuses),  cmocka_unit_test(test_json_there_and_back),
        cmocka_unit_test(test_bad_json),
    };
    return cmocka_run_group_tests_name("model options", tests, NULL, NULL);
}
