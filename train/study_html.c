/* SPDX-License-Identifier: MIT */
/* A study as a page: report.html. The head says what was asked, what was made equal and how far the
 * study is; then come the sections of the list. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/figures.h"
#include "train/html.h"
#include "train/study_page.h"
#include "train/study_private.h"
#include "train/study_words.h"

typedef at_study_page page;

enum { MOST_IN_KEY = 8 };

/* ---- what sections share ---- */

const at_study_run *at_page_run(const page *p, int seed, int variant) {
    return &p->s->runs[seed * p->s->variant_count + variant];
}

bool at_page_has(const page *p, const char *measure) {
    for (int i = 0; i < p->s->variant_count; i++)
        if (at_study_summarise(p->s, i, measure).n) return true;
    return false;
}

int at_page_measured(const page *p) {
    int count = 0;
    for (int i = 0; i < p->s->variant_count; i++)
        count += at_study_summarise(p->s, i, "miou").n > 0;
    return count;
}

void at_page_number(const page *p, int variant) {
    const at_chart_look l = p->look[variant];
    fprintf(p->f, "<span class=\"k h%d p%d\" data-k=\"%d\">%d</span>", l.hue, l.pattern, l.key,
            l.key);
}

void at_page_variant(const page *p, int variant) {
    at_page_number(p, variant);
    at_html_text(p->f, p->s->variants[variant].name);
}

void at_page_key(const page *p) {
    const bool folded = at_page_measured(p) > MOST_IN_KEY;
    if (folded) fputs("<details class=\"dim\"><summary>Numbers and names</summary>\n", p->f);
    fputs("<ul class=\"key\">\n", p->f);
    for (int i = 0; i < p->s->variant_count; i++) {
        if (!at_study_summarise(p->s, p->order[i], "miou").n) continue;
        fprintf(p->f, "<li data-k=\"%d\">", i + 1);
        at_page_variant(p, p->order[i]);
        fputs("</li>\n", p->f);
    }
    fputs(folded ? "</ul>\n</details>\n" : "</ul>\n", p->f);
}

at_chart_point at_page_point(double x, const double *values, int n) {
    double sum = 0, low = INFINITY, high = -INFINITY;
    int count = 0;
    for (int i = 0; i < n; i++) {
        if (!isfinite(values[i])) continue;
        sum += values[i];
        low = fmin(low, values[i]), high = fmax(high, values[i]);
        count++;
    }
    if (!count) return (at_chart_point){x, NAN, NAN, NAN};
    return (at_chart_point){x, sum / count, count > 1 ? low : NAN, count > 1 ? high : NAN};
}

/* ---- numbers, hues and patterns ---- */

static int value_index(const at_study *s, int axis, int variant, int *count) {
    const json_t *values =
        json_object_get(json_array_get(json_object_get(s->config, "axes"), (size_t)axis), "values");
    int rest = variant;
    *count = (int)json_array_size(values);
    for (int a = s->axis_count - 1; a > axis; a--)
        rest /= (int)json_array_size(json_object_get(
            json_array_get(json_object_get(s->config, "axes"), (size_t)a), "values"));
    return rest % *count;
}

/* The axis with most values gives the hue, the others together the pattern; on a single axis
 * the pattern changes where the hues are used up. */
static void choose_looks(page *p) {
    const at_study *s = p->s;
    int main_axis = 0, most = 0, count;
    for (int a = 0; a < s->axis_count; a++) {
        value_index(s, a, 0, &count);
        if (count > most) most = count, main_axis = a;
    }
    for (int i = 0; i < s->variant_count; i++) {
        const int hue = value_index(s, main_axis, i, &count);
        int pattern = hue / 8;
        for (int a = 0; a < s->axis_count; a++) {
            if (a == main_axis) continue;
            const int value = value_index(s, a, i, &count);
            pattern = pattern * count + value;
        }
        p->look[i].hue = hue % 8;
        p->look[i].pattern = pattern % 4;
    }
    for (int i = 0; i < s->variant_count; i++) p->look[p->order[i]].key = i + 1;
}

/* ---- the head ---- */

static int count_runs(const at_study *s, at_run_state state) {
    int count = 0;
    for (int i = 0; i < s->run_count; i++) count += s->runs[i].state == state;
    return count;
}

