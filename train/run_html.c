/* SPDX-License-Identifier: MIT */
/* A run as a page: report.html. The head says what came out and how far the run is; then come the
 * sections of the list. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/figures.h"
#include "train/html.h"
#include "train/run_page.h"
#include "train/train.h"

typedef at_run_page page;

static const char *title_of(const page *p) {
    const char *slash = strrchr(p->dir, '/');
    return slash ? slash + 1 : p->dir;
}

static void fact(const page *p, const char *name, const char *text) {
    fputs("<dt>", p->f);
    at_html_text(p->f, name);
    fputs("</dt><dd>", p->f);
    at_html_text(p->f, text);
    fputs("</dd>\n", p->f);
}

/* ---- the head ---- */

static void notice(const page *p) {
    const int done = p->row_count ? p->rows[p->row_count - 1].epoch : 0;
    if (at_run_is_over(p)) return;
    fprintf(p->f, "<p class=\"notice\"><b>This run is not finished.</b> %d", done);
    if (p->o.epochs) fprintf(p->f, " of %d", p->o.epochs);
    fputs(" epochs are over. Go on with <code>atrous train --resume ", p->f);
    at_html_text(p->f, p->dir);
    fputs("</code>.</p>\n", p->f);
}

static void tile(const page *p, const char *name, double value, const char *note) {
    char text[AT_FIGURE];
    at_html_tile(p->f, name, at_figure_share(text, value), note);
}

static void tiles(const page *p) {
    const at_metrics *m = &p->e.metrics;
    char note[64];
    if (!p->measured) return;
    fputs("<dl class=\"tiles\">\n", p->f);
    snprintf(note, sizeof note, "commonest class alone: %.3f", m->majority_miou);
    tile(p, "mIoU", m->miou, note);
    snprintf(note, sizeof note, "commonest class alone: %.3f", m->majority_accuracy);
    tile(p, "pixel accuracy", m->pixel_accuracy, note);
    tile(p, "mean accuracy", m->mean_accuracy, NULL);
    tile(p, "boundary F1", at_boundary_f1(&p->e.measures->boundary, AT_F1_NEAREST, false), NULL);
    tile(p, "mean Dice", m->mean_dice, NULL);
    tile(p, "loss", p->e.loss, NULL);
    fputs("</dl>\n", p->f);
}

static void measured_on(const page *p) {
    if (p->measured)
        fprintf(
            p->f,
            "<p>Measured on split <b>%s</b>, %d pictures, with the %s weights (epoch %d).</p>\n",
            p->split, p->e.images, p->weights, p->net.epoch);
    else {
        fputs("<p class=\"notice\">Not measured: ", p->f);
        at_html_text(p->f, p->why.text);
        fputs(". The sections that need it are left out.</p>\n", p->f);
    }
}

/* ---- the setting ---- */

static void number_fact(const page *p, const char *name, const char *key,
                        const char *(*figure)(char *, double)) {
    const json_t *v = json_object_get(p->start, key);
    char text[AT_FIGURE];
    if (json_is_number(v)) fact(p, name, figure(text, json_number_value(v)));
}

static at_status option_fact(const page *p, const char *name, const char *option, at_error *err) {
    char *text = at_train_get(&p->o, option);
    if (!text) return at_fail_memory(err, "an option", 0);
    if (*text) fact(p, name, text);
    free(text);
    return AT_OK;
}

static at_status all_options(const page *p, at_error *err) {
    char *text = json_dumps(p->config, JSON_INDENT(2) | JSON_REAL_PRECISION(12));
    if (!text) return at_fail_memory(err, "options", 0);
    fputs("<details><summary>All options (config.json)</summary>\n", p->f);
    at_html_command(p->f, text);
    fputs("</details>\n", p->f);
    at_json_release(text);
    return AT_OK;
}

