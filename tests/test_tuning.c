/* SPDX-License-Identifier: MIT */
/* --conv tune: what is timed is remembered and obeyed, in a plan, in the user's cache and by a run
 * that is continued; a cache that can't be used is as good as none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/tiny_set.h"
#include "train/tune.h"

/* ---- in a plan ---- */

enum { CHANNELS = 12, COUNT = 3 * 9 * CHANNELS };

static at_graph *convolution(void) {
    at_graph *g = at_graph_new();
    at_node *x = at_input(g, "image", 3);
    x = at_conv2d(g, "a", x,
                  (at_conv2d_opts){.channels = CHANNELS, .kernel = {3, 3}, .padding = {1, 1}});
    at_softmax_cross_entropy(g, "loss", x, at_target(g, "target"), (at_loss_opts){0});
    assert_int_equal(at_graph_finish(g, NULL), AT_OK);
    assert_int_equal(at_graph_init(g, 1, NULL), AT_OK);
    return g;
}

static at_plan *plan(at_graph *g, at_conv_choice conv, at_tuning *t) {
    at_plan *p;
    at_plan_opts opts = {
        .batch = 2, .height = 14, .width = 19, .mode = AT_TRAIN, .input_grad = true};
    opts.conv = conv;
    opts.tuning = t;
    assert_int_equal(at_plan_new(&p, g, opts, NULL), AT_OK);
    return p;
}

/* The gradient of the weights, added to zeros. */
static void gradient(at_graph *g, at_plan *p, float *out) {
    at_rng rng = at_rng_make(2, AT_RNG_TEST, 0, 0);
    at_tensor image = at_plan_value(p, at_graph_find(g, "image"));
    at_tensor target = at_plan_value(p, at_graph_find(g, "target"));
    for (int64_t i = 0; i < at_shape_count(image.shape); i++)
        at_f32(image)[i] = at_rng_range(&rng, -1, 1);
    memset(target.data, 1, (size_t)at_shape_count(target.shape));
    memset(at_graph_grads(g), 0, (size_t)at_graph_flat_count(g) * sizeof(float));
    at_plan_forward(p);
    at_plan_backward(p);
    memcpy(out, at_graph_grads(g), COUNT * sizeof *out);
    at_plan_free(p);
}

static size_t timed(const at_tuning *t) {
    return json_object_size(at_tuning_timed(t));
}

/* All that is known, by other ways. */
static json_t *all(const json_t *ways, json_t *way) {
    json_t *out = json_object();
    for (void *it = json_object_iter((json_t *)(uintptr_t)ways); it;
         it = json_object_iter_next((json_t *)(uintptr_t)ways, it))
        json_object_set(out, json_object_iter_key(it), way);
    json_decref(way);
    return out;
}

static void learn(at_tuning *t, json_t *ways) {
    assert_true(at_tuning_learn(t, ways));
    json_decref(ways);
}

static void test_remembered(void **state) {
    at_graph *g = convolution();
    at_tuning *t = at_tuning_new();
    size_t bytes;
    (void)state;
    at_plan_opts opts = {.batch = 2, .height = 14, .width = 19, .conv = AT_CONV_TUNE, .tuning = t};
    assert_int_equal(at_plan_measure(g, opts, &bytes, NULL), AT_OK);
    assert_int_equal(timed(t), 0); /* measuring is not timing */
    at_plan_free(plan(g, AT_CONV_TUNE, t));
    assert_int_equal(timed(t), 3); /* forward, data, weights */
    at_tuning *second = at_tuning_new();
    assert_true(at_tuning_learn(second, at_tuning_timed(t)));
    at_plan_free(plan(g, AT_CONV_TUNE, second));
    assert_int_equal(timed(second), 0);
    assert_true(json_equal((json_t *)(uintptr_t)at_tuning_used(second),
                           (json_t *)(uintptr_t)at_tuning_used(t)));
    at_tuning_free(t), at_tuning_free(second);
    at_graph_free(g);
}

static void test_gradients_stay(void **state) {
    at_graph *g = convolution();
    at_tuning *t = at_tuning_new();
    (void)state;
    at_plan_free(plan(g, AT_CONV_AUTO, NULL));
    int64_t count = at_graph_flat_count(g);
    for (int64_t i = 0; i < count; i++) at_graph_grads(g)[i] = (float)i;
    at_plan_free(plan(g, AT_CONV_TUNE, t));
    assert_int_equal(timed(t), 3);
    for (int64_t i = 0; i < count; i++) assert_true(at_graph_grads(g)[i] == (float)i);
    at_tuning_free(t);
    at_graph_free(g);
}

static void test_obeyed(void **state) {
    static const at_conv_choice choices[] = {AT_CONV_DIRECT, AT_CONV_WINOGRAD};
    static const char *const ways[] = {"direct", "winograd"};
    float want[COUNT], got[COUNT];
    at_graph *g = convolution();
    at_tuning *t = at_tuning_new();
    (void)state;
    at_plan_free(plan(g, AT_CONV_TUNE, t));
    for (int i = 0; i < 2; i++) {
        gradient(g, plan(g, choices[i], NULL), want);
        learn(t, all(at_tuning_used(t), json_string(ways[i])));
        gradient(g, plan(g, AT_CONV_TUNE, t), got);
        assert_memory_equal(got, want, sizeof want);
    }
    /* What no convolution knows, or this one can't: timed instead. */
    at_tuning *odd = at_tuning_new();
    learn(odd, all(at_tuning_used(t), json_string("fft")));
    learn(odd, all(at_tuning_used(t), json_integer(1)));
    at_plan_free(plan(g, AT_CONV_TUNE, odd));
    assert_int_equal(timed(odd), 3);
    at_tuning_free(t), at_tuning_free(odd);
    at_graph_free(g);
}

