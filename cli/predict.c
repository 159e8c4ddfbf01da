/* SPDX-License-Identifier: MIT */
/* atrous predict: pictures in, id masks, colours, overlays and shares of area out. A picture that
 * cannot be read does not keep the others from being predicted. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/inputs.h"

typedef struct job {
    const cli_opts *o;
    at_network net;
    at_predictor *predictor;
    cli_inputs inputs;
    char *out; /* directory */
    at_file_writer summary;
    int failed;
    at_error first; /* what the first failed one said */
} job;

/* out/kind/stem + extension, its folder made. malloc'ed. */
static at_status place(const job *j, const char *kind, const cli_input *in, const char *extension,
                       char **path, at_error *err) {
    *path = at_format("%s/%s/%s%s", j->out, kind, in->stem, extension);
    if (!*path) return at_fail_memory(err, "a path", strlen(in->stem));
    char *slash = strrchr(*path, '/');
    *slash = 0;
    const at_status s = at_make_dirs(*path, err);
    *slash = '/';
    if (s != AT_OK) {
        free(*path);
        *path = NULL;
    }
    return s;
}

typedef struct result {
    const at_prediction *prediction;
    const at_image *image;
} result;

static at_status save_ids(const job *j, const result *r, const char *path, at_error *err) {
    return at_prediction_save_ids(r->prediction, &j->net.classes, path, err);
}
static at_status save_color(const job *j, const result *r, const char *path, at_error *err) {
    return at_prediction_save_color(r->prediction, &j->net.classes, path, err);
}
static at_status save_overlay(const job *j, const result *r, const char *path, at_error *err) {
    return at_prediction_save_overlay(r->prediction, &j->net.classes, r->image, j->o->opacity, path,
                                      err);
}
static at_status save_prob(const job *j, const result *r, const char *path, at_error *err) {
    return at_prediction_save_prob(r->prediction, &j->net.classes, path, err);
}
static at_status save_conf(const job *j, const result *r, const char *path, at_error *err) {
    (void)j;
    return at_prediction_save_conf(r->prediction, path, err);
}

/* One of the files for a picture. */
typedef struct output {
    const char *kind, *extension;
    bool wanted;
    at_status (*write)(const job *, const result *, const char *, at_error *);
    at_status status;
    at_error err;
} output;

enum { OUTPUTS = 5 };

typedef struct saving {
    const job *job;
    const cli_input *in;
    const result *r;
    output outputs[OUTPUTS];
} saving;

static void save_one(void *arg, int64_t index, int worker) {
    saving *s = arg;
    output *o = &s->outputs[index];
    char *path;
    (void)worker;
    if (!o->wanted) return;
    o->status = place(s->job, o->kind, s->in, o->extension, &path, &o->err);
    if (o->status != AT_OK) return;
    o->status = o->write(s->job, s->r, path, &o->err);
    free(path);
}

/* All at once: compressing takes longer than small networks do. The longest comes first. */
static at_status save(const job *j, const cli_input *in, const result *r, at_error *err) {
    saving s = {j,
                in,
                r,
                {{"overlay", ".png", true, save_overlay, AT_OK, {0}},
                 {"color", ".png", true, save_color, AT_OK, {0}},
                 {"ids", ".png", true, save_ids, AT_OK, {0}},
                 {"prob", ".safetensors", j->o->prob, save_prob, AT_OK, {0}},
                 {"conf", ".png", j->o->conf, save_conf, AT_OK, {0}}}};
    at_parallel_for(OUTPUTS, save_one, &s);
    for (int i = 0; i < OUTPUTS; i++)
        if (s.outputs[i].status != AT_OK)
            return at_fail(err, s.outputs[i].status, "%s", s.outputs[i].err.text);
    return AT_OK;
}

static at_status add_row(job *j, const cli_input *in, const at_prediction *p, at_error *err) {
    char *row = at_summary_row(p, in->name);
    if (!row) return at_fail_memory(err, "a line of summary.csv", 0);
    fputs(row, j->summary.stream);
    free(row);
    return AT_OK;
}

static at_status one(job *j, const cli_input *in, const at_image *image, at_error *err) {
    const unsigned want = (j->o->prob ? AT_WANT_PROB : 0u) | (j->o->conf ? AT_WANT_CONF : 0u);
    at_prediction p;
    AT_TRY(at_predict(j->predictor, image, want, &p, err));
    const result r = {&p, image};
    at_status s = save(j, in, &r, err);
    if (s == AT_OK) s = add_row(j, in, &p, err);
    at_prediction_free(&p);
    return s;
}

