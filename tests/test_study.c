/* SPDX-License-Identifier: MIT */
/* A study's plan and its tables: what axes and seeds multiply to, what makes no sense, what may
 * change later and what may not; runs.csv and pairs.csv to the letter, from results made up here. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tiny_set.h"

static at_study_opts question(const char *name) {
    at_study_opts q = {.base = tiny_opts(), .seeds = 2};
    q.base.name = name;
    q.axes[0] = (at_axis_text){"upsample", "bilinear,nearest,transposed", ','};
    q.axis_count = 1;
    return q;
}

static at_study *open_study(const at_study_opts *q) {
    at_study *s;
    at_error err = {0};
    if (at_study_open(&s, q, &err) != AT_OK) fail_msg("%s", err.text);
    return s;
}

static void refused(const at_study_opts *q, const char *text) {
    at_study *s;
    at_error err = {0};
    assert_int_equal(at_study_open(&s, q, &err), AT_ERR_USAGE);
    assert_null(s);
    if (!strstr(err.text, text)) fail_msg("\"%s\" does not say \"%s\"", err.text, text);
}

/* ---- the plan ---- */

static void product(void **state) {
    (void)state;
    at_study_opts q = question("product");
    q.base.model = "deeplabv3", q.base.net.depth = 18, q.base.seed = 5;
    q.axes[0] = (at_axis_text){NULL, "rates=2,2,2:1,2,3", ':'};
    q.axes[1] = (at_axis_text){"upsample", "nearest,bilinear", ','};
    q.axis_count = 2;
    at_study *s = open_study(&q);
    static const char *const names[] = {"rates=2,2,2 / nearest", "rates=2,2,2 / bilinear",
                                        "rates=1,2,3 / nearest", "rates=1,2,3 / bilinear"};
    assert_int_equal(s->variant_count, 4);
    for (int i = 0; i < 4; i++) assert_string_equal(s->variants[i].name, names[i]);
    assert_string_equal(s->variants[3].slug, "rates=1,2,3+bilinear");
    assert_string_equal(s->variants[3].values[0], "1,2,3");
    assert_int_equal(s->variants[3].opts.net.rates[2], 3);
    assert_int_equal(s->variants[1].opts.net.rates[2], 2);
    assert_int_equal(s->variants[2].opts.net.upsample, AT_UP_NEAREST);
    assert_int_equal(s->run_count, 8);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(s->runs[i].variant, i % 4); /* whole seeds first */
        assert_int_equal(s->runs[i].seed, 5 + i / 4);
        assert_int_equal(s->runs[i].state, AT_RUN_PLANNED);
    }
    assert_false(at_path_exists(tiny_path("runs/product"))); /* nothing is written */
    at_study_free(s);
}

static void pilots(void **state) {
    (void)state;
    at_study_opts q = question("pilots");
    q.tune_lr = "0.001,0.01";
    at_study *s = open_study(&q);
    assert_int_equal(s->pilot_count, 6);
    assert_string_equal(s->lrs[s->pilots[3].lr], "0.01");
    assert_int_equal(s->pilots[3].variant, 1);
    assert_true(s->pilots[0].seed > s->runs[s->run_count - 1].seed);
    assert_true(s->tune_share == 0.2);
    at_study_free(s);
}

static void slugs(void **state) {
    (void)state;
    at_study_opts q = question("slugs");
    q.axes[0] = (at_axis_text){"class-weights", "none:1,2,3:3, 2, 1:3,_2,_1", ':'};
    at_study *s = open_study(&q);
    assert_string_equal(s->variants[1].slug, "class-weights=1,2,3");
    assert_null(strpbrk(s->variants[2].slug, " /")); /* and a hash to tell it from another */
    assert_true(strlen(s->variants[2].slug) > strlen("class-weights=3,-2,-1"));
    at_study_free(s);
}

