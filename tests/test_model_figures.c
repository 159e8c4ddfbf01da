/* SPDX-License-Identifier: MIT */
/* Parameter counts and receptive fields of the architectures against published and hand-computed
 * numbers. Graphs are not finished, so that none of the millions of weights takes memory. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "models/models.h"
#include "tests/near.h"

enum { NODES = 256 };

static at_graph *structure(const char *name, at_model_opts o) {
    const at_model *m = at_model_find(name);
    at_error err = {0};
    assert_non_null(m);
    if (at_model_resolve(m, &o, &err) != AT_OK) fail_msg("%s", err.text);
    at_graph *g = at_graph_new();
    m->build(g, at_input(g, "image", o.in_channels), &o);
    if (at_graph_status(g, &err) != AT_OK) fail_msg("%s", err.text);
    return g;
}

/* Trained numbers of the parameters whose names begin with `prefix`. */
static double count(const char *name, at_model_opts o, const char *prefix) {
    double n = 0;
    at_graph *g = structure(name, o);
    for (int i = 0; i < at_graph_param_count(g); i++) {
        const at_param *p = at_graph_param(g, i);
        bool trained = !p->spec.buffer && !p->spec.frozen;
        if (trained && strncmp(p->name, prefix, strlen(prefix)) == 0) n += (double)p->count;
    }
    at_graph_free(g);
    return n;
}

static void test_backbones(void **state) {
    (void)state;
    at_model_opts o = {.classes = 11};
    /* He et al.'s networks without the last layer, as torchvision counts them */
    assert_near(count("hdc", o, "encoder."), 11176512, 0);
    assert_near(count("deeplabv3", o, "encoder."), 11176512, 0);
    o.depth = 34;
    assert_near(count("hdc", o, "encoder."), 21284672, 0);
    /* VGG's convolutions, likewise */
    o = (at_model_opts){.classes = 21, .norm = AT_NORM_NONE};
    assert_near(count("fcn8s", o, "encoder."), 14714688, 0);
    o.depth = 19;
    assert_near(count("fcn8s", o, "encoder."), 20024384, 0);
    o.depth = 11;
    assert_near(count("fcn8s", o, "encoder."), 9220480, 0);
}

static void test_whole_networks(void **state) {
    (void)state;
    /* 4 x 7x7 in, 4 x 7x7 out, norms, classifier; 1.425 M is printed (SegNet, table 1) */
    double segnet = 49 * 64 * (3 + 3 * 64) + 4 * 49 * 64 * 64 + 8 * 128 + 64 * 11;
    assert_near(count("segnet-basic", (at_model_opts){.classes = 11}, ""), segnet, 0);
    assert_near(segnet, 1.425e6, 0.01e6);
    at_model_opts plain = {.classes = 2, .norm = AT_NORM_NONE};
    assert_near(count("unet", plain, ""), 31031810, 0);
    /* 134.5 M for 11 classes (Jegou et al., table 3) */
    plain = (at_model_opts){.classes = 11, .norm = AT_NORM_NONE, .fc = 4096};
    assert_near(count("fcn8s", plain, ""), 134.5e6, 0.2e6);
    /* DeepLabv3's pyramid: 1x1, three 3x3, image pooling, all 512 to 256; 1280 to 256; norms */
    double aspp = 512 * 256 * (1 + 3 * 9 + 1) + 1280 * 256 + 6 * 512;
    assert_near(count("deeplabv3", (at_model_opts){.classes = 11}, "aspp."), aspp, 0);
    /* dense upsampling: 3x3 to 8 x 8 scores a class */
    assert_near(count("hdc", (at_model_opts){.classes = 11}, "head."), (512 * 9 + 1) * 11 * 64, 0);
}

/* Table 1 of SegNet's paper (TPAMI 2017): every variant's parameters in millions, to 3 %. Behind
 * them the multiply-accumulates of a forward at 360 x 480, in thousands of millions, from the
 * layers' sizes. */
