/* SPDX-License-Identifier: MIT */
/* Pages of studies and runs: well-formed, self-contained, with the numbers of the tables, whatever
 * names are in them and whatever files are missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/alloc_fail.h"
#include "tests/markup.h"
#include "tests/tiny_set.h"

static const char hostile[] = "a<b onclick='x'>&amp;\"c";

static at_study_opts question(const char *name) {
    at_study_opts q = {.base = tiny_opts(), .seeds = 2};
    q.base.name = name, q.base.epochs = 2, q.base.threads = 1;
    q.axes[0] = (at_axis_text){NULL, "upsample=bilinear:transposed", ':'};
    q.axis_count = 1;
    return q;
}

static void do_study(const char *name) {
    const at_study_opts q = question(name);
    const at_study_work w = {.jobs = 0, .machine = &q.base};
    at_study *s;
    int failed;
    at_error err = {0};
    if (at_study_open(&s, &q, &err) != AT_OK || at_study_plan(s, &w, &err) != AT_OK ||
        at_study_do(s, &w, &failed, &err) != AT_OK)
        fail_msg("%s", err.text);
    assert_int_equal(failed, 0);
    at_study_free(s);
}

static char *read_page(const char *dir) {
    size_t size;
    char *page = tiny_read(tiny_path("runs/%s/report.html", dir), &size);
    check_markup(page);
    check_self_contained(page);
    assert_int_equal(strlen(page), size);
    return page;
}

static at_status remake(const char *name, at_error *err) {
    at_study *s;
    AT_TRY(at_study_load(&s, tiny_path("runs/%s", name), err));
    const at_status status = at_study_save_report(s, NULL, NULL, err);
    at_study_free(s);
    return status;
}

static void must(const char *command) {
    char text[700];
    snprintf(text, sizeof text, "cd '%s' && %s", tiny_path("."), command);
    assert_int_equal(system(text), 0);
}

/* ---- a study ---- */

static const char *field(char *line, int n) {
    for (; n; n--) line = strchr(line, ',') + 1;
    line[strcspn(line, ",\n")] = '\0';
    return line;
}

/* Does a row of the page's table have these numbers? */
static bool on_page(const char *page, const char *const *numbers) {
    for (int row = 0; row < 4; row++) {
        bool same = true;
        for (int i = 0; i < 4; i++)
            same &= strcmp(cell_value(page, "all-runs", row, 3 + i), numbers[i]) == 0;
        if (same) return true;
    }
    return false;
}

static void numbers_are_those_of_the_tables(void **state) {
    (void)state;
    static const int columns[] = {8, 9, 5, 6}; /* miou, pixel_accuracy, train_s, inference_ms */
    size_t size;
    do_study("plain");
    char *page = read_page("plain"), *csv = tiny_read(tiny_path("runs/plain/runs.csv"), &size);
    char *rest = csv;
    assert_int_equal(
        strncmp(strsep(&rest, "\n"), "upsample,seed,status,parameters,macs,train_s,", 45), 0);
    for (int i = 0; i < 4; i++) {
        char lines[4][2048];
        const char *numbers[4], *line = strsep(&rest, "\n");
        for (int k = 0; k < 4; k++) {
            snprintf(lines[k], sizeof lines[k], "%s", line);
            numbers[k] = field(lines[k], columns[k]);
            assert_true(*numbers[k]);
        }
        assert_true(on_page(page, numbers));
    }
    assert_null(strstr(page, "not finished"));
    assert_int_equal(count_of(page, "<pre><code>atrous train "), 4);
    assert_true(count_of(page, "data:image/png") >= 2 * 5); /* two scenes of five pictures */
    free(csv);
    free(page);
}