static void nonsense(void **state) {
    (void)state;
    static const struct {
        at_axis_text axis;
        const char *text;
    } axes[] = {{{NULL, "rates", ':'}, "NAME=V1:V2"},
                {{NULL, "=1:2", ':'}, "NAME=V1:V2"},
                {{NULL, "colour=red", ':'}, "there is no such option"},
                {{NULL, "seed=1:2", ':'}, "--seeds N"},
                {{NULL, "threads=1:2", ':'}, "cannot be varied"},
                {{NULL, "norm=batch:", ':'}, "expected batch|group|none"},
                {{NULL, "norm=batch:batch", ':'}, "given twice"},
                {{NULL, "lr=0.1:much", ':'}, "expected X"},
                {{NULL, "model=unet:alexnet", ':'}, "there is no model \"alexnet\"; there are"},
                {{NULL, "lrn=true:false", ':'}, "it is for segnet-basic"},
                {{NULL, "upsample=duc:nearest", ':'}, "two axes vary it"}};
    at_study_opts q = question("nonsense");
    for (size_t i = 0; i < sizeof axes / sizeof *axes; i++) {
        q.axes[1] = axes[i].axis, q.axis_count = 2;
        refused(&q, axes[i].text);
    }
    q.axis_count = 0;
    refused(&q, "nothing varies");
    q = question("nonsense");
    q.said = (const char *const[]){"upsample"}, q.said_count = 1;
    refused(&q, "an axis varies it");
    q = question("nonsense");
    q.equal = AT_EQUAL_TIME;
    refused(&q, "--time 10m");
    q.base.time_s = 60;
    refused(&q, "leave out --epochs");
    q.base.epochs = 0, q.equal = AT_EQUAL_EPOCHS;
    refused(&q, "--equal time");
    q = question("nonsense");
    q.tune_lr = "0.1";
    refused(&q, "2 to 16 rates");
    q.tune_lr = "0.1,fast";
    refused(&q, "--tune-lr");
    q = question("nonsense");
    q.preset = "resnet-table9";
    refused(&q, "segnet-table1");
}

/* ---- a preset ---- */

/* Parameters in millions as the paper prints them (SegNet, table 1). */
static void segnet_table(void **state) {
    (void)state;
    static const double printed[] = {0.625, 1.425, 1.425, 0.625, 0.65, 0.65, 1.625, 1.625};
    at_study_opts q = question("table");
    q.axis_count = 0, q.preset = "segnet-table1", q.base.resize = (at_pair){90, 120};
    q.base.net.depth = 0;
    q.said = (const char *const[]){"epochs", "resize"}, q.said_count = 2;
    at_study *s = open_study(&q);
    assert_int_equal(s->variant_count, 16);
    for (int i = 0; i < 16; i++) {
        at_graph *g;
        const at_train_opts *o = &s->variants[i].opts;
        at_model_opts net = o->net;
        net.classes = 11;
        assert_int_equal(at_model_new(&g, at_model_find(o->model), net, NULL), AT_OK);
        const double millions = 1e-6 * (double)at_graph_trainable_count(g);
        assert_true(fabs(millions / printed[i / 2] - 1) < 0.03);
        at_graph_free(g);
        assert_string_equal(o->class_weights, i % 2 ? "none" : "median");
        assert_true(o->lr == 0.1 && o->optim.kind == AT_OPTIM_SGD && o->net.width == 1);
        assert_int_equal(o->epochs, 3);  /* said */
        assert_int_equal(o->size.h, 90); /* whole pictures */
    }
    assert_string_equal(s->variants[14].name,
                        "FCN-Basic-NoAddition-NoDimReduction / class-weights=median");
    at_study_free(s);
}

/* ---- tables ---- */

static int stop_at_once = 1;

/* A study that has a place and nothing done. */
static at_study *begin(const at_study_opts *q) {
    int failed;
    at_study *s = open_study(q);
    const at_study_work w = {.jobs = 1, .machine = &q->base, .stop = &stop_at_once};
    assert_int_equal(at_study_do(s, &w, &failed, NULL), AT_ERR_STOPPED);
    return s;
}

static void write_file(const char *path, const char *text) {
    assert_int_equal(at_file_write(path, text, strlen(text), NULL), AT_OK);
}

static void make_up(const at_study_run *r, double miou, double accuracy, bool times) {
    char text[256];
    assert_int_equal(at_make_dirs(r->dir, NULL), AT_OK);
    snprintf(text, sizeof text, "{\"miou\": %g, \"pixel_accuracy\": %g}", miou, accuracy);
    write_file(tiny_path("%s/measures.json", strstr(r->dir, "runs/")), text);
    if (times)
        write_file(tiny_path("%s/times.json", strstr(r->dir, "runs/")),
                   "{\"train_s\": 12.5, \"inference_ms\": 3.25, \"peak_bytes\": 1000000,"
                   "\"parameters\": 1234, \"macs\": 5e9}");
}

static void has_text(const char *path, const char *expected) {
    size_t size;
    char *text = tiny_read(path, &size);
    assert_string_equal(text, expected);
    free(text);
}

/* Intervals and p, in Python: d = differences, m = mean(d), e = stdev(d) / sqrt(3);
 * m -+ 4.302652729749 e; t = m / e, p = 1 - t / sqrt(2 + t * t). Holm: times 3, 2, 1. */
