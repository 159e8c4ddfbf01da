/* SPDX-License-Identifier: MIT */
/* Every allocation of these pieces of work fails once: each must end with an error, not with a
 * crash, a leak or a damaged file. To add a piece, write a scenario and a line in main. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "layers/layers.h"
#include "tests/alloc_fail.h"

static char path[4096], other_path[4096 + 8];

static int make_paths(void **state) {
    (void)state;
    const char *tmp = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/alloc.%d", tmp ? tmp : "/tmp", (int)getpid());
    snprintf(other_path, sizeof other_path, "%s.other", path);
    const float x[4] = {1, 2, 3, 4};
    const at_st_tensor tensors[] = {{"a", AT_ST_F32, 1, {4}, x, 16},
                                    {"b", AT_ST_F32, 2, {2, 1}, x, 8}};
    return (int)at_st_write(path, tensors, 2, NULL, NULL);
}

static int remove_paths(void **state) {
    (void)state;
    unlink(path);
    unlink(other_path);
    return 0;
}

static at_status write_safetensors(void *arg, at_error *err) {
    (void)arg;
    const float x[2] = {1, 2};
    const at_st_tensor t[] = {{"a", AT_ST_F32, 2, {1, 2}, x, 8}, {"b", AT_ST_F32, 1, {2}, x, 8}};
    json_t *metadata = json_pack("{s:s}", "key", "value");
    if (!metadata) return at_fail_memory(err, "the test", 0);
    at_status status = at_st_write(other_path, t, 2, metadata, err);
    json_decref(metadata);
    return status;
}

static at_status read_safetensors(void *arg, at_error *err) {
    (void)arg;
    at_st_file f;
    float v[4];
    AT_TRY(at_st_open(&f, path, err));
    at_status status = at_st_read_f32(&f, at_st_find(&f, "a"), v, err);
    at_st_close(&f);
    return status;
}

static at_status parse_json(void *arg, at_error *err) {
    (void)arg;
    static const char text[] = "{\"a\": [1, 2.5, \"three\"], // four\n \"b\": {\"c\": null}}";
    json_t *root;
    AT_TRY(at_json_parse(text, strlen(text), "text", &root, err));
    json_decref(root);
    return AT_OK;
}

static at_status save_and_load_json(void *arg, at_error *err) {
    (void)arg;
    json_t *root = json_pack("{s:i, s:s}", "a", 1, "b", "text"), *back;
    if (!root) return at_fail_memory(err, "the test", 0);
    at_status status = at_json_save(other_path, root, err);
    json_decref(root);
    AT_TRY(status);
    AT_TRY(at_json_load(other_path, &back, err));
    json_decref(back);
    return AT_OK;
}

static at_status make_directories(void *arg, at_error *err) {
    (void)arg;
    return at_make_dirs("/tmp", err);
}

static void count_up(void *arg, int64_t i, int worker) {
    (void)worker;
    ((int *)arg)[i]++;
}

/* Whatever could be started, loops are complete. */
static at_status start_threads(void *arg, at_error *err) {
    (void)arg;
    int seen[100] = {0};
    at_status status = at_threads_set(4, err);
    at_parallel_for(100, count_up, seen);
    for (int i = 0; i < 100; i++) assert_int_equal(seen[i], 1);
    assert_int_equal(at_threads(), status ? 1 : 4);
    return status;
}

/* Two convolutions; *g is NULL when it fails. */
static at_status make_graph(at_graph **g, at_error *err) {
    *g = at_graph_new();
    if (!*g) return at_fail_memory(err, "the test", 0);
    at_node *x = at_input(*g, "image", 3);
    at_graph_push(*g, "encoder.%d", 0);
    for (int i = 0; i < 2; i++)
        x = at_conv2d(*g, i ? "b" : "a", x,
                      (at_conv2d_opts){.channels = 5, .kernel = {3, 3}, .padding = {1, 1}});
    at_graph_pop(*g);
    at_status status = at_graph_finish(*g, err);
    if (!status) return AT_OK;
    at_graph_free(*g);
    *g = NULL;
    return status;
}

static at_status train_once(void *arg, at_error *err) {
    (void)arg;
    at_graph *g;
    at_plan *plan = NULL;
    AT_TRY(make_graph(&g, err));
    at_plan_opts opts = {.height = 6, .width = 7, .mode = AT_TRAIN, .recompute = true};
    at_status status = at_graph_init(g, 1, err);
    if (!status) status = at_plan_new(&plan, g, opts, err);
    if (plan) {
        at_plan_forward(plan);
        at_plan_backward(plan);
        at_plan_free(plan);
    }
    at_graph_free(g);
    return status;
}

static at_status save_and_load_weights(void *arg, at_error *err) {
    (void)arg;
    at_graph *g;
    AT_TRY(make_graph(&g, err));
    const at_flat flat = {"", at_graph_values(g), false};
    at_st_file f = {0};
    at_load_report report;
    at_status status = at_weights_save(g, other_path, &flat, 1, NULL, 0, NULL, err);
    if (!status) status = at_st_open(&f, other_path, err);
    if (!status) status = at_weights_load(g, &f, err);
    if (!status) status = at_weights_load_partial(g, &f, &report, err);
    at_st_close(&f);
    at_graph_free(g);
    return status;
}

static void check_all(void **state) {
    alloc_scenario *run;
    memcpy(&run, *state, sizeof run);
    check_alloc_failures(run, NULL);
}

#define SCENARIO(name)                                                                             \
    {                                                                                              \
#name, check_all, NULL, NULL, &(alloc_scenario *) {                                        \
            name                                                                                   \
        }                                                                                          \
    }

int main(void) {
    const struct CMUnitTest tests[] = {
        SCENARIO(write_safetensors),     SCENARIO(read_safetensors), SCENARIO(parse_json),
        SCENARIO(save_and_load_json),    SCENARIO(make_directories), SCENARIO(start_threads),
        SCENARIO(save_and_load_weights), SCENARIO(train_once),
    };
    return cmocka_run_group_tests(tests, make_paths, remove_paths);
}
