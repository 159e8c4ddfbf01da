/* SPDX-License-Identifier: MIT */
/* Whole networks against PyTorch: every file of tests/parity (make_reference.py there says what it
 * holds) is run at every kernel level of this machine with each algorithm of convolution, and loss,
 * logits of training and inference, each parameter's gradient and the running statistics must agree
 * to 1e-4. */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "models/models.h"
#include "nn/kernels/kernels.h"

static const char folder[] = "tests/parity";
enum { FEWEST_FILES = 18 };

typedef struct reference {
    at_st_file file;
    at_graph *graph;
    at_node *loss;
    at_shape image; /* c: of the image */
    double floor;   /* what a gradient's error is measured by at least */
    const char *level;
    at_conv_choice conv;
} reference;

static void must(at_status status, const at_error *err) {
    if (status != AT_OK) fail_msg("%s", err->text);
}

static const at_st_tensor *tensor(const reference *r, const char *prefix, const char *name) {
    char full[256];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    const at_st_tensor *t = at_st_find(&r->file, full);
    if (t == NULL) fail_msg("%s has no tensor %s", r->file.path, full);
    return t;
}

static float *read(const reference *r, const at_st_tensor *t) {
    at_error err = {0};
    float *v = malloc((size_t)at_st_count(t) * sizeof *v);
    assert_non_null(v);
    must(at_st_read_f32(&r->file, t, v, &err), &err);
    return v;
}

/* ---- comparing ---- */

static double largest(const float *v, int64_t count) {
    double most = 0;
    for (int64_t i = 0; i < count; i++) most = fmax(most, fabs((double)v[i]));
    return most;
}

/* max |a - b| <= 1e-4 max(max |b|, floor); a NaN fails. */
static void agree(const reference *r, const float *a, const at_st_tensor *t, double floor) {
    float *b = read(r, t);
    int64_t count = at_st_count(t);
    double limit = 1e-4 * fmax(largest(b, count), floor);
    for (int64_t i = 0; i < count; i++)
        if (!(fabs((double)a[i] - b[i]) <= limit))
            fail_msg("%s, level %s, algorithm %d: %s [%lld] is %.7g, PyTorch says %.7g; limit %.2g",
                     r->file.path, r->level, (int)r->conv, t->name, (long long)i, a[i], b[i],
                     limit);
    free(b);
}

static void agree_logits(const reference *r, at_tensor y, const char *name) {
    const at_st_tensor *t = tensor(r, "", name);
    float *nchw = malloc((size_t)at_shape_count(y.shape) * sizeof *nchw);
    int64_t plane = (int64_t)y.shape.h * y.shape.w, at = 0;
    assert_non_null(nchw);
    assert_int_equal(at_st_count(t), at_shape_count(y.shape));
    for (int n = 0; n < y.shape.n; n++)
        for (int c = 0; c < y.shape.c; c++)
            for (int64_t p = 0; p < plane; p++) nchw[at++] = at_f32(y)[(n * plane + p) * y.ld + c];
    agree(r, nchw, t, 0);
    free(nchw);
}

/* Every parameter's values in `flat`, against the tensors named prefix + its name. */
static void agree_params(const reference *r, const float *flat, const char *prefix, bool buffers,
                         double floor) {
    for (int i = 0; i < at_graph_param_count(r->graph); i++) {
        const at_param *p = at_graph_param(r->graph, i);
        if (p->spec.buffer != buffers) continue;
        float *v = malloc((size_t)p->count * sizeof *v);
        assert_non_null(v);
        at_param_export(p, flat, v);
        agree(r, v, tensor(r, prefix, p->name), floor);
        free(v);
    }
}

/* ---- running ---- */

static void load_weights(const reference *r) {
    at_error err = {0};
    must(at_weights_load_flat(r->graph, &r->file, "weight.", at_graph_values(r->graph), &err),
         &err);
    at_graph_touch(r->graph);
}