/* Only what is wrong with the picture itself is passed over. */
static at_status load_and_predict(job *j, const cli_input *in, at_error *err) {
    at_image image;
    at_error bad = {0};
    if (at_image_load(in->path, j->net.opts.in_channels, &image, &bad) != AT_OK) {
        if (!j->failed++) j->first = bad;
        cli_say("skipped: %s", bad.text);
        return AT_OK;
    }
    const at_status s = one(j, in, &image, err);
    at_image_free(&image);
    return s;
}

static at_status all(job *j, at_error *err) {
    char *header = at_summary_header(&j->net.classes);
    if (!header) return at_fail_memory(err, "the head of summary.csv", 0);
    fputs(header, j->summary.stream);
    free(header);
    for (int i = 0; i < j->inputs.count; i++) {
        const cli_input *in = &j->inputs.items[i];
        if (!j->o->quiet && cli_live_due())
            cli_live("predict %d/%d  %s", i + 1, j->inputs.count, in->path);
        AT_TRY(load_and_predict(j, in, err));
    }
    return AT_OK;
}

static void tell(const job *j, double seconds) {
    char time[CLI_SHORT];
    const int good = j->inputs.count - j->failed;
    cli_say("predicted %d picture%s in %s", good, good == 1 ? "" : "s",
            cli_duration(time, seconds));
    cli_say("  overlays  %s/overlay", j->out);
    cli_say("  colours   %s/color", j->out);
    cli_say("  class ids %s/ids", j->out);
    cli_say("  areas     %s/summary.csv", j->out);
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Where results go: -o, into which files of the same names are written anew, or a fresh
 * runs/predict. */
static at_status make_output(job *j, at_error *err) {
    if (!j->o->output) return at_run_new(j->o->train.runs, "predict", &j->out, err);
    j->out = strdup(j->o->output);
    if (!j->out) return at_fail_memory(err, "a path", strlen(j->o->output));
    return at_make_dirs(j->out, err);
}

static at_status write_all(job *j, at_error *err) {
    const double begin = now();
    AT_TRY(make_output(j, err));
    char *path = at_path_join(j->out, "summary.csv");
    if (!path) return at_fail_memory(err, "a path", strlen(j->out));
    at_status s = at_file_begin(&j->summary, path, err);
    free(path);
    AT_TRY(s);
    s = all(j, err);
    if (s != AT_OK) {
        at_file_abandon(&j->summary);
        return s;
    }
    j->summary.quick = true;
    AT_TRY(at_file_commit(&j->summary, err));
    cli_live_end();
    if (!j->o->quiet) tell(j, now() - begin);
    if (!j->failed) return AT_OK;
    if (j->inputs.count == 1) return at_fail(err, j->first.status, "%s", j->first.text);
    return at_fail(err, AT_ERR_INPUT, "%d of %d pictures could not be read, the first: %s",
                   j->failed, j->inputs.count, j->first.text);
}

static at_status predict(job *j, cli_args *args, at_error *err) {
    at_predict_opts opts;
    AT_TRY(cli_predict_opts(j->o, &opts, err));
    AT_TRY(cli_start_threads(j->o, err));
    AT_TRY(cli_load_network(j->o, &j->net, err));
    AT_TRY(cli_inputs_list(args->words, args->count, &j->inputs, err));
    opts.once = j->inputs.count == 1 && !opts.flip && opts.scale_count == 0;
    AT_TRY(at_predictor_new(&j->predictor, &j->net, opts, err));
    return write_all(j, err);
}

static at_status run(cli_args *args, at_error *err) {
    job j = {.o = &args->opts};
    const at_status s = predict(&j, args, err);
    at_predictor_free(j.predictor);
    at_network_free(&j.net);
    cli_inputs_free(&j.inputs);
    free(j.out);
    return s;
}

const cli_command cli_predict = {
    .name = "predict",
    .arguments = "INPUT...",
    .min_words = 1,
    .max_words = -1,
    .summary = "Predicts pictures and whole folders: id masks, colours, overlays, shares of area.",
    .details =
        "Writes NAME.png under ids/ (indexed PNG, palette inside), color/ and overlay/ with each "
        "input's name and sub-folder, and summary.csv with each class' share of the area. Pictures "
        "of any size; large ones are cut into overlapping tiles.",
    .options = "weights tta tile overlap prob conf opacity threads precision conv max-mem runs "
               "output quiet",
    .examples = "atrous predict --weights runs/train photos -o predicted\n"
                "atrous predict -w best.safetensors a.jpg b.jpg --tta flip+scales --prob",
    .run = run,
};