static void test_segnet_table(void **state) {
    (void)state;
    static const struct {
        const char *variant, *model;
        at_model_opts o;
        double millions, gmacs;
    } table[] = {
        {"Bilinear-Interpolation",
         "fcn-basic",
         {.skip = AT_SKIP_NONE, .upsample = AT_UP_BILINEAR},
         0.625,
         13.0},
        {"SegNet-Basic", "segnet-basic", {0}, 1.425, 59.2},
        {"SegNet-Basic-EncoderAddition", "segnet-basic", {.skip = AT_SKIP_ADD}, 1.425, 59.2},
        {"SegNet-Basic-SingleChannelDecoder",
         "segnet-basic",
         {.decoder = AT_DECODER_SINGLE},
         0.625,
         13.8},
        {"FCN-Basic", "fcn-basic", {0}, 0.65, 13.5},
        {"FCN-Basic-NoAddition", "fcn-basic", {.skip = AT_SKIP_NONE}, 0.65, 13.5},
        {"FCN-Basic-NoDimReduction", "fcn-basic", {.decoder = AT_DECODER_FULL}, 1.625, 28.2},
        {"FCN-Basic-NoAddition-NoDimReduction",
         "fcn-basic",
         {.skip = AT_SKIP_NONE, .decoder = AT_DECODER_FULL},
         1.625,
         28.2},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        at_model_opts o = table[i].o;
        at_survey s;
        o.classes = 11;
        at_graph *g = structure(table[i].model, o);
        assert_int_equal(at_survey_new(&s, g, (at_shape){1, 360, 480, 3}, NULL), AT_OK);
        if (fabs((double)s.parameters / 1e6 / table[i].millions - 1) > 0.03 ||
            fabs(s.macs / 1e9 / table[i].gmacs - 1) > 0.03)
            fail_msg("%s: %lld parameters, %g MACs", table[i].variant, (long long)s.parameters,
                     s.macs);
        assert_near((double)s.parameters, count(table[i].model, o, ""), 0);
        at_survey_free(&s);
        at_graph_free(g);
    }
}

static void test_width(void **state) {
    (void)state;
    assert_int_equal(at_scale_width(64, 1), 64);
    assert_int_equal(at_scale_width(64, 0.3), 20);     /* 19.2 */
    assert_int_equal(at_scale_width(64, 0.28125), 20); /* 18: halves go up */
    assert_int_equal(at_scale_width(64, 0.001), 4);
    /* fc6 and fc7 are 1024 x width, or as many as were asked for */
    at_model_opts o = {.classes = 5, .width = 0.5, .norm = AT_NORM_NONE};
    assert_near(count("fcn32s", o, "fc7."), 512 * 512 + 512, 0);
    o.fc = 30;
    assert_near(count("fcn32s", o, "fc7."), 30 * 30 + 30, 0);
    assert_near(count("fcn32s", o, "score."), 30 * 5 + 5, 0);
}

static void expect(const char *model, at_model_opts o, const char *node, double size, double jump) {
    at_field fields[NODES];
    at_graph *g = structure(model, o);
    at_node *n = at_graph_find(g, node);
    assert_true(n != NULL && at_graph_node_count(g) <= NODES);
    at_graph_fields(g, fields);
    assert_near(at_span_size(fields[n->id].h), size, 0);
    assert_near(at_span_size(fields[n->id].w), size, 0);
    assert_near(fields[n->id].h.jump, jump, 0);
    at_graph_free(g);
}

static void test_fields(void **state) {
    (void)state;
    at_model_opts o = {.classes = 11};
    expect("segnet-basic", o, "encoder.3.pool", 106, 16); /* its paper, section 3.1 */
    expect("fcn8s", o, "encoder.4.pool", 212, 32);        /* Araujo et al. */
    expect("fcn8s", o, "fc6.relu", 404, 32);              /* FCN, table 1 */
    /* Dilation in place of a stride leaves ResNet-18's 435 pixels as they are. */
    o.output_stride = 8;
    expect("deeplabv3", o, "encoder.3.1.relu", 435, 8);
    o.output_stride = 16;
    expect("deeplabv3", o, "encoder.3.1.relu", 435, 16);
    /* 99 after the second stage, then rates 1, 2, 5, 1 twice: 99 + 2 * 8 * 2 * 9 */
    o.output_stride = 8;
    expect("hdc", o, "encoder.3.1.relu", 387, 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backbones),    cmocka_unit_test(test_whole_networks),
        cmocka_unit_test(test_segnet_table), cmocka_unit_test(test_width),
        cmocka_unit_test(test_fields),
    };
    return cmocka_run_group_tests_name("model figures", tests, NULL, NULL);
}
