/* SPDX-License-Identifier: MIT */
/* Receptive fields against published numbers, and the JSON, table and drawing of a small network
 * against what they must say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "layers/layers.h"
#include "tests/near.h"

enum { NODES = 64 };

static at_node *conv(at_graph *g, const char *name, at_node *x, int k, int stride, int padding,
                     int dilation) {
    return at_conv2d(g, name, x,
                     (at_conv2d_opts){.channels = 2,
                                      .kernel = {k, k},
                                      .stride = {stride, stride},
                                      .padding = {padding, padding},
                                      .dilation = {dilation, dilation}});
}

static at_node *pool(at_graph *g, const char *name, at_node *x, int k) {
    return at_max_pool2d(g, name, x,
                         (at_pool2d_opts){.kernel = {k, k}, .stride = {2, 2}, .ceil_mode = true});
}

/* Field of the node: size, and as Araujo et al. write them, stride and padding. */
static void expect(const at_graph *g, const at_node *n, double size, double stride,
                   double padding) {
    at_field f[NODES];
    assert_non_null(n);
    assert_true(at_graph_node_count(g) <= NODES);
    at_graph_fields(g, f);
    assert_near(at_span_size(f[n->id].h), size, 0);
    assert_near(at_span_size(f[n->id].w), size, 0);
    assert_near(f[n->id].h.jump, stride, 0);
    assert_near(-f[n->id].w.first, padding, 0);
    assert_false(f[n->id].global);
}

/* VGG-16: 212, 32, 90 at pool5 (Araujo et al.); 404 at fc6 (FCN, table 1). */
static void test_field_vgg(void **state) {
    (void)state;
    static const int convs[] = {2, 2, 3, 3, 3};
    char name[32];
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "image", 3);
    for (int s = 0; s < 5; s++) {
        for (int i = 0; i < convs[s]; i++) {
            snprintf(name, sizeof name, "conv%d.%d", s, i);
            x = conv(g, name, x, 3, 1, 1, 1);
        }
        snprintf(name, sizeof name, "pool%d", s);
        x = pool(g, name, x, 2);
    }
    expect(g, x, 212, 32, 90);
    expect(g, conv(g, "fc6", x, 7, 1, 0, 1), 404, 32, 90);
    at_graph_free(g);
}

/* AlexNet: 195, 32, 64 (Araujo et al.). SegNet-Basic: 106 at pool4 (its section 3.1). */
static void test_field_strides(void **state) {
    (void)state;
    char name[32];
    at_graph *g = at_graph_new();
    at_node *image = at_input(g, "image", 3);
    at_node *x = pool(g, "pool1", conv(g, "conv1", image, 11, 4, 0, 1), 3);
    x = pool(g, "pool2", conv(g, "conv2", x, 5, 1, 2, 1), 3);
    x = conv(g, "conv4", conv(g, "conv3", x, 3, 1, 1, 1), 3, 1, 1, 1);
    expect(g, pool(g, "pool5", conv(g, "conv5", x, 3, 1, 1, 1), 3), 195, 32, 64);
    x = image;
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "encoder.%d", i);
        x = conv(g, name, x, 7, 1, 3, 1);
        snprintf(name, sizeof name, "encoder.%d.pool", i);
        x = pool(g, name, x, 2);
    }
    expect(g, x, 106, 16, 45);
    at_graph_free(g);
}

/* The context module of Yu & Koltun (ICLR 2016), table 1. */
static void test_field_dilation(void **state) {
    (void)state;
    static const int dilations[] = {1, 1, 2, 4, 8, 16, 1}, fields[] = {3, 5, 9, 17, 33, 65, 67};
    char name[32];
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "image", 2);
    for (int i = 0; i < 7; i++) {
        snprintf(name, sizeof name, "conv%d", i);
        x = conv(g, name, x, 3, 1, dilations[i], dilations[i]);
        expect(g, x, fields[i], 1, (fields[i] - 1) / 2);
    }
    at_graph_free(g);
}

