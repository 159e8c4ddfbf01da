/* SPDX-License-Identifier: MIT */
/* A weights file holds everything: saved, loaded and saved again it is the same file; and each way
 * of being damaged is refused by name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/near.h"
#include "train/train.h"

static char dir[] = "/tmp/atrous-test-XXXXXX";
static char *path, *other;

static int set_up(void **state) {
    (void)state;
    assert_non_null(mkdtemp(dir));
    path = at_path_join(dir, "a.safetensors");
    other = at_path_join(dir, "b.safetensors");
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    unlink(path);
    unlink(other);
    free(path);
    free(other);
    return rmdir(dir);
}

static at_class items[2] = {{(char[]){"ground \"x\""}, {1, 2, 3}},
                            {(char[]){"\xc3\xb6l"}, {200, 0, 255}}};

static at_network make(void) {
    const at_classes classes = {2, items};
    const at_model_opts o = {
        .width = 0.0625, .in_channels = 4, .upsample = AT_UP_PIXELSHUFFLE, .norm = AT_NORM_GROUP};
    at_network net;
    at_error err = {0};
    if (at_network_new(&net, at_model_find("unet"), o, &classes, 3, &err) != AT_OK)
        fail_msg("%s", err.text);
    net.resize = (at_pair){48, 64};
    net.mean[0] = 1 / 3.0, net.std[3] = 0.1;
    net.ignore[net.ignore_count++] = 11;
    net.ignore[net.ignore_count++] = 255;
    net.epoch = 17;
    net.loss = (at_loss_spec){AT_LOSS_CE_DICE, 0.1, 2, true, {0.1f, 3}};
    net.split_seed = 99, net.val_share = 0.25;
    net.metrics = json_pack("{s:f}", "miou", 2 / 3.0);
    return net;
}

static void there_and_back(void **state) {
    (void)state;
    at_network a = make(), b;
    at_error err = {0};
    assert_int_equal(at_network_save(&a, path, &err), AT_OK);
    if (at_network_load(&b, path, &err) != AT_OK) fail_msg("%s", err.text);
    assert_ptr_equal(b.model, a.model);
    assert_true(b.opts.upsample == AT_UP_PIXELSHUFFLE && b.opts.norm == AT_NORM_GROUP &&
                b.opts.in_channels == 4);
    assert_string_equal(b.classes.items[1].name, items[1].name);
    assert_memory_equal(&b.classes.items[1].color, &items[1].color, sizeof(at_rgb));
    assert_memory_equal(b.mean, a.mean, sizeof a.mean);
    assert_true(b.resize.h == 48 && b.resize.w == 64 && b.ignore_count == 2 && b.ignore[0] == 11 &&
                b.epoch == 17);
    assert_true(b.loss.kind == AT_LOSS_CE_DICE && b.loss.weighted &&
                b.loss.class_weights[0] == 0.1f);
    assert_true(b.split_seed == 99 && b.val_share == 0.25);
    assert_near(json_real_value(json_object_get(b.metrics, "miou")), 2 / 3.0, 0);
    assert_memory_equal(at_graph_values(a.graph), at_graph_values(b.graph),
                        (size_t)at_graph_flat_count(a.graph) * sizeof(float));
    assert_int_equal(at_network_save(&b, other, &err), AT_OK);
    char *one, *two;
    size_t n, m;
    assert_int_equal(at_file_read(path, 0, &one, &n, NULL), AT_OK);
    assert_int_equal(at_file_read(other, 0, &two, &m, NULL), AT_OK);
    assert_int_equal(n, m);
    assert_memory_equal(one, two, n);
    free(one);
    free(two);
    at_network_free(&a);
    at_network_free(&b);
}

static void ema_wins(void **state) {
    (void)state;
    at_network a = make(), b;
    at_ema *ema;
    assert_int_equal(at_ema_new(&ema, a.graph, 0.9, NULL), AT_OK);
    at_ema_values(ema)[at_graph_param(a.graph, 0)->offset] = 7;
    assert_int_equal(at_network_save(&a, path, NULL), AT_OK);
    at_st_file f;
    assert_int_equal(at_st_open(&f, path, NULL), AT_OK);
    const at_flat flats[] = {{"", at_graph_values(a.graph), false},
                             {"ema.", at_ema_values(ema), false}};
    assert_int_equal(at_weights_save(a.graph, other, flats, 2, NULL, 0, f.metadata, NULL), AT_OK);
    assert_int_equal(at_network_load(&b, other, NULL), AT_OK);
    assert_true(at_graph_values(b.graph)[at_graph_param(b.graph, 0)->offset] == 7);
    at_st_close(&f);
    at_ema_free(ema);
    at_network_free(&a);
    at_network_free(&b);
}

/* The file with one metadata string replaced (NULL: removed). */
static void refused(const char *key, const char *value) {
    at_network a = make(), b;
    at_st_file f;
    at_error err = {0};
    assert_int_equal(at_network_save(&a, path, NULL), AT_OK);
    assert_int_equal(at_st_open(&f, path, NULL), AT_OK);
    if (value)
        json_object_set_new(f.metadata, key, json_string(value));
    else
        json_object_del(f.metadata, key);
    assert_int_equal(at_st_write(other, f.tensors, f.count, f.metadata, NULL), AT_OK);
    assert_int_equal(at_network_load(&b, other, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, other));
    assert_null(b.graph);
    at_st_close(&f);
    at_network_free(&a);
}

static void damaged(void **state) {
    (void)state;
    refused("format", NULL);
    refused("format", "atrous-weights/9");
    refused("model", NULL);
    refused("model", "{");
    refused("model", "{\"name\":\"nothing\"}");
    refused("classes", "[{\"name\":\"one\",\"color\":[0,0,0]}]");
    refused("mean", "[0,0]");
    refused("std", "[1,1,0,1]");
    refused("std", "[1,1,\"x\",1]");
    refused("resize", "[0,0]");
    refused("ignore", "7");
    refused("loss", "{\"name\":\"mse\"}");
    refused("loss", "{\"name\":\"ce\",\"class_weights\":[1]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(there_and_back), cmocka_unit_test(ema_wins),
                                       cmocka_unit_test(damaged)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