static void names_do_no_harm(void **state) {
    (void)state;
    size_t size;
    do_study(hostile);
    char *page = read_page(hostile);
    assert_null(strstr(page, "<b onclick"));
    assert_non_null(strstr(page, "<h1>a&lt;b onclick=&#39;x&#39;&gt;&amp;amp;&quot;c</h1>"));
    assert_null(strstr(page, "<script>alert"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    free(page);
    assert_int_equal(at_run_save_report(tiny_path("runs/%s/runs/bilinear-seed7", hostile),
                                        (at_run_report_opts){0}, NULL),
                     AT_OK);
    page = tiny_read(tiny_path("runs/%s/runs/bilinear-seed7/report.html", hostile), &size);
    check_markup(page);
    assert_null(strstr(page, "<script>alert"));
    assert_non_null(strstr(page, "&lt;script&gt;alert(1)&lt;/script&gt;"));
    free(page);
}

static void expect_in(const char *name, const char *text) {
    at_error err = {0};
    if (remake(name, &err) != AT_OK) fail_msg("%s", err.text);
    char *page = read_page(name);
    if (!strstr(page, text)) fail_msg("the page does not say: %s", text);
    free(page);
}

static void half_a_study(void **state) {
    (void)state;
    must("cp -r runs/plain runs/half && rm -r runs/half/runs/*-seed8");
    expect_in("half", "2 done, 2 planned");
    must("rm runs/half/runs/bilinear-seed7/times.json");
    expect_in("half", "1 done, 1 trained, their times not yet measured, 2 planned");
    must("rm runs/half/runs/bilinear-seed7/per_image.csv");
    expect_in("half", "There are no pictures");
    must("cp runs/plain/runs/bilinear-seed7/per_image.csv runs/half/runs/bilinear-seed7 && "
         "rm runs/half/runs/*/weights/*");
    expect_in("half", "There are no pictures");
    must("rm runs/half/runs/*/measures.json");
    expect_in("half", "No run is measured yet");
    must("echo '{\"error\": \"lost <it>\"}' >runs/half/runs/bilinear-seed7/failure.json");
    expect_in("half", "lost &lt;it&gt;");
    must("rm -r runs/half/runs");
    expect_in("half", "4 planned");
    must("mv set gone");
    expect_in("plain", "There are no pictures: ");
    must("mv gone set");
}

/* ---- a run ---- */

static void train_one(void) {
    at_train_opts o = tiny_opts();
    at_train_result r;
    at_error err = {0};
    if (at_train(&o, (at_train_hooks){0}, &r, &err) != AT_OK) fail_msg("%s", err.text);
    at_train_result_free(&r);
}

static void expect_run(const char *dir, at_run_report_opts opts, const char *text) {
    at_error err = {0};
    if (at_run_save_report(tiny_path("runs/%s", dir), opts, &err) != AT_OK)
        fail_msg("%s", err.text);
    char *page = read_page(dir);
    if (!strstr(page, text)) fail_msg("the page does not say: %s", text);
    free(page);
}

static void a_run(void **state) {
    (void)state;
    size_t size;
    char text[64];
    at_run_report_opts opts = {0};
    train_one();
    expect_run("train", opts, "Measured on split <b>val</b>, 2 pictures");
    char *page = read_page("train"), *csv = tiny_read(tiny_path("runs/train/results.csv"), &size);
    double best = 0;
    for (char *line = strchr(csv, '\n') + 1, *next; *line; line = next) {
        next = strchr(line, '\n') + 1;
        const double miou = strtod(field(line, 4), NULL);
        if (miou > best) best = miou;
    }
    snprintf(text, sizeof text, "<dt>mIoU</dt><dd>%.4f", best);
    assert_non_null(strstr(page, text));
    assert_null(strstr(page, "not finished"));
    assert_int_equal(count_of(page, "data:image/png"), 2 * 4);
    free(csv);
    free(page);
    opts.split = "train";
    expect_run("train", opts, "Measured on split <b>train</b>, 6 pictures");
    opts.split = "none";
    at_error err = {0};
    assert_int_equal(at_run_save_report(tiny_path("runs/train"), opts, &err), AT_ERR_USAGE);
    assert_non_null(strstr(err.text, "--split none: the data set has only train, val"));
}

static void half_a_run(void **state) {
    (void)state;
    at_run_report_opts opts = {0};
    at_error err = {0};
    must("cp -r runs/train runs/part && head -n 2 runs/train/results.csv >runs/part/results.csv && "
         "head -c -9 runs/train/metrics.jsonl >runs/part/metrics.jsonl");
    expect_run("part", opts, "This run is not finished.</b> 1 of 3 epochs are over");
    must("rm runs/part/weights/* runs/part/metrics.jsonl runs/part/results.csv");
    expect_run("part", opts, "no weights are saved yet");
    expect_run("part", opts, "No epoch is over yet");
    must("cp -r runs/train runs/moved && mv set elsewhere");
    expect_run("moved", opts, "Not measured: ");
    opts.data = tiny_path("elsewhere");
    expect_run("moved", opts, "Measured on split <b>val</b>, 2 pictures");
    must("mv elsewhere set && head -c 999 runs/train/weights/best.safetensors "
         ">runs/moved/weights/best.safetensors");
    expect_run("moved", (at_run_report_opts){0}, "Not measured: ");
    must("rm runs/moved/config.json");
    assert_int_equal(at_run_save_report(tiny_path("runs/moved"), opts, &err), AT_ERR_INPUT);
    assert_non_null(strstr(err.text, "is not a run: it holds no config.json"));
}

/* ---- no memory ---- */

static at_status run_again(void *arg, at_error *err) {
    (void)arg;
    return at_run_save_report(tiny_path("runs/train"), (at_run_report_opts){0}, err);
}

static at_status study_again(void *arg, at_error *err) {
    (void)arg;
    return remake("plain", err);
}

static void without_memory(void **state) {
    (void)state;
    check_some_alloc_failures(run_again, NULL, 31);
    check_some_alloc_failures(study_again, NULL, 17);
    free(read_page("train"));
    free(read_page("plain"));
}

static int set_up(void **state) {
    static const char classes[] = "0 ground 0 0 0\n1 <script>alert(1)</script> 255 0 0\n"
                                  "2 \"&amp; 0 0 255\n";
    tiny_set_up(state);
    return at_file_write(tiny_path("set/classes.txt"), classes, strlen(classes), NULL) != AT_OK ||
           at_threads_set(1, NULL) != AT_OK;
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_those_of_the_tables),
                                       cmocka_unit_test(names_do_no_harm),
                                       cmocka_unit_test(half_a_study),
                                       cmocka_unit_test(a_run),
                                       cmocka_unit_test(half_a_run),
                                       cmocka_unit_test(without_memory)};
    return cmocka_run_group_tests(tests, set_up, tiny_tear_down);
}