static void tiles(const page *p) {
    const at_study *s = p->s;
    char a[AT_FIGURE], b[AT_FIGURE];
    const int best = p->order[0];
    const at_study_summary m = at_study_summarise(s, best, "miou");
    fputs("<dl class=\"tiles\">\n", p->f);
    snprintf(a, sizeof a, "%d", s->variant_count);
    at_html_tile(p->f, "variants", a, NULL);
    snprintf(a, sizeof a, "%d", s->seed_count);
    at_html_tile(p->f, s->seed_count == 1 ? "seed" : "seeds each", a, NULL);
    snprintf(a, sizeof a, "%d of %d", count_runs(s, AT_RUN_DONE) + count_runs(s, AT_RUN_TRAINED),
             s->run_count);
    at_html_tile(p->f, "runs trained", a, NULL);
    if (m.n) {
        snprintf(b, sizeof b, "± %.4f over seeds", m.deviation);
        at_html_tile(p->f, "highest mean mIoU", at_figure_share(a, m.mean), m.n > 1 ? b : NULL);
    }
    fputs("</dl>\n", p->f);
}

/* The study is not what it is to become. */
static void notice(const page *p) {
    const at_study *s = p->s;
    const int done = count_runs(s, AT_RUN_DONE), failed = count_runs(s, AT_RUN_FAILED);
    if (done == s->run_count) return;
    fputs("<p class=\"notice\"><b>This study is not finished.</b> Of its runs ", p->f);
    const char *between = "";
    for (int i = AT_RUN_STATES - 1; i >= 0; i--) {
        const int count = count_runs(s, (at_run_state)i);
        if (!count) continue;
        fprintf(p->f, "%s%d %s", between, count,
                i == AT_RUN_TRAINED ? "trained, their times not yet measured"
                                    : at_run_state_names[i]);
        between = ", ";
    }
    fputs(". What follows is of what is there. Go on with <code>atrous compare --name ", p->f);
    at_html_text(p->f, at_study_title(s));
    const int parent = (int)(at_study_title(s) - s->dir) - 1;
    if (parent < 0)
        fputs(" --runs .", p->f);
    else if (parent != 4 || strncmp(s->dir, "runs", 4) != 0)
        at_html_textf(p->f, " --runs %.*s", parent ? parent : 1, s->dir);
    fprintf(p->f, "</code>%s.</p>\n", failed ? ", which tries those that failed again" : "");
}

static int told_apart(const page *p, int variant) {
    int count = 0;
    for (int i = 0; i < p->s->pair_count; i++) {
        const at_study_pair *pair = &p->s->pairs[i];
        if (strcmp(pair->measure, "miou") == 0 && (pair->a == variant || pair->b == variant))
            count += at_study_differs(pair);
    }
    return count;
}

/* What there is to know, in a sentence. */
static void lead(const page *p) {
    const int measured = at_page_measured(p);
    const at_study_summary m = at_study_summarise(p->s, p->order[0], "miou");
    char text[AT_FIGURE];
    if (!measured) {
        at_html_element(p->f, "p", "No run is measured yet.");
        return;
    }
    fputs("<p class=\"lead\">", p->f);
    at_page_variant(p, p->order[0]);
    fprintf(p->f, " has the highest mIoU, %s", at_figure_spread(text, m));
    if (measured > 1) {
        const int told = told_apart(p, p->order[0]);
        fprintf(p->f, "; %d seed%s ", m.n, m.n == 1 ? "" : "s");
        if (told)
            fprintf(p->f, "tell%s it apart from <b>%d of the %d</b> others", m.n == 1 ? "s" : "",
                    told, measured - 1);
        else
            fprintf(p->f, "<b>can't tell it apart</b> from %s",
                    measured == 2 ? "the other" : "any of the others");
    }
    fputs(".</p>\n", p->f);
}

static void question(const page *p) {
    const at_study *s = p->s;
    const at_study_preset *preset = at_study_preset_of(s);
    const json_t *axes = json_object_get(s->config, "axes");
    fputs("<dl class=\"facts\">\n<dt>data</dt><dd>", p->f);
    at_html_text(p->f, at_study_data(s));
    fputs("</dd>\n", p->f);
    if (preset) {
        fputs("<dt>preset</dt><dd>", p->f);
        at_html_textf(p->f, "%s: %s", preset->name, preset->summary);
        fputs("</dd>\n", p->f);
    }
    for (int a = 0; a < s->axis_count; a++) {
        const json_t *values = json_object_get(json_array_get(axes, (size_t)a), "values");
        fputs("<dt>", p->f);
        at_html_text(p->f, s->axes[a]);
        fputs("</dt><dd>", p->f);
        for (size_t i = 0; i < json_array_size(values); i++) {
            fputs(i ? " · " : "", p->f);
            at_html_text(p->f,
                         json_string_value(json_object_get(json_array_get(values, i), "label")));
        }
        fputs("</dd>\n", p->f);
    }
    fputs("</dl>\n", p->f);
}

