/* SPDX-License-Identifier: MIT */
/* The pictures of a study's page: the whole with the window in it, the window, its truth, and what
 * each variant made of it, with the share of its pixels that are right. */
#include <stdio.h>

#include "train/html.h"
#include "train/study_page.h"
#include "train/views.h"

typedef at_study_page page;

static double share_right(const at_study_pictures *pics, const at_scene *c, const uint8_t *ids) {
    int64_t right = 0, counted = 0;
    for (int i = 0; i < c->side * c->side; i++) {
        if (c->truth[i] >= pics->classes.count) continue;
        counted++;
        right += ids[i] == c->truth[i];
    }
    return counted ? (double)right / (double)counted : 0;
}

static void close_figure(const page *p, const char *caption) {
    fputs("<figcaption>", p->f);
    at_html_text(p->f, caption);
    fputs("</figcaption></figure>\n", p->f);
}

static at_status write_truth(const page *p, const at_scene *c, int edges, at_error *err) {
    const at_pair size = {c->side, c->side};
    fputs("<figure>", p->f);
    AT_TRY(at_view_write(
        p->f, (at_view){&c->whole, "the whole picture", 0, c->size, c->y, c->x, c->side}, err));
    close_figure(p, "where the window is");
    fputs("<figure class=\"sharp\">", p->f);
    AT_TRY(at_view_write(p->f, (at_view){&c->cut, "the window", 0, size, 0, 0, 0}, err));
    close_figure(p, "image");
    fputs("<figure class=\"sharp\">", p->f);
    AT_TRY(at_view_write_ids(p->f, &p->pictures->classes, c->truth, size, "the truth", edges, err));
    close_figure(p, "truth");
    return AT_OK;
}

static at_status write_variant(const page *p, const at_scene *c, int variant, int edges,
                               at_error *err) {
    const at_study_pictures *pics = p->pictures;
    fprintf(p->f, "<figure class=\"sharp\" data-k=\"%d\">", p->look[variant].key);
    AT_TRY(at_view_write_ids(p->f, &pics->classes, c->ids[variant], (at_pair){c->side, c->side},
                             p->s->variants[variant].name, edges, err));
    fputs("<figcaption>", p->f);
    at_page_variant(p, variant);
    fprintf(p->f, "<br/><span class=\"dim\">%.1f %% right</span></figcaption></figure>\n",
            100 * share_right(pics, c, c->ids[variant]));
    return AT_OK;
}

static at_status write_scene(const page *p, const at_scene *c, int edges, at_error *err) {
    const size_t pixels = (size_t)c->side * (size_t)c->side;
    at_seen seen = {{false}};
    at_html_element(p->f, "h3", c->name);
    AT_TRY(at_view_edges(p->f, edges, c->truth, (at_pair){c->side, c->side}, err));
    fputs("<div class=\"views\">\n", p->f);
    AT_TRY(write_truth(p, c, edges, err));
    at_seen_add(&seen, c->truth, pixels);
    for (int i = 0; i < p->s->variant_count; i++) {
        const int v = p->order[i];
        if (!c->ids[v]) continue;
        at_seen_add(&seen, c->ids[v], pixels);
        AT_TRY(write_variant(p, c, v, edges, err));
    }
    fputs("</div>\n", p->f);
    at_view_legend(p->f, &p->pictures->classes, &seen);
    return AT_OK;
}

at_status at_section_pictures(const page *p, at_error *err) {
    if (!p->pictures) {
        fputs("<p class=\"dim\">", p->f);
        at_html_text(p->f, p->no_pictures ? p->no_pictures : "There are no pictures yet.");
        fputs("</p>\n", p->f);
        return AT_OK;
    }
    fprintf(p->f,
            "<p>Pictures whose boundaries divide the variants most, and in each the window that "
            "does, seed %llu. Thin lines are the edges of the truth.</p>\n",
            (unsigned long long)p->pictures->seed);
    for (int i = 0; i < p->pictures->scene_count; i++)
        AT_TRY(write_scene(p, &p->pictures->scenes[i], i + 1, err));
    return AT_OK;
}
