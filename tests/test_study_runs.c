/* SPDX-License-Identifier: MIT */
/* Studies at work on a set that is learnt in seconds. Fairness first: what a run of one seed sees
 * and begins with does not depend on what varies; and a study's run is the run that train makes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/tiny_set.h"

/* ---- the same numbers to begin with ---- */

static bool same_beginning(const at_init *a, const at_init *b) {
    return a->kind == b->kind && a->value == b->value && a->fan_in == b->fan_in &&
           a->factor == b->factor && a->groups == b->groups;
}

/* Parameters of one name and shape are equal; those of the encoder are in both. Returns how many
 * are equal. */
static int compare_graphs(const at_graph *a, const at_graph *b, const char *what) {
    int equal = 0;
    for (int i = 0; i < at_graph_param_count(a); i++) {
        const at_param *p = at_graph_param(a, i), *q = at_graph_find_param(b, p->name);
        if (!q && strncmp(p->name, "encoder.", 8) == 0) fail_msg("%s: no %s", what, p->name);
        if (!q || memcmp(p->spec.dims, q->spec.dims, sizeof p->spec.dims) != 0) continue;
        /* A layer may begin in another way in another decoder: as interpolation, say. */
        if (strncmp(p->name, "encoder.", 8) != 0 && !same_beginning(&p->spec.init, &q->spec.init))
            continue;
        if (memcmp(at_graph_values(a) + p->offset, at_graph_values(b) + q->offset,
                   (size_t)p->count * sizeof(float)) != 0)
            fail_msg("%s: %s begins differently", what, p->name);
        equal++;
    }
    return equal;
}

static at_graph *build(const at_model *m, at_model_opts o) {
    at_graph *g;
    o.classes = 5, o.width = 0.0625;
    assert_int_equal(at_model_new(&g, m, o, NULL), AT_OK);
    assert_int_equal(at_graph_init(g, 11, NULL), AT_OK);
    return g;
}

static void hold_against(const at_graph *usual, const at_model *m, at_model_opts o,
                         const char *what) {
    char text[64];
    at_model_opts whole = o;
    whole.classes = 5, whole.width = 0.0625;
    if (at_model_resolve(m, &whole, NULL) != AT_OK) return; /* it has no such thing */
    at_graph *other = build(m, o);
    snprintf(text, sizeof text, "%s %s", m->name, what);
    assert_true(compare_graphs(usual, other, text) >= 8);
    at_graph_free(other);
}

/* Whatever of the decoder varies, and how far convolutions reach. */
static void encoders_begin_alike(void **state) {
    (void)state;
    for (const at_model *const *m = at_model_list; *m; m++) {
        at_graph *usual = build(*m, (at_model_opts){0});
        for (int u = 1; u < AT_UP_COUNT; u++)
            for (int match = 0; match < 3; match++)
                hold_against(usual, *m,
                             (at_model_opts){.upsample = (at_upsample)u, .match = (at_match)match},
                             at_upsample_name((at_upsample)u));
        for (int i = 1; i < AT_SKIP_COUNT; i++)
            hold_against(usual, *m, (at_model_opts){.skip = (at_skip)i}, "skip");
        for (int i = 1; i < AT_DECODER_COUNT; i++)
            hold_against(usual, *m, (at_model_opts){.decoder = (at_decoder)i}, "decoder");
        hold_against(usual, *m, (at_model_opts){.rate_count = 1, .rates = {4}}, "rates");
        at_graph_free(usual);
    }
}

/* SegNet's table has two architectures: they are one up to the last pooling. */
static void one_encoder_in_the_table(void **state) {
    (void)state;
    at_graph *a = build(at_model_find("segnet-basic"), (at_model_opts){0}),
             *b = build(at_model_find("fcn-basic"), (at_model_opts){0});
    assert_true(compare_graphs(a, b, "segnet-basic and fcn-basic") >= 20);
    at_graph_free(a);
    at_graph_free(b);
}

/* ---- studies ---- */

static at_study_opts question(const char *name, const char *axis) {
    at_study_opts q = {.base = tiny_opts(), .seeds = 2};
    q.base.name = name, q.base.epochs = 1;
    q.axes[0] = (at_axis_text){NULL, axis, ':'};
    q.axis_count = 1;
    return q;
}

static int events[AT_STUDY_NOTE + 1];

static void listen(void *arg, const at_study_progress *p) {
    (void)arg;
    events[p->event]++;
    assert_true(p->done <= p->total);
}

/* Opens, plans, does. */
static at_study *carry_out(const at_study_opts *q, int jobs, int *failed) {
    at_study *s;
    at_error err = {0};
    const at_study_work w = {.jobs = jobs, .machine = &q->base, .progress = listen};
    memset(events, 0, sizeof events);
    if (at_study_open(&s, q, &err) != AT_OK || at_study_plan(s, &w, &err) != AT_OK ||
        at_study_do(s, &w, failed, &err) != AT_OK)
        fail_msg("%s", err.text);
    return s;
}

