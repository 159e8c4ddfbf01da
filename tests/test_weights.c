/* SPDX-License-Identifier: MIT */
/* Parameters to files and back, with an operator that does nothing but have parameters: a weight
 * that the graph keeps transposed, a bias, and a running statistic. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "nn/nn.h"

static const at_op op = {.name = "thing", .param_names = {"weight", "bias", "running_mean"}};

/* Weights [out, 3, 2, 1], bias [out], running_mean [3] under enc.a and enc.b. */
static at_graph *make_graph(int out) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "image", 3);
    at_graph_push(g, "enc");
    for (int i = 0; i < 2; i++) {
        x = at_node_new(g, &op, i ? "b" : "a", &x, 1, 3, NULL, 0);
        at_node_add_param(
            x, (at_param_spec){.rank = 4, .dims = {out, 3, 2, 1}, .layout = AT_LAYOUT_CONV});
        at_node_add_param(x, (at_param_spec){.rank = 1, .dims = {out}});
        at_node_add_param(x, (at_param_spec){.rank = 1, .dims = {3}, .buffer = true});
    }
    at_graph_pop(g);
    at_error err = {0};
    if (at_graph_finish(g, &err)) fail_msg("%s", err.text);
    return g;
}

/* Element i, in PyTorch's order, of parameter p is p * 1000 + i + shift. */
static void fill(const at_graph *g, float *flat, float shift) {
    for (int p = 0; p < at_graph_param_count(g); p++) {
        float v[64];
        const at_param *param = at_graph_param(g, p);
        for (int i = 0; i < param->count; i++) v[i] = (float)(p * 1000 + i) + shift;
        at_param_import(param, v, flat);
    }
}

static float *flat_new(const at_graph *g) {
    return calloc((size_t)at_graph_flat_count(g), sizeof(float));
}

static void check_equal(const at_graph *g, const float *a, const float *b) {
    assert_memory_equal(a, b, (size_t)at_graph_flat_count(g) * sizeof(float));
}

static char path[4096];
static int make_path(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/weights.%d", tmp ? tmp : "/tmp", (int)getpid());
    return 0;
}
static int remove_path(void **state) {
    (void)state;
    return unlink(path);
}

static at_st_file open_saved(void) {
    at_st_file f;
    at_error err = {0};
    if (at_st_open(&f, path, &err)) fail_msg("%s", err.text);
    return f;
}

/* Writes the weights of make_graph(2), a momentum without statistics, and a counter. */
static void save(const at_graph *g, const float *momentum) {
    const int64_t step = 12;
    const at_flat flats[] = {{"", at_graph_values(g), false}, {"m.", momentum, true}};
    const at_st_tensor extra = {"step", AT_ST_I64, 0, {0}, &step, 8};
    json_t *metadata = json_pack("{s:s}", "model", "thing");
    at_error err = {0};
    if (at_weights_save(g, path, flats, 2, &extra, 1, metadata, &err)) fail_msg("%s", err.text);
    json_decref(metadata);
}

static void files_hold_pytorch_order(void **state) {
    (void)state;
    at_graph *g = make_graph(2);
    float *momentum = flat_new(g);
    fill(g, at_graph_values(g), 0);
    fill(g, momentum, 0.5f);
    save(g, momentum);
    at_st_file f = open_saved();
    assert_int_equal(f.count, 6 + 4 + 1);
    const at_st_tensor *t = at_st_find(&f, "enc.b.weight");
    assert_int_equal(t->rank, 4);
    const int64_t shape[4] = {2, 3, 2, 1};
    assert_memory_equal(t->shape, shape, sizeof shape);
    float v[12];
    at_st_read_f32(&f, t, v, NULL);
    for (int i = 0; i < 12; i++) assert_true(v[i] == (float)(3000 + i));
    at_st_read_f32(&f, at_st_find(&f, "m.enc.a.bias"), v, NULL);
    assert_true(v[0] == 1000.5f && v[1] == 1001.5f);
    assert_non_null(at_st_find(&f, "enc.a.running_mean"));
    assert_null(at_st_find(&f, "m.enc.a.running_mean"));
    assert_int_equal(at_st_find(&f, "step")->dtype, AT_ST_I64);
    assert_string_equal(json_string_value(json_object_get(f.metadata, "model")), "thing");
    at_st_close(&f);
    free(momentum);
    at_graph_free(g);
}

static void round_trip(void **state) {
    (void)state;
    at_graph *g = make_graph(2), *h = make_graph(2);
    float *momentum = flat_new(g), *back = flat_new(g);
    fill(g, at_graph_values(g), 0);
    fill(g, momentum, 0.5f);
    save(g, momentum);
    at_st_file f = open_saved();
    at_error err = {0};
    if (at_weights_load(h, &f, &err)) fail_msg("%s", err.text);
    check_equal(g, at_graph_values(g), at_graph_values(h));
    memcpy(back, momentum, (size_t)at_graph_flat_count(g) * sizeof *back);
    const at_param *bias = at_graph_find_param(g, "enc.a.bias");
    back[bias->offset] = -1; /* comes back; the statistics, which are not in the file, stay */
    if (at_weights_load_flat(h, &f, "m.", back, &err)) fail_msg("%s", err.text);
    check_equal(g, momentum, back);
    assert_int_equal(at_weights_load_flat(h, &f, "v.", back, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "no tensor 'v.enc.a.weight'"));
    at_st_close(&f);
    free(momentum);
    free(back);
    at_graph_free(g);
    at_graph_free(h);
}

