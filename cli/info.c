/* SPDX-License-Identifier: MIT */
/* atrous info: a network, as a table, as JSON that another engine can rebuild it from, as a
 * drawing. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* What is told: a network of an architecture's name or of a weights file. */
typedef struct subject {
    const at_model *model;
    at_model_opts opts;
    at_graph *graph; /* owned, unless it is the network's */
    at_network net;  /* of a weights file; otherwise zero */
    at_pair size;
} subject;

static at_status from_model(const cli_opts *o, subject *s, at_error *err) {
    s->opts = o->train.net;
    s->opts.classes = o->train.classes;
    AT_TRY(cli_need_classes(o, err));
    AT_TRY(at_model_resolve(s->model, &s->opts, err));
    return at_model_new(&s->graph, s->model, s->opts, err);
}

static at_status from_weights(const cli_args *args, subject *s, at_error *err) {
    char *path;
    AT_TRY(cli_no_model_options(args, err));
    AT_TRY(cli_weights_path(args->words[0], &path, err));
    const at_status status = at_network_load(&s->net, path, err);
    free(path);
    if (status != AT_OK) return status;
    s->model = s->net.model;
    s->opts = s->net.opts;
    s->graph = s->net.graph;
    if (s->net.resize.h && !cli_given(args, "size")) s->size = s->net.resize;
    return AT_OK;
}

static at_status find(const cli_args *args, subject *s, at_error *err) {
    const char *word = args->words[0];
    *s = (subject){.model = at_model_find(word), .size = args->opts.size};
    if (s->model) return from_model(&args->opts, s, err);
    if (at_path_exists(word)) return from_weights(args, s, err);
    return cli_unknown_model(word, err);
}

/* What plans for training and inference would take. */
static at_status measure(const subject *s, const cli_opts *o, size_t *train, size_t *infer,
                         at_error *err) {
    const at_loss_spec spec = {.kind = AT_LOSS_CE};
    at_plan_opts plan = {.batch = o->train.batch,
                         .height = s->size.h,
                         .width = s->size.w,
                         .output = at_graph_output(s->graph)};
    AT_TRY(at_plan_measure(s->graph, plan, infer, err));
    plan.mode = AT_TRAIN;
    plan.output = at_loss_build(s->graph, plan.output, &spec);
    AT_TRY(at_graph_status(s->graph, err));
    return at_plan_measure(s->graph, plan, train, err);
}

static at_status print_text(char *text, at_error *err) {
    if (!text) return at_fail_memory(err, "the description", 0);
    fputs(text, stdout);
    free(text);
    return AT_OK;
}

static void print_head(const subject *s) {
    printf("%s: %s\n", s->model->name, s->model->summary);
    json_t *j = at_model_opts_to_json(s->model, &s->opts);
    char *text = j ? json_dumps(j, JSON_REAL_PRECISION(6)) : NULL;
    if (text) printf("options %s\n", text);
    at_json_release(text);
    json_decref(j);
    if (s->net.epoch) printf("trained for %d epochs\n", s->net.epoch);
    for (int i = 0; i < s->net.classes.count; i++)
        printf("%s%s", i ? ", " : "classes: ", s->net.classes.items[i].name);
    printf("%s\n", s->net.classes.count ? "\n" : "");
}

static at_status print_table(subject *s, const cli_opts *o, const at_survey *survey,
                             at_error *err) {
    size_t train, infer;
    AT_TRY(measure(s, o, &train, &infer, err));
    print_head(s);
    return print_text(at_survey_table(survey, train, infer), err);
}

static at_status print_json(const subject *s, const at_survey *survey, at_error *err) {
    json_t *model = at_model_opts_to_json(s->model, &s->opts);
    json_t *j = model ? at_survey_json(survey, model) : NULL;
    json_decref(model);
    return cli_print_json(j, err);
}

static at_status save_fields(const at_survey *survey, const char *path, at_error *err) {
    char *svg = at_survey_svg(survey);
    if (!svg) return at_fail_memory(err, "the drawing", 0);
    const at_status s = at_file_write(path, svg, strlen(svg), err);
    free(svg);
    return s;
}

static at_status print_as(subject *s, const cli_opts *o, const at_survey *survey, at_error *err) {
    if (o->json) return print_json(s, survey, err);
    if (o->dot) return print_text(at_survey_dot(survey), err);
    return print_table(s, o, survey, err);
}

static at_status print(subject *s, const cli_opts *o, at_error *err) {
    const at_shape input = {o->train.batch, s->size.h, s->size.w, s->opts.in_channels};
    at_survey survey;
    AT_TRY(at_survey_new(&survey, s->graph, input, err));
    at_status status = o->rf ? save_fields(&survey, o->rf, err) : AT_OK;
    if (status == AT_OK) status = print_as(s, o, &survey, err);
    at_survey_free(&survey);
    return status;
}

static at_status run(cli_args *args, at_error *err) {
    subject s;
    if (args->opts.json && args->opts.dot)
        return at_fail(err, AT_ERR_USAGE, "--json and --dot: only one of them can be printed");
    at_status status = find(args, &s, err);
    if (status == AT_OK) status = print(&s, &args->opts, err);
    if (s.graph != s.net.graph) at_graph_free(s.graph);
    at_network_free(&s.net);
    return status;
}

const cli_command cli_info = {
    .name = "info",
    .arguments = "MODEL|WEIGHTS",
    .min_words = 1,
    .max_words = 1,
    .summary = "Describes a network: layers, shapes, parameters, costs, receptive fields, memory.",
    .details =
        "--json prints it so completely that another engine can rebuild it. The width is the "
        "paper's unless --width says otherwise; a weights file brings its own options.",
    .options = "classes channels width depth fc upsample skip decoder match norm output-stride "
               "rates lrn size batch json dot rf",
    .defaults = (const cli_default[]){{"width", "1"}, {"batch", "1"}, {NULL, NULL}},
    .examples = "atrous info segnet-basic --classes 11 --size 360x480\n"
                "atrous info runs/train --json >graph.json\n"
                "atrous info deeplabv3 --classes 11 --rf fields.svg\n"
                "atrous info unet --classes 2 --width 0.25 --dot | dot -Tsvg >unet.svg",
    .run = run,
};