static void tables(void **state) {
    (void)state;
    static const double miou[3][3] = {{0.70, 0.60, 0.61}, {0.72, 0.61, 0.60}, {0.71, 0.63, 0.66}};
    at_study_opts q = question("tables");
    q.seeds = 3;
    at_study *s = begin(&q);
    has_text(tiny_path("runs/tables/runs.csv"),
             "upsample,seed,status,parameters,macs,train_s,inference_ms,peak_bytes,miou,"
             "pixel_accuracy\n"
             "bilinear,7,planned,,,,,,,\nnearest,7,planned,,,,,,,\ntransposed,7,planned,,,,,,,\n"
             "bilinear,8,planned,,,,,,,\nnearest,8,planned,,,,,,,\ntransposed,8,planned,,,,,,,\n"
             "bilinear,9,planned,,,,,,,\nnearest,9,planned,,,,,,,\ntransposed,9,planned,,,,,,,\n");
    for (int i = 0; i < 9; i++) {
        const at_study_run *r = &s->runs[i];
        const bool whole = i != 8; /* its accuracy is missing */
        make_up(r, miou[i / 3][i % 3], 0.5, whole);
        if (i == 0)
            write_file(tiny_path("%s/measures.json", strstr(r->dir, "runs/")),
                       "{\"miou\": 0.7, \"pixel_accuracy\": 0.5, \"mean_accuracy\": 0.4,"
                       "\"measures\": {\"bf1\": 0.25, \"trimap1\": null}}");
        if (!whole)
            write_file(tiny_path("%s/measures.json", strstr(r->dir, "runs/")), "{\"miou\": 0.66}");
    }
    at_study_free(s);
    assert_int_equal(at_study_load(&s, tiny_path("runs/tables"), NULL), AT_OK);
    assert_int_equal(at_study_save(s, NULL), AT_OK);
    has_text(tiny_path("runs/tables/runs.csv"),
             "upsample,seed,status,parameters,macs,train_s,inference_ms,peak_bytes,miou,"
             "pixel_accuracy,bf1,mean_accuracy\n"
             "bilinear,7,done,1234,5000000000,12.5,3.25,1000000,0.7,0.5,0.25,0.4\n"
             "nearest,7,done,1234,5000000000,12.5,3.25,1000000,0.6,0.5,,\n"
             "transposed,7,done,1234,5000000000,12.5,3.25,1000000,0.61,0.5,,\n"
             "bilinear,8,done,1234,5000000000,12.5,3.25,1000000,0.72,0.5,,\n"
             "nearest,8,done,1234,5000000000,12.5,3.25,1000000,0.61,0.5,,\n"
             "transposed,8,done,1234,5000000000,12.5,3.25,1000000,0.6,0.5,,\n"
             "bilinear,9,done,1234,5000000000,12.5,3.25,1000000,0.71,0.5,,\n"
             "nearest,9,done,1234,5000000000,12.5,3.25,1000000,0.63,0.5,,\n"
             "transposed,9,trained,1234,5000000000,,,1000000,0.66,,,\n");
    has_text(tiny_path("runs/tables/pairs.csv"),
             "a,b,measure,mean_difference,ci_low,ci_high,p_adjusted,seeds,verdict\n"
             "bilinear,nearest,miou,0.0966666667,0.0587208363,0.134612497,0.024662779,3,a higher\n"
             "bilinear,transposed,miou,0.0866666667,-0.000573382685,0.173906716,0.101228467,3,3 "
             "seeds can't tell these apart\n"
             "nearest,transposed,miou,-0.01,-0.0596827542,0.0396827542,0.477767032,3,3 seeds can't "
             "tell these apart\n"
             "bilinear,nearest,pixel_accuracy,0,0,0,1,3,3 seeds can't tell these apart\n"
             "bilinear,transposed,pixel_accuracy,0,0,0,1,2,2 seeds can't tell these apart\n"
             "nearest,transposed,pixel_accuracy,0,0,0,1,2,2 seeds can't tell these apart\n"
             "bilinear,nearest,bf1,,,,,0,no seed has both\n"
             "bilinear,transposed,bf1,,,,,0,no seed has both\n"
             "nearest,transposed,bf1,,,,,0,no seed has both\n"
             "bilinear,nearest,mean_accuracy,,,,,0,no seed has both\n"
             "bilinear,transposed,mean_accuracy,,,,,0,no seed has both\n"
             "nearest,transposed,mean_accuracy,,,,,0,no seed has both\n");
    int order[3];
    at_study_rank(s, "miou", order);
    assert_true(order[0] == 0 && order[1] == 2 && order[2] == 1);
    const at_study_summary m = at_study_summarise(s, 2, "pixel_accuracy");
    assert_true(m.n == 2 && m.mean == 0.5 && m.deviation == 0);
    at_study_free(s);
}