/* ---- in the cache ---- */

static void write_text(const char *path, const char *text) {
    assert_int_equal(at_file_write(path, text, strlen(text), NULL), AT_OK);
}

static at_tuning *opened(void) {
    at_tuning *t;
    assert_int_equal(at_tune_open(&t, NULL), AT_OK);
    return t;
}

/* Is "p" remembered as `way`? */
static bool cached(const char *way) {
    at_tuning *t = opened();
    const char *found = at_tuning_find(t, "p");
    bool same = way ? found && strcmp(found, way) == 0 : !found;
    at_tuning_free(t);
    return same;
}

static void remember(const char *problem, const char *way) {
    at_tuning *t = opened();
    assert_true(at_tuning_use(t, problem, way, true));
    at_tune_close(t);
}

static void test_cache(void **state) {
    (void)state;
    static const char *const broken[] = {"", "{", "[]", "{\"format\": \"atrous-tuning/1\"}",
                                         "{\"format\": \"other/1\", \"machines\": {}}"};
    setenv("XDG_CACHE_HOME", tiny_path("cache"), 1);
    char *path = at_tune_path();
    assert_string_equal(path, tiny_path("cache/atrous/tuning.json"));
    assert_true(cached(NULL));
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        remember("p", "staged");
        assert_true(cached("staged"));
        write_text(path, broken[i]);
        assert_true(cached(NULL));
    }
    remember("p", "direct");
    remember("q", "winograd"); /* joins it */
    assert_true(cached("direct"));
    unlink(path);
    assert_int_equal(mkdir(path, 0777), 0); /* can't be written */
    remember("p", "direct");
    assert_true(cached(NULL));
    rmdir(path);
    free(path);
    write_text(tiny_path("file"), "");
    setenv("XDG_CACHE_HOME", tiny_path("file"), 1); /* nor made */
    remember("p", "direct");
    assert_true(cached(NULL));
    unsetenv("XDG_CACHE_HOME"), unsetenv("HOME"); /* nowhere */
    remember("p", "direct");
    assert_true(cached(NULL));
    setenv("XDG_CACHE_HOME", tiny_path("cache"), 1);
}

/* ---- in a run ---- */

static volatile int stop;

static void stop_at_second(void *arg, const at_train_progress *p) {
    int *validations = arg;
    if (p->event == AT_TRAIN_EPOCH && --*validations == 0) stop = 1;
}

/* Trains a new run, or one that is continued; stops after so many epochs (0: never). */
static void session(const char *name, bool again, int epochs) {
    at_train_opts o = tiny_opts();
    at_train_result result;
    json_t *keep = NULL;
    at_error err = {0};
    if (again)
        assert_int_equal(at_train_resume_opts(tiny_path("runs/%s", name), &o, &keep, &err), AT_OK);
    if (!again) o.name = name, o.conv = AT_CONV_TUNE;
    stop = 0;
    at_status s =
        at_train(&o, (at_train_hooks){.progress = stop_at_second, .arg = &epochs, .stop = &stop},
                 &result, &err);
    if (s != AT_OK && s != AT_ERR_STOPPED) fail_msg("%s", err.text);
    at_train_result_free(&result);
    json_decref(keep);
}

/* The cache now says this of all that it knows. */
static void rewrite_cache(const char *way) {
    char *path = at_tune_path();
    json_t *root, *machine;
    const char *name;
    assert_int_equal(at_json_load(path, &root, NULL), AT_OK);
    json_object_foreach(json_object_get(root, "machines"), name, machine)
        json_object_update_new(machine, all(machine, json_string(way)));
    assert_int_equal(at_json_save(path, root, NULL), AT_OK);
    json_decref(root);
    free(path);
}

static bool same_weights(const char *a, const char *b) {
    size_t n, m;
    char *x = tiny_read(tiny_path("runs/%s/weights/best.safetensors", a), &n);
    char *y = tiny_read(tiny_path("runs/%s/weights/best.safetensors", b), &m);
    bool same = n == m && memcmp(x, y, n) == 0;
    free(x), free(y);
    return same;
}

static void test_resumed(void **state) {
    (void)state;
    setenv("XDG_CACHE_HOME", tiny_path("other"), 1);
    session("first", false, 0);
    rewrite_cache("winograd");
    session("whole", false, 0);
    session("broken", false, 1);
    rewrite_cache("direct");
    session("broken", true, 0);
    session("direct", false, 0);
    assert_true(same_weights("whole", "broken"));
    assert_false(same_weights("whole", "direct"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_remembered),
                                       cmocka_unit_test(test_gradients_stay),
                                       cmocka_unit_test(test_obeyed), cmocka_unit_test(test_cache),
                                       cmocka_unit_test(test_resumed)};
    return cmocka_run_group_tests_name("tuning", tests, tiny_set_up, tiny_tear_down);
}
