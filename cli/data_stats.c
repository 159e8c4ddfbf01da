/* SPDX-License-Identifier: MIT */
/* atrous data stats: pixels and pictures of each class, sizes, means, and the weights that
 * --class-weights would give. */
#include "cli/cli.h"

typedef struct table {
    const at_split *split;
    const at_classes *classes;
    at_class_stats stats;
    float median[AT_MAX_CLASSES], enet[AT_MAX_CLASSES], inverse[AT_MAX_CLASSES];
    double share[AT_MAX_CLASSES];
} table;

static at_status measure(const at_dataset *d, const at_split *s, int channels, table *t,
                         at_error *err) {
    *t = (table){.split = s, .classes = at_dataset_classes(d)};
    AT_TRY(at_dataset_stats(d, s, channels, &t->stats, err));
    const int k = t->classes->count;
    int64_t all = 0;
    for (int c = 0; c < k; c++) all += t->stats.pixels[c];
    for (int c = 0; c < k && all; c++) t->share[c] = (double)t->stats.pixels[c] / (double)all;
    at_class_weights(AT_CLASS_WEIGHTS_MEDIAN, &t->stats, k, t->median);
    at_class_weights(AT_CLASS_WEIGHTS_ENET, &t->stats, k, t->enet);
    at_class_weights(AT_CLASS_WEIGHTS_INVERSE, &t->stats, k, t->inverse);
    return AT_OK;
}

static void print(const table *t, int channels) {
    const at_class_stats *s = &t->stats;
    printf("\n%s: %d pictures, heights %d to %d, widths %d to %d, %lld pixels ignored\n",
           t->split->name, t->split->count, s->smallest.h, s->largest.h, s->smallest.w,
           s->largest.w, (long long)s->ignored);
    printf("mean");
    for (int c = 0; c < channels; c++) printf(" %.4f", s->mean[c]);
    printf("  std");
    for (int c = 0; c < channels; c++) printf(" %.4f", s->std[c]);
    printf("\n%4s %-20s %14s %8s %9s %9s %9s %9s\n", "id", "class", "pixels", "share", "pictures",
           "median", "enet", "inverse");
    for (int c = 0; c < t->classes->count; c++)
        printf("%4d %-20s %14lld %7.3f%% %9d %9.4f %9.4f %9.4f\n", c, t->classes->items[c].name,
               (long long)s->pixels[c], 100 * t->share[c], s->images[c], t->median[c], t->enet[c],
               t->inverse[c]);
}

static json_t *class_json(const table *t, int c) {
    return json_pack("{si ss sI sf si s{sf sf sf}}", "id", c, "name", t->classes->items[c].name,
                     "pixels", (json_int_t)t->stats.pixels[c], "share", t->share[c], "images",
                     t->stats.images[c], "weights", "median", (double)t->median[c], "enet",
                     (double)t->enet[c], "inverse", (double)t->inverse[c]);
}

static json_t *to_json(const table *t, int channels) {
    const at_class_stats *s = &t->stats;
    json_t *classes = json_array(), *mean = json_array(), *std = json_array();
    for (int c = 0; c < t->classes->count; c++) json_array_append_new(classes, class_json(t, c));
    for (int c = 0; c < channels; c++) {
        json_array_append_new(mean, json_real(s->mean[c]));
        json_array_append_new(std, json_real(s->std[c]));
    }
    return json_pack("{ss si sI s[ii] s[ii] so so so}", "split", t->split->name, "images",
                     t->split->count, "ignored", (json_int_t)s->ignored, "smallest", s->smallest.h,
                     s->smallest.w, "largest", s->largest.h, s->largest.w, "mean", mean, "std", std,
                     "classes", classes);
}

/* One split, or all of them in turn. */
static at_status all(const at_dataset *d, const cli_opts *o, json_t *list, at_error *err) {
    const int channels = o->train.net.in_channels;
    const at_split *only = NULL;
    table t;
    if (o->split) AT_TRY(at_dataset_find_split(d, o->split, &only, err));
    for (int i = 0; i < at_dataset_split_count(d); i++) {
        const at_split *s = at_dataset_split_at(d, i);
        if (only && s != only) continue;
        cli_live("%s: reading %d masks and pictures", s->name, s->count);
        AT_TRY(measure(d, s, channels, &t, err));
        cli_live_end();
        if (o->json)
            json_array_append_new(list, to_json(&t, channels));
        else
            print(&t, channels);
    }
    return AT_OK;
}

static at_status stats(const at_dataset *d, const cli_opts *o, at_error *err) {
    json_t *list = json_array();
    if (!o->json) printf("layout %s\n%s", at_dataset_layout(d), at_dataset_notes(d));
    const at_status s = all(d, o, list, err);
    if (s == AT_OK && o->json)
        return cli_print_json(json_pack("{ss so}", "layout", at_dataset_layout(d), "splits", list),
                              err);
    json_decref(list);
    return s;
}

static at_status run(cli_args *args, at_error *err) {
    at_dataset *d;
    AT_TRY(cli_start_threads(&args->opts, err));
    AT_TRY(cli_open_data(&args->opts, &d, err));
    const at_status s = stats(d, &args->opts, err);
    at_dataset_free(d);
    return s;
}

const cli_command cli_data_stats = {
    .name = "data stats",
    .arguments = "",
    .summary = "Pixels and pictures of each class, sizes, means, and the class weights they give.",
    .options = "data split ignore classes channels val-share seed threads json",
    .examples = "atrous data stats --data camvid --split train",
    .run = run,
};