/* Where paths meet the field is the union; unpooling returns to the stride of what was pooled. */
static void test_field_paths(void **state) {
    (void)state;
    at_graph *g = at_graph_new();
    at_node *image = at_input(g, "image", 2);
    at_node *a = conv(g, "a", image, 3, 1, 1, 1), *b = conv(g, "b", image, 3, 1, 4, 4);
    at_node *sum = at_add(g, "sum", a, b);
    expect(g, sum, 9, 1, 4);
    at_node *p = pool(g, "pool", sum, 2);
    expect(g, p, 10, 2, 4);
    at_node *u = at_max_unpool2d(g, "unpool", conv(g, "c", p, 3, 1, 1, 1), p, sum);
    expect(g, u, 14, 1, 6);
    at_graph_free(g);
}

/* A network with two outputs of one node, a lent size, parameters and buffers. */
static at_graph *small_network(void) {
    at_graph *g = at_graph_new();
    at_node *image = at_input(g, "image", 3);
    at_graph_push(g, "encoder.0");
    at_node *x = at_conv2d(
        g, "conv", image,
        (at_conv2d_opts){.channels = 4, .kernel = {3, 5}, .padding = {1, 2}, .no_bias = true});
    x = at_relu(g, "relu", at_batch_norm(g, "norm", x, (at_batch_norm_opts){0}));
    at_node *p = pool(g, "pool", x, 2);
    at_graph_pop(g);
    at_graph_set_output(g, at_max_unpool2d(g, "logits", p, p, x));
    at_conv2d(g, "unused", x, (at_conv2d_opts){.channels = 4, .kernel = {1, 1}});
    return g;
}

static void survey(at_survey *s, at_graph *g, int h, int w) {
    at_error err = {0};
    if (at_survey_new(s, g, (at_shape){.n = 2, .h = h, .w = w}, &err) != AT_OK)
        fail_msg("%s", err.text);
}