static bool same_files(const char *a, const char *b) {
    size_t n, m;
    char *x = tiny_read(a, &n), *y = tiny_read(b, &m);
    const bool same = n == m && memcmp(x, y, n) == 0;
    free(x);
    free(y);
    return same;
}

static bool same(const at_study_run *a, const at_study_run *b, const char *file) {
    char x[256], y[256];
    snprintf(x, sizeof x, "%s/%s", a->dir, file);
    snprintf(y, sizeof y, "%s/%s", b->dir, file);
    return same_files(x, y);
}

/* Several epochs at a rate so high that the last is not always the best. */
static at_study_opts restless(void) {
    at_study_opts q = question("seen", "upsample=bilinear:transposed:unpool");
    q.base.epochs = 4, q.base.lr = 0.05, q.base.schedule = AT_SCHEDULE_CONSTANT;
    return q;
}

/* What the network is really shown, drawn by the run: pictures and masks after augmentation. */
static void the_same_is_seen(void **state) {
    (void)state;
    int failed;
    const at_study_opts q = restless();
    at_study *s = carry_out(&q, 2, &failed);
    assert_int_equal(failed, 0);
    assert_int_equal(events[AT_STUDY_ENDS], 12); /* six runs, six times */
    for (int i = 0; i < 6; i++) assert_int_equal(s->runs[i].state, AT_RUN_DONE);
    for (int b = 0; b < 3; b++) {
        char file[32];
        snprintf(file, sizeof file, "train_batch%d.png", b);
        for (int i = 1; i < 3; i++) assert_true(same(&s->runs[0], &s->runs[i], file));
        for (int i = 4; i < 6; i++) assert_true(same(&s->runs[3], &s->runs[i], file));
        assert_false(same(&s->runs[0], &s->runs[3], file));
    }
    at_study_free(s);
}

/* Measured is the last epoch, not the best. */
static void the_last_epoch(void **state) {
    (void)state;
    int count, better = 0;
    at_study *s;
    assert_int_equal(at_study_load(&s, tiny_path("runs/seen"), NULL), AT_OK);
    for (int i = 0; i < s->run_count; i++) {
        at_epoch_row *rows;
        char path[256];
        snprintf(path, sizeof path, "%s/results.csv", s->runs[i].dir);
        assert_int_equal(at_results_read(path, &rows, &count, NULL), AT_OK);
        assert_int_equal(count, 4);
        assert_true(fabs(rows[3].miou - at_study_value(&s->runs[i], "miou")) < 1e-8);
        for (int k = 0; k < 3; k++) better += rows[k].miou > rows[3].miou;
        free(rows);
    }
    assert_true(better > 0);
    at_study_free(s);
}

/* The run beside others, in a child with a thread of its own, ends with the bits that train gives. */
static void a_run_is_a_run(void **state) {
    (void)state;
    int failed;
    size_t size;
    const at_study_opts q = restless();
    at_study *s = carry_out(&q, 2, &failed); /* done already */
    assert_int_equal(events[AT_STUDY_ENDS], 0);
    at_train_opts o = s->variants[1].opts;
    at_train_result r;
    o.seed = 8, o.name = "alone", o.runs = q.base.runs;
    char *command = at_train_command(&o);
    assert_non_null(strstr(command, "--upsample transposed"));
    assert_non_null(strstr(command, "--seed 8 "));
    assert_null(strstr(command, "--momentum")); /* as it always is */
    free(command);
    assert_int_equal(at_train(&o, (at_train_hooks){0}, &r, NULL), AT_OK);
    const at_study_run *run = &s->runs[4];
    char path[256];
    snprintf(path, sizeof path, "%s/weights/last.safetensors", run->dir);
    assert_true(same_files(path, tiny_path("runs/alone/weights/last.safetensors")));
    assert_true(fabs(r.last.miou - at_study_value(run, "miou")) < 1e-14);
    assert_true(fabs(r.last.pixel_accuracy - at_study_value(run, "pixel_accuracy")) < 1e-14);
    assert_true(run->train_s > 0 && run->inference_ms > 0);
    at_train_result_free(&r);
    char *report = tiny_read(tiny_path("runs/seen/report.md"), &size);
    assert_non_null(strstr(report, "2 seeds can't tell these apart"));
    assert_non_null(strstr(report, "atrous train --data"));
    free(report);
    at_study_free(s);
}