static at_plan *new_plan(const reference *r, at_mode mode) {
    at_plan *plan;
    at_error err = {0};
    at_plan_opts o = {.batch = r->image.n,
                      .height = r->image.h,
                      .width = r->image.w,
                      .mode = mode,
                      .conv = r->conv};
    o.output = mode == AT_TRAIN ? r->loss : at_graph_output(r->graph);
    o.keep = mode == AT_TRAIN; /* the logits are read beside the loss */
    must(at_plan_new(&plan, r->graph, o, &err), &err);
    float *nchw = read(r, tensor(r, "", "image"));
    at_tensor x = at_plan_value(plan, at_graph_find(r->graph, "image"));
    int64_t plane = (int64_t)r->image.h * r->image.w, at = 0;
    for (int n = 0; n < r->image.n; n++)
        for (int c = 0; c < r->image.c; c++)
            for (int64_t p = 0; p < plane; p++) at_f32(x)[(n * plane + p) * x.ld + c] = nchw[at++];
    free(nchw);
    return plan;
}

static void check_training(const reference *r) {
    at_plan *plan = new_plan(r, AT_TRAIN);
    at_tensor labels = at_plan_value(plan, at_graph_find(r->graph, "target"));
    const at_st_tensor *t = tensor(r, "", "labels");
    assert_int_equal(t->bytes, (size_t)at_shape_count(labels.shape));
    memcpy(labels.data, t->data, t->bytes);
    float *grads = at_graph_grads(r->graph);
    memset(grads, 0, (size_t)at_graph_flat_count(r->graph) * sizeof *grads);
    at_plan_forward(plan);
    agree(r, at_plan_value(plan, r->loss).data, tensor(r, "", "loss"), 0);
    agree_logits(r, at_plan_value(plan, at_graph_output(r->graph)), "logits.train");
    agree_params(r, at_graph_values(r->graph), "after.", true, 0);
    at_plan_backward(plan);
    agree_params(r, grads, "grad.", false, r->floor);
    at_plan_free(plan);
}

static void check_inference(const reference *r) {
    at_plan *plan = new_plan(r, AT_INFER);
    at_plan_forward(plan);
    agree_logits(r, at_plan_value(plan, at_graph_output(r->graph)), "logits.infer");
    at_plan_free(plan);
}

/* ---- files ---- */

static at_node *build_loss(at_graph *g) {
    static const uint8_t ignore[] = {255};
    return at_softmax_cross_entropy(g, "loss", at_graph_output(g), at_target(g, "target"),
                                    (at_loss_opts){.ignore = ignore, .ignore_count = 1});
}

static void open_reference(reference *r, const char *name) {
    at_error err = {0};
    const at_model *m;
    at_model_opts o;
    json_t *j;
    char *path = at_path_join(folder, name);
    must(at_st_open(&r->file, path, &err), &err);
    free(path);
    const char *text = json_string_value(json_object_get(r->file.metadata, "model"));
    assert_non_null(text);
    must(at_json_parse(text, strlen(text), name, &j, &err), &err);
    must(at_model_from_json(j, &m, &o, &err), &err);
    json_decref(j);
    o.no_dropout = true;
    must(at_model_new(&r->graph, m, o, &err), &err);
    r->loss = build_loss(r->graph);
    const at_st_tensor *t = tensor(r, "", "image");
    r->image = (at_shape){(int)t->shape[0], (int)t->shape[2], (int)t->shape[3], (int)t->shape[1]};
    for (int i = 0; i < r->file.count; i++) {
        if (strncmp(r->file.tensors[i].name, "grad.", 5) != 0) continue;
        float *v = read(r, &r->file.tensors[i]);
        r->floor = fmax(r->floor, 1e-3 * largest(v, at_st_count(&r->file.tensors[i])));
        free(v);
    }
}

static void check_file(const char *name) {
    reference r = {0};
    static const at_conv_choice choices[] = {AT_CONV_DIRECT, AT_CONV_WINOGRAD};
    const at_kernels *level;
    open_reference(&r, name);
    for (int i = 0; (level = at_kernels_level(i / 2)) != NULL; i++) {
        at_kernels_force(level);
        r.level = level->level;
        r.conv = choices[i % 2];
        load_weights(&r);
        check_inference(&r);
        check_training(&r);
    }
    at_kernels_force(NULL);
    at_graph_free(r.graph);
    at_st_close(&r.file);
}

static void test_every_file(void **state) {
    (void)state;
    int files = 0;
    DIR *d = opendir(folder);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (strstr(e->d_name, ".safetensors") == NULL) continue;
        check_file(e->d_name);
        files++;
    }
    closedir(d);
    assert_true(files >= FEWEST_FILES);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_file)};
    return cmocka_run_group_tests_name("parity", tests, NULL, NULL);
}