static void test_json(void **state) {
    (void)state;
    static const char wanted[] =
        "{'format': 'atrous-graph/1', 'model': {'name': 'small'},"
        " 'input': {'name': 'image', 'shape': [2, 3, 9, 6]}, 'nodes': ["
        "{'name': 'encoder.0.conv', 'op': 'conv2d', 'inputs': ['image'],"
        " 'output_shape': [2, 4, 9, 6], 'attrs': {'kernel': [3, 5], 'stride': [1, 1],"
        " 'padding': [1, 2], 'dilation': [1, 1], 'groups': 1},"
        " 'params': {'weight': 'encoder.0.conv.weight'}},"
        "{'name': 'encoder.0.norm', 'op': 'batch_norm', 'inputs': ['encoder.0.conv'],"
        " 'output_shape': [2, 4, 9, 6], 'attrs': {'eps': 1e-5, 'momentum': 0.1}, 'params': {"
        "'weight': 'encoder.0.norm.weight', 'bias': 'encoder.0.norm.bias',"
        " 'running_mean': 'encoder.0.norm.running_mean',"
        " 'running_var': 'encoder.0.norm.running_var'}},"
        "{'name': 'encoder.0.relu', 'op': 'relu', 'inputs': ['encoder.0.norm'],"
        " 'output_shape': [2, 4, 9, 6], 'attrs': {}},"
        "{'name': 'encoder.0.pool', 'op': 'max_pool2d', 'inputs': ['encoder.0.relu'],"
        " 'outputs': ['value', 'indices'], 'output_shape': [2, 4, 5, 3], 'attrs': {"
        "'kernel': [2, 2], 'stride': [2, 2], 'padding': [0, 0], 'dilation': [1, 1],"
        " 'ceil_mode': true}},"
        "{'name': 'logits', 'op': 'max_unpool2d', 'inputs': ['encoder.0.pool',"
        " 'encoder.0.pool:indices', 'encoder.0.relu'], 'output_shape': [2, 4, 9, 6],"
        " 'attrs': {}}], 'output': 'logits'}";
    at_survey s;
    at_graph *g = small_network();
    survey(&s, g, 9, 6);
    char text[sizeof wanted];
    for (size_t i = 0; i < sizeof wanted; i++)
        text[i] = (char)(wanted[i] == '\'' ? '"' : wanted[i]);
    json_t *model = json_pack("{s: s}", "name", "small");
    json_t *want = json_loads(text, 0, NULL), *got = at_survey_json(&s, model);
    assert_non_null(want);
    char *a = json_dumps(got, JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
    char *b = json_dumps(want, JSON_SORT_KEYS | JSON_REAL_PRECISION(6));
    assert_string_equal(a, b);
    free(a), free(b);
    json_decref(want), json_decref(got), json_decref(model);
    at_survey_free(&s);
    at_graph_free(g);
}

static void test_texts(void **state) {
    (void)state;
    at_survey s;
    at_graph *g = small_network();
    survey(&s, g, 9, 6);
    assert_int_equal(s.count, 6); /* "unused" is not needed */
    assert_int_equal(s.parameters, 4 * 3 * 15 + 8);
    assert_near(s.macs, 2.0 * 9 * 6 * 4 * 3 * 15, 0);
    char *table = at_survey_table(&s, 3 << 20, 1 << 20);
    assert_non_null(strstr(table, "4 x 5 x 3"));
    assert_non_null(strstr(table, "19.4 k"));
    assert_non_null(strstr(table, "training 3.0 MiB, inference 1.0 MiB"));
    free(table);
    char *dot = at_survey_dot(&s);
    assert_non_null(strstr(dot, "\"encoder.0.pool\" -> \"logits\" [label=\"indices\"];"));
    assert_non_null(strstr(dot, "\"encoder.0.relu\" -> \"logits\" [style=dashed"));
    free(dot);
    char *svg = at_survey_svg(&s); /* conv and relu, pool, unpool: three resolutions */
    assert_non_null(strstr(svg, ">encoder.0.relu: 3 x 5</text>"));
    assert_non_null(strstr(svg, ">encoder.0.pool: 4 x 6</text>"));
    assert_non_null(strstr(svg, ">logits: 4 x 6</text>"));
    assert_non_null(strstr(svg, ">image: 9 x 6</text>"));
    free(svg);
    at_survey_free(&s);
    at_graph_free(g);
}

/* What is never trained is no parameter of the table, and the JSON says so. */
static void test_frozen(void **state) {
    (void)state;
    at_survey s;
    at_graph *g = at_graph_new();
    at_node *x = conv(g, "a", at_input(g, "image", 3), 3, 1, 1, 1);
    at_conv2d(g, "b", x,
              (at_conv2d_opts){.channels = 2, .kernel = {1, 1}, .no_bias = true, .frozen = true});
    survey(&s, g, 9, 6);
    assert_int_equal(s.parameters, 3 * 2 * 9 + 2);
    json_t *j = at_survey_json(&s, NULL), *nodes = json_object_get(j, "nodes");
    assert_null(json_object_get(json_array_get(nodes, 0), "frozen"));
    json_t *frozen = json_object_get(json_array_get(nodes, 1), "frozen");
    assert_int_equal(json_array_size(frozen), 1);
    assert_string_equal(json_string_value(json_array_get(frozen, 0)), "weight");
    json_decref(j);
    at_survey_free(&s);
    at_graph_free(g);
}

/* A size that can't be is refused with the node's name. */
static void test_refuses(void **state) {
    (void)state;
    at_survey s;
    at_error err = {0};
    at_graph *g = at_graph_new();
    conv(g, "wide", at_input(g, "image", 3), 7, 1, 0, 1);
    assert_int_equal(at_survey_new(&s, g, (at_shape){.n = 1, .h = 6, .w = 9}, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "wide"));
    at_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_field_vgg),      cmocka_unit_test(test_field_strides),
        cmocka_unit_test(test_field_dilation), cmocka_unit_test(test_field_paths),
        cmocka_unit_test(test_json),           cmocka_unit_test(test_texts),
        cmocka_unit_test(test_refuses),        cmocka_unit_test(test_frozen),
    };
    return cmocka_run_group_tests_name("survey", tests, NULL, NULL);
}