static at_status setting(const page *p, at_error *err) {
    static const struct {
        const char *name, *option;
    } facts[] = {{"model", "model"},         {"upsampling", "upsample"},
                 {"crop", "size"},           {"resized to", "resize"},
                 {"batch", "batch"},         {"epochs", "epochs"},
                 {"loss", "loss"},           {"class weights", "class-weights"},
                 {"optimiser", "optimizer"}, {"learning rate", "lr"},
                 {"schedule", "schedule"},   {"seed", "seed"}};
    fputs("<dl class=\"facts\">\n", p->f);
    fact(p, "data", p->o.data ? p->o.data : "the built-in synthetic set");
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        AT_TRY(option_fact(p, facts[i].name, facts[i].option, err));
    number_fact(p, "parameters", "parameters", at_figure_number);
    number_fact(p, "MACs of a batch", "macs", at_figure_number);
    number_fact(p, "planned memory", "train_bytes", at_figure_bytes);
    fputs("</dl>\n", p->f);
    return all_options(p, err);
}

static at_status again(const page *p, at_error *err) {
    at_train_opts o = p->o;
    o.resume = NULL;
    char *text = at_train_command(&o);
    if (!text) return at_fail_memory(err, "a command", 0);
    at_html_element(p->f, "p",
                    "On the same kernels (see atrous version) this gives the same bits, "
                    "for any number of threads, unless time ends it.");
    at_html_command(p->f, text);
    free(text);
    return AT_OK;
}

/* ---- the page ---- */

static const struct section {
    const char *id, *title;
    at_run_section *write;
    bool needs_measures;
} sections[] = {
    {"curves", "Training curves", at_run_curves, false},
    {"classes", "Class by class", at_run_classes, true},
    {"confusion", "What is taken for what", at_run_confusion, true},
    {"pictures", "Pictures", at_run_pictures, true},
    {"edges", "Near the edges", at_run_trimap, true},
    {"objects", "Objects by size", at_run_objects, true},
    {"checkerboard", "Checkerboards", at_run_checkerboard, true},
    {"setting", "Setting", setting, false},
    {"again", "This run again", again, false},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

static void head(const page *p) {
    at_html_open(p->f, title_of(p));
    fputs("<p class=\"over\">Training run</p>\n", p->f);
    at_html_element(p->f, "h1", title_of(p));
    notice(p);
    measured_on(p);
    tiles(p);
    fputs("<nav aria-label=\"Contents\">\n", p->f);
    for (int i = 0; i < SECTIONS; i++)
        if (p->measured || !sections[i].needs_measures)
            at_html_link(p->f, sections[i].id, sections[i].title);
    fputs("</nav>\n", p->f);
}

static at_status write_page(const page *p, at_error *err) {
    head(p);
    for (int i = 0; i < SECTIONS; i++) {
        if (!p->measured && sections[i].needs_measures) continue;
        at_html_section_open(p->f, sections[i].id, sections[i].title);
        AT_TRY(sections[i].write(p, err));
        at_html_section_close(p->f);
    }
    at_html_close(p->f);
    return AT_OK;
}

static at_status save(page *p, at_error *err) {
    at_file_writer w;
    char *path = at_path_join(p->dir, "report.html");
    at_status s = path ? at_file_begin(&w, path, err) : at_fail_memory(err, "a path", 0);
    free(path);
    AT_TRY(s);
    p->f = w.stream;
    s = write_page(p, err);
    if (s == AT_OK) return at_file_commit(&w, err);
    at_file_abandon(&w);
    return s;
}

at_status at_run_save_report(const char *run, at_run_report_opts opts, at_error *err) {
    page *p = calloc(1, sizeof *p);
    char *dir = strdup(run);
    at_status s = p && dir ? AT_OK : at_fail_memory(err, "report.html", sizeof *p);
    for (size_t n = dir ? strlen(dir) : 0; n > 1 && dir[n - 1] == '/'; n--) dir[n - 1] = '\0';
    if (s == AT_OK) {
        p->dir = dir;
        p->opts = opts;
        s = at_run_page_read(p, err);
        if (s == AT_OK) s = save(p, err);
        at_run_page_free(p);
    }
    free(dir);
    free(p);
    return s;
}