/* ---- going on ---- */

static const at_study_opts *with(at_study_opts *q, const char *said) {
    static const char *names[1];
    names[0] = said;
    q->said = names, q->said_count = 1;
    return q;
}

static void contradictions(void **state) {
    (void)state;
    at_study_opts q = question("later");
    at_study_free(begin(&q));
    at_study_opts later = {.base = tiny_opts()};
    later.base.name = "later";
    at_study *s = open_study(&later);
    assert_int_equal(s->run_count, 6);
    at_study_free(s);
    later.base.lr = 0.5;
    refused(with(&later, "lr"), "--lr 0.5 contradicts");
    later.base.lr = q.base.lr;
    at_study_free(open_study(with(&later, "lr")));   /* the same */
    at_study_free(open_study(with(&later, "data"))); /* the same folder */
    at_study_free(open_study(with(&later, "threads")));
    later.base.data = "/tmp";
    refused(with(&later, "data"), "--data /tmp contradicts");
    later.base.data = q.base.data;
    refused(with(&later, "upsample"), "which varies it");
    later.split = "train";
    refused(with(&later, "split"), "--split train");
    later = q, later.seeds = 1;
    refused(&later, "--seeds 1 contradicts");
    later = q, later.axes[0].values = "bilinear,nearest";
    refused(&later, "\"transposed\" is one of the values");
    later = q, later.axes[0] = (at_axis_text){"norm", "batch,group", ','};
    refused(&later, "does not vary it");
    later = q, later.tune_lr = "1,2";
    refused(&later, "--tune-lr");
    later = q, later.equal = AT_EQUAL_TIME;
    refused(with(&later, "equal"), "--equal time");
    at_make_dirs(tiny_path("runs/notes/x"), NULL);
    later = q, later.base.name = "notes";
    refused(&later, "is no study");
}

static void more(void **state) {
    (void)state;
    at_study_opts q = question("more");
    at_study *s = begin(&q);
    make_up(&s->runs[0], 0.5, 0.5, true);
    at_study_free(s);
    q.seeds = 4;
    q.axes[0].values = "nearest,bicubic,transposed,bilinear";
    s = begin(&q);
    assert_int_equal(s->run_count, 16);
    assert_string_equal(s->variants[3].name, "bicubic"); /* behind those there were */
    assert_int_equal(s->runs[0].state, AT_RUN_DONE);
    assert_int_equal(s->runs[15].seed, 7 + 3);
    at_study_free(s);
    assert_int_equal(at_study_load(&s, tiny_path("runs/more"), NULL), AT_OK);
    assert_int_equal(s->run_count, 16);
    at_study_free(s);
}

/* ---- costs ---- */

static void costs(void **state) {
    (void)state;
    at_study_opts q = question("costs");
    at_error err = {0};
    q.base.epochs = 0;
    at_study *s = open_study(&q);
    const at_study_work w = {.jobs = 0, .machine = &q.base};
    if (at_study_plan(s, &w, &err) != AT_OK) fail_msg("%s", err.text);
    for (int i = 0; i < 3; i++) {
        const at_study_cost *c = &s->variants[i].cost;
        assert_true(c->parameters > 0 && c->macs > 0 && c->peak_bytes > 0 && c->run_s > 0);
        assert_int_equal(c->batches, TINY_TRAIN / 2);
        assert_int_equal(s->variants[i].opts.epochs, 300); /* cheap: the most there are */
    }
    json_t *plan = at_study_plan_to_json(s),
           *run = json_array_get(json_object_get(plan, "runs"), 4);
    assert_int_equal(json_array_size(json_object_get(plan, "runs")), 6);
    assert_int_equal(json_object_size(run), 7);
    assert_string_equal(json_string_value(json_object_get(run, "variant")), "nearest");
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(run, "axes"), "upsample")), "nearest");
    assert_int_equal(json_integer_value(json_object_get(run, "seed")), 8);
    assert_int_equal(json_integer_value(json_object_get(run, "parameters")),
                     s->variants[1].cost.parameters);
    assert_true(json_number_value(json_object_get(run, "predicted_s")) > 0);
    json_decref(plan);
    at_study_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(product),        cmocka_unit_test(pilots),       cmocka_unit_test(slugs),
        cmocka_unit_test(nonsense),       cmocka_unit_test(segnet_table), cmocka_unit_test(tables),
        cmocka_unit_test(contradictions), cmocka_unit_test(more),         cmocka_unit_test(costs)};
    return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down);
}