static void other_shapes_are_refused(void **state) {
    (void)state;
    at_graph *g = make_graph(2), *h = make_graph(4);
    float *momentum = flat_new(g), *before = flat_new(h);
    save(g, momentum);
    fill(h, at_graph_values(h), 7);
    fill(h, before, 7);
    at_st_file f = open_saved();
    at_error err = {0};
    assert_int_equal(at_weights_load(h, &f, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, path));
    assert_non_null(
        strstr(err.text, "'enc.a.weight' has shape [2, 3, 2, 1], the network needs [4, 3, 2, 1]"));
    check_equal(h, at_graph_values(h), before);
    at_st_close(&f);
    free(momentum);
    free(before);
    at_graph_free(g);
    at_graph_free(h);
}

/* A file that lacks only the last parameter must not have changed the first ones. */
static void all_or_nothing(void **state) {
    (void)state;
    at_graph *g = make_graph(2);
    float *before = flat_new(g);
    fill(g, at_graph_values(g), 7);
    fill(g, before, 7);
    const float zeros[12] = {0};
    const at_st_tensor tensors[] = {
        {"enc.a.weight", AT_ST_F32, 4, {2, 3, 2, 1}, zeros, 48},
        {"enc.a.bias", AT_ST_F32, 1, {2}, zeros, 8},
        {"enc.a.running_mean", AT_ST_F32, 1, {3}, zeros, 12},
        {"enc.b.weight", AT_ST_F32, 4, {2, 3, 2, 1}, zeros, 48},
        {"enc.b.bias", AT_ST_F16, 1, {2}, zeros, 4},
        {"enc.b.running_mean", AT_ST_I32, 1, {3}, zeros, 12},
    };
    at_error err = {0};
    for (int count = 5; count <= 6; count++) {
        at_st_write(path, tensors, count, NULL, NULL);
        at_st_file f = open_saved();
        assert_int_equal(at_weights_load(g, &f, &err), AT_ERR_INPUT);
        assert_non_null(
            strstr(err.text, count == 5 ? "no tensor 'enc.b.running_mean'" : "whole numbers"));
        check_equal(g, at_graph_values(g), before);
        at_st_close(&f);
    }
    free(before);
    at_graph_free(g);
}

static void partial_loads_say_what_they_did(void **state) {
    (void)state;
    at_graph *g = make_graph(2), *h = make_graph(4);
    float *momentum = flat_new(g);
    fill(g, at_graph_values(g), 0);
    save(g, momentum);
    fill(h, at_graph_values(h), 7);
    at_st_file f = open_saved();
    at_load_report r;
    assert_int_equal(at_weights_load_partial(h, &f, &r, NULL), AT_OK);
    assert_int_equal(r.loaded, 2); /* the statistics */
    assert_int_equal(r.mismatched, 4);
    assert_int_equal(r.missing, 0);
    assert_int_equal(r.unused, 5);
    assert_non_null(strstr(r.text, "enc.b.bias: [2] in the file, the network needs [4]\n"));
    assert_non_null(strstr(r.text, "step: in the file only\n"));
    assert_true(at_graph_values(h)[at_graph_find_param(h, "enc.b.running_mean")->offset] == 5000);
    assert_true(at_graph_values(h)[at_graph_find_param(h, "enc.b.bias")->offset] == 4007);
    at_st_close(&f);
    free(momentum);
    at_graph_free(g);
    at_graph_free(h);
}

static void long_reports_are_cut(void **state) {
    (void)state;
    at_st_tensor tensors[200] = {0};
    char names[200][32];
    for (int i = 0; i < 200; i++) {
        snprintf(names[i], sizeof names[i], "tensor.%d", i);
        tensors[i] = (at_st_tensor){.name = names[i], .rank = 1};
    }
    at_st_write(path, tensors, 200, NULL, NULL);
    at_graph *g = make_graph(2);
    at_st_file f = open_saved();
    at_load_report r;
    assert_int_equal(at_weights_load_partial(g, &f, &r, NULL), AT_OK);
    assert_int_equal(r.missing, 6);
    assert_int_equal(r.unused, 200);
    size_t length = strlen(r.text);
    assert_true(length < sizeof r.text && length > sizeof r.text - 64);
    assert_string_equal(r.text + length - 5, "\n...\n");
    at_st_close(&f);
    at_graph_free(g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_hold_pytorch_order),        cmocka_unit_test(round_trip),
        cmocka_unit_test(other_shapes_are_refused),        cmocka_unit_test(all_or_nothing),
        cmocka_unit_test(partial_loads_say_what_they_did), cmocka_unit_test(long_reports_are_cut),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
