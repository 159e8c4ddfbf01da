/* SPDX-License-Identifier: MIT */
/* Decoders fitted to one cost: what the built networks really have, against the network of the
 * architecture's own upsampling; descriptions that build the same again; what can't be fitted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/models.h"
#include "tests/near.h"

/* Parameters or multiply-accumulates, at another size than the one that is fitted at. */
static double cost(const at_model *m, at_model_opts o, bool macs) {
    at_graph *g;
    at_survey s;
    at_error err = {0};
    if (at_model_new(&g, m, o, &err) != AT_OK) fail_msg("%s", err.text);
    assert_int_equal(at_survey_new(&s, g, (at_shape){1, 96, 160, 3}, &err), AT_OK);
    double c = macs ? s.macs : (double)at_graph_trainable_count(g);
    at_survey_free(&s);
    at_graph_free(g);
    return c;
}

static void check_same_again(const at_model *m, at_model_opts o, double wanted) {
    const at_model *found;
    at_model_opts back;
    json_t *j = at_model_opts_to_json(m, &o);
    char *text = json_dumps(j, JSON_REAL_PRECISION(6)); /* fewer digits than weight files keep */
    json_decref(j);
    j = json_loads(text, 0, NULL);
    assert_int_equal(at_model_from_json(j, &found, &back, NULL), AT_OK);
    assert_near(back.decoder_width, o.decoder_width, 0);
    assert_near(cost(found, back, o.match == AT_MATCH_MACS), wanted, 0);
    json_decref(j);
    free(text);
}

static void check_match(const at_model *m, at_upsample u, at_match match) {
    at_model_opts o = {.classes = 5, .width = 0.5, .match = match, .upsample = u}, own = o;
    at_error err = {0};
    own.upsample = AT_UP_DEFAULT;
    own.match = AT_MATCH_NONE;
    if (at_model_resolve(m, &o, &err) != AT_OK) fail_msg("%s", err.text);
    bool macs = match == AT_MATCH_MACS;
    double reached = cost(m, o, macs), wanted = cost(m, own, macs), error = reached / wanted - 1;
    /* at this size borders and image pooling weigh a little more */
    if (fabs(error - o.match_error) > (macs ? 0.005 : 1e-9) || fabs(error) > 0.05)
        fail_msg("%s %s: %g of %g, error %g, said to be %g", m->name, at_upsample_name(u), reached,
                 wanted, error, o.match_error);
    if (u == m->default_upsample) assert_near(o.decoder_width, 1, 0);
    at_model_opts twice = o;
    assert_int_equal(at_model_resolve(m, &twice, &err), AT_OK);
    assert_memory_equal(&twice, &o, sizeof o);
    check_same_again(m, o, reached);
}

static bool has_width(const at_model *m) {
    return strcmp(m->name, "segnet-basic") == 0 || strcmp(m->name, "unet") == 0 ||
           strcmp(m->name, "deeplabv3") == 0;
}

static void test_every_operator(void **state) {
    (void)state;
    int count = 0;
    for (const at_model *const *m = at_model_list; *m != NULL; m++)
        for (int u = 1; u < AT_UP_COUNT; u++) {
            if (!has_width(*m) || !((*m)->upsamples >> u & 1u) || u == AT_UP_DUC) continue;
            check_match(*m, (at_upsample)u, AT_MATCH_PARAMS);
            check_match(*m, (at_upsample)u, AT_MATCH_MACS);
            count++;
        }
    assert_true(count > 40);
}

/* Without a fit the decoder is as wide as the encoder; with one, only the decoder changes. */
static void test_widths(void **state) {
    (void)state;
    at_model_opts o = {.width = 0.25};
    assert_int_equal(at_decoder_width(64, 0, &o), 16);
    o.decoder_width = 0.84375; /* 13.5 */
    o.decoder_unit = 1;
    static const int ones[] = {14, 13, 14, 13}, fours[] = {12, 16, 12, 16};
    for (int i = 0; i < 4; i++) assert_int_equal(at_decoder_width(64, i, &o), ones[i]);
    o.decoder_width = 0.875; /* 14 */
    o.decoder_unit = 4;
    for (int i = 0; i < 4; i++) assert_int_equal(at_decoder_width(64, i, &o), fours[i ^ 1]);
    o.decoder_width = 0.001;
    assert_int_equal(at_decoder_width(64, 2, &o), 4);
    at_graph *g;
    o = (at_model_opts){
        .classes = 3, .width = 0.25, .upsample = AT_UP_PIXELSHUFFLE, .match = AT_MATCH_PARAMS};
    assert_int_equal(at_model_new(&g, at_model_find("unet"), o, NULL), AT_OK);
    assert_int_equal(at_graph_find(g, "encoder.3.1.conv")->channels, 128);
    assert_int_equal(at_graph_find(g, "bottom.1.conv")->channels, 256);
    assert_true(at_graph_find(g, "decoder.0.1.conv")->channels < 100);
    at_graph_free(g);
}

static void refused(const char *name, at_model_opts o, const char *text) {
    at_error err = {0};
    o.classes = 5;
    o.match = AT_MATCH_PARAMS;
    assert_int_equal(at_model_resolve(at_model_find(name), &o, &err), AT_ERR_USAGE);
    if (strstr(err.text, text) == NULL) fail_msg("'%s' does not say '%s'", err.text, text);
}

/* No width of its own, but no need of one either. */
static void test_near_enough(void **state) {
    (void)state;
    at_model_opts o = {
        .classes = 5, .upsample = AT_UP_NEAREST, .skip = AT_SKIP_ADD, .match = AT_MATCH_PARAMS};
    assert_int_equal(at_model_resolve(at_model_find("segnet-basic"), &o, NULL), AT_OK);
    assert_true(o.decoder_width == 1 && o.match_error == 0);
    o = (at_model_opts){.classes = 5, .upsample = AT_UP_BILINEAR, .match = AT_MATCH_MACS};
    assert_int_equal(at_model_resolve(at_model_find("fcn8s"), &o, NULL), AT_OK);
    assert_true(o.decoder_width == 1 && o.match_error < 0 && o.match_error > -0.01);
}

static void test_refuses(void **state) {
    (void)state;
    refused("segnet-basic", (at_model_opts){.upsample = AT_UP_DUC, .width = 0.25},
            "segnet-basic with duc comes no");
    refused("hdc", (at_model_opts){.upsample = AT_UP_BILINEAR}, "comes no nearer than -11");
    refused("deeplabv3", (at_model_opts){.upsample = AT_UP_PIXELSHUFFLE, .width = 0.0625},
            "comes no nearer than +");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_operator),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_near_enough),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests_name("match", tests, NULL, NULL);
}