static void item(void *arg, const char *sentence) {
    at_html_element(arg, "li", sentence);
}

static void fairness(const page *p) {
    at_html_section_open(p->f, "equal", "What is equal and what is not");
    fputs("<ul>\n", p->f);
    at_study_say_fairness(p->s, item, p->f);
    fputs("</ul>\n", p->f);
    at_html_section_close(p->f);
}

/* ---- the page ---- */

static const struct section {
    const char *id, *title;
    at_study_section *write;
    int least; /* measured variants without which there is nothing to tell */
} sections[] = {
    {"ranking", "Ranking by mIoU", at_section_ranking, 0},
    {"differences", "What the seeds say", at_section_pairs, 2},
    {"curves", "Training curves", at_section_curves, 0},
    {"cost", "Accuracy against cost", at_section_cost, 1},
    {"edges", "Near the edges", at_section_trimap, 1},
    {"classes", "Class by class", at_section_classes, 1},
    {"pictures", "Where they differ most", at_section_pictures, 1},
    {"beyond", "Beyond mIoU", at_section_beyond, 1},
    {"rates", "Learning rates", at_section_rates, 0},
    {"runs", "Each run again", at_section_runs, 0},
};
enum { SECTIONS = sizeof sections / sizeof *sections };

static bool wanted(const page *p, const struct section *s) {
    if (s->write == at_section_rates && !p->s->lr_count) return false;
    return at_page_measured(p) >= s->least;
}

static void contents(const page *p) {
    fputs("<nav aria-label=\"Contents\">\n", p->f);
    at_html_link(p->f, "equal", "What is equal");
    for (int i = 0; i < SECTIONS; i++)
        if (wanted(p, &sections[i])) at_html_link(p->f, sections[i].id, sections[i].title);
    fputs("</nav>\n", p->f);
}

static void head(const page *p) {
    at_html_open(p->f, at_study_title(p->s));
    fputs("<p class=\"over\">Comparison</p>\n", p->f);
    at_html_element(p->f, "h1", at_study_title(p->s));
    lead(p);
    notice(p);
    tiles(p);
    question(p);
    contents(p);
    fairness(p);
}

static at_status write_page(const page *p, at_error *err) {
    head(p);
    for (int i = 0; i < SECTIONS; i++) {
        if (!wanted(p, &sections[i])) continue;
        at_html_section_open(p->f, sections[i].id, sections[i].title);
        AT_TRY(sections[i].write(p, err));
        at_html_section_close(p->f);
    }
    at_html_close(p->f);
    return AT_OK;
}

static at_status save(page *p, const char *path, at_error *err) {
    at_file_writer w;
    AT_TRY(at_file_begin(&w, path, err));
    p->f = w.stream;
    const at_status status = write_page(p, err);
    if (status == AT_OK) return at_file_commit(&w, err);
    at_file_abandon(&w);
    return status;
}

at_status at_study_save_html(const at_study *s, const at_study_pictures *pictures,
                             const char *no_pictures, at_error *err) {
    char *path = at_path_join(s->dir, "report.html");
    page *p = calloc(1, sizeof *p);
    at_status status = path && p ? AT_OK : at_fail_memory(err, "report.html", sizeof *p);
    if (status == AT_OK) {
        p->s = s;
        p->pictures = pictures;
        p->no_pictures = no_pictures;
        at_study_rank(s, "miou", p->order);
        choose_looks(p);
        status = save(p, path, err);
    }
    free(path);
    free(p);
    return status;
}

at_status at_study_save_report(const at_study *s, const char *data, const volatile int *stop,
                               at_error *err) {
    at_study_pictures *pictures;
    at_error why = {0};
    char text[AT_ERROR_TEXT + 32];
    /* What is missing for pictures, data above all, is no reason to go without the rest. */
    const at_status made = at_study_pictures_make(s, data, stop, &pictures, &why);
    if (made == AT_ERR_STOPPED || made == AT_ERR_MEMORY) {
        if (err) *err = why;
        return made;
    }
    snprintf(text, sizeof text, "There are no pictures: %s", why.text);
    const at_status status = at_study_save_html(s, pictures, text, err);
    at_study_pictures_free(pictures);
    return status;
}