/* Another seed is trained, nothing else. */
static void more_seeds(void **state) {
    (void)state;
    int failed;
    at_study_opts q = restless();
    q.seeds = 3;
    at_study *s = carry_out(&q, 1, &failed);
    assert_int_equal(s->run_count, 9);
    assert_int_equal(events[AT_STUDY_ENDS], 6);
    assert_int_equal(events[AT_STUDY_PLAN], 0); /* costs are known */
    for (int i = 0; i < s->pair_count; i++) assert_int_equal(s->pairs[i].test.n, 3);
    at_study_free(s);
}

/* Killed between the last epoch and what it was worth: measured, not trained again. */
static void measured_again(void **state) {
    (void)state;
    int failed;
    at_study *s;
    assert_int_equal(at_study_load(&s, tiny_path("runs/seen/"), NULL), AT_OK);
    const double miou = at_study_value(&s->runs[0], "miou");
    char weights[256], path[256];
    size_t n, m;
    snprintf(weights, sizeof weights, "%s/weights/last.safetensors", s->runs[0].dir);
    char *before = tiny_read(weights, &n);
    snprintf(path, sizeof path, "%s/measures.json", s->runs[0].dir);
    assert_int_equal(remove(path), 0);
    at_study_free(s);
    const at_study_opts q = restless();
    s = carry_out(&q, 1, &failed);
    assert_true(events[AT_STUDY_ENDS] == 1); /* its times are there still */
    assert_true(at_study_value(&s->runs[0], "miou") == miou);
    char *after = tiny_read(weights, &m);
    assert_true(n == m && memcmp(before, after, n) == 0);
    free(before);
    free(after);
    at_study_free(s);
}

/* A run that fails is told of and left out; the others go on; later it is tried again. */
static void failures(void **state) {
    (void)state;
    int failed;
    at_study_opts q = question("fails", "lr=0.0001:1000000");
    q.base.epochs = 3, q.base.optim.weight_decay = 1000; /* a billion times as large each step */
    for (int again = 0; again < 2; again++) {
        at_study *s = carry_out(&q, again, &failed);
        assert_int_equal(failed, 2);
        assert_int_equal(events[AT_STUDY_FAILS], 2);
        assert_int_equal(s->runs[0].state, AT_RUN_DONE);
        assert_int_equal(s->runs[1].state, AT_RUN_FAILED);
        assert_non_null(strstr(s->runs[1].error, "not finite"));
        assert_int_equal(s->pairs[0].test.n, 0);
        assert_true(isnan(s->pairs[0].p_adjusted));
        at_study_free(s);
    }
}

static void pilots_choose(void **state) {
    (void)state;
    int failed;
    at_study_opts q = question("tuned", "upsample=bilinear:transposed");
    q.base.epochs = 4, q.tune_share = 0.5, q.tune_lr = "1000000,0.0001", q.seeds = 1;
    q.base.optim.weight_decay = 1000;
    at_study *s = carry_out(&q, 2, &failed);
    assert_int_equal(failed, 0);
    assert_int_equal(s->variants[0].lr, 1);
    assert_int_equal(s->pilots[0].state, AT_RUN_FAILED);
    json_t *config, *epochs;
    for (int i = 0; i < 2; i++) {
        const at_study_run *r = i ? &s->runs[1] : &s->pilots[3];
        char path[256];
        snprintf(path, sizeof path, "%s/config.json", r->dir);
        assert_int_equal(at_json_load(path, &config, NULL), AT_OK);
        epochs = json_object_get(config, "epochs");
        assert_int_equal(json_integer_value(epochs), i ? 4 : 2);
        assert_true(json_number_value(json_object_get(config, "lr")) == 0.0001);
        json_decref(config);
    }
    at_study_free(s);
}

/* A directory that a kill left before its run had begun. */
static void half_made(void **state) {
    (void)state;
    int failed;
    at_study_opts q = question("half", "upsample=bilinear:transposed");
    assert_int_equal(at_make_dirs(tiny_path("runs/half"), NULL), AT_OK); /* before study.json */
    at_study_free(carry_out(&q, 1, &failed));
    q.seeds = 3;
    assert_int_equal(at_make_dirs(tiny_path("runs/half/runs/bilinear-seed9/weights"), NULL), AT_OK);
    at_study *s = carry_out(&q, 1, &failed);
    assert_int_equal(failed, 0);
    assert_int_equal(s->runs[4].state, AT_RUN_DONE);
    at_study_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoders_begin_alike), cmocka_unit_test(one_encoder_in_the_table),
        cmocka_unit_test(the_same_is_seen),     cmocka_unit_test(the_last_epoch),
        cmocka_unit_test(a_run_is_a_run),       cmocka_unit_test(measured_again),
        cmocka_unit_test(more_seeds),           cmocka_unit_test(failures),
        cmocka_unit_test(pilots_choose),        cmocka_unit_test(half_made)};
    return cmocka_run_group_tests(tests, tiny_set_up, tiny_tear_down);
}
